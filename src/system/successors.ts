/** The successors of files: new versions beside them, not yet renamed into place, and whether their process lives. */

import { machineId } from "./environment.ts";

/** A file that will replace another one. */
interface Successor {
  readonly path: string;
  /** The {@link machineId} of its maker. */
  readonly machine: string;
  /** When it was last written, by its file system's clock; in milliseconds since 1970. */
  readonly writtenAt: number;
}

const NAME = /^(.*)\.new-([0-9a-f]{8})-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The successors of a file; none when its folder cannot be listed. */
async function successorsOf(path: string): Promise<Successor[]> {
  const [name = ""] = /[^/\\]*$/.exec(path) ?? [];
  const folder = path.slice(0, path.length - name.length);
  const found: Successor[] = [];
  try {
    for await (const entry of Deno.readDir(folder || ".")) {
      const [, of, machine] = NAME.exec(entry.name) ?? [];
      if (of !== name || machine === undefined) continue;
      const successor = `${folder}${entry.name}`;
      const { isFile, mtime } = Deno.lstatSync(successor);
      if (isFile) found.push({ path: successor, machine, writtenAt: mtime?.getTime() ?? 0 });
    }
  } catch {
    // What cannot be seen is neither removed nor waited for.
  }
  return found;
}

/** True when a file has any successor, of any process. */
export async function hasSuccessors(path: string): Promise<boolean> {
  return (await successorsOf(path)).length > 0;
}

/** This process's own successor, which it has locked. */
export interface OwnSuccessor {
  readonly path: string;
  /** False when the lock keeps nobody out; then others' locks say nothing either. */
  readonly locks: boolean;
}

/** True when a file that this process has locked is locked for another one, too. */
export async function keepsOthersOut(locked: string): Promise<boolean> {
  return await isFree(locked) === false;
}

/** True when another process, as far as can be told, has a successor that was written after `since`. */
export async function hasRivals(path: string, own: OwnSuccessor, since: number): Promise<boolean> {
  for (const other of await successorsOf(path)) {
    if (other.path !== own.path && other.writtenAt > since && !await isDead(other, own)) return true;
  }
  return false;
}

/**
 * Removes the successors that killed processes left: this machine's when they are not locked, and other machines',
 * whose locks may not be shared, when they were last written before `limit`.
 */
export async function clearSuccessors(path: string, own: OwnSuccessor, limit: number): Promise<void> {
  for (const other of await successorsOf(path)) {
    if (other.path === own.path) continue;
    const dead = other.writtenAt < limit ? await isFree(other.path) !== false : await isDead(other, own);
    // Another process may be faster; and one that stays holds nothing more than the file itself may.
    if (dead) await Deno.remove(other.path).catch(() => {});
  }
}

/** True when its process is known to be gone. */
async function isDead({ path, machine }: Successor, { locks }: OwnSuccessor): Promise<boolean> {
  return locks && machine === machineId() && await isFree(path) === true;
}

/** True when nobody has a file locked; undefined when that is unknown. */
async function isFree(path: string): Promise<boolean | undefined> {
  try {
    using file = await Deno.open(path, { read: true, write: true });
    return await file.tryLock(true);
  } catch {
    return undefined;
  }
}
