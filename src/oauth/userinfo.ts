/** Owns the question to the issuer whom an access token belongs to: OpenID Connect Core 1.0, 5.3. */

import { AppError } from "../errors.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { boundedFetch, type Exchange, hostOf, issuerRefusal, readJson } from "./http.ts";

/** What {@link fetchUserInfo} needs to know. */
export interface UserInfoInput {
  readonly metadata: IssuerMetadata;
  readonly accessToken: string;
  /** The ID token's `sub`; an answer about anybody else is refused. */
  readonly subject: string;
}

/** What the issuer says about an access token. */
export type UserInfo =
  | { readonly kind: "claims"; readonly claims: Readonly<Record<string, unknown>> }
  /** A 401: the token is no longer good. */
  | { readonly kind: "rejected" }
  | { readonly kind: "no-endpoint" };

/** Asks for the person's claims, or whether the token still lives. @throws AppError `NETWORK`, `ISSUER_ERROR`, `INVALID_TOKEN`. */
export async function fetchUserInfo(
  exchange: Exchange,
  { metadata, accessToken, subject }: UserInfoInput,
): Promise<UserInfo> {
  const step = "Cannot read who is signed in";
  const endpoint = metadata.userinfo_endpoint;
  if (endpoint === undefined) return { kind: "no-endpoint" };
  const response = await boundedFetch(exchange, step)(endpoint, {
    headers: { accept: "application/json", authorization: `Bearer ${accessToken}` },
  });
  if (response.status === 401) return { kind: "rejected" };
  const answer = await readJson(step, endpoint, response);
  if (answer.status !== 200) throw issuerRefusal(step, endpoint, answer);
  if (answer.json.sub !== subject) {
    throw new AppError(
      "INVALID_TOKEN",
      `${step}: ${hostOf(endpoint)} answered about another subject (sub).`,
      {
        hint: "Start the sign-in again; if it persists, report it to whoever runs the issuer.",
      },
    );
  }
  return { kind: "claims", claims: answer.json };
}
