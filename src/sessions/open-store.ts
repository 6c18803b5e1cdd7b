/** Owns where sessions are on this machine: our folders and this system's secret stores. */

import { keyFileStore } from "../keyring/file.ts";
import type { SecretStore } from "../keyring/store.ts";
import { systemStore } from "../keyring/system.ts";
import {
  currentFolder,
  type Environment,
  type Folders,
  foldersOf,
  operatingSystem,
} from "../system/environment.ts";
import { fileNameOf } from "./name.ts";
import { childEnvironment, run } from "../system/processes.ts";
import { openCredentialManager } from "../system/windows-credentials.ts";
import { type FindAmbient, type KeyStore, pathsOf, type SessionStore } from "./store.ts";

/**
 * The place that the variables describe; `notice` hears, in one line and once, of what was mended on the way or could
 * not be.
 */
export function openStore(
  env: Environment,
  notice: (line: string) => void,
  ambient?: FindAmbient,
): SessionStore {
  const folders = foldersOf(env);
  const told = new Set<string>();
  const once = (line: string) => {
    if (!told.has(line)) notice(line);
    told.add(line);
  };
  const stores = new Map<KeyStore, SecretStore>();
  const open = (kind: KeyStore): SecretStore =>
    kind === "system"
      ? systemStore({ os: operatingSystem, run, childEnvironment, openCredentialManager })
      : keyFileStore({
        folder: folders.sessions,
        pathFor: (account) => keyFileOf(folders, account),
        notice: once,
      });
  const store: SessionStore = {
    folders,
    env,
    notice: once,
    now: Date.now,
    ...(ambient && { ambient }),
    workingFolder: currentFolder,
    local: async (store) => {
      const { findProjectStore: findLocalPlace } = await import("./project-folder.ts");
      return await findLocalPlace(store);
    },
    secretStore(kind) {
      const store = stores.get(kind) ?? open(kind);
      stores.set(kind, store);
      return store;
    },
  };
  return store;
}

/** The file of an account's key. Those of project folders, which alone have blanks, belong to no session beside them. */
async function keyFileOf(folders: Folders, account: string): Promise<string> {
  return account.includes(" ")
    ? `${folders.sessions}/local-${await fileNameOf(account)}.key`
    : (await pathsOf(folders, account)).key;
}
