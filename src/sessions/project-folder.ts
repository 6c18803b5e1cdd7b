/** Finds, begins and ends a project folder's own sessions. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { NO_WORKING_FOLDER, onWindows } from "../system/environment.ts";
import { ensurePrivateFolder, isOurs, kindOf, listFolder, realPath, removeFile } from "../system/files.ts";
import type { Host } from "../system/host.ts";
import { acquireLock } from "../system/locks.ts";
import { parentOf } from "./folders-above.ts";
import { PROJECT_FOLDER } from "./paths.ts";
import { LOCK_WAIT, type SessionReader } from "./reader.ts";

/**
 * The working folder, whose sessions are kept in it. `instead` is the rest of the hint where its name cannot be shown.
 *
 * @throws {AppError} `STORAGE` when it is gone or its name cannot be shown.
 */
export function workingFolder(
  host: Pick<Host, "workingFolder">,
  instead = ", or keep the session as your own: leave out --local",
): string {
  const folder = host.workingFolder();
  if (folder !== undefined && isPlain(folder)) return folder;
  if (folder !== undefined) {
    throw new AppError(
      "STORAGE",
      `The folder ${printable(folder)} has characters in its name that cannot be shown.`,
      {
        hint: `Give it another name${instead}.`,
      },
    );
  }
  throw new AppError("STORAGE", NO_WORKING_FOLDER, {
    hint: "Go to the project's folder and run the same command again.",
  });
}

/**
 * The nearest folder with a `.datumctl` at or above the working folder, no higher than the git root or the user's home;
 * outside of both, the working folder alone. Links, other users' folders and unreadable ones are skipped.
 */
export async function findProjectFolder({ host, folders }: SessionReader): Promise<string | undefined> {
  const named = host.env(onWindows ? "USERPROFILE" : "HOME");
  const home = named && (await realPath(named) ?? named);
  const here = host.workingFolder();
  let nearest: string | undefined;
  for (let folder = here; folder !== undefined; folder = parentOf(folder)) {
    if (nearest === undefined && await holdsSessions(folders, folder)) nearest = folder;
    // A folder above counts only once it is known to be within the bounds.
    const last = folder === home || await whatIs(`${folder}/.git`) !== undefined;
    if (nearest !== undefined && (last || nearest === here)) return nearest;
    if (last) return undefined;
  }
  return undefined;
}

/** True for a folder whose name can be shown: it stands in messages and in a keyring as it is. */
export function isPlain(folder: string): boolean {
  return folder === printable(folder, Infinity);
}

async function holdsSessions(own: SessionReader["folders"], project: string): Promise<boolean> {
  const folder = `${project}/${PROJECT_FOLDER}`;
  // A variable may have put the user's own sessions there.
  if (folder === own.config || !isPlain(folder) || await whatIs(folder) !== "folder") return false;
  const config = `${folder}/config.json`;
  return await whatIs(config) === "file" && isOurs(folder) && isOurs(config);
}

/** What is at a path; undefined where we may not look. */
async function whatIs(path: string): ReturnType<typeof kindOf> {
  try {
    return await kindOf(path);
  } catch (thrown) {
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

/**
 * Makes the folder of a project's own sessions; true when it did not exist. A folder that existed is kept out of git, too.
 *
 * @throws {AppError} `STORAGE`, also for a link, which could lead out of the project.
 */
export async function beginProjectFolder(
  { folders: { config: folder }, host }: SessionReader,
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
    host.notice(`Added "*" to ${printable(`${folder}/.gitignore`)}, so that git does not see the session.`);
  }
  return false;
}

/**
 * Removes the `config.json` of a project's folder once it has no sessions. Lock files stay, and what keeps them out of git;
 * an empty folder is removed.
 *
 * @throws {AppError} `STORAGE`, `BUSY`.
 */
export async function endProjectFolder({ folders: { config: folder } }: SessionReader): Promise<void> {
  if (await removeFile(folder).catch(() => false)) return;
  const config = `${folder}/config.json`;
  using _lock = await acquireLock(`${config}.lock`, { timeout: LOCK_WAIT, guards: config });
  const names = await listFolder(folder);
  if (!names.some((name) => /^[a-z2-7]{16}\.json/.test(name))) await removeFile(config);
}
