/** The hostile issuer's table: what each forgery changes in an ID token or in the redirect of a sign-in. */

import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from "jose";
import type { JWK, JWTPayload } from "jose";

/** The issuer's key, as a forgery may misuse it. */
export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** One row: what is changed, and when; everything else stays as an honest issuer has it. */
export interface Forgery {
  /** Answers touched: `refresh` those of a refresh only; absent: all that carry an ID token. */
  readonly on?: "refresh";
  /** Returns the claims to sign in place of the true ones. */
  claims?(claims: Readonly<JWTPayload>): JWTPayload;
  /** Signs otherwise than an honest issuer does. */
  sign?(claims: JWTPayload, key: IssuerKey): Promise<string> | string;
  /** The issuer takes a new key before it signs, and publishes that one alone. */
  readonly rotates?: true;
  /** Changes the parameters that go back to the client's redirect URI; `before` are those of the redirect before. */
  redirect?(parameters: URLSearchParams, before: URLSearchParams): void;
}

/**
 * What a terminal obeys and a person does not see: a cleared screen, a window's title, a link to elsewhere, colours,
 * new lines, text from right to left, characters without width; and HTML.
 */
export const ESCAPES =
  "\u001b[2J\u001b]0;owned\u0007\u001b]8;;https://evil.example\u001b\\here\u001b]8;;\u001b\\" +
  "\u009b31m\r\nerror: forged\u0000\b\u007f\u2028\u202egnp.exe\u2066\u200b\ufeff<script>alert(1)</script>";

const STRANGER = "https://stranger.example";
const DAY = 24 * 3600;

/** Every forgery by name. A row is honest in all but the one thing that its name says. */
export const FORGERIES = {
  "redirect-iss": { redirect: (parameters) => parameters.set("iss", STRANGER) },
  "redirect-iss-missing": { redirect: (parameters) => parameters.delete("iss") },
  "redirect-code-reused": {
    redirect: (parameters, before) => parameters.set("code", before.get("code") ?? "none"),
  },
  "redirect-escapes": {
    redirect: (parameters) => {
      parameters.delete("code");
      for (const name of ["error", "error_description", "error_uri"]) parameters.set(name, ESCAPES);
    },
  },
  "redirect-state-reused": {
    redirect: (parameters, before) => parameters.set("state", before.get("state") ?? "none"),
  },
  "redirect-state": { redirect: (parameters) => parameters.set("state", "another-state") },
  "iss": { claims: (claims) => ({ ...claims, iss: STRANGER }) },
  "aud": { claims: (claims) => ({ ...claims, aud: "another-client" }) },
  "aud-several": { claims: (claims) => ({ ...claims, aud: [String(claims.aud), "another-client"] }) },
  "azp": { claims: (claims) => ({ ...claims, azp: "another-client" }) },
  "nonce": { claims: (claims) => ({ ...claims, nonce: "another-nonce" }) },
  "nonce-missing": { claims: ({ nonce: _, ...claims }) => claims },
  "sub": { on: "refresh", claims: (claims) => ({ ...claims, sub: "000000000000000000" }) },
  "sub-missing": { claims: ({ sub: _, ...claims }) => claims },
  "sub-number": { claims: (claims) => ({ ...claims, sub: Number(claims.sub) as unknown as string }) },
  "deep": { sign: (claims, key) => signedText(deepText(claims), key) },
  "expired": {
    claims: (claims) => ({ ...claims, iat: Number(claims.iat) - DAY, exp: Number(claims.iat) - DAY + 60 }),
  },
  "from-the-future": {
    claims: (claims) => ({ ...claims, iat: Number(claims.iat) + DAY, exp: Number(claims.exp) + DAY }),
  },
  "exp-missing": { claims: ({ exp: _, ...claims }) => claims },
  "iat-missing": { claims: ({ iat: _, ...claims }) => claims },
  "nbf": { claims: (claims) => ({ ...claims, nbf: Number(claims.iat) + DAY }) },
  "profile-missing": { claims: ({ email: _, name: __, ...claims }) => claims },
  "escapes": { claims: (claims) => ({ ...claims, email: `${ESCAPES}@example.com`, name: ESCAPES }) },
  "iss-escapes": { claims: (claims) => ({ ...claims, iss: ESCAPES }) },
  "at-hash": { claims: (claims) => ({ ...claims, at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }) },
  "signature": {
    sign: async (claims, { kid }) => {
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
  "alg-hmac": { sign: (claims, { kid }) => hmacSigned(claims, kid, String(claims.aud)) },
  "alg-hmac-public-key": {
    sign: async (claims, { kid, publicJwk }) =>
      hmacSigned(claims, kid, await exportSPKI(await importJWK(publicJwk, "RS256") as CryptoKey)),
  },
  "alg-escapes": {
    sign: async (claims, { kid }) => {
      const [, ...rest] = (await hmacSigned(claims, kid, "any")).split(".");
      return [part({ alg: ESCAPES, kid: ESCAPES }), ...rest].join(".");
    },
  },
  "rotated-key": { rotates: true },
  "kid-missing": {
    sign: (claims, { privateKey }) =>
      new SignJWT(claims).setProtectedHeader({ alg: "RS256" }).sign(privateKey),
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

const LEVELS = 200_000;

/** Claims with one that is nested so deep that no library writes it. */
function deepText(claims: JWTPayload): string {
  return `${JSON.stringify(claims).slice(0, -1)},"deep":${"[".repeat(LEVELS)}${"]".repeat(LEVELS)}}`;
}

/** Claims as they are written, signed as an honest issuer signs. */
async function signedText(claims: string, { kid, privateKey }: IssuerKey): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const text = `${part({ alg: "RS256", kid })}.${base64Url(bytes(claims))}`;
  return `${text}.${base64Url(new Uint8Array(await crypto.subtle.sign(RSA.name, privateKey, bytes(text))))}`;
}

/** Signed by hand: jose refuses keys as short as a client id. */
async function hmacSigned(claims: JWTPayload, kid: string, secret: string): Promise<string> {
  const text = `${part({ alg: "HS256", kid })}.${part(claims)}`;
  const bytes = (text: string) => new TextEncoder().encode(text);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes(secret), hmac, false, ["sign"]);
  return `${text}.${base64Url(new Uint8Array(await crypto.subtle.sign(hmac, key, bytes(text))))}`;
}

function part(json: unknown): string {
  return base64Url(new TextEncoder().encode(JSON.stringify(json)));
}

function base64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** The row of that name, or nothing. */
export function forgery(name: ForgeryName | undefined): Forgery | undefined {
  return name === undefined ? undefined : FORGERIES[name];
}
