/** The schemas of our files: a session's public fields, and `config.json`, which says which session is active. */

import * as v from "valibot";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import { isObject, parseJson } from "../encoding.ts";
import { isSessionName } from "./name.ts";
import type { ProviderNames } from "./provider.ts";

/** The schema version of the session files that this program writes. */
export const SCHEMA_VERSION = 1;

/**
 * Any text. Only the file's size limits its length: tokens with many groups and bundles of authorities are long.
 */
export const text = v.string();

/**
 * Text for messages: it was printable when it was written, so anything else was put there by somebody else.
 */
export const plain = v.pipe(v.string(), v.check((text) => text === printable(text, Infinity)));

/** A server that tokens of a session are for, as it was when the user named it. */
const servedServerSchema = v.object({
  /** Scheme, host and port: `https://k8s.example.com:6443`. */
  origin: plain,
  /** It accepted a token of the session. */
  accepted: v.optional(v.literal(true)),
  /** The proxy of its cluster entry, without user and password. */
  proxy: v.optional(plain),
  /** The other name that its certificate is for. */
  tlsServerName: v.optional(plain),
  /** Its cluster entry skips the check of its certificate. */
  unverified: v.optional(v.literal(true)),
});

/** One of a session's {@link Session.servers}. */
export type ServedServer = v.InferOutput<typeof servedServerSchema>;

/** Checks that a text names a cloud or a kind, and turns it into that. */
function named<T>(find: (name: string) => T | undefined) {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }): T => {
      const found = find(dataset.value);
      if (found !== undefined) return found;
      addIssue();
      return NEVER;
    }),
  );
}

/** The fields whose checks depend on nothing else. */
export const sessionFields = {
  issuer: plain,
  authHost: plain,
  apiHost: plain,
  clientId: text,
  /** `subject` (the issuer's `sub`) is the identity, the rest are labels. */
  user: v.object({
    subject: text,
    email: v.optional(text),
    /** `preferred_username` or `upn`, where there is no e-mail. */
    username: v.optional(text),
    name: v.optional(text),
  }),
  scopes: v.array(text),
  /** PEM certificates to trust for this session beside the system's. */
  certificateAuthority: v.optional(text),
  /** Where the key of the credentials is stored. */
  keyStore: v.picklist(["system", "file"]),
  /** The API servers that its tokens are for, beside a Datum's own; absent where none was named since the list exists. */
  servers: v.optional(v.array(servedServerSchema)),
  /** Which token kubectl gets, once a server was asked or the user chose. */
  kubectlToken: v.optional(v.picklist(["access", "id"])),
  /** What was chosen for its sign-in, so that the next one asks for the same. */
  signIn: v.optional(v.object({
    /** The user's own way to open an address. */
    browserCommand: v.optional(text),
    /** `--scopes`; without it the usual ones are asked for. */
    scopes: v.optional(v.array(text)),
    /** `--prompt`; an empty one sends none. */
    prompt: v.optional(text),
    /** `--redirect-uri` as written. */
    redirectUri: v.optional(text),
    /** `--device-authorization-endpoint`, used instead of the metadata's. */
    deviceEndpoint: v.optional(text),
    /** `--auth-param`, by name: for authorization and device requests. */
    authParams: v.optional(v.record(text, text)),
    /** `--token-param`, by name: for token requests, refreshes included. */
    tokenParams: v.optional(v.record(text, text)),
    /** `--resource`: whom the tokens are for, RFC 8707. */
    resources: v.optional(v.array(text)),
    /** `--trust-audience`: who else an ID token may be for. */
    trustedAudiences: v.optional(v.array(text)),
  })),
  /** The client has a secret; it is sealed. */
  confidential: v.optional(v.literal(true)),
  /** The organization or project that commands act on. */
  inUse: v.optional(v.object({ organization: v.optional(plain), project: v.optional(plain) })),
  /** The organization of an API token. */
  organization: v.optional(plain),
  /** The team that Studio's commands act as. */
  team: v.optional(plain),
  /** The file of DataChain's own tools that holds the token, too. */
  exportedTo: v.optional(plain),
  /** It belongs to a project folder. */
  local: v.optional(v.literal(true)),
  /** When the access token ends, in ISO 8601, for lists of sessions that are not opened. */
  tokenExpires: v.optional(plain),
  /** When the session ends for good, in ISO 8601; absent while it renews itself. */
  expires: v.optional(plain),
  /** When the issuer refused to renew it, in ISO 8601; a sign-in or a refresh clears it. */
  renewalRefused: v.optional(plain),
  /** The sealed {@link Credentials}, as compact JWE. */
  credentials: text,
};

