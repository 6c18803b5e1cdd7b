/** What a token endpoint answers: how it is read, and how a first answer becomes verified tokens. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { hostOf } from "../http/address.ts";
import type { HttpContext } from "../http/bounded.ts";
import { SHORTEST_SECRET } from "../http/redact.ts";
import { type Answer, badAnswer } from "./issuer-request.ts";
import { memberIn, secondsIn } from "./answer-values.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { type IdTokenClaims, type SigningKeys, verifyIdToken } from "./id-token.ts";

export type { IdTokenClaims, SigningKeys } from "./id-token.ts";

/** Tokens as they are kept; every member but `claims` and the times is a secret. */
export interface TokenSet {
  readonly accessToken: string;
  /** End of the access token's life in milliseconds since 1970, from `expires_in` at receipt. */
  readonly expiresAt?: number | undefined;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly idToken?: string | undefined;
  readonly refreshToken?: string | undefined;
  /** The verified claims of `idToken`. */
  readonly claims?: IdTokenClaims | undefined;
}

/** A first sign-in's tokens, with the keys to keep for the next verification. */
export interface SignInTokens {
  readonly tokens: TokenSet & { readonly idToken: string; readonly claims: IdTokenClaims };
  readonly keys: SigningKeys;
}

/** A token answer that was read and not yet verified. */
export interface TokenAnswer {
  readonly tokens: Omit<TokenSet, "claims">;
  /** The answer's `Date`, in milliseconds since 1970. */
  readonly serverDate?: number | undefined;
}

/** Longer lives than this are taken as this, in seconds: ten years. */
export const LONGEST_LIFE_SECONDS = 10 * 365 * 24 * 3600;

/**
 * Reads a token endpoint's answer that is no refusal. RFC 6749, 5.1, with what issuers make of it: numbers as text, and
 * `null` or an empty text for what is absent. Nothing is read of `scope`.
 *
 * @param receivedAt milliseconds since 1970.
 * @throws {AppError} `NETWORK` for a malformed answer, `INVALID_TOKEN` for another token type.
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

/** The refresh token of an answer that cannot be used otherwise; undefined where it brings none that can be sent. */
export function rotatedToken({ json: { refresh_token: token } }: Answer): string | undefined {
  return isToken(token) ? token : undefined;
}

/** RFC 6749, A.12 and A.17; a line break or escape sequence in a token would end up on a terminal. */
function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
}

/** Throws for what is no bearer token; a token without a type is taken as one. */
function refuseOtherType(step: string, host: string, type: unknown): void {
  if (type === undefined || (typeof type === "string" && type.toLowerCase() === "bearer")) return;
  // No secret is so short.
  const named = typeof type === "string" && type.length < SHORTEST_SECRET
    ? `of type "${printable(type)}"`
    : "of another type";
  throw new AppError("INVALID_TOKEN", `${step}: ${host} sent a token ${named}, not "Bearer".`, {
    hint: "Only bearer tokens can be used.",
  });
}

/** Verifies the tokens of a sign-in; one without a good ID token is refused. */
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
