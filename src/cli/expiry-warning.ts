/** Owns the warning that Studio's token ends soon: a week ahead, once a day. */

import { printable } from "../text.ts";
import { signInAgain } from "../sessions/login-line.ts";
import type { Session } from "../sessions/session.ts";
import { openSessionCache } from "../sessions/cache.ts";
import type { SessionStore } from "../sessions/store.ts";
import { formatSpan } from "../system/clock.ts";
import type { CommandContext } from "./context.ts";

const DAY = 24 * 3600_000;
const AHEAD = 7 * DAY;

/** Warns of a token that ends within a week, unless somebody was warned of it in the last day. */
export async function warnOfExpiry(
  { out, now, quiet }: CommandContext,
  store: SessionStore,
  session: Session,
): Promise<void> {
  const { name, kind, expires } = session;
  if (quiet || kind !== "studio" || expires === undefined) return;
  const left = Date.parse(expires) - now();
  if (!(left > 0 && left <= AHEAD)) return;
  const warned = await openSessionCache(store, {
    session: name,
    kind: "expiry-warning",
    source: expires,
    longestLife: DAY,
  });
  if (await warned.read() !== undefined) return;
  out.warn(
    `The session "${name}" expires in ${formatSpan(left)}, on ${printable(expires)}. ${signInAgain(session)}`,
  );
  await warned.write(true);
}
