/** Owns what an API's refusal is called: the error for each status, with the server's words and the API's own hints. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { type ApiAnswer, isObject, objectOf, textOf } from "./answer.ts";

/** What one API's refusals say beyond their status. */
export interface Refusals {
  /** What to do next, by what the refusal is called. */
  readonly hints: Readonly<Record<"FORBIDDEN" | "NOT_FOUND" | "CONFLICT" | "INVALID", string>>;
  /** True for an answer that refuses the token although it is no 401. */
  readonly refusesToken?: (answer: ApiAnswer) => boolean;
  /** The API's own word for a refusal, safe to print. */
  readonly reasonOf?: (answer: ApiAnswer) => string | undefined;
}

/** What was asked, by whom, of an API that refused it. */
export interface RefusedCall {
  readonly baseUrl: string;
  readonly what: string;
  readonly who: string;
  readonly remedy?: string | undefined;
  readonly refusals: Refusals;
}

/** What to do about a session whose fresh token is refused, where nothing better is known. */
export const USUAL_REMEDY = "Sign in again with datumctl login, or see who is active: datumctl auth list";

/** True for a status that passes by itself. */
export function isPassing(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** True when the server did not take the token. */
export function isUnauthenticated(answer: ApiAnswer, { refusesToken }: Refusals): boolean {
  return answer.status === 401 || refusesToken?.(answer) === true;
}

/** What a refusal says of itself: its status and {@link wordsOf}, safe to print. */
function saidBy(answer: ApiAnswer): string {
  const words = wordsOf(answer);
  return words === "" ? `HTTP ${answer.status}` : `HTTP ${answer.status}: ${words}`;
}

/** The `message` of an answer's JSON object, or its plain text, safe to print; empty when there is neither. */
export function wordsOf(answer: ApiAnswer): string {
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
  return isObject(cause) && typeof cause.status === "number" ? cause as unknown as RefusedRequest : undefined;
}

/**
 * What an answer that is not a success means.
 *
 * `SESSION_REJECTED` (401, or what refuses the token besides), `FORBIDDEN` (403), `NOT_FOUND` (404, 410),
 * `CONFLICT` (409), `NETWORK` (429, 5xx, redirects), `INVALID` (the rest); its cause is a {@link RefusedRequest}.
 */
export function refusal(
  answer: ApiAnswer,
  { baseUrl, what, who, remedy, refusals }: RefusedCall,
): AppError {
  const { status } = answer;
  const { host } = new URL(baseUrl);
  const said = saidBy(answer);
  const { hints } = refusals;
  const cause: RefusedRequest = { status, reason: refusals.reasonOf?.(answer) };
  if (isUnauthenticated(answer, refusals)) {
    return new AppError("SESSION_REJECTED", `${host} does not accept a fresh token of ${who} (${said}).`, {
      hint: remedy ?? USUAL_REMEDY,
      cause,
    });
  }
  if (status >= 300 && status < 400) {
    return new AppError(
      "NETWORK",
      `${host} answered for ${what} with a redirect (HTTP ${status}), which is not followed.`,
      { hint: "A proxy or captive portal may have answered; else check the API host.", cause },
    );
  }
  if (isPassing(status)) {
    return new AppError("NETWORK", `${host} cannot answer for ${what} now (${said}).`, {
      hint: "Run the same command again later.",
      cause,
    });
  }
  switch (status) {
    case 403:
      return new AppError("FORBIDDEN", `Not allowed: ${who} may not do this in ${what} (${said}).`, {
        hint: hints.FORBIDDEN,
        cause,
      });
    case 404:
    case 410:
      return new AppError("NOT_FOUND", `There is no such thing in ${what} (${said}).`, {
        hint: hints.NOT_FOUND,
        cause,
      });
    case 409:
      return new AppError("CONFLICT", `The request conflicts with what is in ${what} (${said}).`, {
        hint: hints.CONFLICT,
        cause,
      });
    default:
      return new AppError("INVALID", `${host} rejected this request for ${what} as invalid (${said}).`, {
        hint: hints.INVALID,
        cause,
      });
  }
}
