/** Owns what commands keep beside a session and may lose: its files go when the session goes. */

import { readTextFile, replaceQuickly } from "../system/files.ts";
import { parseJson } from "../encoding.ts";
import { fileNameOf } from "./name.ts";
import type { SessionStore } from "./store.ts";

const SCHEMA_VERSION = 1;

/** More characters than this are not kept. */
const LARGEST = 8 * 1024 * 1024;

/** One thing that is kept. Nothing here fails: without it, only time is lost. */
export interface SessionCache {
  /** What was kept, unless it is too old or cannot be read. */
  read(): Promise<unknown>;
  write(value: unknown): Promise<void>;
}

/** What a cache is for. */
export interface CacheOptions {
  readonly session: string;
  /** A word that stands in the file's name. */
  readonly kind: string;
  /** What it was learned from, such as a URL; the name holds no more than a digest of it. */
  readonly source: string;
  /** What is older, in milliseconds, counts as lost. */
  readonly longestLife: number;
}

/** Opens a cache of a session that is signed in: a file of mode 0600 beside the session's own. */
export async function openSessionCache(store: SessionStore, options: CacheOptions): Promise<SessionCache> {
  const { session, kind, source, longestLife } = options;
  if (store.folders.missing !== undefined) {
    return { read: () => Promise.resolve(undefined), write: () => Promise.resolve() };
  }
  // A logout takes away every file whose name begins as the session's does.
  const path = `${store.folders.sessions}/${await fileNameOf(session)}.${kind}-${await fileNameOf(source)}`;
  return {
    async read() {
      const kept = parseJson(await readTextFile(path).catch(() => undefined) ?? "");
      if (typeof kept !== "object" || kept === null || !("at" in kept) || !("value" in kept)) {
        return undefined;
      }
      const age = store.host.now() - Number(kept.at);
      const known = "schemaVersion" in kept && kept.schemaVersion === SCHEMA_VERSION;
      return known && age >= 0 && age < longestLife ? kept.value : undefined;
    },
    async write(value) {
      const text = JSON.stringify({ schemaVersion: SCHEMA_VERSION, at: store.host.now(), value });
      if (text.length <= LARGEST) await replaceQuickly(path, text);
    },
  };
}
