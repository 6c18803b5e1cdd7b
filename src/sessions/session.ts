/** Owns what a session is: its public fields, its credentials, and the checks that a file of ours must pass. */

import * as v from "valibot";
import { AppError, printable } from "../errors.ts";
import type { IssuerMetadata } from "../oauth/discovery.ts";
import type { SigningKeys } from "../oauth/id-token.ts";
import { toBase32 } from "../base64.ts";

/** The schema version of the session files that this program writes. */
export const SCHEMA_VERSION = 1;

// How long a text is, is bounded by the file alone: tokens with many groups and bundles of authorities are long.
const text = v.string();

// What sentences are made of: it was printable when it was written, so whatever is not was put there by somebody else.
const plain = v.pipe(v.string(), v.check((text) => text === printable(text, Infinity)));

const sessionSchema = v.object({
  schemaVersion: v.literal(SCHEMA_VERSION),
  /** The session's own name, unique here. */
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._@+:-]{0,127}$/)),
  provider: v.picklist(["datum", "oidc", "cloudfleet", "studio"]),
  kind: v.picklist(["user", "service-account", "api-token", "pat", "workload", "studio"]),
  issuer: plain,
  authHost: plain,
  apiHost: plain,
  clientId: text,
  /** Who it is: `subject` (the issuer's `sub`) is the identity, the rest are labels. */
  user: v.object({ subject: text, email: v.optional(text), name: v.optional(text) }),
  scopes: v.array(text),
  /** PEM certificates to trust for this session beside the system's. */
  certificateAuthority: v.optional(text),
  /** Where the key of the credentials is kept. */
  keyStore: v.picklist(["system", "file"]),
  /** Which token kubectl gets, once a server was asked or the person chose. */
  kubectlToken: v.optional(v.picklist(["access", "id"])),
  /** Group and version under which this Datum serves control planes, once it is known. */
  controlPlaneApi: v.optional(
    v.picklist(["resourcemanager.miloapis.com/v1alpha1", "resourcemanager.datumapis.com/v1alpha"]),
  ),
  /** What was chosen for its sign-in, so that the next one asks for the same. */
  signIn: v.optional(v.object({
    /** The person's own way to open an address. */
    browserCommand: v.optional(text),
    /** `--scopes`; without it the usual ones are asked for. */
    scopes: v.optional(v.array(text)),
    /** `--prompt`; an empty one sends none. */
    prompt: v.optional(text),
    /** `--redirect-uri`, as it was written. */
    redirectUri: v.optional(text),
    /** `--device-authorization-endpoint`, used instead of the metadata's. */
    deviceEndpoint: v.optional(text),
  })),
  /** The client has a secret, which is sealed. */
  confidential: v.optional(v.literal(true)),
  /** The organization or project that commands act on. */
  inUse: v.optional(v.object({ organization: v.optional(plain), project: v.optional(plain) })),
  /** When the access token ends, in ISO 8601, for those who list sessions without opening them. */
  tokenExpires: v.optional(plain),
  /** When the session ends for good, in ISO 8601; absent while it renews itself. */
  expires: v.optional(plain),
  /** The sealed {@link Credentials}, as compact JWE. */
  credentials: text,
});

/** One identity at one server, as its file has it. */
export type Session = v.InferOutput<typeof sessionSchema>;

// What is relied on unseen. Members that this version does not know stay.
const time = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));
const endpoint = v.pipe(v.string(), v.check((text) => URL.canParse(text)));
const credentialsSchema = v.looseObject({
  clientId: text,
  clientSecret: v.optional(text),
  signIn: sessionSchema.entries.signIn,
  apiHost: plain,
  subject: text,
  certificateAuthority: v.optional(text),
  metadata: v.looseObject({
    issuer: endpoint,
    authorization_endpoint: endpoint,
    token_endpoint: endpoint,
    jwks_uri: endpoint,
    revocation_endpoint: v.optional(endpoint),
    userinfo_endpoint: v.optional(endpoint),
    id_token_signing_alg_values_supported: v.optional(v.array(text)),
    token_endpoint_auth_methods_supported: v.optional(v.array(text)),
  }),
  keys: v.optional(v.looseObject({ keys: v.array(v.looseObject({})), fetchedAt: v.number() })),
  accessToken: text,
  accessTokenExpires: v.optional(time),
  received: time,
  idToken: v.optional(text),
  noIdTokenOnRefresh: v.optional(v.literal(true)),
  refreshToken: v.optional(text),
});

/** What is chosen for a sign-in beside where it goes. */
export type SignInChoices = NonNullable<Session["signIn"]>;

/** What is sealed. What says where tokens and people are sent is repeated here and wins over the public fields. */
export interface Credentials {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly signIn?: SignInChoices;
  readonly apiHost: string;
  readonly subject: string;
  readonly certificateAuthority?: string;
  /** The issuer and its endpoints. */
  readonly metadata: IssuerMetadata;
  /** The issuer's keys, so that a refresh costs one request. */
  readonly keys?: SigningKeys;
  readonly accessToken: string;
  /** Milliseconds since 1970; absent when the issuer did not say. */
  readonly accessTokenExpires?: number;
  /** When the access token came, in milliseconds since 1970. */
  readonly received: number;
  readonly idToken?: string;
  /** The issuer refreshes without an ID token: asking again would be in vain. */
  readonly noIdTokenOnRefresh?: true;
  readonly refreshToken?: string;
}

/**
 * Reads a session file's text. Throws `STORAGE` when it is damaged or of a newer schema; it is never changed
 * then.
 */
export function parseSession(text: string, path: string): Session {
  const value = parseJson(text);
  const result = v.safeParse(sessionSchema, value);
  if (result.success) return result.output;
  const version = typeof value === "object" && value !== null && "schemaVersion" in value
    ? value.schemaVersion
    : undefined;
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    throw new AppError("STORAGE", `${path} was written by a newer datumctl (schema ${version}).`, {
      hint: "Use that newer datumctl; this one leaves the file as it is.",
    });
  }
  const field = v.getDotPath(result.issues[0]) ?? "the file";
  throw new AppError("STORAGE", `${path} is not a session file that can be read: ${field} is wrong.`, {
    hint: "Remove that file and sign in again: datumctl login",
  });
}

/** The text of a session file. */
export function formatSession(session: Session): string {
  return JSON.stringify(session, undefined, 2) + "\n";
}

/**
 * Reads unsealed credentials; undefined when they are not what this version seals. They are ours by their seal, but
 * perhaps of another version of us.
 */
export function parseCredentials(text: string): Credentials | undefined {
  const value = parseJson(text);
  return v.is(credentialsSchema, value) ? value as unknown as Credentials : undefined;
}

/** A JSON value, or undefined when the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The name of a session's file, without its ending: base32 of the SHA-256 of its name, 16 characters. */
export async function fileNameOf(sessionName: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sessionName));
  return toBase32(new Uint8Array(digest)).slice(0, 16);
}

/** True when a text can be a session's name. */
export function isSessionName(name: string): boolean {
  return v.is(sessionSchema.entries.name, name);
}

/** The name that a session gets by itself: `<label>@<host>`, other characters as `-`. */
export function defaultSessionName(label: string, host: string): string {
  const name = `${label}@${host}`.replace(/[^A-Za-z0-9._@+:-]/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(
    0,
    128,
  );
  return name === "" ? "session" : name;
}

/** How a person is called in a sentence: e-mail, else the session's own name. */
export function labelOf(session: Session): string {
  return printable(session.user.email ?? session.name);
}
