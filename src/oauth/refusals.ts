/** The meaning of refusals, by a table of what issuers really answer; and their own words. */

import { isObject } from "../encoding.ts";
import { printable } from "../text.ts";

/** A refusal as the issuer sent it. */
export interface Refusal {
  /** The HTTP status; undefined for a refusal that came through the browser. */
  readonly status?: number | undefined;
  /** The code, such as `invalid_grant`; empty when there is none. RFC 6749, 5.2. */
  readonly error: string;
  /** The text beside the code, for people. */
  readonly description: string;
}

/** What was requested: the same words mean one thing for a person's session and another for a machine's key. */
export type Occasion =
  /** A person's sign-in, as the browser brings the answer back. */
  | "way-back"
  /** A person's sign-in otherwise: the exchange of the code, the request for a device code. */
  | "sign-in"
  /** The poll whether a device code was approved. */
  | "poll"
  | "refresh"
  /** The exchange of a machine's credential for a token. */
  | "credential"
  /** The same with a signed assertion. RFC 7523. */
  | "assertion"
  /** The same with nothing but the credential. */
  | "bare-credential";

/** The meaning of a refusal. */
export type Meaning =
  /** It passes by itself. */
  | "passing"
  /** The session is over: only a sign-in helps. */
  | "over"
  /** A machine's credential is not accepted. */
  | "credential"
  /** The client, or its secret, is not accepted. */
  | "client"
  /** The client is known but not allowed, or its whole realm is disabled. */
  | "disabled"
  /** The issuer does not grant a requested scope. */
  | "scope"
  /** The issuer does not know the parameters of PKCE. */
  | "pkce"
  | "pending"
  | "slow-down"
  /** The person, or an administrator's rule, declined. */
  | "declined"
  /** The device code expired. */
  | "ran-out"
  | "other";

/** A row applies when all of its members do. */
interface Row {
  readonly on?: readonly Occasion[] | undefined;
  readonly status?: readonly number[] | undefined;
  readonly error?: readonly string[] | undefined;
  /** A test of the description. */
  readonly says?: ((description: string) => boolean) | undefined;
  readonly means: Meaning;
}

/** Statuses below 500 that pass by themselves, whatever the body says. RFC 9110, 15.5.9; RFC 8470; RFC 6585, 4. */
export const PASSING_STATUSES: readonly number[] = [408, 425, 429];

const MACHINES = ["credential", "assertion", "bare-credential"] as const;
const PEOPLE = ["way-back", "sign-in", "poll"] as const;

/** The first row that applies counts. */
const ROWS: readonly Row[] = [
  { status: PASSING_STATUSES, means: "passing" },
  { error: ["temporarily_unavailable", "server_error"], means: "passing" },

  // RFC 8628, 3.5; the longer codes are Microsoft Entra's.
  { on: ["poll"], error: ["authorization_pending"], means: "pending" },
  { on: ["poll"], error: ["slow_down"], means: "slow-down" },
  { on: ["poll"], error: ["expired_token", "code_expired"], means: "ran-out" },
  { on: ["way-back", "poll"], error: ["access_denied", "authorization_declined"], means: "declined" },

  // `interaction_required` and its like: OpenID Connect Core 1.0, 3.1.2.6, which Entra answers to a refresh, too.
  {
    on: ["refresh"],
    error: [
      "invalid_grant",
      "interaction_required",
      "login_required",
      "consent_required",
      "account_selection_required",
      "invalid_token",
    ],
    means: "over",
  },
  // ZITADEL answers every error of its own below 500 with `invalid_request`; a 403 is about what a person may do.
  { on: ["refresh"], status: [403], error: ["invalid_request"], means: "other" },
  { on: ["refresh"], error: ["invalid_request"], says: isOverAtZitadel, means: "over" },
  // Dex, among others.
  { on: ["refresh"], error: ["invalid_request"], says: namesDeadRefreshToken, means: "over" },

  {
    on: ["assertion"],
    status: [400, 404],
    error: ["invalid_request"],
    says: isUnknownKeyAtZitadel,
    means: "credential",
  },
  {
    on: MACHINES,
    error: ["invalid_client", "unauthorized_client", "invalid_grant", "access_denied", "invalid_token"],
    means: "credential",
  },
  { on: ["bare-credential"], status: [400, 422], means: "credential" },
  { on: MACHINES, status: [401, 403], means: "credential" },

  { error: ["invalid_client", "unauthorized_client"], means: "client" },
  { error: ["access_denied"], means: "disabled" },
  { error: ["invalid_scope"], means: "scope" },
  // Amazon Cognito.
  { error: ["invalid_request"], says: (text) => /^invalid_scope\b/i.test(text), means: "scope" },
  {
    on: PEOPLE,
    error: ["invalid_request"],
    says: (text) => /code[_ ](?:challenge|verifier)/i.test(text),
    means: "pkce",
  },
  { status: [401], means: "client" },
];

