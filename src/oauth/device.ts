/** The device authorization flow: a code that a person types on another device, and polling for its tokens. */

import * as oauth from "oauth4webapi";
import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { type Answer, badAnswer, memberIn, readJson, requestOptions } from "./issuer-request.ts";
import { clientAuthentication, type OAuthClient } from "./client.ts";
import { pauseFor, type PolledCode, readPolledCode } from "./device-code.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { endpointUrl, hostOf } from "../http/address.ts";
import { failedRequest, type HttpContext } from "../http/bounded.ts";
import type { Sleep } from "../http/retry.ts";
import type { Meaning } from "./refusals.ts";
import { isRefusal, issuerRefusal, issuerText, meaningOfAnswer } from "./refused.ts";
import { authorizationParameters, type RequestParameters, tokenParameters } from "./request-parameters.ts";
import {
  readTokens,
  type SigningKeys,
  type SignInTokens,
  type TokenAnswer,
  verifySignIn,
} from "./token-response.ts";

/** The code for the person, and the secret to poll with. RFC 8628, 3.2. */
export interface DeviceCode extends PolledCode {
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete?: string | undefined;
  /** PKCE's verifier, if its challenge was sent. Not enumerable. */
  readonly codeVerifier?: string | undefined;
}

/** The input of {@link beginDevice}. */
export interface DeviceInput {
  readonly metadata: IssuerMetadata;
  readonly client: OAuthClient;
  readonly scopes: readonly string[];
  /** Used instead of the metadata's. */
  readonly endpoint?: string | undefined;
  readonly parameters?: RequestParameters | undefined;
}

const SLOWER_SECONDS = 5;
const LONGEST_PAUSE_SECONDS = 60;

/**
 * Requests a device code. RFC 8628, 3.1. The request contains PKCE, which RFC 8628 lacks and Keycloak demands from
 * some clients; an issuer that does not know its parameters is asked again without them.
 *
 * @throws {AppError} `ISSUER_ERROR` when the issuer has no such endpoint or refuses, `NETWORK`, `INVALID_TOKEN`
 * when the address must not be shown.
 */
export async function beginDevice(http: HttpContext, input: DeviceInput): Promise<DeviceCode> {
  const { metadata, client, scopes } = input;
  const endpoint = input.endpoint ?? metadata.device_authorization_endpoint;
  if (endpoint === undefined) {
    throw new AppError("ISSUER_ERROR", `${hostOf(metadata.issuer)} offers no sign-in with a device code.`, {
      hint: "Sign in with a browser, or name the endpoint: --device-authorization-endpoint URL",
    });
  }
  const url = endpointUrl(endpoint);
  if (typeof url === "string") {
    throw new AppError("USAGE", `The device authorization endpoint ${printable(endpoint)} ${url}.`, {
      hint: "It must be an https URL.",
    });
  }
  let codeVerifier = metadata.code_challenge_methods_supported?.includes("S256") === false
    ? undefined
    : oauth.generateRandomCodeVerifier();
  let answer = await askForCode(http, input, endpoint, codeVerifier);
  if (
    codeVerifier !== undefined && isRefusal(answer) && meaningOfAnswer("sign-in", answer) === "pkce"
  ) {
    codeVerifier = undefined;
    answer = await askForCode(http, input, endpoint, codeVerifier);
  }
  if (isRefusal(answer)) {
    throw issuerRefusal(ASKING, endpoint, answer, { occasion: "sign-in", client, scopes });
  }
  const device = readDeviceCode(http, endpoint, answer);
  return codeVerifier === undefined
    ? device
    : Object.defineProperty(device, "codeVerifier", { value: codeVerifier });
}

const ASKING = "Cannot ask for a device code";

async function askForCode(
  http: HttpContext,
  { metadata, client, scopes, parameters }: DeviceInput,
  endpoint: string,
  codeVerifier: string | undefined,
): Promise<Answer> {
  const challenge = codeVerifier === undefined
    ? undefined
    : await oauth.calculatePKCECodeChallenge(codeVerifier);
  const response = await oauth.deviceAuthorizationRequest(
    { ...metadata, device_authorization_endpoint: endpoint },
    { client_id: client.id },
    clientAuthentication(client, metadata.token_endpoint_auth_methods_supported),
    authorizationParameters(parameters, {
      scope: scopes.join(" "),
      code_challenge: challenge,
      code_challenge_method: challenge === undefined ? undefined : "S256",
    }),
    requestOptions(http, ASKING),
  );
  return await readJson(ASKING, endpoint, response);
}

