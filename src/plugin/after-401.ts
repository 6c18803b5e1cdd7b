/**
 * What is done when a process asks again for the token that it was just given: its server may have refused it.
 *
 * client-go runs the plugin again after a 401 without saying why; a plugin that caches would hand out the same revoked
 * token for ever. It is a suspicion, not proof: some programs run the plugin twice in one process.
 */

import { failureOrThrow } from "../errors.ts";
import { openHttp } from "../http/open.ts";
import { fetchUserInfo } from "../oauth/userinfo.ts";
import { freshToken } from "../sessions/fresh-token.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";
import { type FreshToken, timeLeft, type TokenLimits } from "../sessions/token.ts";

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
export async function recheckToken(
  store: SessionStore,
  token: FreshToken,
  deliveries: Deliveries,
  limits: TokenLimits,
  accept: (sealed: Session) => Promise<void>,
): Promise<FreshToken> {
  let verdict: Verdict = "unknown";
  try {
    if (token.kind === "access") verdict = await askIssuer(store, token, deliveries, limits);
    if (verdict === "good" || (verdict === "unknown" && !await deliveries.mayRefresh())) return token;
    const session = await store.read(token.session.name);
    if (session === undefined) return token;
    // The suspicion is not a failure of anybody's: it leaves no memory behind.
    const { failures: _, ...quiet } = limits;
    const better = await freshToken(store, session, { kind: token.kind, force: true, accept }, quiet);
    // Another process may have put another session there meanwhile.
    await accept(better.session);
    return better;
  } catch (thrown) {
    const { code } = failureOrThrow(thrown);
    // An outage says nothing of a token; these two answers together leave nothing of it.
    if (code === "SESSION_EXPIRED" && verdict === "rejected") throw thrown;
    if (code !== "SESSION_REJECTED") return token;
    // That is no suspicion any more; but the token may still be good elsewhere, so it stays, and is looked at again.
    await deliveries.lookAgain();
    throw thrown;
  }
}

/** What the issuer says of a token. */
type Verdict = "good" | "rejected" | "unknown";

async function askIssuer(
  store: SessionStore,
  token: FreshToken,
  deliveries: Deliveries,
  limits: TokenLimits,
): Promise<Verdict> {
  const session = await store.read(token.session.name);
  if (session === undefined) return "good";
  const keyringTimeout = timeLeft(limits.deadline, limits.keyringTimeout);
  const { session: sealed, credentials } = await store.open(session, { timeout: keyringTimeout });
  // Another session may have that name by now; its issuer is not to see this one's token.
  if (sealed.issuer !== token.session.issuer) return "good";
  if (credentials.recipe !== undefined) return "unknown";
  const { metadata, subject, certificateAuthority } = credentials;
  using http = openHttp(store.host, {
    certificateAuthority,
    timeout: timeLeft(limits.deadline, LONGEST_QUESTION),
    late: "The issuer",
    requestTimeout: LONGEST_QUESTION,
    log: limits.log,
  });
  let verdict: Verdict = "unknown";
  try {
    const { kind } = await fetchUserInfo(http, { metadata, accessToken: token.token, subject });
    verdict = kind === "claims" ? "good" : kind === "rejected" ? kind : "unknown";
    return verdict;
  } finally {
    // An issuer that is slow or down is not asked again at once, either.
    if (verdict !== "rejected" && metadata.userinfo_endpoint !== undefined) {
      await deliveries.asked(token.token, verdict === "good");
    }
  }
}
