/** The authorization code flow with PKCE: the address to open, the checks of the callback, the exchange of the code. */

import * as oauth from "oauth4webapi";
import { AppError } from "../errors.ts";
import { hostOf } from "../http/address.ts";
import type { HttpContext } from "../http/bounded.ts";
import { type Redactor, redactorOf } from "../http/redact.ts";
import { readJson, requestOptions } from "./issuer-request.ts";
import { clientAuthentication, type OAuthClient } from "./client.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { loopbackRedirect } from "./redirect-uri.ts";
import { meaningOf, type Refusal, refusalText } from "./refusals.ts";
import { isRefusal, issuerRefusal, refusalError } from "./refused.ts";
import { authorizationParameters, type RequestParameters, tokenParameters } from "./request-parameters.ts";
import { readTokens, type SigningKeys, type SignInTokens, verifySignIn } from "./token-response.ts";

/** One attempt to sign in. Its secrets are not enumerable, so that no log or JSON of it contains them. */
export interface Authorization {
  /** The address to open in a browser. */
  readonly url: string;
  readonly redirectUri: string;
  readonly clientId: string;
  /** Not enumerable. */
  readonly state: string;
  /** Not enumerable. */
  readonly nonce: string;
  /** Not enumerable. */
  readonly codeVerifier: string;
}

/** The input of {@link beginAuthorization}. */
export interface AuthorizationInput {
  readonly metadata: IssuerMetadata;
  readonly client: OAuthClient;
  /** Sent byte for byte: http, a loopback host, the port that is listened on. RFC 8252, 7.3. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** OpenID Connect Core 1.0, 3.1.2.1: `consent`, `select_account` … */
  readonly prompt?: string | undefined;
  readonly loginHint?: string | undefined;
  readonly parameters?: RequestParameters | undefined;
}

/**
 * Starts a sign-in with a fresh `state`, `nonce` and PKCE verifier (256 bits each, S256). RFC 7636; RFC 9700,
 * 2.1.1.
 *
 * @throws {AppError} `ISSUER_ERROR` when the issuer lists PKCE methods without S256, `USAGE` when the redirect URI
 * is not http on loopback.
 */
export async function beginAuthorization(input: AuthorizationInput): Promise<Authorization> {
  const { metadata, client, redirectUri, scopes, prompt, loginHint } = input;
  loopbackRedirect(redirectUri);
  if (metadata.code_challenge_methods_supported?.includes("S256") === false) {
    throw new AppError("ISSUER_ERROR", `${hostOf(metadata.issuer)} does not support PKCE with S256.`, {
      hint: "Sign in with a device code: --no-browser; or have S256 enabled at the issuer.",
    });
  }
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const codeVerifier = oauth.generateRandomCodeVerifier();
  const url = new URL(metadata.authorization_endpoint);
  const parameters = authorizationParameters(input.parameters, {
    client_id: client.id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: scopes.join(" "),
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: "S256",
    prompt,
    login_hint: loginHint,
  });
  // The endpoint's address may contain some of these itself.
  for (const name of parameters.keys()) url.searchParams.delete(name);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  const authorization = { url: url.href, redirectUri, clientId: client.id };
  for (const [name, value] of Object.entries({ state, nonce, codeVerifier })) {
    Object.defineProperty(authorization, name, { value });
  }
  return authorization as Authorization;
}

/** The meaning of a request to the redirect URI's listener. */
export type Callback =
  /** A stray request, to be answered with this status; the sign-in keeps waiting. */
  | { readonly kind: "ignored"; readonly status: 400 | 404 | 405 | 421 }
  /** The issuer's answer that ends the sign-in: it was declined, or the answer cannot be trusted. */
  | { readonly kind: "refused"; readonly error: AppError }
  /** The issuer's answer with a code, for {@link redeemCode}. */
  | { readonly kind: "code"; readonly params: URLSearchParams };

const STEP = "Cannot sign in";

/**
 * Judges a request to the listener, or the address where a browser ended, which the person pasted.
 *
 * Method, path and Host are checked first; then `state` in constant time; only then everything else: duplicates,
 * `iss` (RFC 9207), `error`, `code`.
 */
export function readCallback(
  authorization: Authorization,
  metadata: IssuerMetadata,
  request: Request,
): Callback {
  const redirect = new URL(authorization.redirectUri);
  const url = new URL(request.url);
  if (request.method !== "GET") return { kind: "ignored", status: 405 };
  if (url.pathname !== redirect.pathname) return { kind: "ignored", status: 404 };
  if (!isAuthority(redirect, url.host) || !isAuthority(redirect, request.headers.get("host") ?? url.host)) {
    return { kind: "ignored", status: 421 };
  }
  const states = url.searchParams.getAll("state");
  if (states.length !== 1 || !sameText(states[0] ?? "", authorization.state)) {
    return { kind: "ignored", status: 400 };
  }
  return readAnswer(authorization, metadata, url.searchParams);
}

