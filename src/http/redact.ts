/** Redaction of the secrets that a request carries, in logs and errors: a server may repeat what it was sent. */

import { isObject } from "../encoding.ts";

/** Takes the secrets of one request, and anything that looks like a JWT, out of a text: for lines of our own. */
export interface Redactor {
  (text: string): string;
  /** For a server's own sentences: takes out pieces of those secrets, too, backwards and in other encodings. */
  readonly prose: (text: string) => string;
  /** For a server's data: takes out those secrets alone, because the data may hold others that were asked for. */
  readonly data: (text: string) => string;
}

/** The fields of a request's body that are secrets. */
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

/** In characters; a shorter secret could be any word, and is not redacted. */
export const SHORTEST_SECRET = 8;

/** `eyJ` begins every JOSE header; only the beginnings of words are tried, so that no text is read twice. */
const JWT = /(?<![\w-])eyJ[\w-]+(?:\.[\w-]*){2,}/g;

const REDACTED = "…";

/** Codes of OAuth that decide what an answer means; one stays even where some secret happens to be the same word. */
const PUBLIC_CODES = new Set(
  [
    "interaction_required login_required consent_required account_selection_required",
    "authorization_declined code_expired",
    "invalid_request invalid_client invalid_grant invalid_scope invalid_token access_denied",
    "unauthorized_client unsupported_grant_type unsupported_token_type server_error",
    "temporarily_unavailable authorization_pending authorization_expired slow_down expired_token",
  ].flatMap((line) => line.split(" ")),
);

/** In levels; what is nested deeper is redacted unread, because nobody reads an error from there. */
const DEEPEST = 8;

/**
 * A redactor of some secrets in every spelling: plain, percent- or form-encoded, escaped for JSON, in base64 or
 * hexadecimal, a JWT also without its header. In prose it redacts every sixteen characters of them, too.
 */
export function redactorOf(secrets: readonly string[]): Redactor {
  return makeRedactor(() => secrets);
}

/** A redactor of the secrets that a request carries: in its header `Authorization` and its body, a form or JSON. */
export function requestRedactor({ headers, body }: Pick<RequestInit, "headers" | "body"> = {}): Redactor {
  return makeRedactor(() => [
    ...secretsOfHeader(new Headers(headers).get("authorization") ?? ""),
    ...secretsOfBody(body),
  ]);
}

/** The secrets are looked for at the first text: most requests are never written about. */
function makeRedactor(secretsOf: () => readonly string[]): Redactor {
  let secrets: readonly string[] | undefined;
  let known: readonly string[] | undefined;
  let pieces: ReadonlySet<string> | undefined;
  const longEnough = () => secrets ??= secretsOf().filter((one) => one.length >= SHORTEST_SECRET);
  const data = (text: string) => {
    known ??= [...new Set(longEnough().flatMap(spellings))].sort((a, b) => b.length - a.length);
    if (text.length < (known.at(-1)?.length ?? Infinity)) return text;
    return known.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
  };
  const line = (text: string) => data(text).replace(JWT, REDACTED);
  const prose = (text: string) => {
    const rest = line(text);
    if (rest.length < PIECE) return rest;
    return withoutPieces(rest, pieces ??= piecesOf(longEnough()));
  };
  return Object.assign(line, { prose, data });
}

/** In characters; a shorter piece of a secret says little of it, and can be any word. */
const PIECE = 16;

/** In characters; of a secret more than twice as long, only so much at either end is looked for in pieces. */
const LONGEST_END = 8192;

/** Every piece of these secrets in every spelling, in small letters. */
function piecesOf(secrets: readonly string[]): ReadonlySet<string> {
  const pieces = new Set<string>();
  for (const secret of secrets) {
    const ends = secret.length > 2 * LONGEST_END
      ? [secret.slice(0, LONGEST_END), secret.slice(-LONGEST_END)]
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
  let copiedTo = 0;
  let redactedTo = 0;
  for (let at = 0; at + PIECE <= small.length; at++) {
    if (!pieces.has(small.slice(at, at + PIECE))) continue;
    if (at > redactedTo || redactedTo === 0) result += text.slice(copiedTo, at) + REDACTED;
    redactedTo = copiedTo = at + PIECE;
  }
  return result + text.slice(copiedTo);
}

/** Only Latin letters: others can change a text's length. */
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
 * The same answer without secrets in its content type and its body. The body stays as it is where it holds what was asked
 * for, which is what `fulfilled` says.
 */
export function redactAnswer(
  { status, headers, body }: ReadAnswer,
  redact: Redactor,
  fulfilled: boolean,
): ReadAnswer {
  const type = headers.get("content-type") ?? "";
  const redacted = new Headers(headers);
  if (redact(type) !== type) redacted.delete("content-type");
  return { status, headers: redacted, body: fulfilled ? body : redactBody(body, redact.prose) };
}

/** True for the status of an answer that holds what was asked for: its body stays as it is, and may be long. */
export function isFulfilled(status: number): boolean {
  return status === 200 || status === 201;
}

function redactBody(body: Uint8Array<ArrayBuffer>, prose: (text: string) => string): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder().decode(body);
  // Parsed first, so that no escape of a letter hides a secret from us.
  const json = decoded<unknown>(JSON.parse, text);
  let found = false;
  const redact = (text: string) => {
    const rest = PUBLIC_CODES.has(text) ? text : prose(text);
    found ||= rest !== text;
    return rest;
  };
  const redacted = redactValue(json === undefined ? text : json, DEEPEST, redact, () => {
    found = true;
    return REDACTED;
  });
  if (!found) return body;
  return new TextEncoder().encode(json === undefined ? String(redacted) : JSON.stringify(redacted));
}

function redactValue(
  value: unknown,
  depth: number,
  redact: (text: string) => string,
  tooDeep: () => string,
): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return tooDeep();
  const inner = (member: unknown) => redactValue(member, depth - 1, redact, tooDeep);
  return Array.isArray(value)
    ? value.map(inner)
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [redact(name), inner(member)]));
}

/** What stands behind the scheme; of `Basic` also the secret in it, as it was sent and decoded. RFC 7617, 2. */
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
  if (!isObject(json)) return secretsOfBody(new URLSearchParams(body));
  return SECRET_FIELDS.map((name) => json[name]).filter((value) => typeof value === "string");
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

/** In base64 of both alphabets, at any offset in a longer text; and in hexadecimal digits. */
function encodings(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const base64 = [0, 1, 2].map((before) => {
    const text = btoa("\0".repeat(before) + letters);
    // The part that the bytes around do not change.
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

/** The secret parts of a JWT: all behind its header, which anybody can guess, and its signature. */
function partsOfJwt(secret: string): string[] {
  if (!/^eyJ[\w-]+(?:\.[\w-]*){2,4}$/.test(secret)) return [];
  return [secret.slice(secret.indexOf(".") + 1), secret.slice(secret.lastIndexOf(".") + 1)];
}
