/** A client of one API in the name of one session: its tokens, and which requests are sent again. */

import type { JsonObject } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { type ApiAnswer, objectOf } from "./api-answer.ts";
import { type ApiCall, isPassing, isUnauthenticated, notJson, refusal, requestErrors } from "./api-errors.ts";
import {
  type ByteBudget,
  failedRequest,
  type HttpContext,
  MEBIBYTE,
  openStream,
  type RequestRules,
  sendBounded,
  type StreamedAnswer,
} from "./bounded.ts";
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
  /** What else every request bears; each character is a byte, and a name may occur several times. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
}

/** How a request differs from the plain one. */
export interface RequestOptions {
  /** `application/json` unless given. */
  readonly accept?: string | undefined;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  /** A POST that changes nothing, such as a review, and may be sent again; its answer is prose. */
  readonly safe?: true | undefined;
  /** Whether sending it twice does no more than once, where its method does not say so. */
  readonly repeatable?: boolean | undefined;
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
  /** JSON, sent as it is. */
  readonly body?: string | undefined;
  /** `application/json` unless given. */
  readonly contentType?: string | undefined;
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
  /**
   * An answer as soon as it begins, whatever its status, after a new token where that could help. The body of a success has
   * no limits; the signal ends it.
   *
   * @throws {AppError} as {@link ApiClient.send} when no answer begins.
   */
  stream(request: ApiRequest, signal: AbortSignal): Promise<StreamedAnswer>;
  /** The error for an answer that is not a success. See {@link refusal}. */
  refusal(answer: ApiAnswer): AppError;
}

/** The token to try after one was refused: what another request has got meanwhile, else a new one, one at a time. */
export function tokensAfter(token: ClientOptions["token"]): (refused: string) => Promise<string> {
  let renewing: Promise<string> | undefined;
  return async (refused) => {
    const stored = await token(false);
    if (stored !== refused) return stored;
    renewing ??= token(true).finally(() => {
      renewing = undefined;
    });
    return await renewing;
  };
}

/** Opens a client; nothing is asked yet. */
export function openApiClient(options: ClientOptions): ApiClient {
  const { baseUrl, what, requestTimeout, now } = options;
  const tokenAfter = tokensAfter(options.token);

  async function send(request: ApiRequest): Promise<ApiAnswer> {
    request.signal?.throwIfAborted();
    const signals = [options.signal, request.signal].filter((signal) => signal !== undefined);
    const context = { ...options, signal: AbortSignal.any(signals), deadline: now() + requestTimeout };
    const { method, safe, repeatable = method === "GET" || safe === true } = request;
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
      const attempts = !request.once && (repeatable || isPutOff(outcome)) ? ATTEMPTS : 1;
      const retry = { ...options, attempts, pauses: GENTLE };
      const again = mayPass(outcome, options) &&
        await pauseBeforeRetry(context, attempt, retry, waitOf(outcome, now()));
      if (again) continue;
      if (outcome instanceof AppError) throw outcome;
      return outcome;
    }
  }

  async function stream(request: ApiRequest, signal: AbortSignal): Promise<StreamedAnswer> {
    const context = { ...options, signal: AbortSignal.any([options.signal, signal]) };
    const open = (token: string) =>
      openStream(
        context,
        urlOf(baseUrl, request),
        initOf(options, request, token),
        rulesOf(options, request),
      );
    const token = await options.token(false);
    const answer = await open(token);
    if (answer.refusal === undefined || !isUnauthenticated(answer.refusal, options.refusals)) return answer;
    const next = await tokenAfter(token);
    return next === token ? answer : await open(next);
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
    post: (path, body, more) => object({ ...more, method: "POST", path, body: JSON.stringify(body) }),
    send,
    stream,
    refusal: (answer) => refusal(answer, options),
  };
}

/** Sends a request once: the answer, or the `NETWORK` error that may pass; any other failure is thrown. */
async function sendOnce(
  options: ClientOptions,
  request: ApiRequest,
  token: string,
): Promise<ApiAnswer | AppError> {
  try {
    const rules = rulesOf(options, request);
    const init = initOf(options, request, token);
    const answer = await sendBounded(options, urlOf(options.baseUrl, request), init, rules);
    // The answer to a review is prose: no piece of the token belongs there.
    return { ...answer, redact: request.safe ? answer.redact.prose : answer.redact.data };
  } catch (thrown) {
    const passes = thrown instanceof AppError && thrown.code === "NETWORK" &&
      failedRequest(thrown)?.kind !== "answer";
    if (passes && !options.signal.aborted) return thrown;
    throw thrown;
  }
}

function initOf(
  { headers: more = [] }: ClientOptions,
  { method, accept = "application/json", contentType = "application/json", body }: ApiRequest,
  token: string,
): RequestInit {
  const headers: [string, string][] = [["accept", accept], ["authorization", `Bearer ${token}`]];
  if (body !== undefined) headers.push(["content-type", contentType]);
  // Not as Headers, which hand on two values of a name as one.
  for (const [name, value] of more) headers.push([name, value]);
  return { method, headers, body: body ?? null };
}

function rulesOf(options: ClientOptions, { budget }: ApiRequest): RequestRules {
  return {
    largest: (status) => isFulfilled(status) ? LARGEST_ANSWER : LARGEST_REFUSAL,
    budget,
    bodyMayTakeLong: true,
    errors: requestErrors(options),
  };
}

function urlOf(baseUrl: string, { path, query }: ApiRequest): string {
  const url = new URL(`${baseUrl}${path}`);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

function mayPass(outcome: ApiAnswer | AppError, { refusals: { isFinal } }: ClientOptions): boolean {
  return outcome instanceof AppError || (isPassing(outcome.status) && isFinal?.(outcome) !== true);
}

/** True for a request that the server has put off without a look at it. RFC 6585, 4. */
function isPutOff(outcome: ApiAnswer | AppError): boolean {
  return !(outcome instanceof AppError) && outcome.status === 429;
}

/** What `Retry-After` asks for. */
function waitOf(outcome: ApiAnswer | AppError, now: number): number | undefined {
  return outcome instanceof AppError ? undefined : retryAfter(outcome.headers, now);
}
