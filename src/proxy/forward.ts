/** Sends what was judged on to the API server with a token of ours, and brings back its answer. */

import { tokensAfter } from "../http/api-client.ts";
import { MEBIBYTE } from "../http/bounded.ts";
import { redactAnswer, requestRedactor } from "../http/redact.ts";
import type { Fetch } from "../system/network.ts";
import { isPassedOn } from "./judge.ts";

/** The one server that tokens go to. */
export interface Upstream {
  /** Below it stands a complete Kubernetes API. */
  readonly baseUrl: string;
  /** Follows no redirect. */
  readonly fetch: Fetch;
  /** A fresh token; with `force` a new one. */
  readonly token: (force: boolean) => Promise<string>;
  /** What every request bears beside what is passed on: whom it is made as. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
}

/** An answer to hand on. */
export interface ForwardedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

/**
 * Sends one request.
 *
 * @returns undefined for a target that the parser of URLs would change: another one would be sent than was judged.
 * @throws {AppError} what getting a token and the fetch throw
 */
export type Forward = (request: Request, target: string) => Promise<ForwardedAnswer | undefined>;

/** A body up to this size is read first, so that it can be sent again with a new token. */
const RESENDABLE = MEBIBYTE;

/** What of an answer's headers goes on: what describes it, and what a client of Kubernetes heeds. */
const HANDED_BACK =
  /^(?:content-(?:type|length|encoding|language)|cache-control|etag|last-modified|vary|retry-after|warning|audit-id|x-content-type-options|x-kubernetes-.*)$/;

/** Forwards to one server, until the signal breaks off what has no answer yet. */
export function forwardTo(
  { baseUrl, fetch, token, headers: added = [] }: Upstream,
  signal: AbortSignal,
): Forward {
  const base = new URL(baseUrl).href.replace(/\/$/, "");
  const tokenAfter = tokensAfter(token);
  return async (request, target) => {
    const url = base + target;
    // Nothing that reads the address on its way may see another one than was judged.
    if (new URL(url).href !== url) return undefined;
    const body = await bodyOf(request);
    const send = async (token: string) => {
      const headers = headersOf(request.headers, token);
      const answer = await fetch(url, {
        method: request.method,
        headers: [...headers, ...added.map(([name, value]): [string, string] => [name, value])],
        body,
        redirect: "manual",
        signal,
      });
      return { answer, mayUnpack: headers.get("accept-encoding") === "gzip", token };
    };
    const first = await send(await token(false));
    if (first.answer.status !== 401) return await answerOf(first);
    const next = await tokenAfter(first.token).catch(async (thrown) => {
      await first.answer.body?.cancel();
      throw thrown;
    });
    // What was streamed cannot be sent again: the new token is for what comes next.
    if (next === first.token || body instanceof ReadableStream) return await answerOf(first);
    await first.answer.body?.cancel();
    return await answerOf(await send(next));
  };
}

/** The body as bytes where it is small, else as it comes. */
async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer> | ReadableStream | null> {
  if (request.body === null || request.method === "GET" || request.method === "HEAD") return null;
  const length = Number(request.headers.get("content-length") ?? Infinity);
  return length <= RESENDABLE ? await request.bytes() : request.body;
}

function headersOf(given: Headers, token: string): Headers {
  const headers = new Headers([...given].filter(([name]) => isPassedOn(name)));
  // The length is told by who sends: a body that is streamed goes in chunks.
  headers.delete("content-length");
  // The fetch adds both where they are missing, and unpacks what it can.
  headers.set("accept-encoding", takesGzip(given.get("accept-encoding") ?? "") ? "gzip" : "identity");
  if (!headers.has("user-agent")) headers.set("user-agent", "datumctl-proxy");
  headers.set("authorization", `Bearer ${token}`);
  return headers;
}

function takesGzip(accepted: string): boolean {
  return accepted.split(",").some((one) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(one));
}

/** An answer without what was only true on the way here. A refusal repeats no token; it is short. */
async function answerOf({ answer, mayUnpack, token }: {
  readonly answer: Response;
  /** Whether the fetch unpacks what is packed: it does not where nothing packed was asked for. */
  readonly mayUnpack: boolean;
  readonly token: string;
}): Promise<ForwardedAnswer> {
  const { status } = answer;
  const headers = new Headers([...answer.headers].filter(([name]) => HANDED_BACK.test(name)));
  const encoding = headers.get("content-encoding")?.toLowerCase() ?? "";
  const isRefusal = status >= 400;
  if (mayUnpack && (encoding === "gzip" || encoding === "br")) {
    headers.delete("content-encoding");
    headers.delete("content-length");
  }
  const given = answer.body as ReadableStream<Uint8Array<ArrayBuffer>> | null;
  if (given === null || !isRefusal) return { status, headers, body: given };
  const redact = requestRedactor({ headers: { authorization: `Bearer ${token}` } });
  const whole = await beginning(given);
  const redacted = redactAnswer({ status, headers, body: whole }, redact, false);
  redacted.headers.set("content-length", String(redacted.body.length));
  return { status, headers: redacted.headers, body: new Blob([redacted.body]).stream() };
}

/** A body, at most as far as a refusal is read. */
async function beginning(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of body) {
    parts.push(part);
    length += part.length;
    if (length >= MEBIBYTE) break;
  }
  return await new Blob(parts).bytes();
}
