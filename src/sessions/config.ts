/** Owns `config.json`: which session is the active one. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { changeFile, ensurePrivateFolder, readTextFile } from "../system/files.ts";
import { acquireLock } from "../system/locks.ts";
import { makeFoldersPrivate, makePrivate, type SessionStore } from "./store.ts";
import { LOCK_WAIT } from "./read.ts";
import { SCHEMA_VERSION } from "./session.ts";

/** What `config.json` holds; members that this version does not know are kept. */
export interface Config {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly activeSession?: string;
  readonly [unknown: string]: unknown;
}

/** Reads `config.json`. Throws `STORAGE` when it is damaged or of a newer schema. */
export async function readConfig(store: SessionStore): Promise<Config> {
  const path = configPath(store);
  await makeFoldersPrivate(store);
  return await configOf(store, path, await readTextFile(path));
}

async function configOf(store: SessionStore, path: string, text: string | undefined): Promise<Config> {
  if (text === undefined) return { schemaVersion: SCHEMA_VERSION };
  await makePrivate(store, path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damagedConfig(path, "it is not JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw damagedConfig(path, "it is not an object");
  }
  const { schemaVersion, activeSession } = value as Record<string, unknown>;
  if (schemaVersion !== SCHEMA_VERSION) {
    const found = printable(JSON.stringify(schemaVersion) ?? "absent", 20);
    throw damagedConfig(path, `its schemaVersion is ${found} and not ${SCHEMA_VERSION}`);
  }
  if (activeSession !== undefined && typeof activeSession !== "string") {
    throw damagedConfig(path, "activeSession is not a string");
  }
  return value as Config;
}

/** Makes a session the active one. Throws `STORAGE`, `BUSY`. */
export async function activateSession(store: SessionStore, name: string): Promise<void> {
  await changeConfig(store, (config) => ({ ...config, activeSession: name }), store.interrupted);
}

/** Changes `config.json` under its lock; nothing is written when the change gives back what it got. */
export async function changeConfig(
  store: SessionStore,
  change: (config: Config) => Config,
  signal?: AbortSignal,
): Promise<void> {
  await ensurePrivateFolder(store.folders.config);
  await makeFoldersPrivate(store);
  const path = configPath(store);
  using _lock = await acquireLock(`${store.folders.config}/config.json.lock`, {
    timeout: LOCK_WAIT,
    guards: path,
    ...(signal && { signal }),
  });
  checkpoint("config locked");
  await changeFile(path, async (text) => {
    const before = await configOf(store, path, text);
    const after = change(before);
    return after === before ? undefined : JSON.stringify(after, undefined, 2) + "\n";
  });
  checkpoint("config renamed");
}

function configPath(store: SessionStore): string {
  return `${store.folders.config}/config.json`;
}

function damagedConfig(path: string, what: string, cause?: unknown): AppError {
  return new AppError("STORAGE", `${path} cannot be used: ${what}.`, {
    hint: "Use the datumctl that wrote it, or remove the file and run: datumctl auth switch",
    cause,
  });
}
