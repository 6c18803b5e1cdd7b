/** Personal access tokens and the endpoint of the API host that exchanges them for short-lived ones. */

import { randomText } from "./minted-tokens.ts";
import type { Mint } from "./minted-tokens.ts";
import type { SecretRecord } from "./secrets.ts";
import type { User } from "./users.ts";

/** Where the API host exchanges. */
export const EXCHANGE_PATH = "/datum-os/oauth/token/exchange";

/** Whose a personal access token is: `dtmp_` of a person, `dtma_` of an organization. */
export type PersonalAccessTokenKind = "personal" | "organization";

/** The personal access tokens of one cloud. */
export interface PersonalAccessTokens {
  add(kind: PersonalAccessTokenKind, user: User): string;
  /** Refuses it from now on. Throws when there is no such token. */
  revoke(token: string): void;
  /** Answers the exchange endpoint. */
  exchange(request: Request): Promise<Response>;
}

/** What personal access tokens need. */
export interface PersonalAccessTokensOptions {
  readonly mint: Mint;
  readonly secrets: SecretRecord;
  /** The cloud's clock, in seconds since the epoch. */
  readonly now: () => number;
}

/** No personal access tokens yet. */
export function makePersonalAccessTokens(
  { mint, secrets, now }: PersonalAccessTokensOptions,
): PersonalAccessTokens {
  const users = new Map<string, User>();
  const answer = (status: number, body: Readonly<Record<string, unknown>>): Response =>
    Response.json(body, {
      status,
      headers: { "cache-control": "no-store", "date": new Date(now() * 1000).toUTCString() },
    });
  const refusal = (status: number, message: string): Response => answer(status, { message });
  return {
    add: (kind, user) => {
      const token = `${kind === "personal" ? "dtmp" : "dtma"}_${randomText(32)}`;
      users.set(token, user);
      secrets.keep("personal_access_token", token);
      return token;
    },
    revoke: (token) => {
      if (!users.delete(token)) throw new Error("There is no such personal access token.");
    },
    exchange: async (request) => {
      if (request.method !== "GET") return refusal(405, "method not allowed");
      const authorization = request.headers.get("authorization");
      if (authorization === null) return refusal(401, "authorization header is missing");
      const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
      if (token === undefined) return refusal(401, "authorization header is not a bearer token");
      const user = users.get(token);
      if (user === undefined) return refusal(401, "personal access token is invalid or was revoked");
      const minted = await mint.mint(user);
      return answer(200, { access_token: minted.token, token_type: "Bearer" });
    },
  };
}
