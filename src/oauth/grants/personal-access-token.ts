/** Datum's personal access tokens: recognizing one, and exchanging it for a short-lived token. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { requestGrant } from "./request.ts";
import { endpointUrl } from "../../http/address.ts";
import type { HttpContext } from "../../http/bounded.ts";
import type { Retry } from "../../http/retry.ts";
import { issuerFetch } from "../issuer-request.ts";
import { type AccessToken, readAccessToken } from "./access-token.ts";

/** The input of {@link exchangePersonalAccessToken}. */
export interface PersonalAccessTokenInput extends Retry {
  /** A host, with an optional port. */
  readonly apiHost: string;
  readonly token: string;
}

/** The lifetime of a token that does not state it, in milliseconds. */
const LIFE = 3600_000;

/** True for a text in the form of a personal (`dtmp_`) or an organization's (`dtma_`) access token. */
export function isPersonalAccessToken(text: string): boolean {
  return /^dtm[pa]_[\x21-\x7e]{1,4096}$/.test(text);
}

/**
 * Exchanges a personal access token for a short-lived one, which ends by the `exp` of a JWT, else after an hour.
 *
 * @throws {AppError} `USAGE` when the token or host has the wrong form, and what {@link requestGrant} and
 * {@link readAccessToken} throw.
 */
export async function exchangePersonalAccessToken(
  http: HttpContext,
  input: PersonalAccessTokenInput,
): Promise<AccessToken> {
  const { apiHost, token } = input;
  const step = "Cannot exchange the personal access token";
  if (!isPersonalAccessToken(token)) {
    throw new AppError("USAGE", `${step}: it is not one.`, {
      hint: "A personal access token begins with dtmp_ or dtma_ and is one line.",
    });
  }
  const endpoint = `https://${apiHost}/datum-os/oauth/token/exchange`;
  if (!/^[^\s/?#@\\]+$/.test(apiHost) || typeof endpointUrl(endpoint) === "string") {
    throw new AppError("USAGE", `${step}: "${printable(apiHost)}" is not a host.`, {
      hint: "Name it as in api.example.com or api.example.com:8443.",
    });
  }
  return await requestGrant(http, {
    ...input,
    step,
    endpoint,
    occasion: "bare-credential",
    send: (http) =>
      issuerFetch(http, step)(endpoint, {
        headers: { accept: "application/json", authorization: `Bearer ${token}` },
      }),
    read: (answer, receivedAt) => {
      const issued = readAccessToken(receivedAt, step, endpoint, answer);
      return { ...issued, expiresAt: issued.expiresAt ?? receivedAt + LIFE };
    },
  });
}
