/** Owns locks between processes: a file each, freed by the operating system when its holder dies. */

import { AppError } from "../errors.ts";
import { storageError } from "./files.ts";
import { pause } from "./clock.ts";

const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 200;

/** A held lock. */
export interface FileLock {
  release(): void;
}

/** Who waits for a lock, and for how long. */
export interface LockWait {
  /** The longest wait, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
  /** What the lock guards, for the error: "the session ada@example.com". */
  readonly guards: string;
}

/**
 * Takes the lock of a file, which is made when absent and never deleted.
 *
 * Polled, because a blocking lock cannot be given up. Throws `BUSY` when the time is over.
 */
export async function acquireLock(path: string, wait: LockWait): Promise<FileLock> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
  } catch (thrown) {
    throw storageError("lock", path, thrown);
  }
  const deadline = performance.now() + wait.timeout;
  try {
    for (let step = FIRST_PAUSE;; step = Math.min(step * 1.5, LONGEST_PAUSE)) {
      wait.signal?.throwIfAborted();
      if (await file.tryLock(true)) return { release: () => file.close() };
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
