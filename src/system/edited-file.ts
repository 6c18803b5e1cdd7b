/** A file that a person edits: its own private folder, and room for it before the editor starts. */

import { readTextFile, storageError } from "./files.ts";

/** A file to edit. */
export interface EditedFile {
  readonly path: string;
  /** Replaces its text; the old one stays when there is no room. @throws {AppError} `STORAGE`. */
  readonly write: (text: string) => Promise<void>;
  /** Its text now; empty when it is gone. @throws {AppError} `STORAGE`. */
  readonly read: () => Promise<string>;
  /** Removes it with its folder. */
  readonly remove: () => Promise<void>;
}

/** How much an edit may add, at least, in bytes. */
const LEAST_ROOM = 64 * 1024;

/**
 * Makes a file with mode 0600 in a new folder with mode 0700.
 *
 * @param folder where the new folder is made; the system's folder for temporary files unless given.
 * @throws {AppError} `STORAGE` when there is no room for the text and for as much again.
 */
export async function makeEditedFile(
  name: string,
  text: string,
  folder?: string | undefined,
): Promise<EditedFile> {
  const options: Deno.MakeTempOptions = { prefix: "datumctl-edit-" };
  if (folder !== undefined) options.dir = folder;
  let own: string;
  try {
    own = await Deno.makeTempDir(options);
  } catch (thrown) {
    throw storageError("create a folder in", folder ?? "the folder for temporary files", thrown);
  }
  const path = `${own}${Deno.build.os === "windows" ? "\\" : "/"}${name}`;
  const remove = () => Deno.remove(own, { recursive: true }).catch(() => {});
  const write = (text: string) => writeWithRoom(path, text);
  try {
    await write(text);
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  return { path, write, remove, read: async () => await readTextFile(path) ?? "" };
}

async function writeWithRoom(path: string, text: string): Promise<void> {
  const next = `${path}.next`;
  try {
    const bytes = new TextEncoder().encode(text);
    {
      using file = await Deno.open(next, { createNew: true, write: true, mode: 0o600 });
      await writeAll(file, bytes);
      await writeAll(file, new Uint8Array(Math.max(LEAST_ROOM, bytes.length)));
      await file.sync();
      await file.truncate(bytes.length);
      await file.sync();
    }
    await Deno.rename(next, path);
  } catch (thrown) {
    await Deno.remove(next).catch(() => {});
    throw storageError("write", path, thrown);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
