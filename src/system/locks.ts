/** Locks between processes: one file each, freed by the operating system when the process dies. */

import { AppError } from "../errors.ts";
import { fileFailure, kindOf, storageError } from "./files.ts";
import { pause } from "./clock.ts";

const FIRST_PAUSE = 20;
const LONGEST_PAUSE_MS = 200;

/** A held lock. `using` releases it at the end of its block. */
export interface FileLock extends Disposable {
  /** False when the file system has no locks: then nobody else is kept out. */
  readonly holds: boolean;
  release(): void;
}

/** How long to wait for a lock, and for what. */
export interface LockWait {
  /** The longest wait, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** What the lock guards, for the error: "the session ada@example.com". */
  readonly guards: string;
}

/**
 * Takes the lock of a file, which is created if missing and never deleted. On a file system without locks, such as
 * NFS without its lock service, the work goes on without one, because every write is one rename anyway.
 *
 * The lock is polled, because a blocking lock cannot be given up.
 *
 * @throws {AppError} `BUSY` when the time is over, `STORAGE` when the path is no plain file: a project's folder can
 * hold a link to anywhere.
 */
export async function acquireLock(path: string, wait: LockWait): Promise<FileLock> {
  const file = await openLock(path).catch((thrown) => {
    throw storageError("lock", path, thrown);
  });
  const deadline = performance.now() + wait.timeout;
  try {
    for (let step = FIRST_PAUSE;; step = Math.min(step * 1.5, LONGEST_PAUSE_MS)) {
      wait.signal?.throwIfAborted();
      const tried = await file.tryLock(true).catch((thrown) => {
        if (fileFailure(thrown) === "lockless") return "lockless";
        throw thrown;
      });
      if (tried !== false) {
        const release = () => file.close();
        return { holds: tried === true, release, [Symbol.dispose]: release };
      }
      const left = deadline - performance.now();
      if (left <= 0) break;
      await pause(Math.min(left, step * (0.5 + Math.random())), wait.signal);
    }
  } catch (thrown) {
    file.close();
    if (wait.signal?.aborted) throw wait.signal.reason;
    throw storageError("lock", path, thrown);
  }
  file.close();
  throw new AppError("BUSY", `Another datumctl process is still working on ${wait.guards}.`, {
    hint: "Run the same command again in a few seconds.",
  });
}

/** What a lock on a file is worth. */
export type TriedLock = "keeps others out" | "keeps nobody out" | "lockless" | "read-only" | "unusable";

/**
 * Takes the lock of a file that exists for a moment, and looks whether another one could take it meanwhile. Nothing is
 * changed. Whether another machine sees the lock cannot be told from here.
 */
export async function tryLock(path: string): Promise<TriedLock> {
  const open = () => Deno.open(path, { read: true, write: true });
  try {
    using first = await open();
    if (!await first.tryLock(true)) return "keeps others out";
    using second = await open();
    // Who is kept out here is kept out by another process.
    return await second.tryLock(true) ? "keeps nobody out" : "keeps others out";
  } catch (thrown) {
    const failure = fileFailure(thrown);
    return failure === "lockless" || failure === "read-only" ? failure : "unusable";
  }
}

async function openLock(path: string): Promise<Deno.FsFile> {
  const options = { read: true, write: true };
  for (let attempt = 1;; attempt++) {
    const kind = await kindOf(path);
    if (kind !== undefined && kind !== "file") throw notPlain(path);
    try {
      // Creating a file follows no link.
      if (kind === undefined) return await Deno.open(path, { ...options, createNew: true, mode: 0o600 });
      return checked(await Deno.open(path, options), path);
    } catch (thrown) {
      // Another process created or removed it in between.
      const expected = kind === undefined ? "exists" : "absent";
      if (fileFailure(thrown) !== expected || attempt === 5) throw thrown;
    }
  }
}

/** Throws when a link took the file's place before it was opened. */
function checked(file: Deno.FsFile, path: string): Deno.FsFile {
  try {
    const opened = file.statSync();
    const { isFile, ino, dev } = Deno.lstatSync(path);
    if (isFile && ino === opened.ino && dev === opened.dev) return file;
    throw notPlain(path);
  } catch (thrown) {
    file.close();
    throw thrown;
  }
}

function notPlain(path: string): AppError {
  return new AppError("STORAGE", `Cannot lock ${path}: it is not a plain file.`, {
    hint: "Look at what it is; then remove it and run the same command again.",
  });
}
