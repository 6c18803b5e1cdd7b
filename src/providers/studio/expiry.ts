/** The warning that a token which nothing renews ends soon: a week ahead, once a day. */

import { printable } from "../../text.ts";
import { openSessionCache } from "../../sessions/cache.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { formatSpan } from "../../system/clock.ts";

const DAY = 24 * 3600_000;
const AHEAD = 7 * DAY;

/** The warning of a token that ends within a week; undefined when the last one is less than a day old. */
export async function dueExpiryWarning(
  store: SessionStore,
  session: Session,
  now: number,
): Promise<string | undefined> {
  const { name, kind, expires } = session;
  if (kind.tokens !== "given" || expires === undefined) return undefined;
  const left = Date.parse(expires) - now;
  if (!(left > 0 && left <= AHEAD)) return undefined;
  const warned = await openSessionCache(store, {
    session: name,
    kind: "expiry-warning",
    source: expires,
    longestLife: DAY,
  });
  if (await warned.read() !== undefined) return undefined;
  await warned.write(true);
  return `The session "${name}" expires in ${formatSpan(left)}, on ${printable(expires)}. ${await store
    .providers.signInAgain(session)}`;
}
