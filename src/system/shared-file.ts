/** Files that other programs edit, too: their locks, and replacement that keeps owner, mode and links. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { checkpoint } from "./checkpoint.ts";
import { formatSpan, pause } from "./clock.ts";
import { fileFailure, isOurs, kindOf, storageError } from "./files.ts";
import { interruption } from "./signals.ts";

/** How long to wait for another program's lock by default, in milliseconds. */
const LOCK_WAIT = 5_000;
const LOCK_PAUSE = 25;

/**
 * Runs the work while it holds `<path>.lock` of every path, each created exclusively as kubectl does, in one fixed
 * order. The locks are removed on every way out. A signal is held back meanwhile and aborts the one handed to the
 * work.
 *
 * In a folder where no lock can be created, kubectl could not create one either: the work goes on, and
 * {@link replaceSharedFile} locks the file itself.
 *
 * @throws {AppError} `BUSY`, naming a lock that stays and its age (it is never removed), `INTERRUPTED` after a
 * signal, `STORAGE`, and what the work throws.
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
        // Another process removed it first: nothing is left to release.
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
      // Synchronous, so that nothing can end the process between creating the lock and noting it.
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
 * A file's bytes; undefined when there is none.
 *
 * @throws {AppError} `STORAGE` when it cannot be read; with `largest`, also when it has more bytes or is no plain
 * file, which is not opened.
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

/** The result of a replacement: `changed` when the file no longer held what the new content was made from. */
export type Replaced = "renamed" | "in place" | "changed";

/**
 * Replaces a file's content through a copy in the same folder: made with the old mode, synced, read back, renamed
 * onto the target of the path's links. When that is refused or would lose something (a bind mount, an unwritable
 * folder, a file with several names, another owner), the file is rewritten in place, and the copy stays until it
 * was read back. A new file gets mode 0600, a new folder 0700.
 *
 * @param before what the new content was made from; undefined when there was no file
 * @param signal aborts while nothing has been changed yet
 * @throws {AppError} `STORAGE`; the old content is then there, or the error names the copy with the new one.
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
 * Like {@link replaceSharedFile}, for folders where others may write and who must not read the file. A new file of
 * ours replaces the old one, even if others have that open or know it by another name. Links are not followed, and
 * other users' files are refused. It gets the old one's mode, or 0600, limited by `widest`.
 *
 * @throws {AppError} `STORAGE`, also for a link or another user's file.
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

/**
 * Why the path holds no plain file or folder of ours; undefined when it does, or nothing is there. Links are not
 * followed.
 */
export async function whyForeign(path: string, wanted: "file" | "folder"): Promise<string | undefined> {
  const kind = await kindOf(path);
  if (kind === undefined) return undefined;
  if (kind !== wanted) return `it is not a plain ${wanted}`;
  return isOurs(path) ? undefined : "it belongs to someone else";
}

/**
 * Refuses anything but a plain file of ours. Links are not followed.
 *
 * @throws {AppError} `STORAGE` when something else is there.
 */
export async function refuseForeign(path: string): Promise<void> {
  const why = await whyForeign(path, "file");
  if (why === undefined) return;
  throw new AppError("STORAGE", `Cannot write ${printable(path)}: ${why}.`, {
    hint: "Look at what it is; then remove it and run the same command again.",
  });
}

const MOST_ATTEMPTS = 5;

/**
 * Rewrites a file, again if another program wrote it meanwhile. False when `change` returned undefined, so that
 * nothing had to change.
 *
 * @throws {AppError} `BUSY`, `STORAGE`, and what the change throws.
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

/** The git pattern of the copies that are made of a file of that name. */
export function copiesOf(name: string): string {
  return `.${name}${COPY}*`;
}

/** Removes the copies that killed processes left of a file: they may hold its content, and nobody looks for them. */
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
    // The folder cannot be read, or is gone.
  }
}

/** On Windows, locks keep readers out, even from the file that a copy has become. */
const locksSayInUse = Deno.build.os !== "windows";

async function isLeftOver(copy: string): Promise<boolean> {
  try {
    const { isFile, mtime, size } = await Deno.lstat(copy);
    // After a minute no copy is in use any more, even without locks.
    if (mtime !== null && Date.now() - mtime.getTime() > 60_000) return true;
    // A copy is locked before anything is written to it.
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
  /** The created file. Its path is not enough: others who may write in the folder can replace it. */
  readonly file: Deno.FsFile;
  /** True when the copy is in the target's folder with the target's owner and mode, and the target has one name. */
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
 * Gives a copy its original's owner and mode, which the umask reduced. That only works through the copy's path,
 * where others who may write in the folder can put another file; so it is done only in folders where nobody else
 * may.
 */
async function becomeLike(copy: string, old: Deno.FileInfo): Promise<void> {
  if (Deno.build.os === "windows") return;
  const folder = await Deno.stat(parentOf(copy));
  if (folder.uid !== Deno.uid() || ((folder.mode ?? 0o777) & 0o022) !== 0) return;
  await Deno.chown(copy, old.uid, old.gid).catch(() => {});
  await Deno.chmod(copy, (old.mode ?? 0o600) & 0o7777).catch(() => {});
}

/** True when the copy can replace the old file without losing anything; otherwise the file is rewritten in place. */
function isLike(copy: Deno.FileInfo, old: Deno.FileInfo): boolean {
  if (Deno.build.os === "windows") return true;
  return copy.uid === old.uid && copy.gid === old.gid && (old.nlink ?? 1) === 1 &&
    ((copy.mode ?? 0) & 0o7777) === ((old.mode ?? 0) & 0o7777);
}

/**
 * Renames a copy onto its target.
 *
 * @throws {AppError} `STORAGE` when another file has taken the copy's place.
 */
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

/** A file that holds part of its new content and could not be restored. */
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
      // The part beyond the old end first: a full disk shows there, before anything old is overwritten.
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

/** Also true on a file system without locks: nobody else has one either. */
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

/**
 * The target of a path's links, even when nothing is there yet.
 *
 * @throws {AppError} `STORAGE` when the links cannot be followed.
 */
export async function targetOf(path: string): Promise<string> {
  let target = path;
  // Linux follows as many links in one path.
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