function readAnswer(
  authorization: Authorization,
  metadata: IssuerMetadata,
  params: URLSearchParams,
): Callback {
  const host = hostOf(metadata.issuer);
  const distrust = (why: string): Callback => ({
    kind: "refused",
    error: new AppError("INVALID_TOKEN", `${STEP}: the answer of ${host} was refused: ${why}.`, {
      hint: "Start the sign-in again; if it persists, report it to whoever runs the issuer.",
    }),
  });
  const names = ["iss", "error", "error_description", "error_uri", "code", "response", "id_token", "token"];
  const twice = names.find((name) => params.getAll(name).length > 1);
  if (twice !== undefined) return distrust(`it holds "${twice}" more than once`);
  const iss = params.get("iss");
  if (iss === null && metadata.authorization_response_iss_parameter_supported === true) {
    return distrust("it does not name its issuer (iss), though the issuer promises to");
  }
  if (iss !== null && iss !== metadata.issuer) return distrust("it names another issuer (iss)");
  if (params.has("error")) {
    const { state, nonce, codeVerifier } = authorization;
    const hide = redactorOf([state, nonce, codeVerifier, params.get("code") ?? ""]);
    return { kind: "refused", error: authorizationRefusal(host, authorization, params, hide) };
  }
  if (!params.get("code")) return distrust("it holds no code");
  try {
    return {
      kind: "code",
      params: oauth.validateAuthResponse(
        { ...metadata },
        { client_id: authorization.clientId },
        params,
        authorization.state,
      ),
    };
  } catch {
    return distrust("it mixes a code with another kind of answer");
  }
}

function authorizationRefusal(
  host: string,
  authorization: Authorization,
  params: URLSearchParams,
  hide: Redactor,
): AppError {
  const refusal: Refusal = {
    error: hide(params.get("error") ?? ""),
    description: hide(params.get("error_description") ?? ""),
  };
  if (meaningOf("way-back", refusal) === "declined") {
    return new AppError("ACCESS_DENIED", `The sign-in was declined at ${host} (${refusalText(refusal)}).`, {
      hint: "Start the sign-in again to try with another account.",
    });
  }
  return refusalError(STEP, host, refusal, { occasion: "way-back", scopes: scopesAsked(authorization) });
}

function scopesAsked({ url }: Authorization): string[] {
  return (new URL(url).searchParams.get("scope") ?? "").split(" ");
}

/** True for the authorities that a browser may send for this URI: with and without the default port. */
function isAuthority(redirect: URL, authority: string): boolean {
  const own = redirect.port === "" ? [redirect.host, `${redirect.host}:80`] : [redirect.host];
  return own.includes(authority.toLowerCase());
}

/** Compares in a time that does not depend on where two texts differ. */
function sameText(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let index = 0; index < expected.length; index++) {
    difference |= (given.charCodeAt(index) || 0) ^ expected.charCodeAt(index);
  }
  return difference === 0;
}

/** The input of {@link redeemCode}. */
export interface RedeemInput {
  readonly metadata: IssuerMetadata;
  readonly keys?: SigningKeys | undefined;
  readonly client: OAuthClient;
  readonly authorization: Authorization;
  /** From {@link readCallback}. */
  readonly params: URLSearchParams;
  readonly parameters?: RequestParameters | undefined;
  /** Audiences beside this client that an ID token may name without `azp`. */
  readonly trustedAudiences?: readonly string[] | undefined;
}

/**
 * Exchanges the code for tokens and verifies them. The request is never repeated, because a code works once.
 *
 * @throws {AppError} `NETWORK`, `ISSUER_ERROR`, `INVALID_TOKEN`, `CLOCK_SKEW`.
 */
export async function redeemCode(http: HttpContext, input: RedeemInput): Promise<SignInTokens> {
  const { metadata, client, authorization, params } = input;
  const step = "Cannot exchange the code for tokens";
  const response = await oauth.authorizationCodeGrantRequest(
    { ...metadata },
    { client_id: client.id },
    clientAuthentication(client, metadata.token_endpoint_auth_methods_supported),
    params,
    authorization.redirectUri,
    authorization.codeVerifier,
    { additionalParameters: tokenParameters(input.parameters), ...requestOptions(http, step) },
  );
  const answer = await readJson(step, metadata.token_endpoint, response);
  if (isRefusal(answer)) {
    const scopes = scopesAsked(authorization);
    throw issuerRefusal(step, metadata.token_endpoint, answer, { occasion: "sign-in", client, scopes });
  }
  const tokens = readTokens(http.now(), step, metadata, answer);
  return verifySignIn(http, tokens, { ...input, clientId: client.id, nonce: authorization.nonce });
}
