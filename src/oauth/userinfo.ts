/** Asks the issuer whose access token it is: OpenID Connect Core 1.0, 5.3. */

import { AppError } from "../errors.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { hostOf } from "../http/address.ts";
import type { HttpContext } from "../http/bounded.ts";
import { issuerFetch, readJson } from "./issuer-request.ts";
import { refusalIn } from "./refusals.ts";
import { isRefusal, issuerRefusal } from "./refused.ts";

/** The input of {@link fetchUserInfo}. */
export interface UserInfoInput {
  readonly metadata: IssuerMetadata;
  readonly accessToken: string;
  /** The ID token's `sub`; an answer about another subject is refused. */
  readonly subject: string;
}

/** What the issuer says about an access token. */
export type UserInfo =
  | { readonly kind: "claims"; readonly claims: Readonly<Record<string, unknown>> }
  /** A 401, or `invalid_token` with another status: the token is no longer good. RFC 6750, 3.1. */
  | { readonly kind: "rejected" }
  | { readonly kind: "no-endpoint" };

/**
 * Asks for the person's claims, or whether the token is still good.
 *
 * @throws {AppError} `NETWORK`, `ISSUER_ERROR`, `INVALID_TOKEN`.
 */
export async function fetchUserInfo(
  http: HttpContext,
  { metadata, accessToken, subject }: UserInfoInput,
): Promise<UserInfo> {
  const step = "Cannot read who is signed in";
  const endpoint = metadata.userinfo_endpoint;
  if (endpoint === undefined) return { kind: "no-endpoint" };
  const response = await issuerFetch(http, step)(endpoint, {
    headers: { accept: "application/json", authorization: `Bearer ${accessToken}` },
  });
  if (response.status === 401) return { kind: "rejected" };
  const answer = await readJson(step, endpoint, response);
  if (isRefusal(answer)) {
    if (refusalIn(answer.json)?.error === "invalid_token") return { kind: "rejected" };
    throw issuerRefusal(step, endpoint, answer, { occasion: "sign-in" });
  }
  const { sub } = answer.json;
  if (sub !== subject) {
    const why = typeof sub === "string" ? "answered about another subject (sub)" : subjectFault(sub);
    throw new AppError("INVALID_TOKEN", `${step}: ${hostOf(endpoint)} ${why}.`, {
      hint: "Start the sign-in again; if it persists, report it to whoever runs the issuer.",
    });
  }
  return { kind: "claims", claims: answer.json };
}

function subjectFault(sub: unknown): string {
  return sub === undefined || sub === null
    ? "does not say about whom it answers (sub)"
    : "sent a sub that is not a text";
}
