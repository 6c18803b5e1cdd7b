/** Owns how a fresh token is asked for: the wish, the time it may take, and what comes back. */

import { AppError } from "../errors.ts";
import type { FailureMemory } from "./last-failure.ts";
import type { Session } from "./session.ts";
import { defaultMinimumLife, type TimedToken, type TokenKind } from "./token-life.ts";

/** What is wanted of a session. */
export interface TokenRequest {
  /** Which token; the session's choice for kubectl or its provider's default when absent. */
  readonly kind?: TokenKind | undefined;
  /** Life that must be left, in milliseconds; by default {@link defaultMinimumLife}. */
  readonly minimumLife?: number | undefined;
  /** Refresh even when the stored token is fresh. */
  readonly force?: boolean | undefined;
  /** Throws for a session that is not to be used, as it was sealed and before anything is asked. */
  readonly accept?: ((session: Session) => Promise<void>) | undefined;
}

/** How long the whole may take. */
export interface TokenLimits {
  /** When to give up, on the scale of `performance.now()`. */
  readonly deadline: number;
  /** The longest a keyring may take, in milliseconds. */
  readonly keyringTimeout: number;
  /** The longest that one request may wait for an answer's headers, in milliseconds. */
  readonly requestTimeout?: number | undefined;
  readonly log?: ((line: string) => void) | undefined;
  /** Where a failed refresh is remembered for those who wait for the same one. */
  readonly failures?: FailureMemory | undefined;
}

/** A token with enough life left, or the best that one refresh could get. */
export interface FreshToken extends TimedToken {
  readonly session: Session;
  /** What a person should know although a token came. */
  readonly warning?: string | undefined;
}

/** True when a token needs no refresh for this wish. */
export function isFresh(token: TimedToken, request: TokenRequest, now: number): boolean {
  return token.expires - now > (request.minimumLife ?? defaultMinimumLife(token));
}

/** The time left until a deadline, at most `most` milliseconds and at least one. */
export function timeLeft(deadline: number, most = Infinity): number {
  return Math.max(1, Math.min(most, deadline - performance.now()));
}

/** True for what a sign-in mends: no session, or one that has expired; nothing else is worth a person's time. */
export function mendedBySignIn(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && (thrown.code === "NOT_SIGNED_IN" || thrown.code === "SESSION_EXPIRED");
}
