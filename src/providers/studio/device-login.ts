/** DataChain Studio's device login: the code that a person confirms, the polling for its token, and its end. */

import { AppError } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import { isObject, parseJson } from "../../encoding.ts";
import { type Answer, badAnswer, issuerFetch, memberIn, readJson } from "../../oauth/issuer-request.ts";
import { pauseFor, type PolledCode, readPolledCode } from "../../oauth/device-code.ts";
import { endpointUrl, hostOf } from "../../http/address.ts";
import { type FailedRequest, failedRequest, type HttpContext } from "../../http/bounded.ts";
import type { Sleep } from "../../http/retry.ts";
import { meaningOf, refusalIn } from "../../oauth/refusals.ts";
import { isRefusal } from "../../oauth/refused.ts";

/** What {@link requestStudioDevice} sends; what is absent is left to Studio. */
export interface StudioDeviceInput {
  /** Studio's address, such as `https://studio.datachain.ai`. */
  readonly host: string;
  /** Who asks, as Studio's page names it. */
  readonly clientName: string;
  readonly tokenName?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly teams?: readonly string[] | undefined;
  /** The token's life, in days. */
  readonly expiresInDays: number;
}

/** What a person needs, and the secret that is polled with. */
export interface StudioDevice extends PolledCode {
  readonly userCode: string;
  /** Where the code is typed in. */
  readonly verificationUri: string;
  /** The same page with the code filled in. */
  readonly verificationUriComplete: string;
  /** Of the same origin as the host. */
  readonly tokenUri: string;
  /** The name that the token will have, chosen by Studio when none was asked for. */
  readonly tokenName: string;
}

const LONGEST_INTERVAL_SECONDS = 60;
/** So many failures in a row are an outage; at the usual pace that is a minute. */
const MOST_FAILURES = 12;

/**
 * Asks Studio for a code: `POST /api/device-login`.
 *
 * @throws AppError `ISSUER_ERROR` with Studio's own words when it refuses, `INVALID_TOKEN` for an address that must
 * not be shown or asked, `NETWORK`.
 */
export async function requestStudioDevice(
  http: HttpContext,
  input: StudioDeviceInput,
): Promise<StudioDevice> {
  const step = "Cannot ask for a code";
  const url = `${input.host}/api/device-login`;
  const answer = await post(http, step, url, {
    client_name: input.clientName,
    token_name: input.tokenName,
    scopes: input.scopes,
    team_names: input.teams,
    expires_in_days: input.expiresInDays,
  });
  if (isRefusal(answer)) {
    throw refusal(
      step,
      url,
      answer,
      "Check what was asked for: the name, the scopes, the teams, the days.",
    );
  }
  return readDevice(http, step, input, answer);
}

function readDevice(
  http: HttpContext,
  step: string,
  input: StudioDeviceInput,
  answer: Answer,
): StudioDevice {
  const { json } = answer;
  const host = hostOf(input.host);
  const malformed = (why: string) => malformedAnswer(step, host, why);
  const polled = readPolledCode(answer, http.now(), malformed);
  const { user_code: userCode } = json;
  const tokenName = memberIn(json.token_name) ?? input.tokenName;
  if (typeof userCode !== "string" || !/^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/.test(userCode)) {
    throw malformed("it holds no readable user_code");
  }
  if (typeof tokenName !== "string" || printable(tokenName) === "") throw malformed("it holds no token_name");
  const uri = memberIn(json.verification_uri) ?? memberIn(json.verification_url);
  if (uri === undefined) throw malformed("it holds no verification_uri");
  const verificationUri = checkedUri(step, host, "verification_uri", uri);
  const tokenUri = checkedUri(step, host, "token_uri", json.token_uri);
  if (new URL(tokenUri).origin !== new URL(input.host).origin) {
    const named = tokenUri.replace(/\/api\/device-login\/token\/?$/, "");
    const address = named === tokenUri ? new URL(tokenUri).origin : named;
    throw unsafeAnswer(
      `${step}: ${host} sent a token_uri at ${
        hostOf(tokenUri)
      }, but the secret code is sent to no other host.`,
      `If that is this Studio's own address, sign in there: ${
        shellLine(["datumctl", "login", "--provider", "studio", "--hostname", address])
      }`,
    );
  }
  // What is polled with is the target, so that the secret stays out of sight.
  return Object.assign(polled, {
    userCode,
    verificationUri,
    verificationUriComplete: `${verificationUri}${verificationUri.includes("?") ? "&" : "?"}code=${
      encodeURIComponent(userCode)
    }`,
    tokenUri,
    tokenName: printable(tokenName),
    interval: Math.min(polled.interval, LONGEST_INTERVAL_SECONDS),
  });
}

