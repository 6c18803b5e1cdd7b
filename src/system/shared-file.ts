/** Owns files that other programs edit too: their locks, and replacing them with owner, mode and links kept. */

import { AppError, printable } from "../errors.ts";
import { checkpoint } from "./checkpoint.ts";
import { formatSpan, pause } from "./clock.ts";
import { fileFailure, storageError } from "./files.ts";
import { interruption } from "./signals.ts";

/** How long a lock of another program is waited for, in milliseconds, unless told otherwise. */
const LOCK_WAIT = 5_000;
const LOCK_PAUSE = 25;

/**
 * Does the work while holding `<path>.lock` of every path, each created exclusively as kubectl does it, in one
 * fixed order. The locks go on every way out; a signal is held back meanwhile and aborts the one handed in.
 *
 * Where the folder lets nobody create a lock, kubectl could not either: the work goes on, and
 * {@link replaceSharedFile} locks the file itself. Throws `BUSY`, naming a lock that stays and its age (it is
 * never removed), `INTERRUPTED` after a signal, `STORAGE`, and what the work throws.
 */
export async function lockingSharedFiles<T>(
  paths: readonly string[],
  work: (signal: AbortSignal) => Promise<T>,
  lockWait = LOCK_WAIT,
): Promise<T> {
  using stop = interruption();
  const held: string[] = [];
  const release = () => {
    for (const lock of held.splice(0)) {
      try {
        Deno.removeSync(lock);
      } catch {
        // Somebody took it away before us: there is nothing left to release.
      }
    }
  };
  // Deno.exit() runs no `finally`.
  addEventListener("unload", release);
  try {
    const deadline = performance.now() + lockWait;
    for (const path of [...new Set(paths)].sort()) await takeLock(path, held, deadline, stop.signal);
    checkpoint("shared files locked");
    const result = await work(stop.signal);
    stop.signal.throwIfAborted();
    return result;
  } finally {
    release();
    removeEventListener("unload", release);
  }
}

async function takeLock(path: string, held: string[], deadline: number, signal: AbortSignal): Promise<void> {
  const lock = `${path}.lock`;
  while (true) {
    signal.throwIfAborted();
    try {
      // Synchronously: nothing may end the process between the lock and our knowing of it.
      Deno.openSync(lock, { write: true, createNew: true, mode: 0o600 }).close();
      held.push(lock);
      return;
    } catch (thrown) {
      const failure = fileFailure(thrown);
      if (failure === "denied" || failure === "read-only") return;
      if (failure === "absent") await makeFolder(parentOf(path));
      else if (failure !== "exists") throw storageError("lock", printable(path), thrown);
    }
    if (performance.now() >= deadline) throw await heldByOthers(path, lock);
    await pause(LOCK_PAUSE * Math.random(), signal);
  }
}

async function heldByOthers(path: string, lock: string): Promise<AppError> {
  const made = (await Deno.stat(lock).catch(() => undefined))?.mtime;
  const age = made ? `, made ${formatSpan(Date.now() - made.getTime())} ago` : "";
  return new AppError(
    "BUSY",
    `Cannot change ${printable(path)}: another program holds its lock ${printable(lock)}${age}.`,
    { hint: "When no kubectl and no other datumctl is running, remove that lock file and try again." },
  );
}

/**
 * A file's bytes, or undefined when there is none. Throws `STORAGE`; where `largest` bytes are given, also for a larger
 * file and for one that is not plain, which is not opened.
 */
export async function readSharedFile(
  path: string,
  largest?: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    if (largest !== undefined) {
      const { size, isFile } = await Deno.stat(path);
      if (!isFile || size > largest) {
        throw new AppError("STORAGE", `Cannot read ${printable(path)}: it is too large or not a plain file.`);
      }
    }
    return await Deno.readFile(path);
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return undefined;
    throw storageError("read", printable(path), thrown);
  }
}

/** What became of a replacement: `changed` when the file no longer held what it was made from. */
export type Replaced = "renamed" | "in place" | "changed";

/**
 * Replaces a file's content by way of a copy in the same folder: synced, read again, given the old one's owner
 * and mode, renamed onto what the path's links lead to. Where that is refused (a bind mount, an unwritable
 * folder, a file with several names, another owner), the file is rewritten in place while the copy is kept
 * until it was read back. A new file gets mode 0600, a new folder 0700.
 *
 * @param before what the new content was made from; undefined when there was no file
 * @param signal aborts while nothing has been changed yet
 * @throws `STORAGE`; the old content is then there, or the error names the copy that has the new one
 */
export async function replaceSharedFile(
  path: string,
  before: Uint8Array | undefined,
  after: Uint8Array,
  signal?: AbortSignal,
): Promise<Replaced> {
  const target = await targetOf(path);
  const old = await statOf(target);
  if (old !== undefined && !old.isFile) {
    throw new AppError("STORAGE", `Cannot write ${printable(path)}: it is not a plain file.`);
  }
  if (old === undefined) await makeFolder(parentOf(target));
  const copy = await makeCopy(target, after, old);
  checkpoint("shared file copied");
  let keepCopy = false;
  try {
    if (!sameBytes(await readSharedFile(target), before)) return "changed";
    signal?.throwIfAborted();
    if (copy.replacesTarget) {
      try {
        await Deno.rename(copy.path, target);
        checkpoint("shared file renamed");
        await removeOldCopies(target);
        return "renamed";
      } catch (thrown) {
        if (old === undefined || fileFailure(thrown) === "full") {
          throw storageError("write", printable(path), thrown);
        }
      }
    }
    return await rewrite(target, before ?? new Uint8Array(), after).catch((thrown) => {
      keepCopy = thrown instanceof HalfWritten;
      if (!(thrown instanceof HalfWritten)) throw storageError("write", printable(path), thrown);
      throw new AppError("STORAGE", `${printable(path)} was written in part only, and cannot be restored.`, {
        hint: `Its whole new content is in ${printable(copy.path)}: copy it over that file.`,
        cause: thrown.cause,
      });
    });
  } finally {
    if (!keepCopy) await Deno.remove(copy.path).catch(() => {});
  }
}

