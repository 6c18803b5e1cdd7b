/** Owns requests to an API in one person's name: the one client, its tokens, its patience and its bounds. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { type BoundedSignal, boundedSignal, type Clock } from "../system/clock.ts";
import type { Fetch } from "../system/network.ts";
import { requestLine } from "../system/request-line.ts";
import { retryAfter } from "../system/retry-after.ts";
import { hidingSecretsOf, isAskedFor, withoutSecrets } from "../system/sent-secrets.ts";
import { type ApiAnswer, type JsonObject, objectOf } from "./answer.ts";
import { isPassing, isUnauthenticated, refusal, type Refusals } from "./refusal.ts";

const MEBIBYTE = 1024 * 1024;

/** An answer of more bytes than this is refused, and so is a refusal, of which no more than some words is of use. */
const LARGEST_ANSWER = 64 * MEBIBYTE;
const LARGEST_REFUSAL = MEBIBYTE;

/** How often a safe request is repeated, and the first pause, which doubles, in milliseconds. */
const REPEATS = 3;
const FIRST_PAUSE = 200;

/** What bounds requests, and the time that they see. */
export interface RequestBounds {
  readonly now: Clock;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** At least 0 and less than 1. */
  readonly random: () => number;
  /** Bounds connecting and the headers, every silence within a body, and all pauses together; in milliseconds. */
  readonly requestTimeout: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** What a client is made of. */
export interface ClientOptions extends RequestBounds {
  /** Below it stands the whole API; no slash at its end. */
  readonly baseUrl: string;
  /** What is asked, for messages: `the project "web" at api.datum.net`. */
  readonly what: string;
  /** Who asks, for messages: an e-mail or a session's name. */
  readonly who: string;
  /** What to do when a fresh token of theirs is refused, as a sentence; a new sign-in unless given. */
  readonly remedy?: string | undefined;
  /** What its refusals say beyond their status. */
  readonly refusals: Refusals;
  /** Trusts the session's authority; its failures are AppErrors. */
  readonly fetch: Fetch;
  /** A fresh token; with `force` one that was made anew, because the server refused the one before. */
  readonly token: (force: boolean) => Promise<string>;
}

/** How a request differs from the plain one. */
export interface RequestOptions {
  /** `application/json` unless given. */
  readonly accept?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** A POST that changes nothing, such as a review, and may be sent again. */
  readonly safe?: true;
  /** Not sent again when the server cannot answer now. */
  readonly once?: boolean;
  /** Ends it beside the client's own; its reason is an AppError. */
  readonly signal?: AbortSignal;
  /** What the answers of several requests come to together. */
  readonly allowance?: Allowance;
}

/** How much several requests that belong together may be answered; beyond it they fail with `NETWORK`. */
export interface Allowance {
  /** In all. */
  readonly bytes: number;
  /** Of these; each answer takes its own away. */
  left: number;
}

/** A request; the path, which may hold a query, stands below the client's base URL. */
export interface ApiRequest extends RequestOptions {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Asks one API in one person's name. */
export interface ApiClient {
  readonly baseUrl: string;
  readonly what: string;
  /** As {@link RequestBounds} has it. */
  readonly requestTimeout: number;
  /** The object at a path. Throws what {@link ApiClient.send} and {@link refusal} say. */
  get(path: string, options?: RequestOptions): Promise<JsonObject>;
  /** Sends an object as JSON; the object that is answered. Throws as {@link ApiClient.get}. */
  post(path: string, body: unknown, options?: RequestOptions): Promise<JsonObject>;
  /**
   * The answer as it came, whatever its status, once a refresh and repeats could not better it; a refusal repeats no
   * token.
   *
   * Throws `NETWORK`, `UNTRUSTED_CERTIFICATE`, what getting a token throws, or the signal's reason.
   */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** What an answer that is not a success means, as the error to throw. See {@link refusal}. */
  refusal(answer: ApiAnswer): AppError;
}

/** Opens a client; nothing is asked yet. */
export function openApiClient(options: ClientOptions): ApiClient {
  const { baseUrl, what } = options;
  let renewing: Promise<string> | undefined;

  /** The token to try after one was refused: whichever another request has got meanwhile, else one made anew. */
  async function tokenAfter(refused: string): Promise<string> {
    const stored = await options.token(false);
    if (stored !== refused) return stored;
    renewing ??= options.token(true).finally(() => {
      renewing = undefined;
    });
    return await renewing;
  }

  async function send(request: ApiRequest): Promise<ApiAnswer> {
    const { signal } = request;
    const bounds = signal === undefined
      ? options
      : { ...options, signal: AbortSignal.any([options.signal, signal]) };
    signal?.throwIfAborted();
    const repeats = (request.method === "GET" || request.safe) && !request.once ? REPEATS : 0;
    const deadline = options.now() + options.requestTimeout;
    let token = await options.token(false);
    let renewed = false;
    for (let attempt = 0;; attempt += 1) {
      const outcome = await exchange(bounds, request, token);
      if (!renewed && !(outcome instanceof AppError) && isUnauthenticated(outcome, options.refusals)) {
        renewed = true;
        const next = await tokenAfter(token);
        if (next === token) return outcome;
        token = next;
        continue;
      }
      const pause = FIRST_PAUSE * 2 ** attempt * (0.5 + options.random());
      const wait = attempt < repeats ? waitBefore(outcome, pause, options.now()) : undefined;
      if (wait === undefined || options.now() + wait > deadline) {
        if (outcome instanceof AppError) throw outcome;
        return outcome;
      }
      await options.sleep(wait, bounds.signal);
    }
  }

  const object = async (request: ApiRequest): Promise<JsonObject> => {
    const answer = await send(request);
    if (answer.status < 200 || answer.status > 299) throw refusal(answer, options);
    const found = objectOf(answer);
    if (found === undefined) throw notJson(answer, options);
    return found;
  };
  return {
    baseUrl,
    what,
    requestTimeout: options.requestTimeout,
    get: (path, more) => object({ ...more, method: "GET", path }),
    post: (path, body, more) => object({ ...more, method: "POST", path, body }),
    send,
    refusal: (answer) => refusal(answer, options),
  };
}

/** Asks once: the answer, or the `NETWORK` error that asking again may mend; any other failure is thrown. */
async function exchange(
  options: ClientOptions,
  request: ApiRequest,
  token: string,
): Promise<ApiAnswer | AppError> {
  const url = urlOf(options.baseUrl, request);
  const { method, accept = "application/json", body, allowance } = request;
  if (allowance !== undefined && allowance.left < 0) throw tooLarge(url.host, allowance.bytes);
  const init = {
    headers: {
      accept,
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const hide = hidingSecretsOf(init);
  using bounded = boundedSignal(options.requestTimeout, () => slow(url, options.fetch), options.signal);
  const started = options.now();
  const tell = (end: number | "failed") =>
    options.log(hide(requestLine(method, url, end, options.now() - started)));
  try {
    const response = await options.fetch(url, {
      ...init,
      method,
      redirect: "manual",
      signal: bounded.signal,
    });
    bounded.restart();
    const { status, headers } = response;
    const read = await readBounded(response, url.host, bounded, allowance);
    tell(status);
    // A review's answer is words: no piece of the token belongs there.
    const said = request.safe ? hide.words : hide.data;
    return { ...withoutSecrets({ status, headers, body: read }, hide), hide: said };
  } catch (thrown) {
    tell("failed");
    options.signal.throwIfAborted();
    if (thrown instanceof AppError && thrown.code === "NETWORK" && !(thrown.cause instanceof TooLarge)) {
      return thrown;
    }
    throw thrown;
  }
}

function urlOf(baseUrl: string, { path, query }: ApiRequest): URL {
  const url = new URL(`${baseUrl}${path}`);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  return url;
}

/** The cause of an error that no repeat would mend. */
class TooLarge extends Error {
  override readonly name = "TooLarge";
}

async function readBounded(
  response: Response,
  host: string,
  bounded: BoundedSignal,
  allowance: Allowance | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const most = isAskedFor(response.status) ? LARGEST_ANSWER : LARGEST_REFUSAL;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for await (const part of response.body ?? []) {
      bounded.restart();
      length += part.length;
      if (length > most) throw tooLarge(host, most);
      if (allowance !== undefined && (allowance.left -= part.length) < 0) {
        throw tooLarge(host, allowance.bytes);
      }
      parts.push(part);
    }
  } catch (thrown) {
    if (bounded.signal.aborted) throw bounded.signal.reason;
    if (thrown instanceof AppError) throw thrown;
    throw new AppError("NETWORK", `${host} closed the connection before its answer was complete.`, {
      hint: "Check the network, VPN or proxy and run the same command again.",
      cause: thrown,
    });
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function tooLarge(host: string, bytes: number): AppError {
  return new AppError("NETWORK", `${host} sent more than ${bytes / MEBIBYTE} MiB.`, {
    cause: new TooLarge(),
  });
}

function slow(url: URL, { proxyOf }: Fetch): AppError {
  const proxy = proxyOf?.(url);
  const through = proxy === undefined ? "" : ` through the proxy ${proxy}`;
  return new AppError("NETWORK", `${url.host} did not answer${through} in time.`, {
    hint: "Run the same command again, with a longer --request-timeout if the server is slow.",
  });
}

/** How long to wait before asking again, in milliseconds; undefined when that would be in vain. */
function waitBefore(outcome: ApiAnswer | AppError, pause: number, now: number): number | undefined {
  if (outcome instanceof AppError) return pause;
  if (!isPassing(outcome.status)) return undefined;
  return Math.max(pause, retryAfter(outcome.headers, now) ?? 0);
}

/** The error about a success whose body is no JSON object. */
function notJson(answer: ApiAnswer, { baseUrl, what }: ClientOptions): AppError {
  const type = (answer.headers.get("content-type") ?? "").split(";")[0] ?? "";
  const sent = answer.body.length === 0 ? "nothing" : type === "" ? "something" : `"${printable(type, 60)}"`;
  return new AppError(
    "NETWORK",
    `${new URL(baseUrl).host} answered for ${what} with ${sent} that is not a JSON object.`,
    { hint: "A proxy or captive portal may have answered; else check the API host." },
  );
}
