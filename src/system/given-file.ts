/** Files of other programs that a person names: read when they are plain and not too large. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { fileFailure, LARGEST_FILE, readTextFile, storageError } from "./files.ts";

/**
 * The text of another program's file that a person named; undefined when there is none. A pipe is not read, because
 * its other end may never come.
 *
 * @param named names the file at the start of the error
 * @param instead the hint of the error
 * @throws {AppError} `USAGE` when the file is too large or not a plain file, `STORAGE` when it cannot be read.
 */
export async function readGivenFile(
  path: string,
  named: string,
  instead: string,
): Promise<string | undefined> {
  if (!isPlainFile(path)) throw notPlain(path, named, instead);
  return await readTextFile(path);
}

/** As {@link readGivenFile}, for a file that need not hold a text. */
export async function readGivenBytes(
  path: string,
  named: string,
  instead: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!isPlainFile(path)) throw notPlain(path, named, instead);
  try {
    return await Deno.readFile(path);
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return undefined;
    throw storageError("read", path, thrown);
  }
}

function notPlain(path: string, named: string, instead: string): AppError {
  return new AppError("USAGE", `${named}: ${printable(path)} is too large or not a plain file.`, {
    hint: instead,
  });
}

/** Also true when the file is missing or cannot be looked at; reading it reports that. */
function isPlainFile(path: string): boolean {
  try {
    const { size, isFile } = Deno.statSync(path);
    return isFile && size <= LARGEST_FILE;
  } catch (thrown) {
    // The runtime, not the system, refuses devices and pipes in /dev and /proc.
    return !(thrown instanceof Deno.errors.NotCapable);
  }
}
