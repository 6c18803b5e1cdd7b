/** Adds servers that the user names to the list of those that a session is for, sealed and under the session's lock. */

import type { KeyringLimits } from "../keyring/store.ts";
import type { SessionStore } from "./store.ts";
import type { ServedServer } from "./session.ts";
import { ENV_PREFIX } from "./name.ts";

/** How many servers a list holds: those that were named last. */
export const MOST_SERVERS = 64;

/**
 * The list with a named server at its end, known as accepting where it ever was; and the servers that this pushes out.
 */
export function withServer(
  servers: readonly ServedServer[],
  named: ServedServer,
): { readonly kept: ServedServer[]; readonly dropped: readonly ServedServer[] } {
  const { accepted: _, ...way } = named;
  const same = ({ accepted: _, ...other }: ServedServer) => JSON.stringify(other) === JSON.stringify(way);
  const before = servers.find(same);
  const accepted = named.accepted ?? before?.accepted;
  const all = [
    ...servers.filter((server) => !same(server)),
    { ...way, accepted },
  ];
  return { kept: all.slice(-MOST_SERVERS), dropped: all.slice(0, -MOST_SERVERS) };
}

/** A server to add to a session's list. */
export interface NamedServer {
  readonly named: ServedServer;
  /**
   * Added before it where the session, outside Datum, has no list yet: entries that were written before there were lists
   * must go on to work.
   */
  readonly adopted?: readonly ServedServer[] | undefined;
}

/** A session's list of servers after an addition. */
export interface RememberedServers {
  /** Undefined for a session that is not stored. */
  readonly servers: ServedServer[] | undefined;
  readonly dropped: readonly ServedServer[];
}

/**
 * Adds a server to those that a session is for. Nothing is written where nothing changes, nor of a session that comes from
 * variables.
 *
 * @throws {AppError} as opening the session does; `STORAGE`, `BUSY`.
 */
export async function rememberServer(
  store: SessionStore,
  name: string,
  { named, adopted = [] }: NamedServer,
  limits: KeyringLimits,
): Promise<RememberedServers> {
  const nothing = { servers: undefined, dropped: [] };
  if (name.startsWith(ENV_PREFIX)) return nothing;
  using _lock = await store.lock(name);
  const stored = await store.read(name);
  if (stored === undefined) return nothing;
  const { session, credentials, key } = await store.open(stored, limits);
  if (key === undefined) return nothing;
  let servers: ServedServer[] = [...session.servers ?? []];
  let dropped: readonly ServedServer[] = [];
  const first = session.servers === undefined && session.provider.kubernetes !== "own";
  for (const server of [...first ? adopted : [], named]) {
    const next = withServer(servers, server);
    [servers, dropped] = [next.kept, [...dropped, ...next.dropped]];
  }
  if (JSON.stringify(servers) === JSON.stringify(session.servers)) return { servers, dropped };
  const replacement = await store.prepare(name, stored, key);
  try {
    await replacement.commit({ ...session, servers }, { ...credentials, servers });
  } catch (thrown) {
    await replacement.discard();
    throw thrown;
  }
  return { servers, dropped };
}
