/** The addresses of clusters as Cloudfleet's API gave them lately, kept with the profile's session. */

import { openSessionCache, type SessionCache } from "../../sessions/cache.ts";
import { type AskingServer, askingServer, serves } from "../../sessions/served-servers.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import type { NamedCluster } from "../datum/control-plane.ts";

/** How long an address is used without asking Cloudfleet again. */
const LONGEST_LIFE_MS = 3600 * 1000;

/** Where the address of a cluster is kept. */
export async function clusterCache(store: SessionStore, session: Session, id: string): Promise<SessionCache> {
  return await openSessionCache(store, {
    session: session.name,
    kind: "cluster",
    source: `${session.apiHost} ${id}`,
    longestLife: LONGEST_LIFE_MS,
  });
}

/** A cluster at a cached address that the session is known to serve; undefined for any other. */
export async function knownCluster(
  cache: SessionCache,
  session: Session,
  id: string,
): Promise<NamedCluster | undefined> {
  const cached = await cache.read();
  // The list of servers is sealed; where there is none, nothing vouches for what a file says.
  if (typeof cached !== "string" || !isServed(session, askingServer({ server: cached }))) return undefined;
  return namedCluster(id, cached, false);
}

/** A cluster that the person named by its id; `fresh` where Cloudfleet gave the address just now. */
export function namedCluster(id: string, address: string, fresh: boolean): NamedCluster {
  return { kind: "cluster", id, address, fresh, source: "--cluster" };
}

/** Whether a session's list of servers has a server. */
export function isServed(session: Session, asking: AskingServer): boolean {
  return session.servers !== undefined && serves(session, asking);
}
