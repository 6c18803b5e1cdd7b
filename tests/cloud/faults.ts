/** What can be made to go wrong: the switches, and which fault a request meets. */

import type { ForgeryName } from "./forgeries.ts";

/** Every endpoint that is counted and can be made to fail by itself. */
export type Endpoint =
  | "discovery"
  | "jwks"
  | "authorization"
  | "token"
  | "revocation"
  | "userinfo"
  | "device_authorization"
  | "page"
  /** The API host's exchange of personal access tokens; faults of `api` hold there too. */
  | "pat_exchange"
  /** GitHub's token service. */
  | "ci_token";

/** What happens to a request. Several members can be given together: `slow` goes with all others. */
export interface Fault {
  /** Milliseconds before anything else happens; a client that gave up meanwhile is not served at all. */
  readonly slow?: number;
  /** Answers with this status in place of processing the request; the body is `json`, or plain text. */
  readonly status?: number;
  /** The `Retry-After` of that answer, in seconds. */
  readonly retryAfter?: number;
  /** Answers with this JSON (status 200 unless given) in place of processing the request. */
  readonly json?: unknown;
  /**
   * Answers 200 in place of processing: a captive portal's page, nothing, 50 MB of JSON, the same packed into some
   * kilobytes, JSON without an end, or that a byte at a time.
   */
  readonly body?: "html" | "empty" | "huge" | "packed" | "endless" | "drip";
  /** Answers 302 to this address in place of processing. */
  readonly redirectTo?: string;
  /** Sends the beginning of an answer in place of processing, then drops the connection. */
  readonly halfClosed?: boolean;
  /** Processes the request, tokens rotate, then drops the connection without an answer. */
  readonly lostAnswer?: boolean;
  /** Processes the request, tokens rotate, then answers with this status and nothing of what came out. */
  readonly thenStatus?: number;
  /** The fault ends after this many requests; absent: it stays until the faults are set anew. */
  readonly times?: number;
}

/** All switches. Absent means honest and healthy; {@link Fault}s of an endpoint win over `issuer`. */
export interface Faults extends Readonly<Partial<Record<Endpoint | "issuer" | "api", Fault>>> {
  /** Listeners that are really closed: connections are refused. They come back on the same port. */
  readonly down?: readonly ("issuer" | "api" | "ci")[];
  /** What the issuer forges, a row of the table in forgeries.ts. */
  readonly forgery?: ForgeryName;
  /** Members laid over the discovery document; `null` removes one. */
  readonly discoveryAnswer?: Readonly<Record<string, unknown>>;
  /** Members laid over every successful answer of the token endpoint; `null` removes one. */
  readonly tokenAnswer?: Readonly<Record<string, unknown>>;
  /** Members laid over every successful answer of the device authorization endpoint; `null` removes one. */
  readonly deviceAnswer?: Readonly<Record<string, unknown>>;
  /**
   * Seconds by which the issuer's clock is off: its `Date` header, the times in its ID tokens and in what it mints
   * for machines, and when it takes their assertions; the exchange of personal access tokens shares it.
   */
  readonly clockOffset?: number;
}

/** The switches in force and how many requests each fault has still to meet. */
export interface FaultBoard {
  readonly faults: Faults;
  /** Replaces all switches; `{}` heals everything. */
  set(faults: Faults): void;
  /** The fault that a request to this endpoint meets, counted down. */
  take(endpoint: Endpoint | "api"): Fault | undefined;
}

/** A board without faults. */
export function makeFaultBoard(): FaultBoard {
  let faults: Faults = {};
  const left = new Map<Fault, number>();
  return {
    get faults() {
      return faults;
    },
    set(next) {
      faults = next;
      left.clear();
    },
    take(endpoint) {
      const fault = faults[endpoint] ?? faultOfHost(endpoint, faults);
      if (fault?.times === undefined) return fault;
      const remaining = left.get(fault) ?? fault.times;
      if (remaining <= 0) return undefined;
      left.set(fault, remaining - 1);
      return fault;
    },
  };
}

/** The fault of the whole host that an endpoint is on. */
function faultOfHost(endpoint: Endpoint | "api", { issuer, api }: Faults): Fault | undefined {
  if (endpoint === "pat_exchange") return api;
  return endpoint === "api" || endpoint === "ci_token" ? undefined : issuer;
}

