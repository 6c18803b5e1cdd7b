/** Owns files that other programs edit too: their locks, and replacing them with owner, mode and links kept. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { checkpoint } from "./checkpoint.ts";
import { formatSpan, pause } from "./clock.ts";
import { fileFailure, isOurs, kindOf, storageError } from "./files.ts";
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
 * Replaces a file's content by way of a copy in the same folder: made with the old one's mode, synced, read again,
 * renamed onto what the path's links lead to. Where that is refused or would lose something (a bind mount, an
 * unwritable folder, a file with several names, another owner), the file is rewritten in place while the copy is
 * kept until it was read back. A new file gets mode 0600, a new folder 0700.
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
        await renameOnto(target, copy);
        return "renamed";
      } catch (thrown) {
        if (old === undefined || thrown instanceof AppError || fileFailure(thrown) === "full") {
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
    copy.file.close();
    if (!keepCopy) await Deno.remove(copy.path).catch(() => {});
  }
}

/**
 * As {@link replaceSharedFile}, where others may write in the folder and must not read the file: what was there is
 * replaced by a new file of ours, whoever has it open or by another name; never a link followed, never a file of somebody
 * else's taken. It has the old one's mode, or 0600, as far as `widest` allows.
 *
 * @throws `STORAGE`, also for what is a link, or belongs to somebody else
 */
export async function replaceOwnFile(
  path: string,
  before: Uint8Array | undefined,
  after: Uint8Array,
  widest = 0o600,
): Promise<Replaced> {
  await refuseForeign(path);
  const mode = ((await statOf(path))?.mode ?? 0o600) & widest;
  const copy = await makeCopy(path, after, undefined, mode);
  checkpoint("shared file copied");
  try {
    if (!sameBytes(await readSharedFile(path), before)) return "changed";
    await renameOnto(path, copy);
    return "renamed";
  } catch (thrown) {
    throw storageError("write", printable(path), thrown);
  } finally {
    copy.file.close();
    await Deno.remove(copy.path).catch(() => {});
  }
}

/** Why what is there is not a plain file or folder of ours, links not followed; undefined where it is, or nothing is. */
export async function whyForeign(path: string, wanted: "file" | "folder"): Promise<string | undefined> {
  const kind = await kindOf(path);
  if (kind === undefined) return undefined;
  if (kind !== wanted) return `it is not a plain ${wanted}`;
  return isOurs(path) ? undefined : "it belongs to someone else";
}

/** Throws `STORAGE` for what is there and is not a plain file of ours, links not followed. */
export async function refuseForeign(path: string): Promise<void> {
  const why = await whyForeign(path, "file");
  if (why === undefined) return;
  throw new AppError("STORAGE", `Cannot write ${printable(path)}: ${why}.`, {
    hint: "Look at what it is; then remove it and run the same command again.",
  });
}

const MOST_ATTEMPTS = 5;

/**
 * Rewrites a file until nobody else writes it meanwhile. False when there was nothing to change, which the change says
 * with undefined. Throws `BUSY`, `STORAGE`, and what the change throws.
 */
export async function editFile(
  path: string,
  change: (before: Uint8Array<ArrayBuffer> | undefined) => Uint8Array | undefined,
  { largest, replace }: {
    /** In bytes. */
    readonly largest: number;
    readonly replace: (path: string, before: Uint8Array | undefined, after: Uint8Array) => Promise<Replaced>;
  },
): Promise<boolean> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const before = await readSharedFile(path, largest);
    const after = change(before);
    if (after === undefined) return false;
    if (await replace(path, before, after) !== "changed") return true;
  }
  throw new AppError("BUSY", `Another program keeps writing ${printable(path)}.`);
}

/** The pattern that git ignores copies of a file of that name by, while they are made. */
export function copiesOf(name: string): string {
  return `.${name}${COPY}*`;
}

/** Removes the copies of a file that killed processes left: they may hold what it held, and nobody looks for them. */
export async function removeOldCopies(path: string): Promise<void> {
  await removeCopiesOf(await targetOf(path));
}

async function removeCopiesOf(target: string): Promise<void> {
  const folder = parentOf(target);
  const prefix = `.${nameOf(target)}${COPY}`;
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.startsWith(prefix) || !/^[0-9a-f]+$/.test(name.slice(prefix.length))) continue;
      const path = folder === "." ? name : `${folder}${name}`;
      if (await isLeftOver(path)) await Deno.remove(path).catch(() => {});
    }
  } catch {
    // The folder is not to be read, or is gone.
  }
}

/** Windows' locks keep readers out, also of the file that a copy has become. */
const locksSayInUse = Deno.build.os !== "windows";

async function isLeftOver(copy: string): Promise<boolean> {
  try {
    const { isFile, mtime, size } = await Deno.lstat(copy);
    // A minute old, none is in use any more, also where there are no locks.
    if (mtime !== null && Date.now() - mtime.getTime() > 60_000) return true;
    // It is locked before anything is written to it.
    if (!locksSayInUse || !isFile || size === 0) return false;
    using file = await Deno.open(copy, { read: true, write: true });
    return await file.tryLock(true);
  } catch {
    return false;
  }
}

const COPY = ".datumctl-";

