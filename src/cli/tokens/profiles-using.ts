/** Owns which profiles here use an API token. */

import type { SessionStore } from "../../sessions/store.ts";

/** The names of the profiles that use a token at an API host, sorted. */
export async function profilesUsing(store: SessionStore, id: string, apiHost: string): Promise<string[]> {
  const { sessions } = await store.list();
  return sessions.filter((session) =>
    session.provider === "cloudfleet" && session.kind === "api-token" && session.clientId === id &&
    session.apiHost === apiHost
  ).map(({ name }) => name).sort();
}
