/** `.datumctl.json`: the names of the session, organization and project that a folder, and all below it, chooses. */

import { isObject, parseJson, sha256 } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import { homeOf } from "../system/environment.ts";
import { isOurs, realPath } from "../system/files.ts";
import { isThere, type PlainFile, readPlainFile } from "../system/plain-file.ts";
import { ENV_PREFIX, isSessionName } from "./name.ts";
import { isPlain } from "./project-folder.ts";
import { FOLDER_FILE, upFrom } from "./folders-above.ts";
import type { SessionReader } from "./reader.ts";
import { readTrusted, type TrustedFile } from "./trusted-files.ts";

/** In bytes; a file of ours has some hundred. */
const LARGEST = 16 * 1024;

/** In characters: the longest id has 253, and contexts are called by addresses. */
const LONGEST = 512;

/** The names that a folder chooses; a context stands instead of an organization and a project. */
export interface FolderNames {
  readonly session?: string | undefined;
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  /** A context of the kubeconfig. */
  readonly context?: string | undefined;
}

/** A folder's file that counts. */
export interface FolderFile extends FolderNames {
  /** Also what `whoami` and `ctx` name as what decided. */
  readonly path: string;
  readonly folder: string;
}

/** A folder's file as it lies there, trusted or not. */
export interface FoundFile {
  /** Its real path. */
  readonly path: string;
  readonly folder: string;
  /** Its names; undefined where it cannot be followed. */
  readonly names: FolderNames | undefined;
  /** The digest of its content, as {@link digestOf} makes it; undefined for what is not read. */
  readonly digest: string | undefined;
  readonly trusted: boolean;
  /** Why it is not followed; undefined where it counts. */
  readonly ignored: string | undefined;
}

/** What the file is looked for with. */
export type FileFinder = Pick<SessionReader, "host" | "folders">;

/**
 * The nearest file that was trusted, at or above the working folder and not above the person's home; any other is passed
 * by. `tell` hears of the nearest one of the person's own that is passed by.
 *
 * Nothing is written, nobody is asked, and without a file no other is read.
 *
 * @throws {AppError} `STORAGE` where it cannot be told what is trusted, or where the trusted file cannot be read.
 */
export async function findFolderFile(
  finder: FileFinder,
  tell?: (passedBy: FoundFile) => void,
): Promise<FolderFile | undefined> {
  if (finder.folders.missing !== undefined) return undefined;
  let told = tell === undefined;
  for await (const file of filesAbove(finder, (path, isListed) => isListed || (!told && isOurs(path)))) {
    if (file.ignored === undefined) return { ...file.names, path: file.path, folder: file.folder };
    if (file.trusted) throw notUnderstood(file);
    if (told || !isOurs(file.path)) continue;
    tell?.(file);
    told = true;
  }
  return undefined;
}

/** The nearest file at or above the working folder, whether it counts or not. @throws {AppError} `STORAGE`. */
export async function nearestFile(finder: FileFinder): Promise<FoundFile | undefined> {
  for await (const file of filesAbove(finder)) return file;
  return undefined;
}

/** The file of that folder, whether it counts or not; undefined where it has none. @throws {AppError} `STORAGE`. */
export async function fileOf(finder: FileFinder, folder: string): Promise<FoundFile | undefined> {
  const found = await readPlainFile(pathIn(folder), LARGEST);
  return found && await judged(await realPath(folder) ?? folder, found, await readTrusted(finder));
}

/** Where the file of a folder is. */
export function pathIn(folder: string): string {
  return `${folder === "/" ? "" : folder}/${FOLDER_FILE}`;
}

/**
 * The files at or above the working folder that are wanted, the nearest first. Nothing else is read: a folder that came from
 * somebody else may have thousands, and to open a file takes long where folders are nested deeply.
 *
 * @param isWanted asked for what lies at a path, with whether any content of it was trusted
 */
