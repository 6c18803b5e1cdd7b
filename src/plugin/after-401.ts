/**
 * The check of a token that a process asks for again: its server may have refused it.
 *
 * client-go runs the plugin again after a 401 without saying why; a plugin that caches would give out the same revoked
 * token for ever. It may also mean nothing: some programs run the plugin twice in one process.
 */

import { failureOrThrow } from "../errors.ts";
import { openHttp } from "../http/open.ts";
import { fetchUserInfo } from "../oauth/userinfo.ts";
import { freshToken } from "../sessions/fresh-token.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";
import { type FreshToken, timeLeft, type TokenLimits } from "../sessions/token.ts";
import type { Deliveries } from "./deliveries.ts";

const LONGEST_QUESTION = 3_000;

/**
 * The token to give out: another one when the issuer no longer knows this one, or when the issuer cannot tell and the
 * last such refresh is long ago; else the same.
 *
 * @param limits remembers no failures: the check itself is not one.
 * @param accept throws for a sealed session that this call must not get a token of.
 * @throws {AppError} `SESSION_EXPIRED` when the issuer neither knows the token nor renews the session,
 * `SESSION_REJECTED` when it refuses what the token was made with, `INTERRUPTED`; nothing else.
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
    // Another process may have renewed the session meanwhile, for the same reason.
    const now = await freshToken(store, session, { kind: token.kind, accept }, limits);
    const force = now.token === token.token;
    const better = force
      ? await freshToken(store, now.session, { kind: token.kind, force, accept }, limits)
      : now;
    // Or it may have replaced it.
    await accept(better.session);
    return better;
  } catch (thrown) {
    const { code } = failureOrThrow(thrown);
    // An outage proves nothing about a token; these two answers together do.
    if (code === "SESSION_EXPIRED" && verdict === "rejected") throw thrown;
    if (code !== "SESSION_REJECTED") return token;
    // The token may still be good for other servers, so it stays, and the next call checks it again.
    await deliveries.forgetRefresh();
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
  // Another session may have that name by now; its issuer must not see this one's token.
  if (sealed.issuer !== token.session.issuer) return "good";
  if (credentials.tokenSource !== undefined) return "unknown";
  const { metadata, subject, certificateAuthority } = credentials;
  using http = openHttp(store.host, {
    certificateAuthority,
    timeout: timeLeft(limits.deadline, LONGEST_QUESTION),
    onTimeout: "The issuer",
    requestTimeout: LONGEST_QUESTION,
    log: limits.log,
  });
  let verdict: Verdict = "unknown";
  try {
    const { kind } = await fetchUserInfo(http, { metadata, accessToken: token.token, subject });
    verdict = kind === "claims" ? "good" : kind === "rejected" ? kind : "unknown";
    return verdict;
  } finally {
    // A slow or failing issuer is not asked again at once, either.
    if (verdict !== "rejected" && metadata.userinfo_endpoint !== undefined) {
      await deliveries.recordQuestion(token.token, verdict === "good");
    }
  }
}
