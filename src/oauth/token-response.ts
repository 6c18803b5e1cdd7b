/** A token endpoint's answer: reading it, and verifying the first tokens of a sign-in. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { hostOf } from "../http/address.ts";
import type { HttpContext } from "../http/bounded.ts";
import { SHORTEST_SECRET } from "../http/redact.ts";
import { type Answer, badAnswer, memberIn, secondsIn } from "./issuer-request.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { type IdTokenClaims, type SigningKeys, verifyIdToken } from "./id-token.ts";

export type { IdTokenClaims, SigningKeys } from "./id-token.ts";

/** The tokens to store; every member except `claims` and the times is a secret. */
export interface TokenSet {
  readonly accessToken: string;
  /** The end of the access token in milliseconds since 1970, from `expires_in` at receipt. */
  readonly expiresAt?: number | undefined;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly idToken?: string | undefined;
  readonly refreshToken?: string | undefined;
  /** The verified claims of `idToken`. */
  readonly claims?: IdTokenClaims | undefined;
}

/** The tokens of a first sign-in, with the keys to store for the next verification. */
export interface SignInTokens {
  readonly tokens: TokenSet & { readonly idToken: string; readonly claims: IdTokenClaims };
  readonly keys: SigningKeys;
}

/** A token answer that was read but not verified. */
export interface TokenAnswer {
  readonly tokens: Omit<TokenSet, "claims">;
  /** The answer's `Date`, in milliseconds since 1970. */
  readonly serverDate?: number | undefined;
}

/** Longer lifetimes count as this, in seconds: ten years. */
export const LONGEST_LIFE_SECONDS = 10 * 365 * 24 * 3600;

/**
 * Reads a token endpoint's answer that is not a refusal. RFC 6749, 5.1, and what issuers really send: numbers as
 * text, and `null` or an empty text for a missing value. `scope` is ignored.
 *
 * @param receivedAt milliseconds since 1970.
 * @throws {AppError} `NETWORK` when the answer is malformed, `INVALID_TOKEN` for another token type.
 */
export function readTokens(
  receivedAt: number,
  step: string,
  { token_endpoint }: Pick<IssuerMetadata, "token_endpoint">,
  { json, serverDate }: Answer,
): TokenAnswer {
  const host = hostOf(token_endpoint);
  const malformed = (why: string) =>
    badAnswer(
      `${step}: ${host} sent a malformed answer: ${why}.`,
      { kind: "content", status: 200 },
      "Try again; if it persists, report it to whoever runs the issuer.",
    );
  const secret = (name: string): string | undefined => {
    const value = memberIn(json[name]);
    if (value === undefined || isToken(value)) return value;
    throw malformed(`its ${name} is not a token`);
  };
  const accessToken = secret("access_token");
  if (accessToken === undefined) throw malformed("it holds no access_token");
  const idToken = secret("id_token");
  const refreshToken = secret("refresh_token");
  refuseOtherType(step, host, memberIn(json.token_type));
  const life = secondsIn(json.expires_in);
  if (life !== undefined && !(life > 0)) throw malformed("its expires_in is not a positive number");
  return {
    tokens: {
      accessToken,
      receivedAt,
      expiresAt: life === undefined ? undefined : receivedAt + Math.min(life, LONGEST_LIFE_SECONDS) * 1000,
      idToken,
      refreshToken,
    },
    serverDate,
  };
}

/** The refresh token in an answer that cannot be used otherwise; undefined when it contains none that can be sent. */
export function rotatedToken({ json: { refresh_token: token } }: Answer): string | undefined {
  return isToken(token) ? token : undefined;
}

/** RFC 6749, A.12 and A.17; a line break or escape sequence in a token would reach a terminal. */
function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
}

/** Refuses another type than bearer. A token without a type counts as one. */
function refuseOtherType(step: string, host: string, type: unknown): void {
  if (type === undefined || (typeof type === "string" && type.toLowerCase() === "bearer")) return;
  // No secret is as short.
  const named = typeof type === "string" && type.length < SHORTEST_SECRET
    ? `of type "${printable(type)}"`
    : "of another type";
  throw new AppError("INVALID_TOKEN", `${step}: ${host} sent a token ${named}, not "Bearer".`, {
    hint: "Only bearer tokens can be used.",
  });
}

/** Verifies the tokens of a sign-in, which needs a good ID token. */
export async function verifySignIn(
  http: HttpContext,
  { tokens, serverDate }: TokenAnswer,
  checks: {
    readonly metadata: IssuerMetadata;
    readonly keys?: SigningKeys | undefined;
    readonly clientId: string;
    readonly nonce?: string | undefined;
    readonly trustedAudiences?: readonly string[] | undefined;
  },
): Promise<SignInTokens> {
  const { idToken, accessToken } = tokens;
  if (idToken === undefined) {
    const host = hostOf(checks.metadata.issuer);
    throw new AppError("INVALID_TOKEN", `${host} sent no ID token, so nobody is known to have signed in.`, {
      hint: "The client at the issuer must be allowed the scope openid.",
    });
  }
  const { claims, keys, untimely } = await verifyIdToken(http, idToken, {
    ...checks,
    accessToken,
    serverDate,
  });
  if (untimely !== undefined) throw untimely;
  return { tokens: { ...tokens, idToken, claims }, keys };
}
