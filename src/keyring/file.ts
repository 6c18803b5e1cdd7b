/** The key file: a secret in a private file of its own, for machines without a keyring. */

import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import {
  ensurePrivateFolder,
  isTrusted,
  kindOf,
  readTextFile,
  removeFile,
  tighten,
} from "../system/files.ts";
import { assertStorable, type SecretStore } from "./store.ts";

/** Where key files are, and who hears about them. */
export interface KeyFileOptions {
  /** The folder that holds them, ours alone. */
  readonly folder: string;
  /** The path of an account's file, in that folder. */
  readonly pathFor: (account: string) => Promise<string>;
  /** Hears, in one line, of permissions that others have or had. */
  readonly notice: (line: string) => void;
}

/**
 * A store of one file (0600) per account in a folder (0700). Anything but a plain file at an account's path is
 * refused, and links are not followed. Its calls ignore their time limits, because they are short.
 *
 * @throws {AppError} `STORAGE` from every call that fails.
 */
export function keyFileStore({ folder, pathFor, notice }: KeyFileOptions): SecretStore {
  /** The path of an account's file, made safe to use; the second value is false when there is none. */
  async function inspect(account: string): Promise<readonly [path: string, present: boolean]> {
    const path = await pathFor(account);
    const kind = await kindOf(path);
    if (kind !== undefined && kind !== "file") {
      throw new AppError("STORAGE", `${path} is not a key file of datumctl: it is not a plain file.`, {
        hint: HINTS.STORAGE.notAKeyFile,
      });
    }
    if (!isTrusted(folder) || !isTrusted(path)) {
      throw new AppError("STORAGE", `${path} is not used: it, or its folder, belongs to someone else.`, {
        hint:
          "Run this as its owner (sudo -u USER), or keep sessions of your own: DATUMCTL_CONFIG_DIR=FOLDER",
      });
    }
    await makePrivate(folder);
    if (kind !== undefined) await makePrivate(path);
    return [path, kind !== undefined];
  }

  async function makePrivate(path: string): Promise<void> {
    const told = await tighten(path);
    if (told !== undefined) notice(told);
  }

  return {
    kind: "file",
    name: `a key file in ${folder}`,

    async get(account) {
      const [path, present] = await inspect(account);
      return present ? (await readTextFile(path))?.trim() : undefined;
    },

    async set(account, secret) {
      assertStorable(secret);
      await ensurePrivateFolder(folder);
      const [path] = await inspect(account);
      const { writeFileAtomically } = await import("../system/replacement.ts");
      await writeFileAtomically(path, `${secret}\n`);
    },

    async delete(account) {
      // Only the name in our folder is removed; a link's target is not touched.
      return await removeFile(await pathFor(account));
    },
  };
}