interface Copy {
  readonly path: string;
  /** What was created there; by its path, somebody who may write in the folder can put another file in its place. */
  readonly file: Deno.FsFile;
  /** True when it stands in the target's folder with the target's owner and mode, and the target has one name. */
  readonly replacesTarget: boolean;
}

async function makeCopy(
  target: string,
  content: Uint8Array,
  old: Deno.FileInfo | undefined,
  mode = (old?.mode ?? 0o600) & 0o777,
): Promise<Copy> {
  const cut = target.length - nameOf(target).length;
  const mark = crypto.getRandomValues(new Uint32Array(1))[0]?.toString(16);
  let path = `${target.slice(0, cut)}.${target.slice(cut)}${COPY}${mark}`;
  let beside = true;
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true, createNew: true, mode });
  } catch (thrown) {
    const failure = fileFailure(thrown);
    if (old === undefined || (failure !== "denied" && failure !== "read-only")) {
      throw storageError("write", printable(target), thrown);
    }
    beside = false;
    path = await Deno.makeTempFile({ prefix: "datumctl-kubeconfig-" });
    file = await Deno.open(path, { read: true, write: true });
  }
  try {
    if (locksSayInUse) await file.tryLock(true).catch(() => {});
    await writeAt(file, 0, content);
    await file.sync();
    if (!sameBytes(await contentOf(file), content)) throw new Error("the copy differs");
    if (beside && old !== undefined && !isLike(await file.stat(), old)) await becomeLike(path, old);
    return { path, file, replacesTarget: beside && (old === undefined || isLike(await file.stat(), old)) };
  } catch (thrown) {
    file.close();
    await Deno.remove(path).catch(() => {});
    throw storageError("write", printable(target), thrown);
  }
}

/**
 * Gives a copy its original's owner and mode, of which the umask took some. That goes by the copy's path only, which
 * leads to any file that whoever may write in the folder puts there: done where nobody else may.
 */
async function becomeLike(copy: string, old: Deno.FileInfo): Promise<void> {
  if (Deno.build.os === "windows") return;
  const folder = await Deno.stat(parentOf(copy));
  if (folder.uid !== Deno.uid() || ((folder.mode ?? 0o777) & 0o022) !== 0) return;
  await Deno.chown(copy, old.uid, old.gid).catch(() => {});
  await Deno.chmod(copy, (old.mode ?? 0o600) & 0o7777).catch(() => {});
}

/** True when nothing of the old file would be lost with a copy in its place; else it is rewritten in place. */
function isLike(copy: Deno.FileInfo, old: Deno.FileInfo): boolean {
  if (Deno.build.os === "windows") return true;
  return copy.uid === old.uid && copy.gid === old.gid && (old.nlink ?? 1) === 1 &&
    ((copy.mode ?? 0) & 0o7777) === ((old.mode ?? 0) & 0o7777);
}

/** Renames a copy onto its target. Throws `STORAGE` when another file has taken the copy's place. */
async function renameOnto(target: string, { path, file }: Copy): Promise<void> {
  const [made, there] = [await file.stat(), await Deno.lstat(path)];
  if (Deno.build.os !== "windows" && (made.ino !== there.ino || made.dev !== there.dev)) {
    throw new AppError("STORAGE", `Cannot write ${printable(target)}: someone else writes in its folder.`, {
      hint: `Let no one else write in ${printable(parentOf(target))} and run the same command again.`,
    });
  }
  await Deno.rename(path, target);
  checkpoint("shared file renamed");
  await removeCopiesOf(target);
}

/** A file that holds part of its new content and could not be given its old one again. */
class HalfWritten extends Error {
  override readonly name = "HalfWritten";
}

async function rewrite(target: string, before: Uint8Array, after: Uint8Array): Promise<Replaced> {
  const file = await Deno.open(target, { read: true, write: true });
  try {
    const deadline = performance.now() + LOCK_WAIT;
    while (!await tryLock(file)) {
      if (performance.now() >= deadline) {
        throw new AppError("BUSY", `Another program is writing ${printable(target)}.`);
      }
      await pause(LOCK_PAUSE);
    }
    if (!sameBytes(await contentOf(file), before)) return "changed";
    try {
      // What lies beyond the old end first: a full disk shows there, before anything old is overwritten.
      await writeAt(file, before.length, after.subarray(before.length));
      await file.sync();
      await writeAt(file, 0, after.subarray(0, before.length));
      await file.truncate(after.length);
      await file.sync();
      if (!sameBytes(await contentOf(file), after)) throw new Error("the file differs");
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

/** True also where the file system keeps no locks: nobody else has one either. */
async function tryLock(file: Deno.FsFile): Promise<boolean> {
  return await file.tryLock(true).catch((thrown) => {
    if (fileFailure(thrown) === "lockless") return true;
    throw thrown;
  });
}

async function contentOf(file: Deno.FsFile): Promise<Uint8Array> {
  const bytes = new Uint8Array((await file.stat()).size);
  await file.seek(0, Deno.SeekMode.Start);
  let length = 0;
  for (let read: number | null = 1; read !== null && length < bytes.length; length += read ?? 0) {
    read = await file.read(bytes.subarray(length));
  }
  return bytes.subarray(0, length);
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

/** What a path's links lead to, also when nothing is there yet. Throws `STORAGE`. */
export async function targetOf(path: string): Promise<string> {
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
