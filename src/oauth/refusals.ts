/** What a refusal means, by a table of what issuers really answer; and the words in which they say it. */

import { printable } from "../text.ts";

/** A refusal as an issuer put it. */
export interface Refusal {
  /** The HTTP status; absent for what came by the browser. */
  readonly status?: number | undefined;
  /** The code, such as `invalid_grant`; empty where there is none. RFC 6749, 5.2. */
  readonly error: string;
  /** What stands beside the code, for people. */
  readonly description: string;
}

/** What was asked for: the same words mean one thing of a person's session and another of a machine's key. */
export type Occasion =
  /** A person's sign-in, as the browser brings it back. */
  | "way-back"
  /** A person's sign-in otherwise: the exchange of the code, the request for a device code. */
  | "sign-in"
  /** The question whether a device code was approved. */
  | "poll"
  | "refresh"
  /** A machine's credential, traded for a token. */
  | "credential"
  /** The same, where the credential is a signed assertion. RFC 7523. */
  | "assertion"
  /** The same, where nothing but the credential is sent. */
  | "bare-credential";

/** What a refusal means. */
export type Meaning =
  /** It passes by itself. */
  | "passing"
  /** The session is over: nothing but a sign-in helps. */
  | "over"
  /** A machine's credential is not accepted. */
  | "credential"
  /** The client, or its secret, is not accepted. */
  | "client"
  /** The client is known, and not allowed; or all of its realm is switched off. */
  | "disabled"
  /** A scope was asked for that the issuer does not give. */
  | "scope"
  /** The parameters of PKCE are not known there. */
  | "pkce"
  | "pending"
  | "slow-down"
  /** The person, or somebody in their place, said no. */
  | "declined"
  /** The device code ran out. */
  | "ran-out"
  | "other";

/** A row holds where all of its members do. */
interface Row {
  readonly on?: readonly Occasion[] | undefined;
  readonly status?: readonly number[] | undefined;
  readonly error?: readonly string[] | undefined;
  /** Of the description. */
  readonly says?: ((description: string) => boolean) | undefined;
  readonly means: Meaning;
}

/** Statuses below 500 that pass by themselves, whatever the body says. RFC 9110, 15.5.9; RFC 8470; RFC 6585, 4. */
export const PASSING_STATUSES: readonly number[] = [408, 425, 429];

const MACHINES = ["credential", "assertion", "bare-credential"] as const;
const PEOPLE = ["way-back", "sign-in", "poll"] as const;

/** Read from the top: the first row that holds counts. */
const ROWS: readonly Row[] = [
  { status: PASSING_STATUSES, means: "passing" },
  { error: ["temporarily_unavailable", "server_error"], means: "passing" },

  // RFC 8628, 3.5; the longer words are Microsoft Entra's.
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
  // ZITADEL makes `invalid_request` of every error of its own below 500; a 403 is about what a person may do.
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

/** What a refusal means, given what was asked for. */
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

/** ZITADEL's codes for what a sign-in mends: the session, the person or the token is not what it was. */
function isOverAtZitadel(description: string): boolean {
  return /^Errors\.(?:OIDCSession|Session|User|Token|RefreshToken)\./.test(description);
}

function isUnknownKeyAtZitadel(description: string): boolean {
  return /^Errors\.(?:AuthNKey|Key|Machine|Token|User)\./.test(description);
}

/** A refresh token that is called missing is a fault of ours, or of a proxy; one that is called dead is dead. */
function namesDeadRefreshToken(description: string): boolean {
  return /\brefresh[ _-]?token(?! grant)/i.test(description) && DEAD.test(description) &&
    !/\b(?:missing|required|absent|empty|grant[ _-]?type)\b/i.test(description);
}

const DEAD =
  /\b(?:invalid|not valid|no longer valid|expired|revoked|claimed|unknown|inactive|reused?|does not exist|not found(?! in)|token(?: \w+){0,3} used)\b/i;

/** True when a secret plays a part in a refusal, as far as its words tell. */
export function speaksOfSecret({ error, description }: Refusal): boolean {
  return /secret|credential|authenticat/i.test(`${error} ${description}`);
}

/**
 * The refusal that an answer's JSON holds; undefined when it names no error. Beside `error` and `error_description`
 * (RFC 6749, 5.2) an error may be an object (Google), or `errorCode` and `errorSummary` (Okta).
 */
export function refusalIn(
  json: Readonly<Record<string, unknown>>,
  status?: number,
): Refusal | undefined {
  const { error: named, errorCode, errorSummary } = json;
  let [error, description] = [text(named), text(json.error_description)];
  if (typeof named === "object" && named !== null) {
    const inner = named as Readonly<Record<string, unknown>>;
    error = text(inner.code) || text(inner.status) || text(inner.error) || text(inner.type);
    description ||= text(inner.message) || text(inner.error_description);
  }
  if (error === "" && description === "") [error, description] = [text(errorCode), text(errorSummary)];
  return error === "" && description === "" ? undefined : { status, error, description };
}

/** The refusal of an answer that is one, whether it says much or nothing. */
export function refusalOf(json: Readonly<Record<string, unknown>>, status: number): Refusal {
  return refusalIn(json, status) ?? { status, error: "", description: text(json.message) };
}

/** True for JSON that names an error, whatever its status: some issuers refuse with a 200. */
export function namesError(json: Readonly<Record<string, unknown>>): boolean {
  const refusal = refusalIn(json);
  return refusal !== undefined && (refusal.error !== "" || typeof json.error === "object");
}

/** The issuer's own words, safe to print: `invalid_grant: The token has expired`. */
export function wordsOf({ error, description }: Refusal): string {
  const said = printable(description).replace(/\.+$/, "");
  const words = [printable(error, 100), said].filter((part) => part !== "").join(": ");
  return words === "" ? "no reason given" : words;
}

/**
 * The scopes to ask for instead, where an issuer refuses one: without those that it names, else without the one that
 * many do not know. Undefined when nobody can say which to leave out.
 */
export function otherScopes(asked: readonly string[], { description }: Refusal): string[] | undefined {
  // Google lists the valid ones, too.
  const listed = /\binvalid\w*\s*[=:]\s*\[([^\]]*)\]/i.exec(description)?.[1] ?? description;
  const words = listed.split(/[\s,;"'`[\]{}()]+/).map((word) => word.replace(/[.:]+$/, ""));
  const named = asked.filter((scope) => words.includes(scope));
  // Keycloak repeats all that was asked for.
  const refused = named.length > 0 && named.length < asked.length ? named : ["offline_access"];
  const rest = asked.filter((scope) => !refused.includes(scope));
  return rest.length > 0 && rest.length < asked.length && rest.includes("openid") ? rest : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