/** The meaning of a refusal, given what was requested. */
export function meaningOf(occasion: Occasion, refusal: Refusal): Meaning {
  const { status, error, description } = refusal;
  const row = ROWS.find((row) =>
    (row.on === undefined || row.on.includes(occasion)) &&
    (row.status === undefined || (status !== undefined && row.status.includes(status))) &&
    (row.error === undefined || row.error.includes(error)) &&
    (row.says === undefined || row.says(description))
  );
  return row?.means ?? "other";
}

/** ZITADEL's codes for what a sign-in solves: the session, the person or the token has changed. */
function isOverAtZitadel(description: string): boolean {
  return /^Errors\.(?:OIDCSession|Session|User|Token|RefreshToken)\./.test(description);
}

function isUnknownKeyAtZitadel(description: string): boolean {
  return /^Errors\.(?:AuthNKey|Key|Machine|Token|User)\./.test(description);
}

/** A refresh token that is called missing is our fault, or a proxy's; one that is called dead is dead. */
function namesDeadRefreshToken(description: string): boolean {
  return /\brefresh[ _-]?token(?! grant)/i.test(description) && DEAD.test(description) &&
    !/\b(?:missing|required|absent|empty|grant[ _-]?type)\b/i.test(description);
}

const DEAD =
  /\b(?:invalid|not valid|no longer valid|expired|revoked|claimed|unknown|inactive|reused?|does not exist|not found(?! in)|token(?: \w+){0,3} used)\b/i;

/** True when a refusal mentions a secret. */
export function speaksOfSecret({ error, description }: Refusal): boolean {
  return /secret|credential|authenticat/i.test(`${error} ${description}`);
}

/**
 * The refusal in an answer's JSON; undefined when it names no error. Beside `error` and `error_description` (RFC
 * 6749, 5.2), an error may be an object (Google), or `errorCode` and `errorSummary` (Okta).
 */
export function refusalIn(
  json: Readonly<Record<string, unknown>>,
  status?: number,
): Refusal | undefined {
  const { error: named, errorCode, errorSummary } = json;
  let [error, description] = [text(named), text(json.error_description)];
  if (isObject(named)) {
    error = text(named.code) || text(named.status) || text(named.error) || text(named.type);
    description ||= text(named.message) || text(named.error_description);
  }
  if (error === "" && description === "") [error, description] = [text(errorCode), text(errorSummary)];
  return error === "" && description === "" ? undefined : { status, error, description };
}

/** The refusal in an answer that is one, even when it says little or nothing. */
export function refusalOf(json: Readonly<Record<string, unknown>>, status: number): Refusal {
  return refusalIn(json, status) ?? { status, error: "", description: text(json.message) };
}

/** True for JSON that names an error, whatever its status: some issuers refuse with a 200. */
export function namesError(json: Readonly<Record<string, unknown>>): boolean {
  const refusal = refusalIn(json);
  return refusal !== undefined && (refusal.error !== "" || typeof json.error === "object");
}

/** The issuer's own words, safe to print: `invalid_grant: The token has expired`. */
export function refusalText({ error, description }: Refusal): string {
  const why = printable(description).replace(/\.+$/, "");
  const said = [printable(error, 100), why].filter((part) => part !== "").join(": ");
  return said === "" ? "no reason given" : said;
}

/**
 * The scopes to request instead when an issuer refuses one: without those that it names, else without the one that
 * many issuers do not know. Undefined when no scope can be left out.
 */
export function otherScopes(asked: readonly string[], { description }: Refusal): string[] | undefined {
  // Google also lists the valid ones.
  const listed = /\binvalid\w*\s*[=:]\s*\[([^\]]*)\]/i.exec(description)?.[1] ?? description;
  const words = listed.split(/[\s,;"'`[\]{}()]+/).map((word) => word.replace(/[.:]+$/, ""));
  const named = asked.filter((scope) => words.includes(scope));
  // Keycloak repeats all requested scopes.
  const refused = named.length > 0 && named.length < asked.length ? named : ["offline_access"];
  const rest = asked.filter((scope) => !refused.includes(scope));
  return rest.length > 0 && rest.length < asked.length && rest.includes("openid") ? rest : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
