/** Files that only we use: private, read at once, each failure in one sentence. */

import { AppError } from "../errors.ts";
import { successorPath } from "./successor-path.ts";

/** No file of ours is larger; a larger one is not ours, or damaged. */
export const LARGEST_FILE = 16 * 1024 * 1024;

/** What stopped a file operation, for callers that tell the cases apart. */
export type FileFailure =
  | "absent"
  | "exists"
  | "denied"
  | "full"
  | "read-only"
  | "busy"
  | "folder"
  | "lockless"
  | "other";

/** `ENOLCK`, `ENOSYS`, `EOPNOTSUPP`; `ERROR_INVALID_FUNCTION`, `ERROR_NOT_SUPPORTED`. */
const LOCKLESS: Readonly<Record<string, readonly number[]>> = {
  windows: [1, 50],
  darwin: [77, 78, 45, 102],
  linux: [37, 38, 95],
};

/** Classifies what a `Deno` file operation threw. Nothing else reads its message. */
export function fileFailure(thrown: unknown): FileFailure {
  if (thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory) return "absent";
  if (thrown instanceof Deno.errors.AlreadyExists) return "exists";
  const message = thrown instanceof Error ? thrown.message : "";
  const code = Number(/os error (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const windows = Deno.build.os === "windows";
  if (windows ? code === 112 || code === 39 : code === 28 || code === 122 || code === 69) return "full";
  if (windows ? code === 19 : code === 30) return "read-only";
  if (windows ? code === 32 || code === 33 : code === 16) return "busy";
  if (!windows && code === 21) return "folder";
  if ((LOCKLESS[Deno.build.os] ?? []).includes(code)) return "lockless";
  if (thrown instanceof Deno.errors.PermissionDenied || thrown instanceof Deno.errors.NotCapable) {
    return "denied";
  }
  return "other";
}

const REASONS: Record<FileFailure, string> = {
  absent: "it does not exist",
  exists: "it exists already",
  denied: "permission denied",
  full: "the disk is full",
  "read-only": "the file system is read-only",
  busy: "another program is using it",
  folder: "it is a folder",
  lockless: "its file system keeps no locks",
  other: "the system refused",
};

/** A `STORAGE` error that says what failed, with which file, and why. */
export function storageError(doing: string, path: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const failure = fileFailure(thrown);
  const hint = failure === "full"
    ? "Free some space and run the same command again; nothing was lost."
    : failure === "folder"
    ? "Name a file."
    : failure === "absent"
    ? "Make the folder that it belongs in, or name another place."
    : `Check the permissions of ${path} and run the same command again; nothing was lost.`;
  return new AppError("STORAGE", `Cannot ${doing} ${path}: ${REASONS[failure]}.`, { hint, cause: thrown });
}

/**
 * The text of a file; undefined when there is none.
 *
 * It is read synchronously: our files are small, and a call through the runtime's threads costs get-token more than
 * the reading.
 *
 * @throws {AppError} `STORAGE` when it cannot be read, is too large or not a plain file.
 */
export function readTextFile(path: string): Promise<string | undefined> {
  try {
    // Checked before it is opened, because opening a pipe waits for its other end.
    const { size, isFile } = Deno.statSync(path);
    if (!isFile || size > LARGEST_FILE) {
      throw new AppError(
        "STORAGE",
        `${path} is not a file of datumctl: it is too large or not a plain file.`,
      );
    }
    return Promise.resolve(Deno.readTextFileSync(path));
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return Promise.resolve(undefined);
    return Promise.reject(storageError("read", path, thrown));
  }
}

/** The names in a folder; none when the folder does not exist. */
export async function listFolder(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) names.push(entry.name);
  } catch (thrown) {
    if (fileFailure(thrown) !== "absent") throw storageError("list", path, thrown);
  }
  return names.sort();
}

/** True unless the file's folder can be listed and has no file of that name. */
export function isListed(path: string): boolean {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  const name = path.slice(cut + 1);
  try {
    for (const entry of Deno.readDirSync(path.slice(0, cut))) if (entry.name === name) return true;
    return false;
  } catch {
    return true;
  }
}