/** What a session's file must hold; members that this version does not know are dropped. */
function sessionSchema(providers: ProviderNames) {
  return v.object({
    schemaVersion: v.literal(SCHEMA_VERSION),
    /** The session's own name, unique here. */
    name: v.pipe(v.string(), v.check(isSessionName)),
    provider: named(providers.provider),
    kind: named(providers.kind),
    ...sessionFields,
    /** Group and version under which its cloud serves control planes, once it is known. */
    controlPlaneApi: v.optional(v.pipe(v.string(), v.check(providers.isControlPlaneApi))),
  });
}

/** One identity at one server, as its file says. */
export type Session = v.InferOutput<ReturnType<typeof sessionSchema>>;

/** What the user chose for a sign-in beside the address. */
export type SignInChoices = NonNullable<Session["signIn"]>;

/** The subject of a session that nobody has signed in to yet: the first who does becomes its identity. */
export const NOBODY = "";

/**
 * Reads a session file's text.
 *
 * @throws {AppError} `STORAGE` when it is damaged, with that remedy, or of a newer schema. The file is never changed then.
 */
export function parseSession(
  text: string,
  path: string,
  providers: ProviderNames,
  remedy: string = HINTS.STORAGE.damagedSession,
): Session {
  const value = parseJson(text);
  const result = v.safeParse(sessionSchema(providers), value);
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
    hint: remedy,
  });
}

/** The text of a session file. */
export function formatSession(session: Session): string {
  return JSON.stringify(session, undefined, 2) + "\n";
}

/** True until a session, or a token, has ended. */
export function isLive({ expires }: Pick<Session, "expires">, now: number): boolean {
  return expires === undefined || Date.parse(expires) > now;
}

/** True for a session that has ended, or that its issuer refused to renew. */
export function isOver(session: Session, now: number): boolean {
  return session.renewalRefused !== undefined || !isLive(session, now);
}

/** What `config.json` holds; members that this version does not know are kept. */
export interface Config {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly activeSession?: string | undefined;
  readonly [unknown: string]: unknown;
}

/**
 * What the text of `config.json` holds; without a text, that of a new one.
 *
 * @throws {AppError} `STORAGE` when it is damaged or of a newer schema.
 */
export function parseConfig(path: string, text: string | undefined): Config {
  if (text === undefined) return { schemaVersion: SCHEMA_VERSION };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damagedConfig(path, "it is not JSON", cause);
  }
  if (!isObject(value)) throw damagedConfig(path, "it is not an object");
  const { schemaVersion, activeSession } = value;
  if (schemaVersion !== SCHEMA_VERSION) {
    const found = printable(JSON.stringify(schemaVersion) ?? "absent", 20);
    throw damagedConfig(path, `its schemaVersion is ${found} and not ${SCHEMA_VERSION}`);
  }
  if (activeSession !== undefined && typeof activeSession !== "string") {
    throw damagedConfig(path, "activeSession is not a string");
  }
  return { ...value, schemaVersion, activeSession };
}

function damagedConfig(path: string, what: string, cause?: unknown): AppError {
  return new AppError("STORAGE", `${path} cannot be used: ${what}.`, {
    hint: HINTS.STORAGE.damagedConfig,
    cause,
  });
}
