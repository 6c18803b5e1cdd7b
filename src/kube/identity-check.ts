/** Finds which token of a session an API server accepts, and whom the server sees behind it. */

import { isObject } from "../encoding.ts";
import { type ApiAnswer, objectOf } from "../http/api-answer.ts";
import { type ApiClient, type ClientOptions, openApiClient, type RequestLimits } from "../http/api-client.ts";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { SERVER_HINTS } from "../server-hints.ts";
import type { ServerKind } from "../kubeconfig/target.ts";
import type { Fetch } from "../system/network.ts";
import { kubernetesRefusals } from "./refusal.ts";

// A token that may ask either of these was accepted. The first also tells whom the server sees; it is served since
// Kubernetes 1.28, as v1beta1 since 1.27. The last is as old as RBAC and open to every authenticated user.
const REVIEWS = [
  { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
  { apiVersion: "authentication.k8s.io/v1beta1", kind: "SelfSubjectReview" },
  {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { verb: "list", resource: "namespaces" } },
  },
] as const;

/** A way to reach an API server: a base URL and a token to try. */
export interface Candidate<Choice> {
  readonly url: string;
  readonly token: string;
  /** The caller's choice that this candidate stands for. */
  readonly choice: Choice;
}

/** The first candidate that the server accepts, with the user name that the server sees, if it tells. */
export interface Accepted<Choice> {
  readonly choice: Choice;
  readonly username?: string | undefined;
}

/**
 * Asks a SelfSubjectReview with each candidate in turn until one is accepted. An API server that has none, or
 * grants it to nobody, is asked a SelfSubjectAccessReview.
 *
 * @param what the target, for messages
 * @throws {AppError} `SESSION_REJECTED` when every token was refused, `FORBIDDEN`, `NOT_FOUND` when nothing answers
 * at those addresses, `NETWORK`.
 */
export async function firstAccepted<Choice>(
  fetch: Fetch,
  candidates: readonly Candidate<Choice>[],
  what: string,
  limits: RequestLimits & Pick<ClientOptions, "nextStep">,
  kind: ServerKind = "control-plane",
): Promise<Accepted<Choice>> {
  const refusals: { readonly token: string; readonly error: AppError }[] = [];
  for (const { url, token, choice } of candidates) {
    const client = openApiClient({
      ...limits,
      baseUrl: url,
      what,
      who: "the session",
      refusals: kubernetesRefusals(STEPS[kind]),
      fetch,
      token: () => Promise.resolve(token),
    });
    const answer = await review(client, kind);
    const accepted = acceptance(answer);
    if (accepted !== undefined) return { choice, ...accepted };
    refusals.push({ token, error: refusalOf(client, answer, kind, limits.nextStep) });
  }
  // A refused token says nothing about the target; the answer to another token does.
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
async function review(client: ApiClient, kind: ServerKind): Promise<ApiAnswer> {
  const [first, ...others] = kind === "api-server" ? REVIEWS : [REVIEWS[0]];
  const ask = (body: (typeof REVIEWS)[number]) =>
    client.send({
      method: "POST",
      path: `/apis/${body.apiVersion}/${body.kind.toLowerCase()}s`,
      body: JSON.stringify(body),
      safe: true,
    });
  let answer = await ask(first);
  for (const other of others) {
    const { code } = client.refusal(answer);
    if (answer.status < 300 || (code !== "NOT_FOUND" && code !== "FORBIDDEN")) break;
    answer = await ask(other);
  }
  return answer;
}

/** The caller's identity, when an answer shows that the token was accepted. */
function acceptance(answer: ApiAnswer): { readonly username?: string | undefined } | undefined {
  const status = objectOf(answer)?.status;
  if ((answer.status !== 200 && answer.status !== 201) || !isObject(status)) return undefined;
  if (typeof status.allowed === "boolean") return {};
  const name = isObject(status.userInfo) ? status.userInfo.username : undefined;
  return typeof name === "string" && name !== "" && name !== "system:anonymous"
    ? { username: name }
    : undefined;
}

/** The next step when a target is refused or missing; its entry can be written without asking. */
const STEPS = {
  "control-plane": {
    FORBIDDEN: SERVER_HINTS.FORBIDDEN.controlPlane,
    NOT_FOUND: SERVER_HINTS.NOT_FOUND.controlPlane,
  },
  "api-server": { FORBIDDEN: SERVER_HINTS.FORBIDDEN.apiServer, NOT_FOUND: SERVER_HINTS.NOT_FOUND.apiServer },
} as const;

/** The error of a refusal when the target itself may be wrong. */
function refusalOf(
  client: ApiClient,
  answer: ApiAnswer,
  kind: ServerKind,
  nextStep: string | undefined,
): AppError {
  const error = client.refusal(answer);
  const object = objectOf(answer);
  const { host } = new URL(client.baseUrl);
  if (answer.status < 300 && object !== undefined) {
    return new AppError(
      "SESSION_REJECTED",
      `${host} treats the session's token as anonymous in ${client.what}.`,
      { hint: nextStep ?? HINTS.SESSION_REJECTED.signInAgain },
    );
  }
  // Servers answer an unknown id with 400, or with 403 in plain text.
  const isClear = error.code === "SESSION_REJECTED" || error.code === "NETWORK" ||
    (error.code === "FORBIDDEN" && object !== undefined);
  if (isClear) return error;
  const code = error.code === "FORBIDDEN" ? error.code : "NOT_FOUND";
  return new AppError(
    code,
    `Cannot find ${client.what} at ${host}, or the session may not see it (HTTP ${answer.status}).`,
    { hint: STEPS[kind][code], cause: error },
  );
}