function readDeviceCode(http: HttpContext, endpoint: string, answer: Answer): DeviceCode {
  const { json } = answer;
  const malformed = (why: string) =>
    badAnswer(`${ASKING}: ${hostOf(endpoint)} sent a malformed answer: ${why}.`, {
      kind: "content",
      status: 200,
    });
  const polled = readPolledCode(answer, http.now(), malformed);
  const { user_code: userCode } = json;
  if (typeof userCode !== "string" || printable(userCode, 64) === "") {
    throw malformed("it holds no user_code");
  }
  // The second name is Google's and Microsoft Entra v1's.
  const uri = memberIn(json.verification_uri) ?? memberIn(json.verification_url);
  if (uri === undefined) throw malformed("it holds no verification_uri");
  const complete = memberIn(json.verification_uri_complete);
  // The result is the polled code itself, whose secret is not enumerable.
  return Object.assign(polled, {
    userCode: printable(userCode, 64),
    verificationUri: addressToOpen(endpoint, "verification_uri", uri),
    verificationUriComplete: complete === undefined
      ? undefined
      : addressToOpen(endpoint, "verification_uri_complete", complete),
  });
}

/** A person is told to open this address, so it must be a web page; it is shown as a parsed URL. */
function addressToOpen(endpoint: string, name: string, uri: unknown): string {
  const url = endpointUrl(uri);
  if (typeof url !== "string") return url.href;
  throw new AppError("INVALID_TOKEN", `${ASKING}: ${hostOf(endpoint)} sent a ${name} that ${url}.`, {
    hint: "Sign in with a browser, or report it to whoever runs the issuer.",
  });
}

/** The input of {@link pollDevice}. */
export interface PollInput {
  readonly metadata: IssuerMetadata;
  readonly keys?: SigningKeys | undefined;
  readonly client: OAuthClient;
  readonly device: DeviceCode;
  readonly sleep: Sleep;
  readonly parameters?: RequestParameters | undefined;
  /** Audiences beside this client that an ID token may name without `azp`. */
  readonly trustedAudiences?: readonly string[] | undefined;
}

/**
 * Polls until the person has answered. `slow_down` adds 5 s for good; a 5xx is retried after the interval; an
 * unreachable issuer is asked less and less often. RFC 8628, 3.4 and 3.5. An issuer that does not know PKCE's
 * verifier is not sent it again.
 *
 * @throws {AppError} `ACCESS_DENIED`, `TIMEOUT` when the code expired, `ISSUER_ERROR`, `INVALID_TOKEN`,
 * `CLOCK_SKEW`.
 */
export async function pollDevice(http: HttpContext, input: PollInput): Promise<SignInTokens> {
  const { metadata, client, device, sleep } = input;
  const step = "Cannot get tokens for the device code";
  const host = hostOf(metadata.issuer);
  let { interval, codeVerifier } = device;
  let pause = interval;
  let outage: AppError | undefined;
  for (;;) {
    const wait = Math.max(0, Math.min(pause * 1000, device.expiresAt - http.now()));
    await pauseFor(http, sleep, wait, { outage, ranOut: ranOut(host) });
    if (http.now() >= device.expiresAt) throw outage ?? ranOut(host);
    let tokens: TokenAnswer | undefined;
    try {
      const response = await oauth.deviceCodeGrantRequest(
        { ...metadata },
        { client_id: client.id },
        clientAuthentication(client, metadata.token_endpoint_auth_methods_supported),
        device.deviceCode,
        {
          ...requestOptions(http, step),
          additionalParameters: tokenParameters(input.parameters, { code_verifier: codeVerifier }),
        },
      );
      const answer = await readJson(step, metadata.token_endpoint, response);
      const meaning = isRefusal(answer) ? meaningOfAnswer("poll", answer) : "tokens";
      if (meaning === "tokens") tokens = readTokens(http.now(), step, metadata, answer);
      else if (meaning === "slow-down") interval += SLOWER_SECONDS;
      else if (meaning === "pkce" && codeVerifier !== undefined) codeVerifier = undefined;
      else if (meaning !== "pending") throw pollRefusal(step, input, meaning, answer);
      pause = interval;
      outage = undefined;
    } catch (error) {
      if (http.signal.aborted || !(error instanceof AppError) || error.code !== "NETWORK") throw error;
      const failed = failedRequest(error);
      // Unreadable tokens are lost with their code; asking again would only hide why.
      if (failed?.kind === "content") throw error;
      outage = error;
      pause = failed?.kind === "status"
        ? Math.max(interval, (failed.retryAfter ?? 0) / 1000)
        : Math.max(interval, Math.min(pause * 2, LONGEST_PAUSE_SECONDS));
    }
    if (tokens !== undefined) return await verifySignIn(http, tokens, { ...input, clientId: client.id });
  }
}

function ranOut(host: string, said?: string): AppError {
  return new AppError("TIMEOUT", `The device code expired before it was approved at ${host}${said ?? ""}.`, {
    hint: "Start the sign-in again and enter the new code in time.",
  });
}

/** The error that ends the polling, in the issuer's own words. */
function pollRefusal(
  step: string,
  { metadata, client }: PollInput,
  meaning: Meaning,
  answer: Answer,
): AppError {
  const host = hostOf(metadata.issuer);
  const said = ` (${issuerText(answer)})`;
  if (meaning === "ran-out") return ranOut(host, said);
  if (meaning !== "declined") {
    return issuerRefusal(step, metadata.token_endpoint, answer, { occasion: "poll", client });
  }
  return new AppError("ACCESS_DENIED", `The sign-in was declined at ${host}${said}.`, {
    hint: "Start the sign-in again to try with another account.",
  });
}
