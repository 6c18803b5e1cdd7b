/** New versions of files that only we use: each is written beside the old one, synced and renamed into its place. */

import { AppError } from "../errors.ts";
import { checkpoint } from "./checkpoint.ts";
import { fileFailure, readTextFile, storageError } from "./files.ts";
import { successorPath } from "./successor-path.ts";
import { clearSuccessors, hasRivals, hasSuccessors, keepsOthersOut } from "./successors.ts";

/**
 * A new version of a file, whose room is already taken on the disk. Exactly one of `commit` and `discard` must be
 * called.
 */
export interface Replacement {
  /**
   * Writes the text, syncs it and renames it into place. With `madeFrom`, the text that the new one was made from,
   * returns false and changes nothing when the file holds another text by now.
   *
   * @throws {AppError} `STORAGE`; the old file is then untouched.
   */
  commit(text: string, madeFrom?: { readonly text: string | undefined }): Promise<boolean>;
  /** Gives the room back; the old file stays. */
  discard(): Promise<void>;
  /**
   * True while another process has a successor of the same file that is younger than `life` milliseconds and, as
   * far as can be told, not left by a killed process.
   */
  hasRivals(life: number): Promise<boolean>;
}

/** In milliseconds. Another machine's older successor was left by a killed process: a refresh takes ten seconds. */
const LONGEST_LIFE = 60_000;

/**
 * Takes `room` bytes on the disk beside `path` for a successor of that file, so that a full or read-only disk shows
 * before anything is spent. Also removes what killed processes left. The successor has mode 0600 unless one is given.
 *
 * @throws {AppError} `STORAGE` when there is no room.
 */
export async function prepareReplacement(path: string, room: number, mode?: number): Promise<Replacement> {
  let successor = await makeSuccessor(path, room, mode);
  // The clock of the file system may be another machine's.
  const { mtime } = successor.file.statSync();
  const made = { at: mtime?.getTime() ?? Date.now(), started: performance.now() };
  const ago = (life: number) => made.at + performance.now() - made.started - life;
  const own = { path: successor.path, locks: await keepsOthersOut(successor.path) };
  await clearSuccessors(path, own, ago(LONGEST_LIFE));
  return {
    discard: () => successor.discard(),
    hasRivals: (life) => hasRivals(path, own, ago(life)),
    async commit(text, madeFrom) {
      for (let attempt = 1;; attempt++) {
        try {
          await successor.fill(text);
          checkpoint("file synced");
          if (madeFrom !== undefined && await readTextFile(path) !== madeFrom.text) {
            await successor.discard();
            return false;
          }
          await Deno.rename(successor.path, path);
          return true;
        } catch (thrown) {
          await successor.discard();
          // While a process sleeps for over a minute, another machine may remove its successor.
          if (attempt > 1 || fileFailure(thrown) !== "absent") throw storageError("write", path, thrown);
          successor = await makeSuccessor(path, 0, mode);
        }
      }
    },
  };
}

interface Successor {
  readonly path: string;
  readonly file: Deno.FsFile;
  /** Writes the text as its content and closes it. */
  fill(text: string): Promise<void>;
  /** Closes and removes it. */
  discard(): Promise<void>;
}

async function makeSuccessor(path: string, room: number, mode?: number): Promise<Successor> {
  const own = successorPath(path);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(own, { write: true, createNew: true, mode: 0o600 });
    // The lock tells others that this process is alive.
    await file.tryLock(true).catch(() => {});
  } catch (thrown) {
    throw storageError("write", path, thrown);
  }
  let open = true;
  const close = () => {
    if (open) file.close();
    open = false;
  };
  const write = async (bytes: Uint8Array) => {
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  };
  const discard = async () => {
    close();
    await Deno.remove(own).catch(() => {});
  };
  try {
    // Not where it is opened: the process's own mask would be taken off.
    if (mode !== undefined) await Deno.chmod(own, mode);
    // Random bytes, because a compressing file system takes no room for zeros.
    for (let left = room; left > 0; left -= 65_536) {
      await write(crypto.getRandomValues(new Uint8Array(Math.min(left, 65_536))));
    }
    // Only what takes room can find out that none is left.
    if (room > 0) await file.sync();
  } catch (thrown) {
    await discard();
    throw storageError("write", path, thrown);
  }
  return {
    path: own,
    file,
    discard,
    async fill(text) {
      const bytes = new TextEncoder().encode(text);
      await file.seek(0, Deno.SeekMode.Start);
      await write(bytes);
      await file.truncate(bytes.length);
      await file.sync();
      close();
    },
  };
}

/**
 * Writes a file of ours unless something is at that path.
 *
 * @throws {AppError} `STORAGE` when it cannot be written.
 */
export async function createFile(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  } catch (thrown) {
    if (fileFailure(thrown) !== "exists") throw storageError("write", path, thrown);
  }
}

/**
 * Replaces a file of ours in one step: a successor (0600 unless a mode is given), sync, rename.
 *
 * @throws {AppError} `STORAGE`; the old file stays.
 */
export async function writeFileAtomically(path: string, text: string, mode?: number): Promise<void> {
  const replacement = await prepareReplacement(path, 0, mode);
  await replacement.commit(text);
}

const MOST_CHANGES = 5;

/**
 * Changes a file of ours, which the caller has locked. When another machine holds the same lock and writes
 * meanwhile, `change` runs again on the new text. Undefined and an equal text write nothing, but remove what killed
 * processes left.
 *
 * @throws {AppError} `STORAGE`, `BUSY`, and what `change` throws.
 */
export async function changeFile(
  path: string,
  change: (text: string | undefined) => Promise<string | undefined>,
): Promise<void> {
  for (let attempt = 1; attempt <= MOST_CHANGES; attempt++) {
    const text = await readTextFile(path);
    const changed = await change(text);
    const same = changed === undefined || changed === text;
    // An earlier change that was killed may have left the name of a person who has signed out since.
    if (same && !await hasSuccessors(path)) return;
    const replacement = await prepareReplacement(path, 0);
    if (same) return await replacement.discard();
    if (await replacement.commit(changed, { text })) return;
  }
  throw new AppError("BUSY", `Another program keeps writing ${path}.`, {
    hint: "Run the same command again in a few seconds.",
  });
}
