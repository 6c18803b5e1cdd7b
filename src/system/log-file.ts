/** A file that lines are added to. */

import { AppError } from "../errors.ts";
import { fileFailure, storageError } from "./files.ts";

/** Such a file; dispose of it. */
export interface LogFile extends Disposable {
  /** Adds a line at once. @throws {AppError} `STORAGE`. */
  write(line: string): void;
}

/**
 * Opens a file (0600 where it is new) to add lines to it. A link is followed. A line that a full disk or a crash cut off
 * is ended first, so that the next one is whole.
 *
 * @param flag names the file at the start of the error
 * @throws {AppError} `USAGE` when it is not a plain file, `STORAGE` when it cannot be opened.
 */
export function openLogFile(path: string, flag: string): LogFile {
  let file: Deno.FsFile;
  try {
    if (!takesLines(path)) throw new AppError("USAGE", `${flag}: ${path} is not a plain file.`);
    file = Deno.openSync(path, { read: true, append: true, create: true, mode: 0o600 });
  } catch (thrown) {
    throw storageError("open", path, thrown);
  }
  let before = endsInALine(file) ? "" : "\n";
  return {
    write(line) {
      const bytes = new TextEncoder().encode(`${before}${line}\n`);
      before = "";
      try {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      } catch (thrown) {
        throw storageError("write", path, thrown);
      }
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** Opening a pipe would wait for its other end. */
function takesLines(path: string): boolean {
  try {
    const { isFile, isCharDevice } = Deno.statSync(path);
    return isFile || isCharDevice === true;
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return true;
    throw thrown;
  }
}

function endsInALine(file: Deno.FsFile): boolean {
  const last = new Uint8Array(1);
  if (file.statSync().size === 0) return true;
  file.seekSync(-1, Deno.SeekMode.End);
  file.readSync(last);
  return last[0] === NEWLINE;
}

const NEWLINE = 10;
