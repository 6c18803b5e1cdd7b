/** Owns the secrets that a request carries, and how they are kept out of words: a server may repeat what it was sent. */

/** A text without the secrets of one request, and without anything that looks like a JWT. */
export type HideSecrets = (text: string) => string;

/** The parts of a request's body that are secrets, and nobody's name for anything. */
const SECRET_FIELDS = [
  "access_token",
  "actor_token",
  "assertion",
  "client_assertion",
  "client_secret",
  "code",
  "code_verifier",
  "device_code",
  "id_token",
  "password",
  "refresh_token",
  "subject_token",
  "token",
];

/** In characters; what is shorter could be any word, and is not hidden. */
export const SHORTEST_SECRET = 8;

/** `eyJ` begins every JOSE header; it is looked for only where a word begins, so that no text is read twice. */
const JWT = /(?<![\w-])eyJ[\w-]+(?:\.[\w-]*){2,}/g;

const HIDDEN = "…";

/** What servers say in so many words, and others compare: a secret that happens to be such a word is told by none. */
const PUBLIC_CODES = new Set([
  ...["interaction_required", "login_required", "consent_required", "account_selection_required"],
  ...["authorization_declined", "code_expired"],
  ...[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "invalid_token",
    "access_denied",
  ],
  ...["unauthorized_client", "unsupported_grant_type", "unsupported_token_type", "server_error"],
  ...[
    "temporarily_unavailable",
    "authorization_pending",
    "authorization_expired",
    "slow_down",
    "expired_token",
  ],
]);

/** How deep words are looked for in an answer; nobody reads them from below. */
const DEEPEST = 8;

/** What hides some secrets, however they are written: as they are, percent- or form-encoded, escaped for JSON. */
export function hidingSecrets(secrets: readonly string[]): HideSecrets {
  let known: readonly string[] | undefined;
  return (text) => {
    known ??= [...new Set(secrets.filter((one) => one.length >= SHORTEST_SECRET).flatMap(spellings))]
      .sort((a, b) => b.length - a.length);
    const hidden = known.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
    return hidden.replace(JWT, HIDDEN);
  };
}

/** What hides the secrets that a request carries: in its header `Authorization` and its body, a form or JSON. */
export function hidingSecretsOf({ headers, body }: Pick<RequestInit, "headers" | "body"> = {}): HideSecrets {
  let hide: HideSecrets | undefined;
  return (text) => {
    hide ??= hidingSecrets([
      ...secretsOfHeader(new Headers(headers).get("authorization") ?? ""),
      ...secretsOfBody(body),
    ]);
    return hide(text);
  };
}

/** An answer as it was read. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * An answer of which nothing that is said repeats a secret: its content type, and all of its body unless it holds what
 * was asked for, as it does with status 200 or 201 unless told otherwise.
 */
export function withoutSecrets<Answer extends ReadAnswer>(
  answer: Answer,
  hide: HideSecrets,
  askedFor = isAskedFor(answer.status),
): Answer {
  const { headers, body } = answer;
  const type = headers.get("content-type") ?? "";
  const named = new Headers(headers);
  if (hide(type) !== type) named.delete("content-type");
  return {
    ...answer,
    headers: named,
    body: askedFor ? body : hiddenBody(body, hide),
  };
}

/** True for an answer that holds what was asked for: its body stays as it is, and may be long. */
export function isAskedFor(status: number): boolean {
  return status === 200 || status === 201;
}

function hiddenBody(body: Uint8Array<ArrayBuffer>, hide: HideSecrets): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder().decode(body);
  // Read first, so that no way to escape a letter hides a secret from us.
  const json = decoded<unknown>(JSON.parse, text);
  let found = false;
  const hidden = hiddenValue(json === undefined ? text : json, DEEPEST, (text) => {
    const rest = PUBLIC_CODES.has(text) ? text : hide(text);
    found ||= rest !== text;
    return rest;
  }, () => {
    found = true;
    return HIDDEN;
  });
  if (!found) return body;
  return new TextEncoder().encode(json === undefined ? String(hidden) : JSON.stringify(hidden));
}

function hiddenValue(value: unknown, depth: number, hide: HideSecrets, tooDeep: () => string): unknown {
  if (typeof value === "string") return hide(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return tooDeep();
  const inner = (member: unknown) => hiddenValue(member, depth - 1, hide, tooDeep);
  return Array.isArray(value)
    ? value.map(inner)
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [hide(name), inner(member)]));
}

/** What stands behind the scheme; of `Basic` the secret in it too, as it was sent and as it was meant. RFC 7617, 2. */
function secretsOfHeader(value: string): string[] {
  const [, scheme = "", credentials = ""] = /^(\S+) +(.*)$/.exec(value) ?? [];
  if (credentials === "") return [value];
  if (scheme.toLowerCase() !== "basic") return [credentials];
  const secret = decoded(atob, credentials)?.split(/:(.*)/s)[1] ?? "";
  const meant = decoded(decodeURIComponent, secret.replaceAll("+", " ")) ?? secret;
  return [credentials, credentials.replace(/=+$/, ""), secret, meant];
}

function decoded<Value>(decode: (text: string) => Value, text: string): Value | undefined {
  try {
    return decode(text);
  } catch {
    return undefined;
  }
}

function secretsOfBody(body: unknown): string[] {
  if (body instanceof URLSearchParams) return SECRET_FIELDS.flatMap((name) => body.getAll(name));
  if (typeof body !== "string") return [];
  const json = decoded<unknown>(JSON.parse, body);
  if (typeof json !== "object" || json === null) return secretsOfBody(new URLSearchParams(body));
  const fields = json as Readonly<Record<string, unknown>>;
  return SECRET_FIELDS.map((name) => fields[name]).filter((value) => typeof value === "string");
}

function spellings(secret: string): string[] {
  const encoded = [
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams([["", secret]]).toString().slice("=".length),
  ];
  const quoted = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    quoted,
    // As Go writes JSON.
    quoted.replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`),
    ...encoded,
    ...encoded.map((text) => text.replace(/%../g, (byte) => byte.toLowerCase())),
  ];
}
