/** The discovery of an API server, cached with a session between commands. */

import type { ApiClient } from "../http/api-client.ts";
import { openSessionCache, type SessionCache } from "../sessions/cache.ts";
import type { SessionStore } from "../sessions/store.ts";
import { cacheSource, type Impersonation } from "./impersonation.ts";
import { type CachedDiscovery, type Discovery, discoveryOf, isDiscovery } from "./discovery.ts";

/** kubectl caches its own as long. A newer resource is found because a lookup that misses asks again. */
const LONGEST_LIFE_MS = 6 * 3600 * 1000;

/** An API server that a session asks. */
export interface DiscoveredServer {
  readonly session: { readonly name: string };
  readonly baseUrl: string;
  readonly client: ApiClient;
  /** Whom it is asked as, where that is somebody else. */
  readonly impersonation?: Impersonation | undefined;
}

type ServerKey = Pick<DiscoveredServer, "session" | "baseUrl" | "impersonation">;

/** The discovery of a server, with what an earlier command of the same session learned. */
export async function openDiscovery(
  { store }: { readonly store: SessionStore },
  { client, ...server }: DiscoveredServer,
): Promise<CachedDiscovery> {
  return discoveryOf(client, await openCache(store, server, LONGEST_LIFE_MS));
}

/** What an earlier command learned of a server, at most so old; no server is asked. */
export async function discoveryAtHand(
  store: SessionStore,
  server: ServerKey,
  longestLife: number = LONGEST_LIFE_MS,
): Promise<Discovery | undefined> {
  const known = await (await openCache(store, server, longestLife)).read();
  return isDiscovery(known) ? known : undefined;
}

async function openCache(
  store: SessionStore,
  { session, baseUrl, impersonation }: ServerKey,
  longestLife: number,
): Promise<SessionCache> {
  return await openSessionCache(store, {
    session: session.name,
    kind: "discovery",
    source: cacheSource(baseUrl, impersonation),
    longestLife,
  });
}
