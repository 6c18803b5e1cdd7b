/**
 * What is done when a process asks again for the token that it was just given: its server may have refused it.
 *
 * client-go runs the plugin again after a 401 without saying why; a plugin that caches would hand out the same revoked
 * token for ever. It is a suspicion, not proof: some programs run the plugin twice in one process.
 */

import { AppError, failureOrThrow } from "../errors.ts";
import { fetchUserInfo } from "../oauth/userinfo.ts";
import { freshToken } from "../sessions/fresh-token.ts";
import type { Handouts } from "./deliveries.ts";
import type { Session } from "../sessions/session.ts";
import { openSession } from "../sessions/open.ts";
import type { SessionPlace } from "../sessions/store.ts";
import { readSession } from "../sessions/read.ts";
import { type FreshToken, timeLeft, type TokenBound } from "../sessions/token-wish.ts";
import { boundedSignal } from "../system/clock.ts";
import { openNetwork } from "../system/network.ts";

const LONGEST_QUESTION = 3_000;

/**
 * The token to hand out on suspicion: another one when the issuer no longer knows this one, or when nobody can be
 * asked and the last such refresh is long ago; else the one that there is.
 *
 * @param accept throws for a session, as it was sealed, of which no token is to be handed out.
 *
 * Throws `SESSION_EXPIRED` when the issuer neither knows the token any more nor renews the session, `SESSION_REJECTED`
 * when it refuses what the token was made with, and nothing else but `INTERRUPTED`.
 */
export async function tokenOnSuspicion(
  place: SessionPlace,
  token: FreshToken,
  handouts: Handouts,
  bound: TokenBound,
  accept: (sealed: Session) => void,
): Promise<FreshToken> {
  let verdict: Verdict = "unknown";
  try {
    if (token.kind === "access") verdict = await askIssuer(place, token, handouts, bound);
    if (verdict === "good" || (verdict === "unknown" && !await handouts.mayRefresh())) return token;
    const session = await readSession(place, token.session.name);
    if (session === undefined) return token;
    // The suspicion is not a failure of anybody's: it leaves no memory behind.
    const { failures: _, ...quiet } = bound;
    const better = await freshToken(place, session, { kind: token.kind, force: true, accept }, quiet);
    // Another process may have put another session there meanwhile.
    accept(better.session);
    return better;
  } catch (thrown) {
    const { code } = failureOrThrow(thrown);
    // An outage says nothing of a token; these two answers together leave nothing of it.
    if (code === "SESSION_EXPIRED" && verdict === "rejected") throw thrown;
    if (code !== "SESSION_REJECTED") return token;
    // That is no suspicion any more; but the token may still be good elsewhere, so it stays, and is looked at again.
    await handouts.lookAgain();
    throw thrown;
  }
}

/** What the issuer says of a token. */
type Verdict = "good" | "rejected" | "unknown";

async function askIssuer(
  place: SessionPlace,
  token: FreshToken,
  handouts: Handouts,
  bound: TokenBound,
): Promise<Verdict> {
  const session = await readSession(place, token.session.name);
  if (session === undefined) return "good";
  const keyringTimeout = timeLeft(bound.deadline, bound.keyringTimeout);
  const { session: sealed, credentials } = await openSession(place, session, { timeout: keyringTimeout });
  // Another session may have that name by now; its issuer is not to see this one's token.
  if (sealed.issuer !== token.session.issuer) return "good";
  if (credentials.recipe !== undefined) return "unknown";
  const { metadata, subject, certificateAuthority } = credentials;
  using network = openNetwork(certificateAuthority);
  using bounded = boundedSignal(timeLeft(bound.deadline, LONGEST_QUESTION), tooSlow);
  const exchange = {
    fetch: network.fetch,
    now: place.now,
    signal: bounded.signal,
    requestTimeout: LONGEST_QUESTION,
    ...(bound.log === undefined ? {} : { log: bound.log }),
  };
  let verdict: Verdict = "unknown";
  try {
    const { kind } = await fetchUserInfo(exchange, { metadata, accessToken: token.token, subject });
    verdict = kind === "claims" ? "good" : kind === "rejected" ? kind : "unknown";
    return verdict;
  } finally {
    // An issuer that is slow or down is not asked again at once, either.
    if (verdict !== "rejected" && metadata.userinfo_endpoint !== undefined) {
      await handouts.asked(token.token, verdict === "good");
    }
  }
}

function tooSlow(): AppError {
  return new AppError("NETWORK", "The issuer did not answer in time.");
}
