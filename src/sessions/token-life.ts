/** How long a token counts as fresh, and what expiry is told to others. */

import { unverifiedClaims } from "../oauth/jwt.ts";
import type { Credentials } from "./credentials.ts";

/** Which of a session's tokens. */
export type TokenKind = "access" | "id";

/** A token with its life, in milliseconds since 1970. */
export interface TimedToken {
  readonly token: string;
  readonly kind: TokenKind;
  readonly issued: number;
  readonly expires: number;
  /** Nobody said when it ends. */
  readonly guessed?: true | undefined;
}

// A token whose end nobody names: short enough to be refreshed often, long enough to be of use.
const UNKNOWN_LIFE = 5 * 60_000;

// The last moment that RFC 3339 can write.
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * The token of that kind with its life: an ID token by its `exp`, an access token by `expires_in` from
 * receipt, else by the `exp` of a JWT, else five minutes. Undefined when the session has no such token.
 */
export function timedToken(credentials: Credentials, kind: TokenKind): TimedToken | undefined {
  const idToken = credentials.recipe === undefined ? credentials.idToken : undefined;
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
 * The expiry that is told to client-go, which applies no skew of its own: a minute early, or a sixth of a short
 * life.
 */
export function reportedExpiry({ issued, expires }: TimedToken): number {
  return expires - Math.min(60_000, Math.max(0, expires - issued) / 6);
}
