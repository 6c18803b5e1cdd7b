/** Owns the question to an API server which token of a session it accepts, and whom it sees behind it. */

import { AppError } from "../errors.ts";
import type { Fetch } from "../system/network.ts";
import { type ApiAnswer, requestApi } from "./api-request.ts";

/** A way to reach an API server: a base URL and a token to try there. */
export interface Candidate<Choice> {
  readonly url: string;
  readonly token: string;
  /** What the caller learns when this one is accepted. */
  readonly choice: Choice;
}

/** What bounds the questions. */
export interface CheckBounds {
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** The first candidate that the server accepts, with the user name it sees. */
export interface Accepted<Choice> {
  readonly choice: Choice;
  readonly username: string;
}

/**
 * Asks a SelfSubjectReview (authentication.k8s.io/v1) with each candidate in turn until one is accepted.
 *
 * Throws `SESSION_REJECTED` when every token was refused, `FORBIDDEN`, `NOT_FOUND` when nothing answers under
 * those addresses, `NETWORK`; `what` names the target in the message.
 */
export async function firstAccepted<Choice>(
  fetch: Fetch,
  candidates: readonly Candidate<Choice>[],
  what: string,
  bounds: CheckBounds,
): Promise<Accepted<Choice>> {
  const refusals: { readonly token: string; readonly error: AppError }[] = [];
  for (const { url, token, choice } of candidates) {
    const answer = await requestApi(fetch, {
      ...bounds,
      url: `${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
      token,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
    });
    const username = answer.status === 200 || answer.status === 201 ? usernameOf(answer) : undefined;
    if (username !== undefined) return { choice, username };
    refusals.push({ token, error: refusalOf(answer, what, new URL(url).host) });
  }
  // A token that was refused once tells nothing of the target; what a token says that was not, does.
  const refused = new Set(
    refusals.filter(({ error }) => error.code === "SESSION_REJECTED").map(({ token }) => token),
  );
  const telling = refusals.filter(({ token }) => !refused.has(token));
  const order = ["NETWORK", "FORBIDDEN", "NOT_FOUND"];
  telling.sort((a, b) => order.indexOf(a.error.code) - order.indexOf(b.error.code));
  const [said] = telling.length > 0 ? telling : refusals;
  throw said?.error ?? new AppError("INTERNAL", "There was no token to try.");
}

function usernameOf({ json }: ApiAnswer): string | undefined {
  const status = json?.status;
  const info = typeof status === "object" && status !== null && "userInfo" in status
    ? status.userInfo
    : undefined;
  const name = typeof info === "object" && info !== null && "username" in info ? info.username : undefined;
  return typeof name === "string" && name !== "" && name !== "system:anonymous" ? name : undefined;
}

/** What a refusal means (datum: a bad token is a 401, or a 403 as `system:anonymous`). */
function refusalOf({ status, json, message }: ApiAnswer, what: string, host: string): AppError {
  const said = message === "" ? `HTTP ${status}` : `HTTP ${status}: ${message}`;
  const anonymous = message.includes("system:anonymous");
  if (status === 401 || (status === 403 && anonymous) || (status < 300 && json !== undefined)) {
    return new AppError(
      "SESSION_REJECTED",
      `${host} does not accept the session's token for ${what} (${said}).`,
      {
        hint: "Sign in again with datumctl login, or see who is active: datumctl auth list",
      },
    );
  }
  if (status >= 500 || status === 429) {
    return new AppError("NETWORK", `${host} cannot answer now (${said}).`, {
      hint: "Run the same command again later.",
    });
  }
  if (status === 403 && json !== undefined) {
    return new AppError("FORBIDDEN", `The session may not use ${what} at ${host} (${said}).`, {
      hint: "Ask the organization's owner for access, or sign in as somebody else.",
    });
  }
  return new AppError(
    "NOT_FOUND",
    `Cannot find ${what} at ${host}, or the session may not see it (${said}).`,
    {
      hint: "Check the id. --skip-validation writes the entry without asking the server.",
    },
  );
}
