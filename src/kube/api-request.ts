/** Owns one bounded request to a Kubernetes API and what its answer is: JSON, or words. */

import { AppError, printable } from "../errors.ts";
import { boundedSignal } from "../system/clock.ts";
import type { Fetch } from "../system/network.ts";

/** An answer of more bytes than this is refused. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** What to ask. */
export interface ApiRequest {
  readonly url: string;
  readonly token: string;
  /** Sent as JSON by POST; without it the request is a GET. */
  readonly body?: unknown;
  /** Bounds connecting and the answer's headers, and then its body, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** What was answered, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  /** The body, when it is a JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
  /** The body's own words: a Status's message, or plain text; safe to print. */
  readonly message: string;
}

/** Asks once. Throws `NETWORK`, `UNTRUSTED_CERTIFICATE`, or the signal's reason; no status is an error here. */
export async function requestApi(fetch: Fetch, request: ApiRequest): Promise<ApiAnswer> {
  const { url, token, body, timeout, log } = request;
  const { host, pathname } = new URL(url);
  using bounded = boundedSignal(timeout, () => slow(host), request.signal);
  const started = performance.now();
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    redirect: "manual",
    signal: bounded.signal,
    headers: {
      accept: "application/json",
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await readBounded(response, host, bounded.signal);
  log(
    `${body === undefined ? "GET" : "POST"} ${host}${pathname} ${response.status} ${
      Math.round(performance.now() - started)
    } ms`,
  );
  const json = parseObject(text);
  const told = typeof json?.message === "string" ? json.message : json === undefined ? text : "";
  return { status: response.status, json, message: printable(told) };
}

async function readBounded(response: Response, host: string, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of response.body ?? []) {
      length += part.length;
      if (length > LARGEST_ANSWER) {
        throw new AppError("NETWORK", `${host} sent an answer that is too large.`);
      }
      parts.push(part);
    }
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (thrown instanceof AppError) throw thrown;
    throw new AppError("NETWORK", `${host} broke its answer off half-way.`, { cause: thrown });
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new TextDecoder().decode(bytes);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

function slow(host: string): AppError {
  return new AppError("NETWORK", `${host} did not answer in time.`, {
    hint: "Run the same command again, with a longer --request-timeout if the server is slow.",
  });
}