/** An address that a person is told to open, or that is sent a secret, as its URL is written. */
function checkedUri(step: string, host: string, name: string, uri: unknown): string {
  const url = endpointUrl(uri);
  if (typeof url === "string") throw unsafeAnswer(`${step}: ${host} sent a ${name} that ${url}.`);
  return url.href;
}

/**
 * Asks for the token until the person has answered: `POST` to the device's token address. Outages are outlasted
 * for a minute; a `Retry-After` is kept to.
 *
 * @returns the access token
 * @throws AppError `ACCESS_DENIED`, `TIMEOUT` when the code ran out, `ISSUER_ERROR`, `INVALID_TOKEN`, `NETWORK`.
 */
export async function pollStudioToken(
  http: HttpContext,
  device: StudioDevice,
  { sleep }: { readonly sleep: Sleep },
): Promise<string> {
  const step = "Cannot get the token";
  const host = hostOf(device.tokenUri);
  let pause = device.interval * 1000;
  let failures = 0;
  let outage: AppError | undefined;
  for (;;) {
    const left = () => device.expiresAt - http.now();
    await pauseFor(http, sleep, Math.max(0, Math.min(pause, left())), { outage, ranOut: ranOut(host) });
    if (left() <= 0) throw outage ?? ranOut(host);
    pause = device.interval * 1000;
    try {
      const token = readPoll(
        step,
        device,
        await post(http, step, device.tokenUri, { code: device.deviceCode }),
      );
      if (token !== undefined) return token;
      failures = 0;
      outage = undefined;
    } catch (error) {
      if (http.signal.aborted || !(error instanceof AppError) || error.code !== "NETWORK") throw error;
      const failed = failedRequest(error);
      // A redirect, a web page, a wrong shape: asking again would bring the same.
      if (failed?.kind === "answer" || failed?.kind === "content") throw error;
      outage = error;
      if (++failures >= MOST_FAILURES) throw error;
      pause = Math.max(pause, failed?.retryAfter ?? 0);
    }
  }
}

function ranOut(host: string): AppError {
  return new AppError("TIMEOUT", `The code expired before it was confirmed at ${host}.`, {
    hint: "Start the sign-in again and confirm the new code in time.",
  });
}

/** The token; undefined while the person has not answered. */
function readPoll(step: string, { tokenUri }: StudioDevice, answer: Answer): string | undefined {
  const host = hostOf(tokenUri);
  if (isRefusal(answer)) return readRefusedPoll(step, tokenUri, answer);
  const { access_token: token } = answer.json;
  if (typeof token !== "string" || token === "") {
    throw malformedAnswer(step, host, "it holds no access_token");
  }
  // It will stand in a header.
  if (token.length > 16_384 || !/^[\x21-\x7e]+$/.test(token)) {
    throw unsafeAnswer(`${step}: ${host} sent an access_token that cannot be used.`);
  }
  return token;
}

/** Undefined while the person has not answered; Studio's `detail` is OAuth's `error`. */
function readRefusedPoll(step: string, tokenUri: string, answer: Answer): undefined {
  const host = hostOf(tokenUri);
  const { status, json } = answer;
  const detail = typeof json.detail === "string" ? json.detail : refusalIn(json)?.error ?? "";
  const meaning = meaningOf("poll", { status, error: detail, description: "" });
  if (meaning === "pending" || meaning === "slow-down") return undefined;
  const words = wordsOf(json) ?? "no reason given";
  if (meaning === "ran-out" || detail === "authorization_expired") {
    throw new AppError("TIMEOUT", `The code expired before it was confirmed at ${host} (${words}).`, {
      hint: "Start the sign-in again and confirm the new code in time.",
    });
  }
  if (
    meaning === "declined" || /\b(?:access|authorization)_(?:denied|declined|rejected)\b/.test(detail)
  ) {
    throw new AppError("ACCESS_DENIED", `The sign-in was declined at ${host} (${words}).`, {
      hint: "Start the sign-in again to try once more.",
    });
  }
  throw refusal(step, tokenUri, answer, "Start the sign-in again.");
}

