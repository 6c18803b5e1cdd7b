/** A client as the issuer knows it: its id, perhaps a secret, and how it authenticates. */

import * as oauth from "oauth4webapi";

/** A client as it is registered at the issuer: public, or confidential when it has a secret. RFC 6749, 2.1. */
export interface OAuthClient {
  readonly id: string;
  /** Not enumerable, so that no log or JSON of the client contains it. */
  readonly secret?: string | undefined;
}

/** A client; public without a secret. */
export function oauthClient(id: string, secret?: string): OAuthClient {
  const client = { id };
  if (secret !== undefined) Object.defineProperty(client, "secret", { value: secret });
  return client;
}

/**
 * How a client authenticates. A public one only sends its `client_id`; nothing is probed. A confidential one uses
 * `client_secret_basic`, the default of OpenID Connect Discovery 1.0, 3, or `client_secret_post` when the issuer
 * lists only that. RFC 6749, 2.3.1.
 */
export function clientAuthentication(
  { secret }: OAuthClient,
  methods: readonly string[] = [],
): oauth.ClientAuth {
  if (secret === undefined) return oauth.None();
  const posted = methods.includes("client_secret_post") && !methods.includes("client_secret_basic");
  return posted ? oauth.ClientSecretPost(secret) : basic(secret);
}

/**
 * Encoded as in HTML forms: the library also escapes "-" and ".", which issuers that compare without decoding
 * refuse.
 */
function basic(secret: string): oauth.ClientAuth {
  const encode = (text: string) => new URLSearchParams([["", text]]).toString().slice("=".length);
  return (_server, client, _body, headers) =>
    headers.set("authorization", `Basic ${btoa(`${encode(client.client_id)}:${encode(secret)}`)}`);
}
