/** Reads a file that others may have put there: a plain one, of a size that is known before it is opened. */

import { fileFailure } from "./files.ts";

/** Why a file is not read. */
export type Unread =
  | "it is not a plain file"
  | "it is too large"
  | "it is not text in UTF-8"
  | "it cannot be read";

/** What lies at a path: its text, or why that is not read. */
export type PlainFile = { readonly text: string } | { readonly unread: Unread };

/**
 * The text of a plain file of at most `largest` bytes; undefined when nothing can be seen there. Links are not followed,
 * and what takes the file's place before it is opened is not read. A byte order mark stays in the text.
 */
export async function readPlainFile(path: string, largest: number): Promise<PlainFile | undefined> {
  const seen = lookAt(path);
  if (seen === undefined) return undefined;
  if (!seen.isFile) return { unread: "it is not a plain file" };
  if (seen.size > largest) return { unread: "it is too large" };
  try {
    using file = Deno.openSync(path, { read: true });
    const { ino, dev } = file.statSync();
    if (ino !== seen.ino || dev !== seen.dev) return { unread: "it is not a plain file" };
    return textOf(await contentOf(file, largest), largest);
  } catch (thrown) {
    return fileFailure(thrown) === "absent" ? undefined : { unread: "it cannot be read" };
  }
}

/** True where anything can be seen at a path, be it a link that leads nowhere. */
export function isThere(path: string): boolean {
  return lookAt(path) !== undefined;
}

/** The permissions of a plain file, such as 0o644; undefined for none, and where the system has no such permissions. */
export function permissionsOf(path: string): number | undefined {
  const seen = lookAt(path);
  return seen?.isFile && seen.mode !== null ? seen.mode & 0o777 : undefined;
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

/** The bytes of a file, at most one more than the largest may have: it can have grown since it was looked at. */
async function contentOf(file: Deno.FsFile, largest: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(largest + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

function textOf(bytes: Uint8Array, largest: number): PlainFile {
  if (bytes.length > largest) return { unread: "it is too large" };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { unread: "it is not text in UTF-8" };
  }
}
