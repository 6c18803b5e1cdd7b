/** Owns the one way to a fresh token: the stored one while it lasts, else one refresh by one process. */

import { AppError } from "../errors.ts";
import type { Session } from "./session.ts";
import { type OpenedSession } from "./open.ts";
import type { SessionStore } from "./store.ts";
import { timedToken, type TokenKind } from "./token-life.ts";
import { type FreshToken, isFresh, timeLeft, type TokenLimits, type TokenRequest } from "./token-wish.ts";

/** The token that kubectl gets from a session unless somebody chose. */
export function preferredKind(session: Pick<Session, "provider" | "kind" | "kubectlToken">): TokenKind {
  return session.kubectlToken ?? (session.kind.person ? session.provider.personToken : "access");
}

/**
 * A fresh token of a session (spec: sessions, "Fresh tokens").
 *
 * The short way reads one file and one keyring item. Everything else, the lock and the refresh, is loaded only
 * when it is needed.
 *
 * Throws what {@link SessionStore.open} throws; `SESSION_EXPIRED`, `NO_ID_TOKEN`, `NETWORK`, `ISSUER_ERROR`,
 * `INVALID_TOKEN`, `CLOCK_SKEW`, `STORAGE`, `BUSY`, `NOT_SIGNED_IN`.
 */
export async function freshToken(
  store: SessionStore,
  session: Session,
  request: TokenRequest,
  limits: TokenLimits,
): Promise<FreshToken> {
  const opened = await store.open(session, {
    timeout: timeLeft(limits.deadline, limits.keyringTimeout),
  });
  await request.accept?.(opened.session);
  const kind = request.kind ?? preferredKind(opened.session);
  const usableHere = opened.credentials.recipe?.kind !== "workload" || await ofThisJob(store, opened);
  const stored = usableHere ? timedToken(opened.credentials, kind) : undefined;
  if (stored !== undefined && !request.force && isFresh(stored, request, store.host.now())) {
    return { ...stored, session: opened.session };
  }
  try {
    return await renew(store, opened, { ...request, kind }, limits);
  } catch (thrown) {
    // An outage takes nothing from a token that is still good, unless more was asked for.
    const unreachable = thrown instanceof AppError && (thrown.code === "NETWORK" || thrown.code === "BUSY");
    const usable = stored !== undefined && request.minimumLife === undefined && !request.force &&
      stored.expires - store.host.now() > 5_000;
    if (!unreachable || !usable) throw thrown;
    return { ...stored, session: opened.session, warning: `${thrown.message} The stored token is used.` };
  }
}

/** Whether what is kept of a CI job's token is this job's. */
async function ofThisJob({ host }: SessionStore, { credentials }: OpenedSession): Promise<boolean> {
  const { isOfThisJob } = await import("./ci-job.ts");
  return await isOfThisJob(host.env, credentials);
}

/** Refreshes, or makes anew; what that takes is loaded only now. */
async function renew(
  store: SessionStore,
  opened: OpenedSession,
  wish: TokenRequest & { readonly kind: TokenKind },
  limits: TokenLimits,
): Promise<FreshToken> {
  if (opened.credentials.recipe === undefined) {
    const { renewToken } = await import("./renew.ts");
    return await renewToken(store, opened, wish, limits);
  }
  const { mintToken } = await import("./mint.ts");
  return await mintToken(store, opened, wish, limits);
}
