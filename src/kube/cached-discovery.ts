/** The discovery of an API server, cached with a session between commands. */

import type { ApiClient } from "../http/api-client.ts";
import { openSessionCache } from "../sessions/cache.ts";
import type { SessionStore } from "../sessions/store.ts";
import { type CachedDiscovery, discoveryOf } from "./discovery.ts";

/** kubectl caches its own as long. A newer resource is found because a lookup that misses asks again. */
const LONGEST_LIFE_MS = 6 * 3600 * 1000;

/** An API server that a session asks. */
export interface DiscoveredServer {
  readonly session: { readonly name: string };
  readonly baseUrl: string;
  readonly client: ApiClient;
}

/** The discovery of a server, with what an earlier command of the same session learned. */
export async function openDiscovery(
  { store }: { readonly store: SessionStore },
  { session, baseUrl, client }: DiscoveredServer,
): Promise<CachedDiscovery> {
  const cache = await openSessionCache(store, {
    session: session.name,
    kind: "discovery",
    source: baseUrl,
    longestLife: LONGEST_LIFE_MS,
  });
  return discoveryOf(client, cache);
}
