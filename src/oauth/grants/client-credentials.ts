/** The client credentials grant: a client's id and secret for an access token. */

import * as oauth from "oauth4webapi";
import { tokenParameters } from "../request-parameters.ts";
import { printable } from "../../text.ts";
import { clientAuthentication, type OAuthClient } from "../client.ts";
import { authorizationServerAt, requestGrant } from "./request.ts";
import type { HttpContext } from "../../http/bounded.ts";
import type { Retry } from "../../http/retry.ts";
import { requestOptions } from "../issuer-request.ts";
import { type AccessToken, readAccessToken } from "./access-token.ts";

/** The input of {@link clientCredentialsToken}. */
export interface ClientCredentialsInput extends Retry {
  readonly tokenEndpoint: string;
  readonly client: OAuthClient;
  /** The metadata's `token_endpoint_auth_methods_supported`. */
  readonly methods?: readonly string[] | undefined;
  readonly scope?: string | undefined;
}

/**
 * Exchanges a client's own credentials for a token. RFC 6749, 4.4.
 *
 * @throws {AppError} what {@link requestGrant} and {@link readAccessToken} throw.
 */
export function clientCredentialsToken(
  http: HttpContext,
  input: ClientCredentialsInput,
): Promise<AccessToken> {
  const { tokenEndpoint, client, methods, scope } = input;
  const step = `Cannot get a token for the client ${printable(client.id, 100)}`;
  return requestGrant(http, {
    ...input,
    step,
    endpoint: tokenEndpoint,
    occasion: "credential",
    send: (http) =>
      oauth.clientCredentialsGrantRequest(
        authorizationServerAt(tokenEndpoint),
        { client_id: client.id },
        clientAuthentication(client, methods),
        tokenParameters({}, { scope }),
        requestOptions(http, step),
      ),
    read: (answer, receivedAt) => readAccessToken(receivedAt, step, tokenEndpoint, answer),
  });
}
