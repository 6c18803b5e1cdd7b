/** The short-lived access tokens of machines: minted, known to the control planes, taken away. */

import type { JWTPayload } from "jose";

import type { SecretRecord } from "./secrets.ts";
import type { User } from "./users.ts";

/** What minting needs. */
export interface MintOptions {
  /** The issuer identifier, and the audience that the API asks for. */
  readonly issuer: string;
  readonly audience: string;
  /** What new tokens look like. */
  readonly form: () => "jwt" | "opaque";
  /** Seconds that new tokens live. */
  readonly life: () => number;
  /** The issuer's clock, in seconds since the epoch. */
  readonly now: () => number;
  /** Signs with the issuer's key of the moment. */
  readonly sign: (claims: JWTPayload) => Promise<string>;
  readonly secrets: SecretRecord;
}

/** A new token. */
export interface MintedToken {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** The tokens of one cloud. */
export interface Mint {
  /** A token of the user; without the audience it is genuine, and no API takes it. */
  mint(user: User, options?: { readonly withAudience?: boolean }): Promise<MintedToken>;
  /** The user of a token that lives and that the API may take. */
  userOf(token: string): User | undefined;
  /** Takes away the tokens of one user, or of all. */
  revoke(name: string | undefined): void;
}

/** No tokens yet. */
export function makeMint(options: MintOptions): Mint {
  const rows = new Map<string, { user: User; withAudience: boolean; expires: number }>();
  return {
    mint: async (user, { withAudience = true } = {}) => {
      const [now, expiresIn] = [options.now(), options.life()];
      const token = options.form() === "opaque" ? randomText(32) : await options.sign({
        iss: options.issuer,
        sub: user.sub,
        aud: [user.sub, ...(withAudience ? [options.audience] : [])],
        iat: Math.floor(now),
        exp: Math.floor(now) + expiresIn,
        jti: crypto.randomUUID(),
      });
      rows.set(token, { user, withAudience, expires: now + expiresIn });
      options.secrets.note({ access_token: token });
      return { token, expiresIn };
    },
    userOf: (token) => {
      const row = rows.get(token);
      return row !== undefined && row.withAudience && options.now() < row.expires ? row.user : undefined;
    },
    revoke: (name) => {
      for (const [token, { user }] of rows) {
        if (name === undefined || user.email === name) rows.delete(token);
      }
    },
  };
}

/** So many random bytes, base64url. */
export function randomText(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toBase64({ alphabet: "base64url", omitPadding: true });
}
