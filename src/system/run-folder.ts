/** A private folder of one run: it is locked as long as the run lives, and the next run removes those of dead ones. */

import type { Clock } from "./clock.ts";
import type { Environment } from "./environment.ts";
import { accessOfOthers, isOurs, kindOf, listFolder, storageError, writeFileAtomically } from "./files.ts";
import { acquireLock } from "./locks.ts";

const PREFIX = "datumctl-exec-";

/** A younger folder may be one that is about to be locked. In milliseconds. */
const OLD = 60_000;

/** Such a folder. */
export interface RunFolder extends AsyncDisposable {
  /** The path of a file in it. */
  pathOf(name: string): string;
  /** Writes a file (0600) in it and returns its path. @throws {AppError} `STORAGE`. */
  add(name: string, text: string): Promise<string>;
}

/**
 * Makes a folder (0700) in `XDG_RUNTIME_DIR`, where that is nobody else's, else among the temporary ones.
 *
 * @throws {AppError} `STORAGE`.
 */
export async function makeRunFolder(env: Environment, now: Clock): Promise<RunFolder> {
  const path = await makeFolder(await runtimeFolder(env) ?? env("TMPDIR"));
  try {
    const lock = await acquireLock(lockOf(path), { timeout: 1_000, guards: path });
    await sweep(path.slice(0, path.lastIndexOf(separatorIn(path))), now);
    const pathOf = (name: string) => `${path}${separatorIn(path)}${name}`;
    return {
      pathOf,
      async add(name, text) {
        await writeFileAtomically(pathOf(name), text);
        return pathOf(name);
      },
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
  try {
    const options: Deno.MakeTempOptions = { prefix: PREFIX };
    if (among !== undefined) options.dir = among;
    return await Deno.makeTempDir(options);
  } catch (thrown) {
    throw storageError("make a folder in", among ?? "the system's temporary folder", thrown);
  }
}

/** `XDG_RUNTIME_DIR`, where it is what the XDG specification says: absolute, ours, and closed to everybody else. */
async function runtimeFolder(env: Environment): Promise<string | undefined> {
  const path = env("XDG_RUNTIME_DIR");
  if (path === undefined || !path.startsWith("/")) return undefined;
  const kind = await kindOf(path).catch(() => undefined);
  return kind === "folder" && isOurs(path) && accessOfOthers(path) === "nothing" ? path : undefined;
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
  const { mtime } = Deno.lstatSync(path);
  return mtime !== null && now() - mtime.getTime() > OLD;
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
