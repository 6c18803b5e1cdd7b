/** Edits a folder's `.gitignore`, so that git does not see private files there. gitignore(5) */

import { copiesOf, editFile, refuseForeign, replaceOwnFile } from "./shared-file.ts";

/** In bytes; a larger file is no list of patterns. */
const LARGEST = 1024 * 1024;

/** Makes git ignore everything in a folder. */
export const EVERYTHING: readonly string[] = ["*"];

/** Makes git ignore a file of that name, and the copies that a killed process can leave beside it. */
export function ignoringFile(name: string): readonly string[] {
  return [name, copiesOf(name)];
}

/**
 * Makes git ignore in a folder what these patterns match; a new `.gitignore` ignores everything by default. Returns
 * the lines that were added to an existing one.
 *
 * @throws {AppError} `STORAGE` when it cannot be written, is a link, which git does not follow, or belongs to
 * another user.
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
 * The patterns that must still be added at the end. The last line that matches a name counts. Other people's lines
 * are not interpreted, so only our patterns behind the last of them are known to count.
 */
function missing(text: string, patterns: readonly string[]): readonly string[] {
  const wanted = new Set(patterns);
  for (const line of text.split(/\r?\n/).reverse()) {
    // git removes only these blanks.
    const pattern = line.replace(/ +$/, "").replace(/^\//, "");
    if (pattern === "*") return [];
    if (patterns.includes(pattern)) wanted.delete(pattern);
    else if (pattern !== "" && !line.startsWith("#")) break;
  }
  return [...wanted];
}
