/** The list of servers that a session is for: what a person names is added to it, sealed and under the session's lock. */

import type { KeyringLimits } from "../keyring/store.ts";
import type { SessionStore } from "./store.ts";
import type { ServedServer } from "./session.ts";
import { AMBIENT } from "./name.ts";

/** So many are kept, those that were named last. */
export const MOST_SERVERS = 64;

/**
 * The list with a server that was named: in the last place, and known as accepting where it ever was. Also what that
 * pushes out.
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

/** What became of a session's list of servers. */
export interface RememberedServers {
  /** Undefined for a session that is not stored. */
  readonly servers: ServedServer[] | undefined;
  readonly dropped: readonly ServedServer[];
}

/**
 * Adds a server to those that a session is for; `adopted` come before it where the session has no list and no server of its own
 * yet: entries that were written before there were lists must go on to work. Nothing is written where nothing changes,
 * nor of a session that comes from variables.
 *
 * Returns the list, and what there was no more room for.
 *
 * @throws {AppError} as opening the session does; `STORAGE`, `BUSY`.
 */
export async function rememberServer(
  store: SessionStore,
  name: string,
  named: ServedServer,
  adopted: readonly ServedServer[],
  limits: KeyringLimits,
): Promise<RememberedServers> {
  const nothing = { servers: undefined, dropped: [] };
  if (name.startsWith(AMBIENT)) return nothing;
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
