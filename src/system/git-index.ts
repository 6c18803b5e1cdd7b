/** Tells whether git tracks a file, from the indexes around it, before a secret is written there. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { onWindows } from "./environment.ts";
import { kindOf, readTextFile, realPath } from "./files.ts";
import { readSharedFile, targetOf } from "./shared-file.ts";

/** In bytes. The indexes of the largest known repositories are a quarter of it. It also limits the sum of the names. */
const LARGEST_INDEX = 256 * 1024 * 1024;

/**
 * True when a repository around a file has it in its index: committed, or about to be. A link counts as its target,
 * because that is what gets written.
 *
 * git itself is not run: it starts programs that a repository's configuration names, and accepts as a repository
 * what was cloned as plain files. Every repository upward counts, because a person may run git in any of their
 * folders. The first candidate is the file's own folder, which may be the root of a submodule.
 *
 * @throws {AppError} `STORAGE` when there is a repository and it cannot be read.
 */
export async function isTracked(path: string): Promise<boolean> {
  const file = await resolvedPath(path);
  for (let at = file;;) {
    at = at.slice(0, Math.max(at.lastIndexOf("/"), 0));
    for (const repository of await repositoriesIn(at, file)) {
      if (await isListed(repository, file.slice(at.length + 1), file)) return true;
    }
    if (at === "") return false;
  }
}

/** The path of a file, or of one to be written, with every link on the way followed; with slashes. */
async function resolvedPath(path: string): Promise<string> {
  const plain = (text: string) => onWindows ? text.replaceAll("\\", "/") : text;
  const file = plain(await targetOf(path));
  const missing: string[] = [];
  for (let at = file; at !== ""; at = at.slice(0, Math.max(at.lastIndexOf("/"), 0))) {
    const real = await realPath(at);
    if (real !== undefined) return [plain(real), ...missing].join("/");
    missing.unshift(at.slice(at.lastIndexOf("/") + 1));
  }
  return file;
}

/** git's own folders that belong to one folder: its `.git`, and the folder itself when it looks like one. */
async function repositoriesIn(folder: string, file: string): Promise<string[]> {
  const repositories: string[] = [];
  const dotGit = await realPath(`${folder}/.git`);
  const kind = dotGit && await whatIs(dotGit);
  if (kind === "folder") repositories.push(dotGit ?? "");
  if (kind === "file") {
    // A submodule or a second working tree has a file that points elsewhere. gitrepository-layout(5)
    const [, named] = /^gitdir: ([^\r\n]+)[\r\n]*$/.exec(await readTextFile(dotGit ?? "") ?? "") ?? [];
    const repository = named && (/^(?:[\\/]|[A-Za-z]:)/.test(named) ? named : `${folder}/${named}`);
    if (!repository || await whatIs(repository) !== "folder") {
      throw unknown(file, `${printable(`${folder}/.git`)} names no repository.`);
    }
    repositories.push(repository);
  }
  const bare = await whatIs(`${folder}/HEAD`) !== undefined && await whatIs(`${folder}/objects`) === "folder";
  return bare ? [...repositories, folder] : repositories;
}

/** What is at a path; undefined when we may not look, because nobody can work in such a repository. */
async function whatIs(path: string): ReturnType<typeof kindOf> {
  return await kindOf(path).catch(() => undefined);
}

async function isListed(repository: string, wanted: string, file: string): Promise<boolean> {
  const bytes = await readSharedFile(`${repository}/index`, LARGEST_INDEX);
  if (bytes === undefined) return false;
  // Only a repository's configuration says which hash it uses. With the wrong length, reading fails.
  const index = readIndex(bytes, 20) ?? readIndex(bytes, 32);
  const name = fold(wanted);
  if (index?.names.some((other) => fold(other) === name)) return true;
  const why = index === undefined
    ? "cannot be read."
    : index.split
    ? "is split. Join it: git update-index --no-split-index"
    : index.names.some((other) => other.endsWith("/") && name.startsWith(fold(other)))
    ? "is sparse, and leaves out this folder."
    : undefined;
  if (why !== undefined) throw unknown(file, `${printable(`${repository}/index`)} ${why}`);
  return false;
}

/** A name as the least exact file systems compare it. */
function fold(name: string): string {
  return name.normalize().toLowerCase();
}

interface Index {
  /** Paths from the working tree's root; a folder that a sparse index leaves out ends with a slash. */
  readonly names: readonly string[];
  /** The rest of the index is in another file. */
  readonly split: boolean;
}

/** The content of an index; undefined when the bytes are none. gitformat-index(5), versions 2 to 4. */
function readIndex(bytes: Uint8Array<ArrayBuffer>, hashLength: number): Index | undefined {
  try {
    return parseIndex(bytes, hashLength);
  } catch (thrown) {
    // Beyond the end of the bytes.
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

function parseIndex(bytes: Uint8Array<ArrayBuffer>, hashLength: number): Index | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const version = view.getUint32(4);
  if (decoder.decode(bytes.subarray(0, 4)) !== "DIRC" || version < 2 || version > 4) return undefined;
  const names: string[] = [];
  let name = new Uint8Array();
  let spelled = 0;
  let at = 12;
  for (let left = view.getUint32(8); left > 0; left -= 1) {
    const start = at;
    // The file's times, type and size; its hash; flags; one says that more follow.
    at += 40 + hashLength;
    at += version > 2 && (view.getUint16(at) & 0x4000) !== 0 ? 4 : 2;
    let kept = 0;
    if (version === 4) {
      // How many bytes of the previous name to drop.
      let byte = view.getUint8(at++);
      let cut = byte & 127;
      while ((byte & 128) !== 0 && cut < bytes.length) {
        byte = view.getUint8(at++);
        cut = (cut + 1) * 128 + (byte & 127);
      }
      if (cut > name.length) return undefined;
      kept = name.length - cut;
    }
    const end = bytes.indexOf(0, at);
    if (end < 0 || (spelled += kept + end - at) > LARGEST_INDEX) return undefined;
    const next = new Uint8Array(kept + end - at);
    next.set(name.subarray(0, kept));
    next.set(bytes.subarray(at, end), kept);
    names.push(decoder.decode(name = next));
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
  }
  let split = false;
  for (; at < bytes.length - hashLength; at += 8 + view.getUint32(at + 4)) {
    const extension = decoder.decode(bytes.subarray(at, at + 4));
    if (extension === "link") {
      split ||= bytes.subarray(at + 8, at + 8 + hashLength).some((byte) => byte !== 0);
    } // One with a capital letter says nothing that must be known.
    else if (extension !== "sdir" && !/^[A-Z]/.test(extension)) return undefined;
  }
  return at === bytes.length - hashLength ? { names, split } : undefined;
}

function unknown(file: string, why: string): AppError {
  return new AppError("STORAGE", `Cannot tell whether git tracks ${printable(file)}: ${why}`, {
    hint: "Check that git works in this folder, or leave out --local or --export-datachain.",
  });
}
