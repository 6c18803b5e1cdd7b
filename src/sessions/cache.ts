/** Caches of commands, in files beside a session that go when the session goes. */

import { readTextFile, replaceQuickly } from "../system/files.ts";
import { parseJson } from "../encoding.ts";
import { fileNameOf } from "./name.ts";
import type { SessionStore } from "./store.ts";

const SCHEMA_VERSION = 1;

/** In characters; more is not stored. */
const LARGEST = 8 * 1024 * 1024;

/** One cached value. Nothing here fails: without it, only time is lost. */
export interface SessionCache {
  /** The stored value; undefined when it is too old or cannot be read. */
  read(): Promise<unknown>;
  /** The same, with the time when it was stored, in milliseconds since 1970. */
  readDated(): Promise<{ readonly value: unknown; readonly at: number } | undefined>;
  write(value: unknown): Promise<void>;
}

/** What a cache is for. */
export interface CacheOptions {
  readonly session: string;
  /** A word of the file's name. */
  readonly kind: string;
  /** Where the value comes from, such as a URL; the file's name holds a digest of it. */
  readonly source: string;
  /** How long the value is used, in milliseconds. */
  readonly longestLife: number;
}

/** Opens a cache of a session: a file of mode 0600 beside the session's own. */
export async function openSessionCache(store: SessionStore, options: CacheOptions): Promise<SessionCache> {
  const { session, kind, source, longestLife } = options;
  if (store.folders.missing !== undefined) {
    const nothing = () => Promise.resolve(undefined);
    return { read: nothing, readDated: nothing, write: nothing };
  }
  // A logout removes every file whose name begins as the session's does.
  const path = `${store.folders.sessions}/${await fileNameOf(session)}.${kind}-${await fileNameOf(source)}`;
  async function readDated() {
    const stored = parseJson(await readTextFile(path).catch(() => undefined) ?? "");
    if (typeof stored !== "object" || stored === null || !("at" in stored) || !("value" in stored)) {
      return undefined;
    }
    const age = store.host.now() - Number(stored.at);
    const known = "schemaVersion" in stored && stored.schemaVersion === SCHEMA_VERSION;
    return known && age >= 0 && age < longestLife
      ? { value: stored.value, at: Number(stored.at) }
      : undefined;
  }
  return {
    readDated,
    read: async () => (await readDated())?.value,
    async write(value) {
      const text = JSON.stringify({ schemaVersion: SCHEMA_VERSION, at: store.host.now(), value });
      if (text.length <= LARGEST) await replaceQuickly(path, text);
    },
  };
}
