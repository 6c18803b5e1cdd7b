/** Owns the secrets that a request carries, and how they are kept out of words: a server may repeat what it was sent. */

/** A text without the secrets of one request, and without anything that looks like a JWT: for lines of our own. */
export interface HideSecrets {
  (text: string): string;
  /** What a server says in words, without pieces of those secrets either: cut, backwards, in other letters. */
  readonly words: (text: string) => string;
  /** What a server gives as data: without those secrets alone, for it may hold others that were asked for. */
  readonly data: (text: string) => string;
}

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

/**
 * What hides some secrets, however they are written: as they are, percent- or form-encoded, escaped for JSON, in base64 or
 * hexadecimal, a JWT without its header too. In words, whatever of them stands there in sixteen characters together.
 */
export function hidingSecrets(secrets: readonly string[]): HideSecrets {
  return hiding(() => secrets);
}

/** What hides the secrets that a request carries: in its header `Authorization` and its body, a form or JSON. */
export function hidingSecretsOf({ headers, body }: Pick<RequestInit, "headers" | "body"> = {}): HideSecrets {
  return hiding(() => [
    ...secretsOfHeader(new Headers(headers).get("authorization") ?? ""),
    ...secretsOfBody(body),
  ]);
}

function hiding(secretsOf: () => readonly string[]): HideSecrets {
  let secrets: readonly string[] | undefined;
  let known: readonly string[] | undefined;
  let pieces: ReadonlySet<string> | undefined;
  const longEnough = () => secrets ??= secretsOf().filter((one) => one.length >= SHORTEST_SECRET);
  const data = (text: string) => {
    known ??= [...new Set(longEnough().flatMap(spellings))].sort((a, b) => b.length - a.length);
    if (text.length < (known.at(-1)?.length ?? Infinity)) return text;
    return known.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
  };
  const line = (text: string) => data(text).replace(JWT, HIDDEN);
  const words = (text: string) => {
    const rest = line(text);
    if (rest.length < PIECE) return rest;
    return withoutPieces(rest, pieces ??= piecesOf(longEnough()));
  };
  return Object.assign(line, { words, data });
}

/** In characters; what of a secret is shorter says little of it, and can be any word. */
const PIECE = 16;

/** In characters; of a longer secret so much is looked for from both its ends. */
const LOOKED_FOR = 8192;

/** Every piece of these secrets as it can be written, in small letters. */
function piecesOf(secrets: readonly string[]): ReadonlySet<string> {
  const pieces = new Set<string>();
  for (const secret of secrets) {
    const ends = secret.length > 2 * LOOKED_FOR
      ? [secret.slice(0, LOOKED_FOR), secret.slice(-LOOKED_FOR)]
      : [secret];
    for (const end of ends) {
      for (const text of [end, [...end].reverse().join(""), ...encodings(end)]) {
        const small = inSmallLetters(text);
        for (let at = 0; at + PIECE <= small.length; at++) pieces.add(small.slice(at, at + PIECE));
      }
    }
  }
  return pieces;
}

function withoutPieces(text: string, pieces: ReadonlySet<string>): string {
  const small = inSmallLetters(text);
  let result = "";
  let kept = 0;
  let hiddenTo = 0;
  for (let at = 0; at + PIECE <= small.length; at++) {
    if (!pieces.has(small.slice(at, at + PIECE))) continue;
    if (at > hiddenTo || hiddenTo === 0) {
      result += text.slice(kept, at) + HIDDEN;
    }
    hiddenTo = kept = at + PIECE;
  }
  return result + text.slice(kept);
}

/** In Latin letters only: others can change a text's length. */
function inSmallLetters(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
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
    body: askedFor ? body : hiddenBody(body, hide.words),
  };
}

/** True for an answer that holds what was asked for: its body stays as it is, and may be long. */
export function isAskedFor(status: number): boolean {
  return status === 200 || status === 201;
}

function hiddenBody(body: Uint8Array<ArrayBuffer>, hide: (text: string) => string): Uint8Array<ArrayBuffer> {
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

function hiddenValue(
  value: unknown,
  depth: number,
  hide: (text: string) => string,
  tooDeep: () => string,
): unknown {
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
    ...encodings(secret),
    ...partsOfJwt(secret),
  ].filter((text) => text.length >= SHORTEST_SECRET);
}

/** In base64, both alphabets, wherever in a longer text it begins; and in hexadecimal digits. */
function encodings(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const base64 = [0, 1, 2].map((before) => {
    const text = btoa("\0".repeat(before) + letters);
    // What of it the bytes around do not change.
    return text.slice(Math.ceil(before * 8 / 6), Math.floor((before + bytes.length) * 8 / 6));
  });
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    digits,
    digits.toUpperCase(),
  ];
}

/** What makes a token of a JWT: all behind its header, which anybody can guess, and its signature. */
function partsOfJwt(secret: string): string[] {
  if (!/^eyJ[\w-]+(?:\.[\w-]*){2,4}$/.test(secret)) return [];
  return [secret.slice(secret.indexOf(".") + 1), secret.slice(secret.lastIndexOf(".") + 1)];
}
