/** A private folder of one run: it is locked as long as the run lives, and the next run removes those of dead ones. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { Clock } from "./clock.ts";
import type { Environment } from "./environment.ts";
import { isOurs, isTrusted, kindOf, listFolder, modifiedAt, storageError } from "./files.ts";
import { acquireLock } from "./locks.ts";
import { runtimeFolder } from "./runtime-folder.ts";

const PREFIX = "datumctl-exec-";

/** A younger folder may be one that is about to be locked. In milliseconds. */
const OLD = 60_000;

/** Such a folder. */
export interface RunFolder extends AsyncDisposable {
  /** The path of a file in it. */
  pathOf(name: string): string;
  /**
   * Writes a file (0600) in it, in one rename, and returns its path. Nothing is synced: no file of it outlives the run.
   *
   * @throws {AppError} `STORAGE`; an older file of that name stays.
   */
  write(name: string, text: string): string;
}

/**
 * Makes a folder (0700) in the runtime folder, else among the temporary ones.
 *
 * @throws {AppError} `STORAGE`, also where `TMPDIR` belongs to another user, who could put another folder in its place.
 */
export async function makeRunFolder(env: Environment, now: Clock): Promise<RunFolder> {
  const path = await makeFolder((await runtimeFolder(env)).path ?? env("TMPDIR"));
  try {
    const lock = await acquireLock(lockOf(path), { timeout: 1_000, guards: path });
    await sweep(path.slice(0, path.lastIndexOf(separatorIn(path))), now);
    const pathOf = (name: string) => `${path}${separatorIn(path)}${name}`;
    return {
      pathOf,
      write: (name, text) => write(pathOf(name), text),
      async [Symbol.asyncDispose]() {
        lock.release();
        await remove(path);
      },
    };
  } catch (thrown) {
    await remove(path);
    throw thrown;
  }
}

async function makeFolder(among: string | undefined): Promise<string> {
  if (among !== undefined && !isTrusted(among)) {
    throw new AppError("STORAGE", `The temporary folder ${printable(among)} belongs to another user.`, {
      hint: "Set TMPDIR to a folder of yours.",
    });
  }
  try {
    const options: Deno.MakeTempOptions = { prefix: PREFIX };
    if (among !== undefined) options.dir = among;
    // The path may be relative so far, and the command may work elsewhere.
    return await Deno.realPath(await Deno.makeTempDir(options));
  } catch (thrown) {
    throw storageError("make a folder in", among ?? "the system's temporary folder", thrown);
  }
}

function write(path: string, text: string): string {
  const successor = `${path}.new`;
  try {
    Deno.writeTextFileSync(successor, text, { mode: 0o600 });
    Deno.renameSync(successor, path);
    return path;
  } catch (thrown) {
    throw storageError("write", path, thrown);
  }
}

/** Removes what killed runs left. Containers that share the folder have processes of the same numbers: locks tell. */
async function sweep(among: string, now: Clock): Promise<void> {
  const names = await listFolder(among).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(PREFIX))) {
    const path = `${among}${separatorIn(among)}${name}`;
    try {
      if (await kindOf(path) === "folder" && isOurs(path) && isOld(path, now) && await isFree(path)) {
        await remove(path);
      }
    } catch {
      // What cannot be looked at stays.
    }
  }
}

function isOld(path: string, now: Clock): boolean {
  return now() - (modifiedAt(path) ?? Infinity) > OLD;
}

async function isFree(path: string): Promise<boolean> {
  const lock = await acquireLock(lockOf(path), { timeout: 0, guards: path });
  lock.release();
  return lock.holds;
}

function lockOf(path: string): string {
  return `${path}${separatorIn(path)}lock`;
}

/** What stands between the names of a path: the system made it. */
function separatorIn(path: string): string {
  return path.includes("/") ? "/" : "\\";
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(() => {});
}
