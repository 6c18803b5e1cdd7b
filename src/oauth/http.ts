/** Owns every request to an issuer: where it may go, how long and how big its answer may be, and what a bad answer is called. */

import * as oauth from "oauth4webapi";
import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { parseJson } from "../encoding.ts";
import { alarm } from "../system/clock.ts";
import type { Fetch } from "../system/network.ts";
import { requestLine } from "../system/request-line.ts";
import { retryAfter } from "../system/retry-after.ts";
import { hidingSecretsOf, isAskedFor, withoutSecrets } from "../system/sent-secrets.ts";
import { type Meaning, namesError, PASSING_STATUSES, type Refusal } from "./refusals.ts";

/** What a flow needs to speak with an issuer. */
export interface Exchange {
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Bounds the whole flow; when its reason is an AppError, that error is what the flow fails with. */
  readonly signal: AbortSignal;
  /** When `signal` will end the flow, in milliseconds since 1970; a `Retry-After` beyond it is not waited for. */
  readonly deadline?: number;
  /** Bounds the wait for an answer's headers, and then the reading of its body, in milliseconds; 30,000 unless told. */
  readonly requestTimeout?: number;
  /** Receives one line per request: method, host, path, status, milliseconds. Never a query, a header or a body. */
  readonly log?: (line: string) => void;
}

/** A pause that ends early, by rejecting, when the signal does. */
export type Sleep = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** The `cause` of an AppError about an answer; decides what may be asked again. */
export interface FailedExchange {
  /**
   * `status`: 5xx, 408, 425, 429, or the issuer's own word that it is unavailable; `answer`: too large, redirecting,
   * not JSON; `content`: JSON of a wrong shape; `refused`: any other refusal; `timeout`: our patience ended.
   */
  readonly kind: "status" | "answer" | "content" | "timeout" | "refused";
  readonly status?: number;
  /** What was refused, and what that means; of a refusal in JSON. */
  readonly refusal?: Refusal & { readonly meaning: Meaning };
  /** What `Retry-After` asks for, in milliseconds. */
  readonly retryAfter?: number;
}

/** An issuer's answer: JSON, whatever its status below 500. */
export interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  /** The `Date` header in milliseconds since 1970, when there is a readable one. */
  readonly serverDate?: number;
}

/** The largest answer of an issuer that is read, in bytes. */
export const MAX_ANSWER = 1024 * 1024;

const REQUEST_TIMEOUT = 30_000;

/** So long a server is silent before the time that runs out meanwhile is its doing and not a person's. */
const SILENCE = 1_000;

/** True for a host that is this machine by its name: 127.0.0.0/8, [::1], localhost. RFC 8252, 7.3 and 8.3. */
export function isLoopback(hostname: string): boolean {
  // A URL's own parser has already made every spelling of an IPv4 address (hexadecimal, short) into four numbers.
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * A URL that may be asked: https, or http on a loopback host; no user name, password or fragment, and where it is
 * refused no query.
 *
 * @returns the URL, or one sentence's end that says why not ("is not a URL").
 */
export function endpointUrl(text: unknown, { query }: { readonly query?: "refused" } = {}): URL | string {
  if (typeof text !== "string") return "is not a string";
  if (text !== printable(text, Infinity)) return "holds unprintable characters";
  const url = URL.parse(text);
  if (url === null) return "is not a URL";
  if (url.username !== "" || url.password !== "") return "holds a user name or password";
  if (text.includes("#")) return "holds a fragment";
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    return "is not an https URL";
  }
  return query === "refused" && url.search !== "" ? "holds a query" : url;
}

/** The host and port of a URL, for messages. */
export function hostOf(url: string | URL): string {
  return printable(URL.parse(url)?.host ?? String(url), 260);
}

/** What is known of a failed exchange; `undefined` for a failure of transport. */
export function failedExchange(error: unknown): FailedExchange | undefined {
  const cause = error instanceof AppError ? error.cause : undefined;
  return typeof cause === "object" && cause !== null && "kind" in cause ? cause as FailedExchange : undefined;
}

/**
 * True when an endpoint that the metadata names is no longer there, so that discovery is worth another request. Where
 * the answer told what it refuses (ZITADEL does so with a 404), the endpoint is there.
 */
