/** One HTTP request within limits of time and size, without redirects, whose answer repeats no secret that was sent. */

import { AppError } from "../errors.ts";
import { boundedSignal, type Clock } from "../system/clock.ts";
import type { Fetch } from "../system/network.ts";
import { printable } from "../text.ts";
import { endpointUrl } from "./address.ts";
import { isFulfilled, type ReadAnswer, redactAnswer, type Redactor, requestRedactor } from "./redact.ts";

/** What one flow needs for its requests. */
export interface HttpContext {
  readonly fetch: Fetch;
  readonly now: Clock;
  /** Limits the whole flow; when its reason is an AppError, that error is what the flow fails with. */
  readonly signal: AbortSignal;
  /** When `signal` will end the flow, in milliseconds since 1970; a `Retry-After` beyond it is not waited for. */
  readonly deadline?: number | undefined;
  /** Limits the wait for an answer's headers, and then the reading of its body, in milliseconds; 30,000 unless given. */
  readonly requestTimeout?: number | undefined;
  /** Receives one line per request: method, host, path, status, milliseconds. Never a query, a header or a body. */
  readonly log?: ((line: string) => void) | undefined;
}

/** The `cause` of an AppError about a request; decides whether it may be sent again. */
export interface FailedRequest {
  /**
   * `status`: 5xx, 408, 425, 429, or the server's own word that it is unavailable; `answer`: too large, redirecting,
   * not JSON; `content`: JSON of a wrong shape; `refused`: any other refusal; `timeout`: our patience ended.
   */
  readonly kind: "status" | "answer" | "content" | "timeout" | "refused";
  readonly status?: number | undefined;
  /** What `Retry-After` asks for, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** What is known of a failed request; undefined for a failure of the transport. */
export function failedRequest(error: unknown): FailedRequest | undefined {
  const cause = error instanceof AppError ? error.cause : undefined;
  return typeof cause === "object" && cause !== null && "kind" in cause ? cause as FailedRequest : undefined;
}

/** How the requests of one kind of server differ from those of another. */
export interface RequestRules {
  /** The most bytes that are read of an answer with that status. */
  readonly largest: (status: number) => number;
  /** What the answers of several requests may come to together. */
  readonly budget?: ByteBudget | undefined;
  /** True where a body may take any time, as long as its parts keep coming. */
  readonly bodyMayTakeLong?: boolean | undefined;
  /** True for a body that is an error whatever its status says, and may therefore repeat no secret. */
  readonly isError?: ((body: Uint8Array) => boolean) | undefined;
  readonly errors: RequestErrors;
}

/** The errors of a request that gets no answer, as one kind of server words them. */
export interface RequestErrors {
  /** For an address that may not be asked; `why` as {@link endpointUrl} has it. */
  readonly address: (address: string, why: string) => AppError;
  /** For a server that was silent for a whole request timeout. */
  readonly late: (proxy: string | undefined, seconds: number) => AppError;
  /**
   * When the whole flow ended, out of time or interrupted: the error to throw, given how long (in milliseconds) the server
   * was silent; by default the signal's reason.
   */
  readonly ended?: ((reason: unknown, proxy: string | undefined, silence: number) => unknown) | undefined;
  readonly tooLarge: (mebibytes: number) => AppError;
  /** For a connection that broke. */
  readonly broken: (cause: unknown) => AppError;
}

/** A byte budget shared by several requests: beyond it they fail. */
export interface ByteBudget {
  /** In all. */
  readonly bytes: number;
  /** Of these; each answer takes its own away. */
  left: number;
}

/** A whole answer, which repeats no secret of its request unless it holds what was asked for. */
export interface Received extends ReadAnswer {
  /** Takes the request's secrets out of a text. */
  readonly redact: Redactor;
}

/** In bytes. */
export const MEBIBYTE = 1024 * 1024;

const REQUEST_TIMEOUT = 30_000;

/** What to do about a server that does not answer. */
export const CHECK_NETWORK = "Check the network, VPN or proxy and run the same command again.";

/** The error about a server that does not answer, with the proxy that may have lost the request. */
export function noAnswer(
  who: string,
  { proxy, within = "in time", hint = CHECK_NETWORK }: {
    readonly proxy?: string | undefined;
    readonly within?: string | undefined;
    readonly hint?: string | undefined;
  } = {},
): AppError {
  const through = proxy === undefined ? "" : ` through the proxy ${proxy}`;
  const cause: FailedRequest = { kind: "timeout" };
  return new AppError("NETWORK", `${who} did not answer${through} ${within}.`, { cause, hint });
}

/**
 * Sends one request and reads its whole answer, whatever its status: https only (http on loopback), no redirect followed,
 * within the time and size that context and rules allow.
 *
 * @throws {AppError} what the rules' errors say; what the fetch throws
 */
export async function sendBounded(
  context: HttpContext,
  address: string,
  init: RequestInit,
  rules: RequestRules,
): Promise<Received> {
  const { fetch, now, log } = context;
  const { budget, errors } = rules;
  const redact = requestRedactor(init);
  const url = endpointUrl(address);
  if (typeof url === "string") {
    throw errors.address(printable(redact(URL.parse(address)?.href ?? address)), url);
  }
  if (budget !== undefined && budget.left < 0) throw errors.tooLarge(budget.bytes / MEBIBYTE);
  const proxy = fetch.proxyOf?.(url);
  const began = now();
  const tell = (end: string) => log?.(redact(requestLine(init, url, proxy, end, now() - began)));
  try {
    const answer = await receive(context, url, init, rules, proxy);
    tell(`${answer.status} in`);
    const fulfilled = isFulfilled(answer.status) && !rules.isError?.(answer.body);
    return { ...redactAnswer(answer, redact, fulfilled), redact };
  } catch (thrown) {
    tell("failed after");
    throw thrown;
  }
}

/**
 * The parts of a body. The signal ends the reading here, too: the runtime can lose the signal of a request whose answer was
 * handed out.
 */
async function* partsOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    // A reader that was cancelled is done, too.
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** An answer whose body is read while it comes. */
export interface StreamedAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Rejects when the connection breaks, or with the reason of the signal. Leaving the loop over it ends the request. */
  readonly body: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** The whole answer where it is no success; then the body holds the same. */
  readonly refusal: Received | undefined;
}

