/** A fresh token of a session: the stored one while it lasts, else one renewal by one process. */

import { AppError } from "../errors.ts";
import type { OpenedSession } from "./open.ts";
import type { Renewal } from "./renew.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./store.ts";
import {
  type FreshToken,
  isFresh,
  timedToken,
  timeLeft,
  type TokenKind,
  type TokenLimits,
  type TokenRequest,
} from "./token.ts";

/**
 * The token that kubectl gets: the one a server accepted or the user chose; else the cloud's default for a person; else the
 * access token.
 */
export function preferredKind(session: Pick<Session, "provider" | "kind" | "kubectlToken">): TokenKind {
  return session.kubectlToken ?? (session.kind.person ? session.provider.personToken : "access");
}

/**
 * A fresh token of a session. The short way asks the keyring once; the lock and the renewal are loaded only when needed.
 *
 * @throws {AppError} what {@link SessionStore.open} throws; `SESSION_EXPIRED`, `SESSION_REJECTED` when the credential is
 * refused, `NO_ID_TOKEN`, `NO_WORKLOAD_TOKEN`, `NETWORK`, `ISSUER_ERROR`, `INVALID_TOKEN`, `CLOCK_SKEW`, `STORAGE`, `BUSY`,
 * `NOT_SIGNED_IN`.
 */
export async function freshToken(
  store: SessionStore,
  session: Session,
  request: TokenRequest,
  limits: TokenLimits,
): Promise<FreshToken> {
  const opened = await store.open(session, {
    timeout: timeLeft(limits.deadline, limits.keyringTimeout),
    quiet: request.storedOnly,
  });
  await request.accept?.(opened.session);
  const kind = request.kind ?? preferredKind(opened.session);
  const usableHere = opened.credentials.tokenSource?.kind !== "workload" || await ofThisJob(store, opened);
  const stored = usableHere ? timedToken(opened.credentials, kind) : undefined;
  if (stored !== undefined && !request.force && isFresh(stored, request, store.host.now())) {
    return { ...stored, session: opened.session };
  }
  if (request.storedOnly) {
    throw new AppError("SESSION_EXPIRED", `The session "${session.name}" has no fresh token at hand.`);
  }
  try {
    return await renewed(opened, { store, request: { ...request, kind }, limits });
  } catch (thrown) {
    // An outage takes nothing from a token that is still good, unless more was asked for.
    const unreachable = thrown instanceof AppError && (thrown.code === "NETWORK" || thrown.code === "BUSY");
    const usable = stored !== undefined && request.minimumLife === undefined && !request.force &&
      stored.expires - store.host.now() > 5_000;
    if (!unreachable || !usable) throw thrown;
    return { ...stored, session: opened.session, warning: `${thrown.message} The stored token is used.` };
  }
}

/** True when the stored token of a CI job is this job's. */
async function ofThisJob({ host }: SessionStore, { credentials }: OpenedSession): Promise<boolean> {
  const { isOfThisJob } = await import("./ci-job.ts");
  return await isOfThisJob(host.env, credentials);
}

/** Renews a session as its kind does; what that takes is loaded only now. */
async function renewed(opened: OpenedSession, renewal: Renewal): Promise<FreshToken> {
  const { renew } = await import("./renew.ts");
  if (opened.credentials.tokenSource === undefined) {
    const { byRefreshToken } = await import("./refresh.ts");
    return await renew(byRefreshToken, opened, renewal);
  }
  const { byTokenSource } = await import("./issue.ts");
  return await renew(byTokenSource, opened, renewal);
}
