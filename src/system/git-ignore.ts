/** Owns what the `.gitignore` of a folder says, so that git sees nothing of what is private there. gitignore(5) */

import { copiesOf, editFile, refuseForeign, replaceOwnFile } from "./shared-file.ts";

/** In bytes; beyond it a file is no such list. */
const LARGEST = 1024 * 1024;

/** What has git ignore everything in a folder. */
export const EVERYTHING: readonly string[] = ["*"];

/** What has git ignore a file of that name, and the copies of it that a killed process can leave beside it. */
export function ignoringFile(name: string): readonly string[] {
  return [name, copiesOf(name)];
}

/**
 * Has git ignore in a folder what these patterns name; a new `.gitignore` is for everything, unless told otherwise. The
 * lines that one that was there has got. Throws `STORAGE`, also where it is a link, which git does not follow, or another user's.
 */
export async function keepOutOfGit(
  folder: string,
  patterns: readonly string[],
  whenMissing = EVERYTHING,
): Promise<readonly string[]> {
  const path = `${folder}/.gitignore`;
  await refuseForeign(path);
  let added: readonly string[] = [];
  await editFile(path, (before) => {
    added = [];
    if (before === undefined) {
      return new TextEncoder().encode(whenMissing.map((pattern) => `${pattern}\n`).join(""));
    }
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(before);
    added = missing(text, patterns);
    if (added.length === 0) return undefined;
    const end = text.includes("\r\n") ? "\r\n" : "\n";
    const begun = text === "" || text.endsWith("\n") ? "" : end;
    const lines = new TextEncoder().encode(begun + added.map((pattern) => pattern + end).join(""));
    const after = new Uint8Array(before.length + lines.length);
    after.set(before);
    after.set(lines, before.length);
    return after;
  }, { largest: LARGEST, replace: (...change) => replaceOwnFile(...change, 0o777) });
  return added;
}

/**
 * Which of the patterns must still be written at the end. The last line that a name matches counts, and what a line of
 * somebody else's matches is not looked into: only those after it are taken for what they say.
 */
function missing(text: string, patterns: readonly string[]): readonly string[] {
  const wanted = new Set(patterns);
  for (const line of text.split(/\r?\n/).reverse()) {
    // Of blanks git takes away only these.
    const pattern = line.replace(/ +$/, "").replace(/^\//, "");
    if (pattern === "*") return [];
    if (patterns.includes(pattern)) wanted.delete(pattern);
    else if (pattern !== "" && !line.startsWith("#")) break;
  }
  return [...wanted];
}
