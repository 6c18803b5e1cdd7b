/** The refresh of a session's tokens: what is retried, what ends the session, and what must be stored. */

import * as oauth from "oauth4webapi";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { clientAuthentication, type OAuthClient } from "./client.ts";
import { discoverIssuer, type IssuerMetadata } from "./discovery.ts";
import { hostOf } from "../http/address.ts";
import { failedRequest, type HttpContext } from "../http/bounded.ts";
import { pauseAfter, type Retry } from "../http/retry.ts";
import { type Answer, endpointGone, readJson, requestOptions } from "./issuer-request.ts";
import { verifyIdToken } from "./id-token.ts";
import { isRefusal, issuerRefusal, issuerText, meaningOfAnswer } from "./refused.ts";
import { type TokenParameters, tokenParameters } from "./request-parameters.ts";
import {
  readTokens,
  rotatedToken,
  type SigningKeys,
  type TokenAnswer,
  type TokenSet,
} from "./token-response.ts";

/** The input of {@link refreshTokens}. */
export interface RefreshInput extends Retry {
  readonly metadata: IssuerMetadata;
  readonly keys?: SigningKeys | undefined;
  readonly client: OAuthClient;
  readonly refreshToken: string;
  readonly parameters?: TokenParameters | undefined;
  /** Audiences beside this client that an ID token may name without `azp`. */
  readonly trustedAudiences?: readonly string[] | undefined;
  /** The session's identity; a refreshed ID token must keep both. */
  readonly expected: { readonly issuer: string; readonly subject: string };
}

/** The result of a refresh. */
export type Refreshed =
  | {
    readonly kind: "tokens";
    /** `refreshToken` is the one to use next, rotated or not. Without `idToken`, the old one stays in use. */
    readonly tokens: TokenSet & { readonly refreshToken: string };
    readonly keys?: SigningKeys | undefined;
    /** The metadata in force; it differs from the input when an endpoint has moved. */
    readonly metadata: IssuerMetadata;
  }
  | {
    /** The answer cannot be used, but its refresh token must be stored: the old one may be spent. */
    readonly kind: "unusable";
    readonly error: AppError;
    /** Set when the issuer rotated it. */
    readonly refreshToken?: string | undefined;
  };

const STEP = "Cannot refresh the session";

/**
 * Exchanges the refresh token for fresh tokens. RFC 6749, 6; OpenID Connect Core 1.0, 12.
 *
 * Only failures that pass by themselves are retried. A slow answer is not, nor an unusable one that contains a
 * refresh token: the old one may be spent.
 *
 * @throws {AppError} `SESSION_EXPIRED` when the answer ends the session (see `refusals.ts`), `NETWORK`,
 * `ISSUER_ERROR`, `INVALID_TOKEN` when the answer belongs to another session or is badly signed: then nothing of it
 * may be stored.
 */
export async function refreshTokens(http: HttpContext, input: RefreshInput): Promise<Refreshed> {
  const { answer, metadata } = await requestTokens(http, input);
  if ("kind" in answer) return answer;
  const { accessToken, idToken, refreshToken: rotated } = answer.tokens;
  const tokens = { ...answer.tokens, refreshToken: rotated ?? input.refreshToken };
  if (idToken === undefined) return { kind: "tokens", tokens, keys: input.keys, metadata };
  const keep = (error: AppError): Refreshed => ({
    kind: "unusable",
    error,
    refreshToken: rotated,
  });
  try {
    const { claims, keys, untimely } = await verifyIdToken(http, idToken, {
      metadata,
      keys: input.keys,
      clientId: input.client.id,
      accessToken,
      expected: input.expected,
      trustedAudiences: input.trustedAudiences,
      serverDate: answer.serverDate,
    });
    return untimely === undefined
      ? { kind: "tokens", tokens: { ...tokens, claims }, keys, metadata }
      : keep(untimely);
  } catch (error) {
    // Without the keys, the token is neither good nor bad, and the old refresh token may be spent.
    if (error instanceof AppError && error.code !== "INVALID_TOKEN") return keep(error);
    throw error;
  }
}

async function requestTokens(
  http: HttpContext,
  input: RefreshInput,
): Promise<{ answer: TokenAnswer | Unusable; metadata: IssuerMetadata }> {
  const { metadata, client, refreshToken, attempts = 3 } = input;
  let current = metadata;
  for (let attempt = 1;; attempt++) {
    try {
      const response = await oauth.refreshTokenGrantRequest(
        { ...current },
        { client_id: client.id },
        clientAuthentication(client, current.token_endpoint_auth_methods_supported),
        refreshToken,
        { additionalParameters: tokenParameters(input.parameters), ...requestOptions(http, STEP) },
      );
      const answer = await readJson(STEP, current.token_endpoint, response);
      if (isRefusal(answer)) throw refused(current, client, answer);
      return { answer: readRefreshed(http, current, answer, refreshToken), metadata: current };
    } catch (error) {
      if (attempt >= attempts || http.signal.aborted) throw error;
      if (endpointGone(error) && current === metadata) {
        current = await movedIssuer(http, metadata, error);
        attempt++; // discovery was a request, too
        continue;
      }
      // A slow answer may have rotated the token.
      if (failedRequest(error)?.kind === "timeout") throw error;
      await pauseAfter(http, error, attempt, input);
    }
  }
}

type Unusable = Extract<Refreshed, { readonly kind: "unusable" }>;

/** Reads the answer of a refresh. An unusable answer that contains a refresh token has spent the old one. */
function readRefreshed(
  http: HttpContext,
  metadata: IssuerMetadata,
  answer: Answer,
  sent: string,
): TokenAnswer | Unusable {
  try {
    return readTokens(http.now(), STEP, metadata, answer);
  } catch (error) {
    const refreshToken = rotatedToken(answer);
    if (!(error instanceof AppError) || refreshToken === undefined || refreshToken === sent) throw error;
    return { kind: "unusable", error, refreshToken };
  }
}

function refused(metadata: IssuerMetadata, client: OAuthClient, answer: Answer): AppError {
  const endpoint = metadata.token_endpoint;
  if (meaningOfAnswer("refresh", answer) !== "over") {
    return issuerRefusal(STEP, endpoint, answer, { occasion: "refresh", client });
  }
  return new AppError(
    "SESSION_EXPIRED",
    `${hostOf(endpoint)} no longer renews the session (${issuerText(answer)}).`,
    { hint: HINTS.SESSION_EXPIRED.signInAgain },
  );
}

/** The issuer's current metadata; throws the first error when the token endpoint has not moved. */
async function movedIssuer(
  http: HttpContext,
  metadata: IssuerMetadata,
  first: unknown,
): Promise<IssuerMetadata> {
  const fresh = await discoverIssuer(http, metadata.issuer).catch(() => undefined);
  if (fresh === undefined || fresh.token_endpoint === metadata.token_endpoint) throw first;
  return fresh;
}
