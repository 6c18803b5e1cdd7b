/** What was last listed of a session's organizations and projects, for completion and `ctx list`. */

import { isObject } from "../../encoding.ts";
import { openSessionCache } from "../../sessions/cache.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { isScopeId } from "./facts.ts";

/** An id, with what people call it. */
export interface ListedScope {
  readonly id: string;
  readonly displayName: string | undefined;
}

/** Whose list it is: the signed-in user's organizations, or one organization's projects. */
export type ListOwner = "user" | { readonly organization: string };

/** Keeps a list that a server sent. Never fails. */
export async function rememberListed(
  store: SessionStore,
  session: Session,
  owner: ListOwner,
  rows: readonly ListedScope[],
): Promise<void> {
  const cache = await openCache(store, session, owner, Infinity);
  await cache.write(rows.map(({ id, displayName }) => ({ id, displayName })));
}

/** A list that was kept. */
export interface KeptList {
  readonly rows: readonly ListedScope[];
  /** When it was listed, in milliseconds since 1970. */
  readonly at: number;
}

/** The list that was kept, if it is at most so old (in milliseconds); undefined where there is none. */
export async function listedBefore(
  store: SessionStore,
  session: Session,
  owner: ListOwner,
  longestLife: number,
): Promise<KeptList | undefined> {
  const kept = await (await openCache(store, session, owner, longestLife)).readDated();
  if (!Array.isArray(kept?.value)) return undefined;
  const rows = kept.value.filter(isObject).flatMap(({ id, displayName }) =>
    typeof id === "string" && isScopeId(id)
      ? [{ id, displayName: typeof displayName === "string" ? displayName : undefined }]
      : []
  );
  return { rows, at: kept.at };
}

async function openCache(
  store: SessionStore,
  { name, apiHost }: Session,
  owner: ListOwner,
  longestLife: number,
) {
  const source = owner === "user" ? apiHost : `${apiHost} ${owner.organization}`;
  return await openSessionCache(store, { session: name, kind: "listed", source, longestLife });
}