export function endpointGone(error: unknown): boolean {
  const { status, refusal } = failedExchange(error) ?? {};
  const told = refusal !== undefined && refusal.meaning !== "other";
  return (status === 404 || status === 410) && !told;
}

/** An AppError `NETWORK` about an answer whose cause says what may be asked again. */
export function badAnswer(message: string, cause: FailedExchange, hint?: string): AppError {
  return new AppError("NETWORK", message, { cause, hint: hint ?? "Try again in a moment." });
}

/**
 * A fetch that keeps to the rules: https (http on loopback), no redirect followed, at most 1 MiB read within
 * a bound. What it returns is read already, and repeats no secret of the request unless it holds what was asked for;
 * 5xx, redirects, 408, 425 and 429 are errors.
 *
 * @param step what is being done, as a sentence's begin: "Cannot refresh the session".
 * @param redirects `returned` where a redirect is an answer in itself; it is never followed
 * @param wordsOf what a server says of itself in the body of an answer that is an error here, safe to print
 */
export function boundedFetch(
  exchange: Exchange,
  step: string,
  wordsOf: (body: string) => string | undefined = () => undefined,
  redirects: "refused" | "returned" = "refused",
): Fetch {
  return async (input, init) => {
    const hide = hidingSecretsOf(init);
    const url = endpointUrl(String(input));
    if (typeof url === "string") {
      const address = URL.parse(input)?.href ?? String(input);
      throw new AppError("ISSUER_ERROR", `${step}: the address ${printable(hide(address))} ${url}.`, {
        hint: "An issuer's addresses must be https (http on loopback only).",
      });
    }
    const headers = new Headers(init?.headers);
    headers.delete("user-agent"); // the library's own name; the fetch that was handed in knows ours
    const began = exchange.now();
    const tell = (end: number | "failed") =>
      exchange.log?.(hide(requestLine(init?.method ?? "GET", url, end, exchange.now() - began)));
    const who = `${step}: ${hostOf(url)}`;
    const proxy = exchange.fetch.proxyOf?.(url);
    const silent = `${who} did not answer${proxy === undefined ? "" : ` through the proxy ${proxy}`}`;
    const asked = { who, silent, proxied: proxy !== undefined };
    try {
      const response = await bounded(
        exchange,
        asked,
        (signal) => exchange.fetch(url.href, { ...init, headers, redirect: "manual", signal }),
      );
      tell(response.status);
      const read = await bounded(exchange, asked, (signal) => readBody(response, signal, who));
      const answer = withoutSecrets(
        { status: response.status, headers: response.headers, body: read },
        hide,
        isAskedFor(response.status) && !refuses(read),
      );
      if (redirects === "refused" || !isRedirect(response)) {
        refuseStatus(exchange, step, url, response, () => wordsOf(new TextDecoder().decode(answer.body)));
      }
      return new Response([204, 205, 304].includes(answer.status) ? null : answer.body, answer);
    } catch (error) {
      tell("failed");
      throw error;
    }
  };
}

/** The options with which `oauth4webapi` sends its requests through {@link boundedFetch}. */
export function requestOptions(exchange: Exchange, step: string): {
  [oauth.customFetch]: (url: string, init: object) => Promise<Response>;
  [oauth.allowInsecureRequests]: true;
} {
  const send = boundedFetch(exchange, step);
  return {
    [oauth.customFetch]: (url, init) => send(url, init),
    [oauth.allowInsecureRequests]: true, // boundedFetch is the stricter judge: http for loopback hosts alone
  };
}

/** A request, for messages. */
interface Asked {
  /** What is done, and whom it is asked of. */
  readonly who: string;
  /** That there is no answer, with the proxy that it may have been lost in. */
  readonly silent: string;
  readonly proxied: boolean;
}

