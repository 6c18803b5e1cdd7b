/** `trusted.json`: which `.datumctl.json` files a person trusted, by their real path and the digest of their content. */

import { parseJson } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { accessOfOthers, changeFile, ensurePrivateFolder, isTrusted, readTextFile } from "../system/files.ts";
import { acquireLock } from "../system/locks.ts";
import { LOCK_WAIT, type SessionReader } from "./reader.ts";
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

/** The oldest are dropped beyond it. */
const MOST = 1000;

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

function refuseForeign(path: string): void {
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

function parseTrusted(path: string, content: string | undefined): readonly TrustedFile[] {
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

/** The list of what is trusted, under its lock. `using` lets go of it. */
export interface TrustedList extends Disposable {
  /** @throws {AppError} `STORAGE`, `BUSY`. */
  add(file: string, sha256: string): Promise<void>;
  /** Takes the trust in each content of a file back. False when there was none. @throws as {@link add} */
  remove(file: string): Promise<boolean>;
}

/**
 * Locks the list to change it; `use` also changes the file itself under this lock.
 *
 * @throws {AppError} `STORAGE`, `BUSY`.
 */
export async function lockTrusted(store: SessionReader): Promise<TrustedList> {
  const path = trustedPath(store);
  await ensurePrivateFolder(store.folders.config);
  await store.makeFoldersPrivate();
  refuseForeign(path);
  const signal = store.host.interrupted;
  const lock = await acquireLock(`${path}.lock`, { timeout: LOCK_WAIT, guards: path, signal });
  const change = async (edit: (before: readonly TrustedFile[]) => readonly TrustedFile[]) => {
    await changeFile(path, (content) => {
      const before = parseTrusted(path, content);
      const trusted = edit(before);
      if (trusted === before) return Promise.resolve(undefined);
      const text = JSON.stringify({ schemaVersion: 1, trusted: trusted.slice(-MOST) }, undefined, 2);
      return Promise.resolve(`${text}\n`);
    });
  };
  return {
    add: (file, sha256) =>
      change((before) => {
        const others = before.filter((one) => one.file !== file || one.sha256 !== sha256);
        return [...others, { file, sha256 }];
      }),
    async remove(file) {
      let found = false;
      await change((before) => {
        const others = before.filter((one) => one.file !== file);
        found = others.length < before.length;
        return found ? others : before;
      });
      return found;
    },
    [Symbol.dispose]: () => lock.release(),
  };
}
