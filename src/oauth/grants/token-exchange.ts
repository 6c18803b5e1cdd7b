/** The token exchange grant: a JWT of another issuer, such as a CI system's, for an access token. */

import * as oauth from "oauth4webapi";
import { clientAuthentication, type OAuthClient } from "../client.ts";
import { authorizationServerAt, requestGrant } from "./request.ts";
import type { HttpContext } from "../../http/bounded.ts";
import type { Retry } from "../../http/retry.ts";
import { requestOptions } from "../issuer-request.ts";
import { type AccessToken, readAccessToken } from "./access-token.ts";
import { type TokenParameters, tokenParameters } from "../request-parameters.ts";

/** The input of {@link exchangeToken}. */
export interface TokenExchangeInput extends Retry {
  readonly tokenEndpoint: string;
  readonly client: OAuthClient;
  /** The metadata's `token_endpoint_auth_methods_supported`. */
  readonly methods?: readonly string[] | undefined;
  /** A JWT. */
  readonly subjectToken: string;
  readonly scope?: string | undefined;
  readonly parameters?: TokenParameters | undefined;
}

const TYPE = "urn:ietf:params:oauth:token-type:";

/**
 * Exchanges a JWT for an access token. RFC 8693, 2.
 *
 * @throws {AppError} what {@link requestGrant} and {@link readAccessToken} throw.
 */
export function exchangeToken(http: HttpContext, input: TokenExchangeInput): Promise<AccessToken> {
  const { tokenEndpoint, client, methods, subjectToken, scope } = input;
  const step = "Cannot exchange the workload's token";
  return requestGrant(http, {
    ...input,
    step,
    endpoint: tokenEndpoint,
    occasion: "credential",
    hasTimes: true,
    send: (http) =>
      oauth.genericTokenEndpointRequest(
        authorizationServerAt(tokenEndpoint),
        { client_id: client.id },
        clientAuthentication(client, methods),
        "urn:ietf:params:oauth:grant-type:token-exchange",
        tokenParameters(input.parameters, {
          subject_token: subjectToken,
          subject_token_type: `${TYPE}jwt`,
          requested_token_type: `${TYPE}access_token`,
          scope,
        }),
        requestOptions(http, step),
      ),
    read: (answer, receivedAt) => readAccessToken(receivedAt, step, tokenEndpoint, answer),
  });
}