/** What became of a token: `already` when Studio did not know it any more. */
export type StudioRevoked = "revoked" | "already";

/**
 * Takes a token back: `POST /api/device-logout`, with the token in Studio's own scheme. Any status below 400 says that it
 * is gone, but for a web page and for a redirect to another host, which a proxy sends.
 *
 * @throws AppError `NETWORK` whenever it cannot be told that the token is gone, `UNTRUSTED_CERTIFICATE`.
 */
export async function revokeStudioToken(
  http: HttpContext,
  { host, token }: { readonly host: string; readonly token: string },
): Promise<StudioRevoked> {
  const step = "Cannot revoke the token";
  const url = `${host}/api/device-logout`;
  const words = (body: string) => wordsOf(parseJson(body));
  const response = await issuerFetch(http, step, { describeError: words, redirects: "returned" })(url, {
    method: "POST",
    headers: { accept: "application/json", authorization: `token ${token}` },
  });
  const { status } = response;
  if (status === 401) return "already";
  const text = await response.text();
  const elsewhere = status >= 300 && leadsElsewhere(response, url);
  const page = status < 300 && text !== "" &&
    (response.headers.get("content-type") ?? "").startsWith("text/html");
  if (status < 400 && !page && !elsewhere) return "revoked";
  const said = page ? "with a web page" : elsewhere ? "with a redirect to another host" : words(text);
  throw badAnswer(
    `${step}: ${hostOf(url)} refused (status ${status}${said === undefined ? "" : `, ${said}`}).`,
    { kind: page || elsewhere ? "answer" : "refused", status },
  );
}

/** True for an answer that sends to another origin than it came from. */
function leadsElsewhere({ headers }: Response, url: string): boolean {
  const target = URL.parse(headers.get("location") ?? "", url);
  return target !== null && target.origin !== new URL(url).origin;
}

async function post(
  http: HttpContext,
  step: string,
  url: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const send = issuerFetch(http, step, { describeError: (body) => wordsOf(parseJson(body)) });
  const response = await send(url, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return readJson(step, url, response);
}

function refusal(
  step: string,
  url: string,
  answer: Answer,
  hint: string,
): AppError {
  const { status } = answer;
  const words = wordsOf(answer.json) ?? "no reason given";
  return new AppError("ISSUER_ERROR", `${step}: ${hostOf(url)} refused (status ${status}, ${words}).`, {
    cause: { kind: "refused", status } satisfies FailedRequest,
    hint,
  });
}

function malformedAnswer(step: string, host: string, why: string): AppError {
  return badAnswer(
    `${step}: ${host} sent a malformed answer: ${why}.`,
    { kind: "content", status: 200 },
    "Check that the address is DataChain Studio's, and try again.",
  );
}

function unsafeAnswer(message: string, hint = "Report it to whoever runs this Studio."): AppError {
  return new AppError("INVALID_TOKEN", message, { hint });
}

/** Studio's own words for a failure, safe to print: `detail`, or the complaints about single fields. */
function wordsOf(json: unknown): string | undefined {
  const detail = isObject(json) ? json.detail : undefined;
  return printable(sayings(detail ?? json, 4)).replace(/\.+$/, "") || undefined;
}

function sayings(value: unknown, depth: number): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || depth === 0) return "";
  if (Array.isArray(value)) {
    return value.map((item) => sayings(item, depth - 1)).filter((words) => words !== "").join(" ");
  }
  return Object.entries(value).map(([name, member]) => {
    const words = sayings(member, depth - 1);
    return words === "" ? "" : `${name}: ${words}`;
  }).filter((words) => words !== "").join("; ");
}
