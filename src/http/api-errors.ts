/** The errors of requests to an API: one for each status, with the server's words and the API's own hints. */

import { isObject } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import { type ApiAnswer, objectOf, textOf } from "./api-answer.ts";
import { CHECK_NETWORK, type FailedRequest, noAnswer, type RequestErrors } from "./bounded.ts";

/** What one API's refusals say beyond their status. */
export interface Refusals {
  /** What to do next, by what the refusal is called. */
  readonly hints: Readonly<Record<"FORBIDDEN" | "NOT_FOUND" | "CONFLICT" | "INVALID", string>>;
  /** What to do next about this very refusal, where more is known of it. */
  readonly hintFor?: ((answer: ApiAnswer) => string | undefined) | undefined;
  /** True for a refusal that comes again whenever the same request does, although its status says otherwise. */
  readonly isFinal?: ((answer: ApiAnswer) => boolean) | undefined;
  /** True for an answer that refuses the token although it is no 401. */
  readonly refusesToken?: ((answer: ApiAnswer) => boolean) | undefined;
  /** The API's own word for a refusal, safe to print. */
  readonly reasonOf?: ((answer: ApiAnswer) => string | undefined) | undefined;
}

/** What an API was asked, and by whom. */
export interface ApiCall {
  /** Below it stands the whole API; no slash at its end. */
  readonly baseUrl: string;
  /** What is asked, for messages: `the project "web" at api.datum.net`. */
  readonly what: string;
  /** Who asks, for messages: an e-mail or a session's name. */
  readonly who: string;
  /** Whom they act as, for messages, where the requests are made as somebody else's. */
  readonly actingAs?: string | undefined;
  /** What to do when a fresh token of theirs is refused, as a sentence; a new sign-in unless given. */
  readonly nextStep?: string | undefined;
  /** What its refusals say beyond their status. */
  readonly refusals: Refusals;
}

const PORTAL = "A proxy or captive portal may have answered; else check the API host.";

/** True for a status that passes by itself. */
export function isPassing(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** True when the server did not take the token. */
export function isUnauthenticated(answer: ApiAnswer, { refusesToken }: Refusals): boolean {
  return answer.status === 401 || refusesToken?.(answer) === true;
}

/** The `message` of an answer's JSON object, or its plain text, safe to print; empty when there is neither. */
export function messageOf(answer: ApiAnswer): string {
  const object = objectOf(answer);
  if (object !== undefined) return typeof object.message === "string" ? printable(object.message, 1000) : "";
  const text = textOf(answer).trim();
  return text.startsWith("<") ? "an HTML page" : printable(text);
}

/** The `cause` of a {@link refusal}: what it says for programs. */
export interface RefusedRequest {
  readonly status: number;
  /** The API's own word for it, such as `AlreadyExists`. */
  readonly reason: string | undefined;
}

/** What is known of a refusal; undefined for any other error. */
export function refusedRequest(error: unknown): RefusedRequest | undefined {
  const cause = error instanceof AppError ? error.cause : undefined;
  if (!isObject(cause) || typeof cause.status !== "number") return undefined;
  return { status: cause.status, reason: typeof cause.reason === "string" ? cause.reason : undefined };
}

/**
 * The error for an answer that is not a success: `SESSION_REJECTED` (401, or what else refuses the token), `FORBIDDEN`
 * (403), `NOT_FOUND` (404, 410), `ALREADY_EXISTS` and `CONFLICT` (409), `NETWORK` (429, 5xx, redirects), `INVALID` (the rest). Its cause is a
 * {@link RefusedRequest}.
 */
export function refusal(
  answer: ApiAnswer,
  { baseUrl, what, who, actingAs, nextStep, refusals }: ApiCall,
): AppError {
  const { status } = answer;
  const { host } = new URL(baseUrl);
  const message = messageOf(answer);
  const said = message === "" ? `(HTTP ${status})` : `(HTTP ${status}: ${message})`;
  const cause: RefusedRequest = { status, reason: refusals.reasonOf?.(answer) };
  if (isUnauthenticated(answer, refusals)) {
    return new AppError("SESSION_REJECTED", `${host} does not accept a fresh token of ${who} ${said}.`, {
      hint: nextStep ?? HINTS.SESSION_REJECTED.signInAgain,
      cause,
    });
  }
  if (status >= 300 && status < 400) {
    return new AppError(
      "NETWORK",
      `${host} answered for ${what} with a redirect (HTTP ${status}), which is not followed.`,
      { hint: PORTAL, cause },
    );
  }
  if (isPassing(status)) {
    return new AppError("NETWORK", `${host} cannot answer for ${what} now ${said}.`, {
      hint: "Run the same command again later.",
      cause,
    });
  }
  if (status === 409 && cause.reason === "AlreadyExists") {
    return new AppError("ALREADY_EXISTS", `There is something of that name in ${what} already ${said}.`, {
      hint: "Choose another name, or change what is there.",
      cause,
    });
  }
  const [code, sentence] = refusedAs(status, {
    host,
    what,
    who: actingAs === undefined ? who : `${who} as ${actingAs}`,
  });
  return new AppError(code, `${sentence} ${said}.`, {
    hint: refusals.hintFor?.(answer) ?? refusals.hints[code],
    cause,
  });
}

function refusedAs(
  status: number,
  { host, what, who }: Pick<ApiCall, "what" | "who"> & { readonly host: string },
): readonly [code: keyof Refusals["hints"], sentence: string] {
  switch (status) {
    case 403:
      return ["FORBIDDEN", `Not allowed: ${who} may not do this in ${what}`];
    case 404:
    case 410:
      return ["NOT_FOUND", `There is no such thing in ${what}`];
    case 409:
      return ["CONFLICT", `The request conflicts with what is in ${what}`];
    default:
      return ["INVALID", `${host} rejected this request for ${what} as invalid`];
  }
}

/** The error about a success whose body is no JSON object. */
export function notJson(answer: ApiAnswer, { baseUrl, what }: ApiCall): AppError {
  const type = (answer.headers.get("content-type") ?? "").split(";")[0] ?? "";
  const sent = answer.body.length === 0 ? "nothing" : type === "" ? "something" : `"${printable(type, 60)}"`;
  return new AppError(
    "NETWORK",
    `${new URL(baseUrl).host} answered for ${what} with ${sent} that is not a JSON object.`,
    { hint: PORTAL },
  );
}

/** The errors of requests that an API does not answer. */
export function requestErrors({ baseUrl, what }: ApiCall): RequestErrors {
  const { host } = new URL(baseUrl);
  return {
    address: (address, why) => new AppError("INVALID", `Nothing is sent to ${what}: ${address} ${why}.`),
    late: (proxy) =>
      noAnswer(host, {
        proxy,
        hint: "Run the same command again, with a longer --request-timeout if the server is slow.",
      }),
    tooLarge: (mebibytes) =>
      new AppError("NETWORK", `${host} sent more than ${mebibytes} MiB.`, {
        cause: { kind: "answer" } satisfies FailedRequest,
      }),
    broken: (cause) =>
      new AppError("NETWORK", `${host} closed the connection before its answer was complete.`, {
        hint: CHECK_NETWORK,
        cause,
      }),
  };
}