/** Bounds one part of a request, the wait for headers or the reading of the body, and gives its failure a name. */
async function bounded<T>(
  exchange: Exchange,
  asked: Asked,
  part: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { who, silent } = asked;
  // Not by the exchange's clock, which can be set meanwhile.
  const began = performance.now();
  const { signal, requestTimeout = REQUEST_TIMEOUT } = exchange;
  const late = new AbortController();
  const both = AbortSignal.any([signal, late.signal]);
  const timer = alarm(requestTimeout, () => late.abort());
  // A handed-in fetch may be slow to notice the signal, or deaf to it.
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(both.reason);
  both.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([part(both), aborted]);
  } catch (error) {
    if (signal.aborted) throw abortReason(signal, asked, performance.now() - began);
    if (late.signal.aborted) {
      const seconds = Number((requestTimeout / 1000).toPrecision(2));
      throw badAnswer(
        `${silent} within ${seconds} s.`,
        { kind: "timeout" },
        asked.proxied ? CHECK : undefined,
      );
    }
    if (error instanceof AppError) throw error;
    throw new AppError(
      "NETWORK",
      `${who} cannot be reached, or closed the connection before its answer was complete.`,
      {
        cause: error,
        hint: "Check the network and try again.",
      },
    );
  } finally {
    timer.disarm();
    both.removeEventListener("abort", onAbort);
  }
}

const CHECK = "Check the network, VPN or proxy and run the same command again.";

/** The error that an aborted flow fails with: the signal's own, unless it was the server that let the time run out. */
function abortReason({ reason }: AbortSignal, { silent, proxied }: Asked, waited: number): AppError {
  const theirs = badAnswer(`${silent} in time.`, { kind: "timeout" }, CHECK);
  if (!(reason instanceof AppError)) return theirs;
  const { code } = reason;
  return (code === "TIMEOUT" && waited >= SILENCE) || (code === "NETWORK" && proxied) ? theirs : reason;
}

async function readBody(
  response: Response,
  signal: AbortSignal,
  who: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > MAX_ANSWER) {
        cancel();
        throw badAnswer(`${who} sent more than ${MAX_ANSWER / 1024 / 1024} MiB.`, { kind: "answer" });
      }
      parts.push(value);
    }
  } finally {
    signal.removeEventListener("abort", cancel);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function isRedirect({ type, status }: Response): boolean {
  return type === "opaqueredirect" || (status >= 300 && status < 400);
}

/** True for a body that names an error, as some issuers send it with status 200. */
function refuses(body: Uint8Array): boolean {
  const json = parseJson(new TextDecoder().decode(body));
  return typeof json === "object" && json !== null && namesError(json as Record<string, unknown>);
}

function refuseStatus(
  exchange: Exchange,
  step: string,
  url: URL,
  response: Response,
  wordsOf: () => string | undefined,
): void {
  const { status } = response;
  const host = hostOf(url);
  if (isRedirect(response)) {
    throw badAnswer(`${step}: ${host} answered with a redirect, which is not followed.`, {
      kind: "answer",
      status,
    }, "A proxy or captive portal may have answered; otherwise check the address of the issuer.");
  }
  if (status < 500 && !PASSING_STATUSES.includes(status)) return;
  const what = status === 429 ? "is asked too often" : "is unavailable";
  const after = retryAfter(response.headers, exchange.now());
  const words = wordsOf();
  throw badAnswer(`${step}: ${host} ${what} (status ${status}${words === undefined ? "" : `, ${words}`}).`, {
    kind: "status",
    status,
    ...(after === undefined ? {} : { retryAfter: after }),
  });
}

/** Reads what {@link boundedFetch} returned as a JSON object; anything else is not the issuer's answer. */
export async function readJson(step: string, url: string | URL, response: Response): Promise<Answer> {
  const host = hostOf(url);
  const { status } = response;
  const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const stranger = (what: string) =>
    badAnswer(`${step}: ${host} answered ${what} instead of JSON (status ${status}).`, {
      kind: "answer",
      status,
    }, "A proxy or captive portal answered, or the address is not an issuer's.");
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(type)) {
    throw stranger(type === "" ? "without a content type" : `"${printable(type, 60)}"`);
  }
  let json: unknown;
  try {
    json = JSON.parse(await response.text());
  } catch {
    throw stranger("unreadable text");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw stranger("something else");
  const serverDate = serverDateOf(response);
  return {
    status,
    json: json as Record<string, unknown>,
    ...(serverDate === undefined ? {} : { serverDate }),
  };
}

/** The `Date` header in milliseconds since 1970; undefined when there is no readable one. RFC 9110, 6.6.1. */
export function serverDateOf({ headers }: Response): number | undefined {
  const date = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(date) ? undefined : date;
}