/** An answer that is given in place of processing the request. */
export interface FaultAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Whole, or as it comes: then it is to be read no faster than the client reads. */
  readonly body: string | ReadableStream<Uint8Array>;
}

/** What a fault answers by itself; nothing when the request is to be processed. Endless answers end with `closing`. */
export function faultAnswer(fault: Fault, closing: AbortSignal): FaultAnswer | undefined {
  const json = { "content-type": "application/json" };
  const retryAfter: Record<string, string> = fault.retryAfter === undefined
    ? {}
    : { "retry-after": String(fault.retryAfter) };
  if (fault.redirectTo !== undefined) {
    return { status: 302, headers: { location: fault.redirectTo, ...retryAfter }, body: "" };
  }
  if (fault.json !== undefined) {
    return {
      status: fault.status ?? 200,
      headers: { ...json, ...retryAfter },
      body: JSON.stringify(fault.json),
    };
  }
  if (fault.body !== undefined) {
    const status = fault.status ?? 200;
    switch (fault.body) {
      case "html":
        return {
          status,
          headers: { "content-type": "text/html", ...retryAfter },
          body: "<!doctype html><title>Guest Wi-Fi</title><p>Accept our terms to go on.</p>",
        };
      case "empty":
        return { status, headers: { ...json, ...retryAfter }, body: "" };
      case "huge":
        return { status, headers: { ...json, ...retryAfter }, body: ReadableStream.from(longJson(HUGE)) };
      case "packed":
        return {
          status,
          headers: { ...json, ...retryAfter, "content-encoding": "gzip" },
          body: ReadableStream.from(longJson(HUGE)).pipeThrough(new CompressionStream("gzip")),
        };
      case "endless":
        return {
          status,
          headers: { ...json, ...retryAfter },
          body: ReadableStream.from(longJson(Infinity, closing)),
        };
      case "drip":
        return {
          status,
          headers: { ...json, ...retryAfter },
          body: ReadableStream.from(dripping(closing)),
        };
    }
  }
  if (fault.status !== undefined) {
    return {
      status: fault.status,
      headers: { "content-type": "text/plain", ...retryAfter },
      body: "fault\n",
    };
  }
  return undefined;
}

/** What a request that meets this fault is answered, where the answer is a `Response`. */
export async function withFault(
  fault: Fault | undefined,
  request: Request,
  closing: AbortSignal,
  process: () => Promise<Response>,
): Promise<Response> {
  if (fault === undefined) return await process();
  if (fault.slow !== undefined) {
    await pause(fault.slow, AbortSignal.any([closing, request.signal]));
    if (request.signal.aborted) return new Response(null, { status: 503 });
  }
  const answer = faultAnswer(fault, closing);
  if (answer !== undefined) {
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  }
  if (fault.thenStatus !== undefined) {
    await process();
    return new Response("fault\n", { status: fault.thenStatus });
  }
  if (fault.lostAnswer) await process();
  else if (!fault.halfClosed) return await process();
  // Shorter than its content-length says: the connection is dropped behind it.
  const half = new Blob(['{"kind":"']).stream();
  return new Response(half, { headers: { "content-type": "application/json", "content-length": "1000" } });
}

const HUGE = 50_000_000;
const DRIP = 100;

/** A JSON object of about so many bytes. */
async function* longJson(length: number, closing?: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const piece = new TextEncoder().encode("x".repeat(64 * 1024));
  yield new TextEncoder().encode('{"padding":"');
  for (let sent = 0; sent < length && !closing?.aborted; sent += piece.length) yield piece;
  yield new TextEncoder().encode('"}');
}

async function* dripping(closing: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield new TextEncoder().encode('{"padding":"');
  while (!closing.aborted) {
    await pause(DRIP, closing);
    yield new TextEncoder().encode("x");
  }
}

/** `answer` with `overlay`'s members laid over it; `null` removes one. */
export function overlaid(
  answer: Readonly<Record<string, unknown>>,
  overlay: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ ...answer, ...overlay }).filter(([, value]) => value !== null),
  );
}

/** Waits `milliseconds`, or until the signal. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", done);
    resolve();
  };
  const timer = setTimeout(done, milliseconds);
  signal.addEventListener("abort", done);
  return promise;
}