async function* filesAbove(
  finder: FileFinder,
  isWanted: (path: string, isListed: boolean) => boolean = () => true,
): AsyncGenerator<FoundFile> {
  const named = homeOf(finder.host.env);
  const home = named && (await realPath(named) ?? named);
  const here = finder.host.workingFolder();
  if (here === undefined) return;
  let withoutLinks: boolean | undefined;
  let trusted: readonly TrustedFile[] | undefined;
  for (const folder of upFrom(here, home)) {
    if (isThere(pathIn(folder))) {
      withoutLinks ??= await realPath(here) === here;
      const real = withoutLinks ? folder : await realPath(folder) ?? folder;
      const path = pathIn(real);
      const list = trusted ??= await readTrusted(finder);
      const found = isWanted(path, list.some(({ file }) => file === path)) &&
        await readPlainFile(path, LARGEST);
      if (found) yield await judged(real, found, list);
    }
  }
}

/** Judges a file of a folder by its real path: what the file itself leads to was trusted somewhere else. */
async function judged(
  folder: string,
  found: PlainFile,
  trustedFiles: readonly TrustedFile[],
): Promise<FoundFile> {
  const path = pathIn(folder);
  const none = { path, folder, names: undefined, digest: undefined, trusted: false };
  if (!isPlain(path)) return { ...none, ignored: "the name of its folder cannot be shown" };
  if ("unread" in found) return { ...none, ignored: found.unread };
  const digest = await digestOf(found.text);
  const before = trustedFiles.filter(({ file }) => file === path);
  const trusted = before.some(({ sha256 }) => sha256 === digest);
  const read = namesIn(found.text);
  if ("wrong" in read) return { ...none, digest, trusted, ignored: read.wrong };
  const ignored = trusted ? undefined : whyUntrusted(before);
  return { ...none, names: read.names, digest, trusted, ignored };
}

function whyUntrusted(before: readonly TrustedFile[]): string {
  return before.length === 0 ? "it is not trusted" : "it has changed since it was trusted";
}

/** The error for a file that another version of the program could follow when it was trusted. */
function notUnderstood(file: FoundFile): AppError {
  return new AppError("STORAGE", notFollowed(file).message, { hint: HINTS.STORAGE.unknownFolderFile });
}

/** The error for a file that is there but cannot be followed. */
export function notFollowed({ path, ignored }: FoundFile): AppError {
  return new AppError("STORAGE", `${printable(path, Infinity)} cannot be followed: ${ignored}.`, {
    hint: HINTS.STORAGE.brokenFolderFile,
  });
}

/** The SHA-256 of a file's text, byte order mark included, in hexadecimal digits, as `sha256sum` prints it. */
export async function digestOf(text: string): Promise<string> {
  return (await sha256(text)).toHex();
}

const NAMES = ["session", "organization", "project", "context"] as const;

/**
 * The names in a file's text, or what is wrong with it. A member that is not known is wrong, because one that is mistyped
 * would leave the command to act elsewhere.
 */
export function namesIn(text: string): { readonly names: FolderNames } | { readonly wrong: string } {
  const value = parseJson(text.replace(/^\ufeff/, ""));
  if (value === undefined) return { wrong: "it is not JSON" };
  if (!isObject(value)) return { wrong: "it is not a JSON object" };
  for (const [name, one] of Object.entries(value)) {
    const known = name === "$schema" || NAMES.some((own) => own === name);
    if (!known) {
      return { wrong: `it has the member ${JSON.stringify(printable(name, 40))}, which is not known` };
    }
    if (typeof one !== "string" || !isName(name, one)) return { wrong: `its ${name} is no name` };
  }
  const { session, organization, project, context } = value as FolderNames;
  if (context !== undefined && (organization !== undefined || project !== undefined)) {
    return { wrong: "it names a context and an organization or a project" };
  }
  return { names: { session, organization, project, context } };
}

function isName(member: string, text: string): boolean {
  if (member === "session") return isSessionName(text) && !text.startsWith(ENV_PREFIX);
  return text !== "" && text.length <= LONGEST && text === printable(text, Infinity);
}

/** The text of a file with these names. */
export function folderFileText({ session, organization, project, context }: FolderNames): string {
  return JSON.stringify({ session, organization, project, context }, undefined, 2) + "\n";
}