/** Removes the copies that killed processes left; a minute old, none is in use any more. */
async function removeOldCopies(target: string): Promise<void> {
  const folder = parentOf(target);
  const prefix = `.${nameOf(target)}${COPY}`;
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.startsWith(prefix) || !/^[0-9a-f]+$/.test(name.slice(prefix.length))) continue;
      const path = folder === "." ? name : `${folder}${name}`;
      const { mtime } = await Deno.stat(path);
      if (mtime !== null && Date.now() - mtime.getTime() > 60_000) await Deno.remove(path);
    }
  } catch {
    // The file itself is written; what may be left is private and harms nobody.
  }
}

const COPY = ".datumctl-";

interface Copy {
  readonly path: string;
  /** True when it stands in the target's folder with the target's owner and mode, and the target has one name. */
  readonly replacesTarget: boolean;
}

async function makeCopy(target: string, content: Uint8Array, old: Deno.FileInfo | undefined): Promise<Copy> {
  const cut = target.length - nameOf(target).length;
  const mark = crypto.getRandomValues(new Uint32Array(1))[0]?.toString(16);
  let path = `${target.slice(0, cut)}.${target.slice(cut)}${COPY}${mark}`;
  let beside = true;
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (thrown) {
    const failure = fileFailure(thrown);
    if (old === undefined || (failure !== "denied" && failure !== "read-only")) {
      throw storageError("write", printable(target), thrown);
    }
    beside = false;
    path = await Deno.makeTempFile({ prefix: "datumctl-kubeconfig-" });
  }
  try {
    const file = await Deno.open(path, { write: true });
    try {
      await writeAt(file, 0, content);
      await file.sync();
    } finally {
      file.close();
    }
    if (!sameBytes(await Deno.readFile(path), content)) throw new Error("the copy differs");
    const replacesTarget = beside && (old === undefined || await becomeLike(path, old));
    return { path, replacesTarget };
  } catch (thrown) {
    await Deno.remove(path).catch(() => {});
    throw storageError("write", printable(target), thrown);
  }
}

/** Gives a copy the owner and mode of the old file; false when a rename would still lose something. */
async function becomeLike(copy: string, old: Deno.FileInfo): Promise<boolean> {
  if (Deno.build.os === "windows") return true;
  if ((old.nlink ?? 1) > 1) return false;
  try {
    const made = await Deno.stat(copy);
    if (made.uid !== old.uid || made.gid !== old.gid) await Deno.chown(copy, old.uid, old.gid);
    if (old.mode !== null) await Deno.chmod(copy, old.mode & 0o7777);
    return true;
  } catch (thrown) {
    if (fileFailure(thrown) === "denied") return false;
    throw thrown;
  }
}

/** A file that holds part of its new content and could not be given its old one again. */
class HalfWritten extends Error {
  override readonly name = "HalfWritten";
}

async function rewrite(target: string, before: Uint8Array, after: Uint8Array): Promise<Replaced> {
  const file = await Deno.open(target, { read: true, write: true });
  try {
    const deadline = performance.now() + LOCK_WAIT;
    while (!await file.tryLock(true)) {
      if (performance.now() >= deadline) {
        throw new AppError("BUSY", `Another program is writing ${printable(target)}.`);
      }
      await pause(LOCK_PAUSE);
    }
    if (!sameBytes(await Deno.readFile(target), before)) return "changed";
    try {
      // What lies beyond the old end first: a full disk shows there, before anything old is overwritten.
      await writeAt(file, before.length, after.subarray(before.length));
      await file.sync();
      await writeAt(file, 0, after.subarray(0, before.length));
      await file.truncate(after.length);
      await file.sync();
      if (!sameBytes(await Deno.readFile(target), after)) throw new Error("the file differs");
      return "in place";
    } catch (cause) {
      try {
        await writeAt(file, 0, before);
        await file.truncate(before.length);
        await file.sync();
      } catch {
        throw new HalfWritten("half written", { cause });
      }
      throw cause;
    }
  } finally {
    file.close();
  }
}

async function writeAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw storageError("create the folder", printable(path), thrown);
  }
}

/** What a path's links lead to, also when nothing is there yet. */
async function targetOf(path: string): Promise<string> {
  let target = path;
  // As many links as Linux follows in one path.
  for (let links = 0; links < 40; links += 1) {
    try {
      return await Deno.realPath(target);
    } catch (thrown) {
      if (fileFailure(thrown) !== "absent") throw storageError("write", printable(path), thrown);
    }
    const link = await Deno.readLink(target).catch(() => undefined);
    if (link === undefined) return target;
    target = /^(?:[\\/]|[A-Za-z]:)/.test(link) ? link : `${parentOf(target)}/${link}`;
  }
  return target;
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return undefined;
    throw storageError("read", printable(path), thrown);
  }
}

const SEPARATOR = Deno.build.os === "windows" ? /[\\/]/ : /\//;

function nameOf(path: string): string {
  return path.split(SEPARATOR).at(-1) ?? path;
}

function parentOf(path: string): string {
  const parent = path.slice(0, path.length - nameOf(path).length);
  return parent === "" ? "." : parent;
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
