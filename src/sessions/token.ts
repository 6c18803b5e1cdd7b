/** Tokens of a session: how they are asked for, how long they count as fresh, and which expiry is reported to others. */

import { AppError } from "../errors.ts";
import { unverifiedClaims } from "../oauth/jwt.ts";
import type { Credentials } from "./credentials.ts";
import type { FailureMemory } from "./last-failure.ts";
import type { Session } from "./session.ts";

/** Which of a session's tokens. */
export type TokenKind = "access" | "id";

/** What is asked of a session. */
export interface TokenRequest {
  /** Which token; the session's choice for kubectl or its provider's default when absent. */
  readonly kind?: TokenKind | undefined;
  /** Life that must be left, in milliseconds; by default {@link defaultMinimumLife}. */
  readonly minimumLife?: number | undefined;
  /** Renew even when the stored token is fresh. */
  readonly force?: boolean | undefined;
  /** Renew nothing, and ask nobody to unlock a keyring: the stored token, where it is fresh. */
  readonly storedOnly?: boolean | undefined;
  /** Throws for a session that is not to be used, as it was sealed and before anything is asked. */
  readonly accept?: ((session: Session) => void) | undefined;
}

/** How long the whole may take. */
export interface TokenLimits {
  /** When to give up, on the scale of `performance.now()`. */
  readonly deadline: number;
  /** The longest a keyring may take, in milliseconds; else what is left until the deadline. */
  readonly keyringTimeout?: number | undefined;
  /** The longest that one request may wait for an answer's headers, in milliseconds. */
  readonly requestTimeout?: number | undefined;
  readonly log?: ((line: string) => void) | undefined;
  /** Where a failed renewal is remembered for those who wait for the same one. */
  readonly failures?: FailureMemory | undefined;
}

/** A token with its life, in milliseconds since 1970. */
export interface TimedToken {
  readonly token: string;
  readonly kind: TokenKind;
  readonly issued: number;
  readonly expires: number;
  /** The issuer did not say when it ends. */
  readonly guessed?: true | undefined;
}

/** A token with enough life left, or the best that one renewal could get. */
export interface FreshToken extends TimedToken {
  readonly session: Session;
  /** What the user should know although a token came. */
  readonly warning?: string | undefined;
}

// For a token whose end is unknown: short enough to be renewed often, long enough to be of use.
const UNKNOWN_LIFE = 5 * 60_000;

// The last moment that RFC 3339 can write.
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * The token of that kind with its life: an ID token by its `exp`, an access token by `expires_in` from receipt, else by
 * the `exp` of a JWT, else five minutes. Undefined when the session has no such token.
 */
export function timedToken(credentials: Credentials, kind: TokenKind): TimedToken | undefined {
  const idToken = credentials.tokenSource === undefined ? credentials.idToken : undefined;
  const token = kind === "id" ? idToken : credentials.accessToken;
  const { received = 0, accessTokenExpires } = credentials;
  if (token === undefined) return undefined;
  if (kind === "access" && accessTokenExpires !== undefined) {
    return { token, kind, issued: received, expires: accessTokenExpires };
  }
  const { exp, iat } = unverifiedClaims(token) ?? {};
  if (typeof exp !== "number") {
    return { token, kind, issued: received, expires: received + UNKNOWN_LIFE, guessed: true };
  }
  const expires = Math.min(Math.max(0, exp * 1000), LATEST);
  return { token, kind, issued: typeof iat === "number" ? iat * 1000 : received, expires };
}

/** The life that must be left, by default, for a token to be handed out: two minutes, or a third of a short one. */
export function defaultMinimumLife({ issued, expires }: TimedToken): number {
  return Math.min(120_000, Math.max(0, expires - issued) / 3);
}

/**
 * The expiry that is reported to client-go, which applies no skew of its own: a minute early, or a sixth of a short life.
 */
export function reportedExpiry({ issued, expires }: TimedToken): number {
  return expires - Math.min(60_000, Math.max(0, expires - issued) / 6);
}

/** True when a token needs no renewal for this request. */
export function isFresh(token: TimedToken, request: TokenRequest, now: number): boolean {
  return token.expires - now > (request.minimumLife ?? defaultMinimumLife(token));
}

/** The warning when `--min-ttl` cannot be met. */
export const TOO_SHORT = "The issuer's tokens do not last as long as --min-ttl asks for.";

/** The time left until a deadline, at most `most` milliseconds and at least one. */
export function timeLeft(deadline: number, most = Infinity): number {
  return Math.max(1, Math.min(most, deadline - performance.now()));
}

/** True for an error that a new sign-in resolves: no session, or one that has expired. */
export function mendedBySignIn(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && (thrown.code === "NOT_SIGNED_IN" || thrown.code === "SESSION_EXPIRED");
}
