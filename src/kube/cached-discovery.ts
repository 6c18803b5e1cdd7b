/** The discovery of an API server, kept with a session from one command to the next. */

import type { ApiClient } from "../http/api-client.ts";
import { openSessionCache } from "../sessions/cache.ts";
import type { SessionStore } from "../sessions/store.ts";
import { discoveryOf, type DiscoverySource } from "./discovery.ts";

/** As long as kubectl keeps its own. A resource that is newer is found because looking it up misses. */
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
): Promise<DiscoverySource> {
  const cache = await openSessionCache(store, {
    session: session.name,
    kind: "discovery",
    source: baseUrl,
    longestLife: LONGEST_LIFE_MS,
  });
  return discoveryOf(client, cache);
}
