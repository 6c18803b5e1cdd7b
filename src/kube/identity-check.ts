/** Owns the question to an API server which token of a session it accepts, and whom it sees behind it. */

import { AppError } from "../errors.ts";
import type { Fetch } from "../system/network.ts";
import { type ApiAnswer, requestApi } from "./api-request.ts";

// A token that may ask either of these was accepted. The first also tells whom the server sees: it is served since
// Kubernetes 1.28, as v1beta1 since 1.27. The last is as old as RBAC, and open to everybody who is authenticated.
const REVIEWS = [
  { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
  { apiVersion: "authentication.k8s.io/v1beta1", kind: "SelfSubjectReview" },
  {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { verb: "list", resource: "namespaces" } },
  },
] as const;

/** What can be asked of a server: of a control plane the first review alone, of an ordinary API server any. */
export type ServerKind = "control-plane" | "api-server";

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

/** The first candidate that the server accepts, with the user name it sees, where it can tell. */
export interface Accepted<Choice> {
  readonly choice: Choice;
  readonly username?: string;
}

/**
 * Asks a SelfSubjectReview with each candidate in turn until one is accepted; of an API server that has none, or
 * grants it to nobody, a SelfSubjectAccessReview.
 *
 * Throws `SESSION_REJECTED` when every token was refused, `FORBIDDEN`, `NOT_FOUND` when nothing answers under
 * those addresses, `NETWORK`; `what` names the target in the message.
 */
export async function firstAccepted<Choice>(
  fetch: Fetch,
  candidates: readonly Candidate<Choice>[],
  what: string,
  bounds: CheckBounds,
  kind: ServerKind = "control-plane",
): Promise<Accepted<Choice>> {
  const refusals: { readonly token: string; readonly error: AppError }[] = [];
  for (const { url, token, choice } of candidates) {
    const answer = await review(fetch, url, token, bounds, kind);
    const accepted = acceptance(answer);
    if (accepted !== undefined) return { choice, ...accepted };
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

/** The answer of the first review that the server has. */
async function review(
  fetch: Fetch,
  url: string,
  token: string,
  bounds: CheckBounds,
  kind: ServerKind,
): Promise<ApiAnswer> {
  let answer: ApiAnswer | undefined;
  for (const body of kind === "api-server" ? REVIEWS : REVIEWS.slice(0, 1)) {
    const address = `${url}/apis/${body.apiVersion}/${body.kind.toLowerCase()}s`;
    answer = await requestApi(fetch, { ...bounds, url: address, token, body });
    const askedInVain = answer.status === 404 || (answer.status === 403 && !isAnonymous(answer));
    if (!askedInVain) break;
  }
  return answer ?? { status: 404, json: undefined, message: "" };
}

/** What an answer says when it shows that the token was accepted. */
function acceptance({ status: code, json }: ApiAnswer): { readonly username?: string } | undefined {
  const status = json?.status;
  if ((code !== 200 && code !== 201) || typeof status !== "object" || status === null) return undefined;
  if ("allowed" in status && typeof status.allowed === "boolean") return {};
  const info = "userInfo" in status ? status.userInfo : undefined;
  const name = typeof info === "object" && info !== null && "username" in info ? info.username : undefined;
  return typeof name === "string" && name !== "" && name !== "system:anonymous"
    ? { username: name }
    : undefined;
}

function isAnonymous({ message }: ApiAnswer): boolean {
  return message.includes("system:anonymous");
}

/** What a refusal means (datum: a bad token is a 401, or a 403 as `system:anonymous`). */
function refusalOf(answer: ApiAnswer, what: string, host: string): AppError {
  const { status, json, message } = answer;
  const said = message === "" ? `HTTP ${status}` : `HTTP ${status}: ${message}`;
  if (status === 401 || (status === 403 && isAnonymous(answer)) || (status < 300 && json !== undefined)) {
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
      hint: "Ask whoever runs it for access, or sign in as somebody else.",
    });
  }
  return new AppError(
    "NOT_FOUND",
    `Cannot find ${what} at ${host}, or the session may not see it (${said}).`,
    {
      hint: "Check what was named. --skip-validation writes the entry without asking the server.",
    },
  );
}
