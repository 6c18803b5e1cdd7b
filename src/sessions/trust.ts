/** Writes `trusted.json`, under its lock. */

import { ensurePrivateFolder } from "../system/files.ts";
import { changeFile } from "../system/replacement.ts";
import { acquireLock } from "../system/locks.ts";
import { LOCK_WAIT, type SessionReader } from "./reader.ts";
import { parseTrusted, refuseForeign, type TrustedFile, trustedPath } from "./trusted-files.ts";

/** The oldest are dropped beyond it. */
const MOST = 1000;

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
