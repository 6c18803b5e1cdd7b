/** Owns the hostile issuer's table: what each forgery changes in an ID token or in the redirect of a sign-in. */

import { SignJWT, UnsecuredJWT } from "jose";
import type { JWTPayload } from "jose";

/** One row: what is changed, and when; everything else stays as an honest issuer has it. */
export interface Forgery {
  /** Answers touched: `refresh` those of a refresh only; absent: all that carry an ID token. */
  readonly on?: "refresh";
  /** Returns the claims to sign in place of the true ones. */
  claims?(claims: Readonly<JWTPayload>): JWTPayload;
  /** Signs otherwise than with the issuer's key. */
  sign?(claims: JWTPayload, kid: string): Promise<string> | string;
  /** Changes the parameters that go back to the client's redirect URI. */
  redirect?(parameters: URLSearchParams): void;
}

const STRANGER = "https://stranger.example";
const DAY = 24 * 3600;

/** Every forgery by name. A row is honest in all but the one thing that its name says. */
export const FORGERIES = {
  "redirect-iss": { redirect: (parameters) => parameters.set("iss", STRANGER) },
  "redirect-iss-missing": { redirect: (parameters) => parameters.delete("iss") },
  "redirect-state": { redirect: (parameters) => parameters.set("state", "another-state") },
  "iss": { claims: (claims) => ({ ...claims, iss: STRANGER }) },
  "aud": { claims: (claims) => ({ ...claims, aud: "another-client" }) },
  "aud-several": { claims: (claims) => ({ ...claims, aud: [String(claims.aud), "another-client"] }) },
  "azp": { claims: (claims) => ({ ...claims, azp: "another-client" }) },
  "nonce": { claims: (claims) => ({ ...claims, nonce: "another-nonce" }) },
  "nonce-missing": { claims: ({ nonce: _, ...claims }) => claims },
  "sub": { on: "refresh", claims: (claims) => ({ ...claims, sub: "000000000000000000" }) },
  "sub-missing": { claims: ({ sub: _, ...claims }) => claims },
  "expired": {
    claims: (claims) => ({ ...claims, iat: Number(claims.iat) - DAY, exp: Number(claims.iat) - DAY + 60 }),
  },
  "from-the-future": {
    claims: (claims) => ({ ...claims, iat: Number(claims.iat) + DAY, exp: Number(claims.exp) + DAY }),
  },
  "at-hash": { claims: (claims) => ({ ...claims, at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }) },
  "signature": {
    sign: async (claims, kid) => {
      const stranger = await crypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
      return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid }).sign(stranger.privateKey);
    },
  },
  "unknown-key": {
    sign: async (claims) => {
      const stranger = await crypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
      return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "unknown" }).sign(
        stranger.privateKey,
      );
    },
  },
  "alg-none": { sign: (claims) => new UnsecuredJWT(claims).encode() },
  "alg-hmac": {
    sign: (claims, kid) =>
      new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid })
        .sign(new TextEncoder().encode(String(claims.aud).padEnd(32, "."))),
  },
  "not-a-jwt": { sign: () => "not.a-jwt" },
} as const satisfies Record<string, Forgery>;

/** The name of a row of {@link FORGERIES}. */
export type ForgeryName = keyof typeof FORGERIES;

/** The parameters of the issuer's keys: RSA with SHA-256, as Zitadel has them. */
export const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;

/** The row of that name, or nothing. */
export function forgery(name: ForgeryName | undefined): Forgery | undefined {
  return name === undefined ? undefined : FORGERIES[name];
}
