/** The JWT bearer grant: a signed assertion for an access token, and the signing of a service account's assertion. */

import * as oauth from "oauth4webapi";
import { toBase64Url } from "../../encoding.ts";
import { printable } from "../../text.ts";
import { clientAuthentication, type OAuthClient } from "../client.ts";
import { authorizationServerAt, requestGrant } from "./request.ts";
import type { HttpContext } from "../../http/bounded.ts";
import type { Retry } from "../../http/retry.ts";
import { requestOptions } from "../issuer-request.ts";
import { type AccessToken, readAccessToken } from "./access-token.ts";
import { type TokenParameters, tokenParameters } from "../request-parameters.ts";
import { type ServiceAccountKey, signWithKey } from "./service-account-key.ts";

/** The input of {@link signAssertion}. */
export interface AssertionInput {
  /** The issuer that the assertion is for. */
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The lifetime of an assertion, in seconds. */
const ASSERTION_LIFE = 60;

/**
 * Signs an assertion with a service account's key: RS256, valid for a minute, for one use. RFC 7523, 3.
 *
 * @throws {AppError} `USAGE` when the key cannot sign.
 */
export async function signAssertion(
  key: ServiceAccountKey,
  { audience, now }: AssertionInput,
): Promise<string> {
  const iat = Math.floor(now / 1000);
  const header = { alg: "RS256", typ: "JWT", kid: key.keyId };
  const claims = {
    iss: key.clientId,
    sub: key.clientId,
    aud: audience,
    iat,
    exp: iat + ASSERTION_LIFE,
    jti: crypto.randomUUID(),
  };
  const text = new TextEncoder();
  const part = (value: unknown) => toBase64Url(text.encode(JSON.stringify(value)));
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${toBase64Url(await signWithKey(key, text.encode(signed)))}`;
}

/** The input of {@link jwtBearerToken}. */
export interface JwtBearerInput extends Retry {
  readonly tokenEndpoint: string;
  /** A fresh assertion for each request, because its `jti` may be used once. */
  readonly assertion: () => Promise<string>;
  /** The id of the key that signs it, if that is ours: a refusal names it. */
  readonly keyId?: string | undefined;
  readonly scope?: string | undefined;
  readonly parameters?: TokenParameters | undefined;
  /** Sent when the server also wants to know the client; otherwise the assertion alone identifies the caller. */
  readonly client?: OAuthClient | undefined;
  /** The metadata's `token_endpoint_auth_methods_supported`. */
  readonly methods?: readonly string[] | undefined;
}

/**
 * Exchanges an assertion for a token. RFC 7523, 2.1.
 *
 * @throws {AppError} what {@link requestGrant} and {@link readAccessToken} throw.
 */
export function jwtBearerToken(http: HttpContext, input: JwtBearerInput): Promise<AccessToken> {
  const { tokenEndpoint, assertion, keyId, scope, client, methods } = input;
  const step = "Cannot get a token for the signed assertion";
  return requestGrant(http, {
    ...input,
    step,
    endpoint: tokenEndpoint,
    hasTimes: true,
    occasion: "assertion",
    refusing: keyId === undefined
      ? undefined
      : `does not accept the key ${
        printable(keyId, 100)
      }, which may have been removed, have expired or belong to another issuer`,
    send: async (http) =>
      await oauth.genericTokenEndpointRequest(
        authorizationServerAt(tokenEndpoint),
        { client_id: client?.id ?? "none" }, // the library wants one, and sends it only with an authentication
        client === undefined ? () => {} : clientAuthentication(client, methods),
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        tokenParameters(input.parameters, { assertion: await assertion(), scope }),
        requestOptions(http, step),
      ),
    read: (answer, receivedAt) => readAccessToken(receivedAt, step, tokenEndpoint, answer),
  });
}