/** True for anything but a folder, links followed; false where nothing can be seen. */
export function isNoFolder(path: string): boolean {
  try {
    return !Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** True when anything is at that path. */
export async function exists(path: string): Promise<boolean> {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return false;
    throw storageError("read", path, thrown);
  }
}

/** What is at a path, without following links; undefined for nothing. */
export async function kindOf(path: string): Promise<"file" | "folder" | "link" | "other" | undefined> {
  try {
    const { isFile, isDirectory, isSymlink } = Deno.lstatSync(path);
    return isFile ? "file" : isDirectory ? "folder" : isSymlink ? "link" : "other";
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return undefined;
    throw storageError("read", path, thrown);
  }
}

/** A path with its links followed; undefined when nothing is there or it cannot be read. */
export async function realPath(path: string): Promise<string | undefined> {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}

/**
 * True when a file belongs to the person who runs this, or the system does not say whose it is, as on Windows.
 * Links are not followed. False when nothing can be seen there.
 */
export function isOurs(path: string): boolean {
  try {
    return ownedByUs(Deno.lstatSync(path));
  } catch {
    return false;
  }
}

/**
 * True when a file belongs to the person who runs this or to the administrator, who can read everything anyway.
 * Also true when nothing is there or the system does not say whose it is. Files of another user are not trusted by
 * the administrator.
 */
export function isTrusted(path: string): boolean {
  try {
    const info = Deno.statSync(path);
    return ownedByUs(info) || info.uid === 0;
  } catch {
    return true;
  }
}

/** What users other than the owner may do in a folder. "nothing" when none can be seen there, and on Windows. */
export function accessOfOthers(path: string): "nothing" | "look" | "write" {
  if (Deno.build.os === "windows") return "nothing";
  try {
    const mode = Deno.statSync(path).mode ?? 0;
    return (mode & 0o022) !== 0 ? "write" : (mode & 0o077) !== 0 ? "look" : "nothing";
  } catch {
    return "nothing";
  }
}

/** True for a folder of ours that is open to nobody else, and no link; on Windows, for one that is there. */
export function isPrivateFolder(path: string): boolean {
  try {
    const info = Deno.lstatSync(path);
    return info.isDirectory && isPrivate(info);
  } catch {
    return false;
  }
}

/**
 * The text of a plain file of ours that is open to nobody else; undefined for any other. What is wrong with it, and how it is
 * mended, is for {@link readTextFile} and {@link tighten}.
 */
export function readPrivateFile(path: string): string | undefined {
  try {
    const info = Deno.lstatSync(path);
    const plain = info.isFile && info.size <= LARGEST_FILE && isPrivate(info);
    return plain ? Deno.readTextFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function isPrivate(info: Deno.FileInfo): boolean {
  return ownedByUs(info) && (Deno.build.os === "windows" || ((info.mode ?? 0) & 0o077) === 0);
}

/** The size of a folder of at most some hundred names, in bytes. */
const SHORT_FOLDER = 4096;

/** True where no folder shows anything under any of these names. */
export function haveNone(folders: readonly string[], names: readonly string[]): boolean {
  return listedNone(folders, names) ??
    folders.every((folder) => names.every((name) => isFree(`${folder}/${name}`)));
}

/**
 * The same by lists of the folders. A process's first error for a missing file takes longer than a few short lists.
 * Undefined where a folder is long, or closed.
 */
function listedNone(folders: readonly string[], names: readonly string[]): boolean | undefined {
  // Elsewhere a file has many names, by their letters' case.
  if (Deno.build.os !== "linux") return undefined;
  try {
    if (folders.some((folder) => Deno.statSync(folder).size > SHORT_FOLDER)) return undefined;
    return folders.every((folder) =>
      [...Deno.readDirSync(folder)].every(({ name }) => !names.includes(name))
    );
  } catch {
    return undefined;
  }
}

function isFree(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return false;
  } catch (thrown) {
    return thrown instanceof Deno.errors.NotFound;
  }
}

function ownedByUs({ uid }: Deno.FileInfo): boolean {
  const own = Deno.uid();
  return uid === null || own === null || uid === own;
}

/** Makes a folder with mode 0700, and its parents, if it is missing. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw storageError("create the folder", path, thrown);
  }
}

/**
 * Removes other users' permissions from a file or folder of ours (0600, 0700). Returns a line for the person when
 * that was needed, or when the file belongs to another user and stays as it is. Does nothing on Windows, where the
 * profile's access list protects it.
 */
export async function tighten(path: string): Promise<string | undefined> {
  if (Deno.build.os === "windows") return undefined;
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch {
    // The next read or write of it reports why it cannot be seen.
    return undefined;
  }
  try {
    const { mode, isDirectory, isSymlink } = info;
    if (mode === null || isSymlink || (mode & 0o077) === 0) return undefined;
    // The administrator could, but the file is not theirs either.
    if (!ownedByUs(info)) return notOurs(path);
    await Deno.chmod(path, isDirectory ? 0o700 : 0o600);
    return `The permissions of ${path} were too wide; now only you have access.`;
  } catch (thrown) {
    const failure = fileFailure(thrown);
    // Gone meanwhile, or on a read-only disk: the next read or write of it reports that.
    if (failure === "absent" || failure === "read-only") return undefined;
    if (failure === "denied") return notOurs(path);
    throw storageError("tighten the permissions of", path, thrown);
  }
}

function notOurs(path: string): string {
  return `The permissions of ${path} are too wide, and only its owner, who is someone else, can change them.`;
}

/** When a file was last written, or whatever time it was given; in milliseconds since 1970. Undefined for none. */
export function modifiedAt(path: string): number | undefined {
  try {
    return Deno.lstatSync(path).mtime?.getTime();
  } catch {
    return undefined;
  }
}

/** True when users other than the owner may read a file; false on Windows, where it is unknown. */
export async function othersCanRead(path: string): Promise<boolean> {
  if (Deno.build.os === "windows") return false;
  try {
    return (((await Deno.stat(path)).mode ?? 0) & 0o044) !== 0;
  } catch (thrown) {
    throw storageError("read", path, thrown);
  }
}

/** Removes a file. False when there is none. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return false;
    throw storageError("remove", path, thrown);
  }
}

/**
 * Renames a file within its folder. False when there is none.
 *
 * @throws {AppError} `STORAGE` when it cannot be renamed.
 */
export async function renameFile(from: string, to: string): Promise<boolean> {
  try {
    await Deno.rename(from, to);
    return true;
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return false;
    throw storageError("rename", from, thrown);
  }
}

/**
 * Replaces a file of ours without a sync and without a lock, for content that may be lost. False when it failed; no
 * caller needs to care. `modified` is the time that the file gets, in milliseconds since 1970, unless it is now.
 */
export async function replaceQuickly(path: string, text: string, modified?: number): Promise<boolean> {
  const temporary = successorPath(path);
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true, mode: 0o600 });
    if (modified !== undefined) Deno.utimeSync(temporary, new Date(), new Date(modified));
    await Deno.rename(temporary, path);
    return true;
  } catch {
    await Deno.remove(temporary).catch(() => {});
    return false;
  }
}
