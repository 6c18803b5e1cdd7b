/** Owns where a project folder's own sessions are, and how they are found from within it. */

import { type Environment, onWindows } from "../system/environment.ts";
import { exists } from "../system/files.ts";
import type { SessionPlace } from "./store.ts";

const FOLDER = ".datumctl";

/**
 * The place of a project folder's own sessions. Their keys stay with the person's: a folder that somebody else made,
 * or that came with a repository, opens nothing.
 */
export function localPlace(place: SessionPlace, project: string): SessionPlace {
  const { local: _, ambient: __, ...rest } = place;
  return { ...rest, project, folders: { config: `${project}/${FOLDER}`, sessions: `${project}/${FOLDER}` } };
}

/**
 * The nearest folder with sessions of its own, from a folder upward as far as the repository's root or the person's
 * home, neither of which is left.
 */
export async function findLocalPlace(
  place: SessionPlace,
  from: string | undefined,
  env: Environment,
): Promise<SessionPlace | undefined> {
  const home = env(onWindows ? "USERPROFILE" : "HOME");
  for (let folder = from; folder !== undefined; folder = parentOf(folder)) {
    if (await exists(`${folder}/${FOLDER}/config.json`)) return localPlace(place, folder);
    if (folder === home || await exists(`${folder}/.git`)) return undefined;
  }
  return undefined;
}

/** The folder above; undefined above the root. */
function parentOf(folder: string): string | undefined {
  const cut = Math.max(folder.lastIndexOf("/"), onWindows ? folder.lastIndexOf("\\") : -1);
  if (cut < 0 || cut === folder.length - 1) return undefined;
  return folder.slice(0, cut) || "/";
}
