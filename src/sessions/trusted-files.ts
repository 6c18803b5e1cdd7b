/** `trusted.json`: which `.datumctl.json` files a person trusted, by their real path and the digest of their content. */

import { parseJson } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { accessOfOthers, isTrusted, readTextFile } from "../system/files.ts";
import type { SessionReader } from "./reader.ts";
import { listOf, Mismatch, object, oneOf, type Shaped, text, textThat } from "./shape.ts";

const schema = object({
  schemaVersion: oneOf(1),
  /** The oldest first. */
  trusted: listOf(object({
    file: text,
    /** In hexadecimal digits. */
    sha256: textThat((digest) => /^[0-9a-f]{64}$/.test(digest)),
  })),
});

/** One content of one file. A file has several where it was trusted again after a change, as on another branch. */
export type TrustedFile = Shaped<typeof schema>["trusted"][number];

type Finder = Pick<SessionReader, "folders">;

/** Where it is noted what is trusted. */
export function trustedPath({ folders }: Finder): string {
  return `${folders.config}/trusted.json`;
}

/**
 * What is trusted, the oldest first.
 *
 * @throws {AppError} `STORAGE` for a list that is damaged, or that others could have written.
 */
export async function readTrusted(finder: Finder): Promise<readonly TrustedFile[]> {
  const path = trustedPath(finder);
  refuseForeign(finder.folders.config);
  refuseForeign(path);
  return parseTrusted(path, await readTextFile(path));
}

/** @throws {AppError} `STORAGE` for what others own or can write. */
export function refuseForeign(path: string): void {
  if (!isTrusted(path)) {
    throw new AppError("STORAGE", `${path} is not used: it belongs to someone else.`, {
      hint: "Run this as its owner (sudo -u USER), or keep files of your own: DATUMCTL_CONFIG_DIR=FOLDER",
    });
  }
  if (path.endsWith(".json") && accessOfOthers(path) === "write") {
    throw new AppError("STORAGE", `${path} is not used: other users can write it.`, {
      hint: HINTS.STORAGE.unknownTrust,
    });
  }
}

/**
 * What the text of the list holds; nothing without one.
 *
 * @throws {AppError} `STORAGE`
 */
export function parseTrusted(path: string, content: string | undefined): readonly TrustedFile[] {
  if (content === undefined) return [];
  try {
    return schema(parseJson(content), "").trusted;
  } catch (thrown) {
    if (!(thrown instanceof Mismatch)) throw thrown;
    throw new AppError("STORAGE", `${path} cannot be used: ${thrown.path || "the file"} is wrong.`, {
      hint: HINTS.STORAGE.unknownTrust,
    });
  }
}
