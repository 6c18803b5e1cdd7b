/** Owns the one way to a fresh token: the stored one while it lasts, else one refresh by one process. */

import { AppError } from "../errors.ts";
import type { FailureMemory } from "./failure-memory.ts";
import type { Session } from "./session.ts";
import { openSession, type SessionPlace } from "./store.ts";
import { defaultMinimumLife, type TimedToken, timedToken, type TokenKind } from "./token-life.ts";

/** What is wanted of a session. */
export interface TokenWish {
  /** Which token; the session's choice for kubectl or its provider's default when absent. */
  readonly kind?: TokenKind | undefined;
  /** Life that must be left, in milliseconds; by default {@link defaultMinimumLife}. */
  readonly minimumLife?: number | undefined;
  /** Refresh even when the stored token is fresh. */
  readonly force?: boolean | undefined;
}

/** How long the whole may take. */
export interface TokenBound {
  /** When to give up, on the scale of `performance.now()`. */
  readonly deadline: number;
  /** The longest a keyring may take, in milliseconds. */
  readonly keyringTimeout: number;
  readonly log?: ((line: string) => void) | undefined;
  /** Where a failed refresh is remembered for those who wait for the same one. */
  readonly failures?: FailureMemory | undefined;
}

/** A token with enough life left, or the best that one refresh could get. */
export interface FreshToken extends TimedToken {
  readonly session: Session;
  /** What a person should know although a token came. */
  readonly warning?: string;
}

/** The token that kubectl gets from a session unless somebody chose. */
export function preferredKind(session: Session): TokenKind {
  return session.kubectlToken ?? (session.provider === "oidc" ? "id" : "access");
}

/** True when a token needs no refresh for this wish. */
export function isFresh(token: TimedToken, wish: TokenWish, now: number): boolean {
  return token.expires - now > (wish.minimumLife ?? defaultMinimumLife(token));
}

/** The time left until a deadline, at most `most` milliseconds and at least one. */
export function timeLeft(deadline: number, most = Infinity): number {
  return Math.max(1, Math.min(most, deadline - performance.now()));
}

/**
 * A fresh token of a session (spec: sessions, "Fresh tokens").
 *
 * The short way reads one file and one keyring item. Everything else, the lock and the refresh, is loaded only
 * when it is needed.
 *
 * Throws what {@link openSession} throws; `SESSION_EXPIRED`, `NO_ID_TOKEN`, `NETWORK`, `ISSUER_ERROR`,
 * `INVALID_TOKEN`, `CLOCK_SKEW`, `STORAGE`, `BUSY`, `NOT_SIGNED_IN`.
 */
export async function freshToken(
  place: SessionPlace,
  session: Session,
  wish: TokenWish,
  bound: TokenBound,
): Promise<FreshToken> {
  const opened = await openSession(place, session, {
    timeout: timeLeft(bound.deadline, bound.keyringTimeout),
  });
  const kind = wish.kind ?? preferredKind(opened.session);
  const stored = timedToken(opened.credentials, kind);
  if (stored !== undefined && !wish.force && isFresh(stored, wish, place.now())) {
    return { ...stored, session: opened.session };
  }
  const { renewToken } = await import("./renew.ts");
  try {
    return await renewToken(place, opened, { ...wish, kind }, bound);
  } catch (thrown) {
    // An outage takes nothing from a token that is still good, unless more was asked for.
    const unreachable = thrown instanceof AppError && (thrown.code === "NETWORK" || thrown.code === "BUSY");
    const usable = stored !== undefined && wish.minimumLife === undefined && !wish.force &&
      stored.expires - place.now() > 5_000;
    if (!unreachable || !usable) throw thrown;
    return { ...stored, session: opened.session, warning: `${thrown.message} The stored token is used.` };
  }
}