/**
 * As {@link sendBounded}, but the body of a success is handed over while it comes, and has no limits.
 *
 * @throws {AppError} what the rules' errors say; what the fetch throws
 */
export async function openStream(
  context: HttpContext,
  address: string,
  init: RequestInit,
  rules: RequestRules,
): Promise<StreamedAnswer> {
  let streamed: ReadableStream<Uint8Array<ArrayBuffer>> | null | undefined;
  const fetch: Fetch = Object.assign(
    async (input: string | URL, own?: RequestInit) => {
      // The time limit of the headers must not end the body. A signal made of others could be collected meanwhile.
      const request = new AbortController();
      const late = () => request.abort(own?.signal?.reason);
      own?.signal?.addEventListener("abort", late, { once: true });
      context.signal.addEventListener("abort", () => request.abort(context.signal.reason), { once: true });
      if (context.signal.aborted) request.abort(context.signal.reason);
      try {
        const response = await context.fetch(input, { ...own, signal: request.signal });
        if (!isFulfilled(response.status)) return response;
        streamed = response.body;
        const { status, headers } = response;
        return new Response(null, { status, headers });
      } finally {
        own?.signal?.removeEventListener("abort", late);
      }
    },
    { proxyOf: (url: URL) => context.fetch.proxyOf?.(url) },
  );
  const answer = await sendBounded({ ...context, fetch }, address, init, rules);
  const { status, headers } = answer;
  const isRefusal = !isFulfilled(status);
  const body = isRefusal
    ? new Blob([answer.body]).stream()
    : partsOf(streamed ?? new Blob([]).stream(), context.signal);
  return { status, headers, body, refusal: isRefusal ? answer : undefined };
}

async function receive(
  { fetch, signal, requestTimeout = REQUEST_TIMEOUT }: HttpContext,
  url: URL,
  init: RequestInit,
  rules: RequestRules,
  proxy: string | undefined,
): Promise<ReadAnswer> {
  const { errors } = rules;
  const late = () => errors.late(proxy, Number((requestTimeout / 1000).toPrecision(2)));
  using timer = boundedSignal(requestTimeout, late, signal);
  // Not by the context's clock, which can be set meanwhile.
  let lastData = performance.now();
  const onData = () => {
    lastData = performance.now();
    timer.restart();
  };
  try {
    signal.throwIfAborted();
    return await untilAborted(timer.signal, async () => {
      const response = await fetch(url.href, { ...init, redirect: "manual", signal: timer.signal });
      onData();
      const { status, headers } = response;
      const count = counter(rules, status);
      const body = await readBody(response, timer.signal, (length) => {
        if (rules.bodyMayTakeLong) onData();
        count(length);
      });
      return { status, headers, body };
    });
  } catch (thrown) {
    if (signal.aborted) {
      throw errors.ended?.(signal.reason, proxy, performance.now() - lastData) ?? signal.reason;
    }
    if (timer.signal.aborted) throw timer.signal.reason;
    throw thrown instanceof AppError ? thrown : errors.broken(thrown);
  }
}

/** Counts the bytes of a body's parts; throws what they are too many for. */
function counter({ largest, budget, errors }: RequestRules, status: number): (length: number) => void {
  const most = largest(status);
  let size = 0;
  return (length) => {
    size += length;
    if (size > most) throw errors.tooLarge(most / MEBIBYTE);
    if (budget === undefined) return;
    budget.left -= length;
    if (budget.left < 0) throw errors.tooLarge(budget.bytes / MEBIBYTE);
  };
}

/** Does work until the signal aborts: a handed-in fetch may be slow to notice a signal, or deaf to it. */
async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** @param took told the length of each part; what it throws ends the reading. */
async function readBody(
  { body }: Response,
  signal: AbortSignal,
  took: (length: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      took(value.length);
      parts.push(value);
    }
  } catch (thrown) {
    cancel();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
  // A reader that was cancelled is done: half a body must not pass for the whole.
  signal.throwIfAborted();
  return joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** What `-v` shows of a request, never with a query, a header or a body: `GET api.example.com/apis 200 in 75 ms`. */
function requestLine(
  { method = "GET" }: RequestInit,
  { host, pathname }: URL,
  proxy: string | undefined,
  end: string,
  milliseconds: number,
): string {
  const through = proxy === undefined ? "" : ` through the proxy ${proxy}`;
  return `${method} ${host}${printable(pathname)}${through} ${end} ${Math.round(milliseconds)} ms`;
}
