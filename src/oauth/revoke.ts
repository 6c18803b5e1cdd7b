/** The revocation of a session's tokens at the issuer, RFC 7009. */

import * as oauth from "oauth4webapi";
import { AppError } from "../errors.ts";
import { clientAuthentication, type OAuthClient } from "./client.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { hostOf } from "../http/address.ts";
import type { HttpContext } from "../http/bounded.ts";
import { badAnswer, readJson, requestOptions } from "./issuer-request.ts";
import { refusalIn } from "./refusals.ts";
import { issuerRefusal } from "./refused.ts";

/** The input of {@link revokeTokens}. */
export interface RevokeInput {
  readonly metadata: IssuerMetadata;
  readonly client: OAuthClient;
  readonly refreshToken?: string | undefined;
  readonly accessToken?: string | undefined;
}

/** The result of a revocation. */
export type Revoked =
  | {
    readonly kind: "revoked";
    /** True when the issuer cannot revoke access tokens and was asked to: the token lives until it expires. */
    readonly accessTokenStays: boolean;
  }
  | { readonly kind: "no-endpoint" };

const STEP = "Cannot revoke the session's tokens";

/**
 * Revokes the refresh token, and with it the access token (RFC 7009, 2.1); the access token by itself when there is
 * no refresh token or it could not be revoked. A 200 for an unknown token is success.
 *
 * @throws {AppError} `NETWORK` or `ISSUER_ERROR`: the first failure.
 */
export async function revokeTokens(http: HttpContext, input: RevokeInput): Promise<Revoked> {
  const { metadata, refreshToken, accessToken } = input;
  const { revocation_endpoint: endpoint } = metadata;
  if (endpoint === undefined) return { kind: "no-endpoint" };
  const failures: unknown[] = [];
  if (refreshToken !== undefined) {
    await revoke(http, { ...input, endpoint }, refreshToken, "refresh_token").then((known) => {
      if (known) return;
      throw new AppError("ISSUER_ERROR", `${STEP}: ${hostOf(metadata.issuer)} cannot revoke refresh tokens.`);
    }).catch((error) => failures.push(error));
  }
  let accessTokenStays = false;
  // After its refresh token it is already unknown, which some issuers log as an error.
  if (accessToken !== undefined && (refreshToken === undefined || failures.length > 0)) {
    await revoke(http, { ...input, endpoint }, accessToken, "access_token").then((known) => {
      accessTokenStays = !known;
    }).catch((error) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
  return { kind: "revoked", accessTokenStays };
}

/** @returns false when the issuer answers `unsupported_token_type`. */
async function revoke(
  http: HttpContext,
  { metadata, client, endpoint }: RevokeInput & { readonly endpoint: string },
  token: string,
  hint: "refresh_token" | "access_token",
): Promise<boolean> {
  const response = await oauth.revocationRequest(
    { ...metadata },
    { client_id: client.id },
    clientAuthentication(client, metadata.token_endpoint_auth_methods_supported),
    token,
    {
      additionalParameters: { token_type_hint: hint },
      ...requestOptions(http, STEP),
    },
  );
  if (response.status === 200) {
    // RFC 7009, 2.2 ignores the body; but a captive portal's page has revoked nothing.
    if (
      (response.headers.get("content-type") ?? "").startsWith("text/html") && await response.text() !== ""
    ) {
      throw badAnswer(`${STEP}: ${hostOf(endpoint)} answered with a web page.`, {
        kind: "answer",
        status: 200,
      }, "A proxy or captive portal answered; try again in a moment.");
    }
    return true;
  }
  const answer = await readJson(STEP, endpoint, response);
  if (refusalIn(answer.json)?.error === "unsupported_token_type") return false;
  throw issuerRefusal(STEP, endpoint, answer, { occasion: "sign-in", client });
}
