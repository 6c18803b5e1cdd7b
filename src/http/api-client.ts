/** A client of one API in the name of one session: its tokens, and which requests are sent again. */

import type { JsonObject } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { type ApiAnswer, objectOf } from "./api-answer.ts";
import { type ApiCall, isPassing, isUnauthenticated, notJson, refusal, requestErrors } from "./api-errors.ts";
import { type ByteBudget, failedRequest, type HttpContext, MEBIBYTE, sendBounded } from "./bounded.ts";
import { isFulfilled } from "./redact.ts";
import { GENTLE, pauseBeforeRetry, type Retry, retryAfter } from "./retry.ts";

/** An answer of more bytes than this is refused, and so is a refusal: only a few words of one are used. */
const LARGEST_ANSWER = 64 * MEBIBYTE;
const LARGEST_REFUSAL = MEBIBYTE;

/** How often a request is sent that changes nothing. */
const ATTEMPTS = 4;

/** The limits of requests, with their clock, pauses and log. */
export interface RequestLimits
  extends Pick<HttpContext, "now" | "signal" | "log">, Pick<Retry, "sleep" | "random"> {
  /** Limits connecting and the headers, every silence within a body, and all pauses together; in milliseconds. */
  readonly requestTimeout: number;
}

/** What a client is made of. */
export interface ClientOptions extends ApiCall, RequestLimits, Pick<HttpContext, "fetch"> {
  /** A fresh token; with `force` a new one, because the server refused the one before. */
  readonly token: (force: boolean) => Promise<string>;
}

/** How a request differs from the plain one. */
export interface RequestOptions {
  /** `application/json` unless given. */
  readonly accept?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** A POST that changes nothing, such as a review, and may be sent again. */
  readonly safe?: true | undefined;
  /** Not sent again when the server cannot answer now. */
  readonly once?: boolean | undefined;
  /** Ends it beside the client's own; its reason is an AppError. */
  readonly signal?: AbortSignal | undefined;
  /** What the answers of several requests may come to together. */
  readonly budget?: ByteBudget | undefined;
}

/** A request; the path, which may hold a query, stands below the client's base URL. */
export interface ApiRequest extends RequestOptions {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Asks one API in the name of one session. */
export interface ApiClient extends Pick<ClientOptions, "baseUrl" | "what" | "requestTimeout"> {
  /** The object at a path. @throws what {@link ApiClient.send} throws, and a {@link refusal}. */
  get(path: string, options?: RequestOptions): Promise<JsonObject>;
  /** Sends an object as JSON; the object that is answered. @throws as {@link ApiClient.get}. */
  post(path: string, body: unknown, options?: RequestOptions): Promise<JsonObject>;
  /**
   * The answer as it came, whatever its status, after a new token and repeats where they could help; a refusal repeats no
   * token.
   *
   * @throws {AppError} `NETWORK`, `UNTRUSTED_CERTIFICATE`, what getting a token throws, or the signal's reason.
   */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** The error for an answer that is not a success. See {@link refusal}. */
  refusal(answer: ApiAnswer): AppError;
}

/** Opens a client; nothing is asked yet. */
export function openApiClient(options: ClientOptions): ApiClient {
  const { baseUrl, what, requestTimeout, now } = options;
  let renewing: Promise<string> | undefined;

  /** The token to try after one was refused: what another request has got meanwhile, else a new one. */
  async function tokenAfter(refused: string): Promise<string> {
    const stored = await options.token(false);
    if (stored !== refused) return stored;
    renewing ??= options.token(true).finally(() => {
      renewing = undefined;
    });
    return await renewing;
  }

  async function send(request: ApiRequest): Promise<ApiAnswer> {
    request.signal?.throwIfAborted();
    const signals = [options.signal, request.signal].filter((signal) => signal !== undefined);
    const context = { ...options, signal: AbortSignal.any(signals), deadline: now() + requestTimeout };
    const attempts = (request.method === "GET" || request.safe) && !request.once ? ATTEMPTS : 1;
    let token = await options.token(false);
    let renewed = false;
    for (let attempt = 1;; attempt++) {
      const outcome = await sendOnce(context, request, token);
      if (!renewed && !(outcome instanceof AppError) && isUnauthenticated(outcome, options.refusals)) {
        renewed = true;
        const next = await tokenAfter(token);
        if (next === token) return outcome;
        token = next;
        continue;
      }
      const retry = { ...options, attempts, pauses: GENTLE };
      if (mayPass(outcome) && await pauseBeforeRetry(context, attempt, retry, waitOf(outcome, now()))) {
        continue;
      }
      if (outcome instanceof AppError) throw outcome;
      return outcome;
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
    requestTimeout,
    get: (path, more) => object({ ...more, method: "GET", path }),
    post: (path, body, more) => object({ ...more, method: "POST", path, body }),
    send,
    refusal: (answer) => refusal(answer, options),
  };
}

/** Sends a request once: the answer, or the `NETWORK` error that may pass; any other failure is thrown. */
async function sendOnce(
  options: ClientOptions,
  request: ApiRequest,
  token: string,
): Promise<ApiAnswer | AppError> {
  const { method, accept = "application/json", body, budget, safe } = request;
  const headers = new Headers({ accept, authorization: `Bearer ${token}` });
  if (body !== undefined) headers.set("content-type", "application/json");
  const init = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
  try {
    const answer = await sendBounded(options, urlOf(options.baseUrl, request), init, {
      largest: (status) => isFulfilled(status) ? LARGEST_ANSWER : LARGEST_REFUSAL,
      budget,
      bodyMayTakeLong: true,
      errors: requestErrors(options),
    });
    // The answer to a review is prose: no piece of the token belongs there.
    return { ...answer, redact: safe ? answer.redact.prose : answer.redact.data };
  } catch (thrown) {
    const passes = thrown instanceof AppError && thrown.code === "NETWORK" &&
      failedRequest(thrown)?.kind !== "answer";
    if (passes && !options.signal.aborted) return thrown;
    throw thrown;
  }
}

function urlOf(baseUrl: string, { path, query }: ApiRequest): string {
  const url = new URL(`${baseUrl}${path}`);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  return url.href;
}

function mayPass(outcome: ApiAnswer | AppError): boolean {
  return outcome instanceof AppError || isPassing(outcome.status);
}

/** What `Retry-After` asks for. */
function waitOf(outcome: ApiAnswer | AppError, now: number): number | undefined {
  return outcome instanceof AppError ? undefined : retryAfter(outcome.headers, now);
}
