/** Owns where a project folder's own sessions are, how they are found from within it, and how that place begins and ends. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { onWindows } from "../system/environment.ts";
import { ensurePrivateFolder, isOurs, kindOf, listFolder, realPath, removeFile } from "../system/files.ts";
import { acquireLock } from "../system/locks.ts";
import type { SessionStore } from "./store.ts";
import { LOCK_WAIT } from "./read.ts";

const FOLDER = ".datumctl";

/**
 * The place of a project folder's own sessions. Their keys stay with the person's: a folder that somebody else made,
 * or that came with a repository, opens nothing.
 */
export function projectStore(store: SessionStore, project: string): SessionStore {
  const { local: _, ambient: __, ...rest } = store;
  return { ...rest, project, folders: { config: `${project}/${FOLDER}`, sessions: `${project}/${FOLDER}` } };
}

/** The place of the working folder's own sessions, whether there are any or not. Throws `STORAGE` when it is gone or unnameable. */
export function projectStoreHere(store: SessionStore): SessionStore {
  const folder = store.workingFolder?.();
  if (folder !== undefined && isPlain(folder)) return projectStore(store, folder);
  if (folder !== undefined) {
    throw new AppError(
      "STORAGE",
      `The folder ${printable(folder)} has characters in its name that cannot be shown.`,
      {
        hint: "Give it another name, or keep the session as your own: leave out --local.",
      },
    );
  }
  throw new AppError("STORAGE", "The folder that this command runs in is gone.", {
    hint: "Go to the project's folder and run the same command again.",
  });
}

/**
 * The nearest folder with sessions of its own, from the working folder upward as far as the repository's root or the
 * person's home, neither of which is left; outside of both, the working folder alone. Passed by is what is a link, what
 * belongs to somebody else, and what cannot be read or be named.
 */
export async function findProjectStore(store: SessionStore): Promise<SessionStore | undefined> {
  const named = store.env(onWindows ? "USERPROFILE" : "HOME");
  const home = named && (await realPath(named) ?? named);
  const here = store.workingFolder?.();
  let nearest: string | undefined;
  for (let folder = here; folder !== undefined; folder = parentOf(folder)) {
    if (nearest === undefined && await holdsSessions(store, folder)) nearest = folder;
    // What is above counts only once it is known to be within the bounds.
    const last = folder === home || await whatIs(`${folder}/.git`) !== undefined;
    if (nearest !== undefined && (last || nearest === here)) return projectStore(store, nearest);
    if (last) return undefined;
  }
  return undefined;
}

/** Its name stands in messages and in a keyring, as it is. */
function isPlain(folder: string): boolean {
  return folder === printable(folder, Infinity);
}

async function holdsSessions({ folders }: SessionStore, project: string): Promise<boolean> {
  const folder = `${project}/${FOLDER}`;
  // The person's own sessions may have been put there by a variable.
  if (folder === folders.config || !isPlain(folder) || await whatIs(folder) !== "folder") return false;
  const config = `${folder}/config.json`;
  return await whatIs(config) === "file" && isOurs(folder) && isOurs(config);
}

/** What lies at a path; undefined where nobody lets us look. */
async function whatIs(path: string): ReturnType<typeof kindOf> {
  try {
    return await kindOf(path);
  } catch (thrown) {
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

/** The folder above; undefined above the root. */
function parentOf(folder: string): string | undefined {
  const cut = Math.max(folder.lastIndexOf("/"), onWindows ? folder.lastIndexOf("\\") : -1);
  if (cut < 0 || cut === folder.length - 1) return undefined;
  return folder.slice(0, cut) || "/";
}

/**
 * Makes the folder of a project's own sessions; true when it was not there. One that was there is kept out of git, too,
 * whatever came with it. Throws `STORAGE`, also for a link, which could lead out of the project.
 */
export async function beginProjectFolder(
  { folders: { config: folder }, notice }: SessionStore,
): Promise<boolean> {
  const kind = await kindOf(folder);
  if (kind !== undefined && kind !== "folder") {
    throw new AppError("STORAGE", `${printable(folder)} is not used: it is not a plain folder.`, {
      hint: "Look at what it is; then remove it and run the same command again.",
    });
  }
  if (kind === "folder" && !isOurs(folder)) {
    throw new AppError("STORAGE", `${printable(folder)} is not used: it belongs to someone else.`, {
      hint: "Keep the session as your own: leave out --local.",
    });
  }
  await ensurePrivateFolder(folder);
  if (kind === undefined) return true;
  const { EVERYTHING, keepOutOfGit } = await import("../system/git-ignore.ts");
  if ((await keepOutOfGit(folder, EVERYTHING)).length > 0) {
    notice(`Added "*" to ${printable(`${folder}/.gitignore`)}, so that git does not see the session.`);
  }
  return false;
}

/**
 * Takes away what says that a folder has sessions of its own, once it has none. Lock files stay, and what keeps them
 * out of git; where there are none, the folder goes. Throws `STORAGE`, `BUSY`.
 */
export async function endProjectFolder({ folders: { config: folder } }: SessionStore): Promise<void> {
  // Empty: whoever made it has stored nothing.
  if (await removeFile(folder).catch(() => false)) return;
  const config = `${folder}/config.json`;
  using _lock = await acquireLock(`${config}.lock`, { timeout: LOCK_WAIT, guards: config });
  const names = await listFolder(folder);
  if (!names.some((name) => /^[a-z2-7]{16}\.json/.test(name))) await removeFile(config);
}
