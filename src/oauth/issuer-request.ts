/** Requests to an issuer: which answers are refused at once, how the rest is read, and the errors of bad answers. */

import * as oauth from "oauth4webapi";
import { isObject, parseJson } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { hostOf } from "../http/address.ts";
import {
  CHECK_NETWORK,
  type FailedRequest,
  failedRequest,
  type HttpContext,
  MEBIBYTE,
  noAnswer,
  type RequestErrors,
  sendBounded,
} from "../http/bounded.ts";
import type { ReadAnswer } from "../http/redact.ts";
import { retryAfter } from "../http/retry.ts";
import type { Fetch } from "../system/network.ts";
import { printable } from "../text.ts";
import { type Meaning, namesError, PASSING_STATUSES, type Refusal } from "./refusals.ts";

/** The `cause` of an AppError about an issuer's answer. */
export interface FailedAnswer extends FailedRequest {
  /** What was refused, and its meaning, for a refusal in JSON. */
  readonly refusal?: Refusal & { readonly meaning: Meaning } | undefined;
}

/** An issuer's answer: JSON with any status below 500. */
export interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  /** The `Date` header in milliseconds since 1970; undefined without a readable one. */
  readonly serverDate?: number | undefined;
}

/** The largest answer of an issuer to read, in bytes. */
export const MAX_ANSWER = MEBIBYTE;

/** In milliseconds. When a flow's time ends after so long a silence, the server is the cause and not a person. */
const SILENCE = 1_000;

/** The refusal that an error is about, if the issuer sent one in JSON. */
export function refusalOfError(error: unknown): FailedAnswer["refusal"] {
  return (failedRequest(error) as FailedAnswer | undefined)?.refusal;
}

/**
 * True when an endpoint of the metadata no longer exists, so that discovery is worth another request. An answer
 * with a refusal shows that the endpoint exists (ZITADEL refuses with a 404, too).
 */
export function endpointGone(error: unknown): boolean {
  const status = failedRequest(error)?.status;
  return (status === 404 || status === 410) && (refusalOfError(error)?.meaning ?? "other") === "other";
}

/** An AppError `NETWORK` about an answer; its cause says whether to retry. */
export function badAnswer(message: string, cause: FailedAnswer, hint = "Try again in a moment."): AppError {
  return new AppError("NETWORK", message, { cause, hint });
}

/** The options of a request to an issuer. */
interface IssuerRequest {
  /** What a server says about itself in the body of an error answer, safe to print. */
  readonly describeError?: ((body: string) => string | undefined) | undefined;
  /** `returned` when a redirect is an answer in itself. Redirects are never followed. */
  readonly redirects?: "refused" | "returned" | undefined;
}

/**
 * A fetch within limits: https (http on loopback), no redirects, at most 1 MiB. Its response is already read, and
 * repeats no secret of the request unless it contains the requested answer; 5xx, redirects, 408, 425 and 429 are
 * errors.
 *
 * @param step what is being done, as the start of a sentence: "Cannot refresh the session".
 */
export function issuerFetch(
  http: HttpContext,
  step: string,
  { describeError, redirects = "refused" }: IssuerRequest = {},
): Fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    headers.delete("user-agent"); // the library's own name; the fetch that was handed in knows ours
    const host = hostOf(input);
    const answer = await sendBounded(http, String(input), { ...init, headers }, {
      largest: () => MAX_ANSWER,
      isError,
      errors: requestErrors(step, host),
    });
    const { status, body } = answer;
    if (isRedirect(answer) && redirects === "refused") {
      throw badAnswer(
        `${step}: ${host} answered with a redirect, which is not followed.`,
        { kind: "answer", status },
        "A proxy or captive portal may have answered; otherwise check the address of the issuer.",
      );
    }
    if (status >= 500 || PASSING_STATUSES.includes(status)) {
      const said = describeError?.(new TextDecoder().decode(body));
      throw unavailable(`${step}: ${host}`, answer, said, http.now());
    }
    return new Response([204, 205, 304].includes(status) ? null : body, answer);
  };
}

/** The options for `oauth4webapi` that send its requests through {@link issuerFetch}. */
export function requestOptions(http: HttpContext, step: string): {
  [oauth.customFetch]: (url: string, init: object) => Promise<Response>;
  [oauth.allowInsecureRequests]: true;
} {
  const send = issuerFetch(http, step);
  return {
    [oauth.customFetch]: (url, init) => send(url, init),
    [oauth.allowInsecureRequests]: true, // issuerFetch is the stricter judge: http for loopback hosts alone
  };
}

function requestErrors(step: string, host: string): RequestErrors {
  const who = `${step}: ${host}`;
  return {
    address: (address, why) =>
      new AppError("ISSUER_ERROR", `${step}: the address ${address} ${why}.`, {
        hint: "An issuer's addresses must be https (http on loopback only).",
      }),
    late: (proxy, seconds) =>
      noAnswer(who, {
        proxy,
        within: `within ${seconds} s`,
        hint: proxy === undefined ? "Try again in a moment." : CHECK_NETWORK,
      }),
    // The server or the proxy may be why the flow's time ended.
    ended: (reason, proxy, silence) => {
      if (!(reason instanceof AppError)) return noAnswer(who, { proxy });
      const theirs = (reason.code === "TIMEOUT" && silence >= SILENCE) ||
        (reason.code === "NETWORK" && proxy !== undefined);
      return theirs ? noAnswer(who, { proxy }) : reason;
    },
    tooLarge: (mebibytes) => badAnswer(`${who} sent more than ${mebibytes} MiB.`, { kind: "answer" }),
    broken: (cause) =>
      new AppError(
        "NETWORK",
        `${who} cannot be reached, or closed the connection before its answer was complete.`,
        { cause, hint: "Check the network and try again." },
      ),
  };
}

function isRedirect({ status }: ReadAnswer): boolean {
  return status >= 300 && status < 400;
}

/** True for a body that names an error; some issuers send it with status 200. */
function isError(body: Uint8Array): boolean {
  const json = parseJson(new TextDecoder().decode(body));
  return isObject(json) && namesError(json);
}

function unavailable(
  who: string,
  { status, headers }: ReadAnswer,
  said: string | undefined,
  now: number,
): AppError {
  const what = status === 429 ? "is asked too often" : "is unavailable";
  const withStatus = said === undefined ? `status ${status}` : `status ${status}, ${said}`;
  const cause = { kind: "status", status, retryAfter: retryAfter(headers, now) } as const;
  return badAnswer(`${who} ${what} (${withStatus}).`, cause);
}

/** Reads the response of {@link issuerFetch} as a JSON object; anything else is not the issuer's answer. */
export async function readJson(step: string, url: string | URL, response: Response): Promise<Answer> {
  const { status } = response;
  const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const stranger = (what: string) =>
    badAnswer(
      `${step}: ${hostOf(url)} answered ${what} instead of JSON (status ${status}).`,
      { kind: "answer", status },
      "A proxy or captive portal answered, or the address is not an issuer's.",
    );
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(type)) {
    throw stranger(type === "" ? "without a content type" : `"${printable(type, 60)}"`);
  }
  const json = parseJson(await response.text());
  if (json === undefined) throw stranger("unreadable text");
  if (!isObject(json)) throw stranger("something else");
  return { status, json, serverDate: serverDateOf(response) };
}

/** The `Date` header in milliseconds since 1970; undefined without a readable one. RFC 9110, 6.6.1. */
export function serverDateOf({ headers }: Response): number | undefined {
  const date = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(date) ? undefined : date;
}

/**
 * A number of seconds: a number, or its digits as text (Microsoft Entra v1, ADFS). Undefined for a missing, `null`
 * or empty value; NaN for anything but a number.
 */
export function secondsIn(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : NaN;
  return typeof value === "string" && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) && value.length < 400
    ? Number(value)
    : NaN;
}

/** A member; undefined when it is missing, `null` or empty. */
export function memberIn(value: unknown): unknown {
  return value === null || value === "" ? undefined : value;
}
