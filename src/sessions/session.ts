/** The schemas of our files: a session's public fields, and `config.json`, which says which session is active. */

import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import { isObject, parseJson } from "../encoding.ts";
import { isSessionName } from "./name.ts";
import type { ProviderNames } from "./provider.ts";
import {
  listOf,
  Mismatch,
  named,
  object,
  oneOf,
  optional,
  type Shaped,
  text,
  textsByName,
  textThat,
} from "./shape.ts";

/** The schema version of the session files that this program writes. */
export const SCHEMA_VERSION = 1;

/**
 * Text for messages: it was printable when it was written, so anything else was put there by somebody else.
 */
export const plain = textThat((text) => text === printable(text, Infinity));

/** A server that tokens of a session are for, as it was when the user named it. */
const servedServerSchema = object({
  /** Scheme, host and port: `https://k8s.example.com:6443`. */
  origin: plain,
  /** It accepted a token of the session. */
  accepted: optional(oneOf(true)),
  /** The proxy of its cluster entry, without user and password. */
  proxy: optional(plain),
  /** The other name that its certificate is for. */
  tlsServerName: optional(plain),
  /** Its cluster entry skips the check of its certificate. */
  unverified: optional(oneOf(true)),
});

/** One of a session's {@link Session.servers}. */
export type ServedServer = Shaped<typeof servedServerSchema>;

/** The fields whose checks depend on nothing else. */
export const sessionFields = {
  issuer: plain,
  authHost: plain,
  apiHost: plain,
  clientId: text,
  /** `subject` (the issuer's `sub`) is the identity, the rest are labels. */
  user: object({
    subject: text,
    email: optional(text),
    /** `preferred_username` or `upn`, where there is no e-mail. */
    username: optional(text),
    name: optional(text),
  }),
  scopes: listOf(text),
  /** PEM certificates to trust for this session beside the system's. */
  certificateAuthority: optional(text),
  /** Where the key of the credentials is stored. */
  keyStore: oneOf("system", "file"),
  /** The API servers that its tokens are for, beside a Datum's own; absent where none was named since the list exists. */
  servers: optional(listOf(servedServerSchema)),
  /** Which token kubectl gets, once a server was asked or the user chose. */
  kubectlToken: optional(oneOf("access", "id")),
  /** What was chosen for its sign-in, so that the next one asks for the same. */
  signIn: optional(object({
    /** The user's own way to open an address. */
    browserCommand: optional(text),
    /** `--scopes`; without it the usual ones are asked for. */
    scopes: optional(listOf(text)),
    /** `--prompt`; an empty one sends none. */
    prompt: optional(text),
    /** `--redirect-uri` as written. */
    redirectUri: optional(text),
    /** `--device-authorization-endpoint`, used instead of the metadata's. */
    deviceEndpoint: optional(text),
    /** `--auth-param`, by name: for authorization and device requests. */
    authParams: optional(textsByName),
    /** `--token-param`, by name: for token requests, refreshes included. */
    tokenParams: optional(textsByName),
    /** `--resource`: whom the tokens are for, RFC 8707. */
    resources: optional(listOf(text)),
    /** `--trust-audience`: who else an ID token may be for. */
    trustedAudiences: optional(listOf(text)),
  })),
  /** The client has a secret; it is sealed. */
  confidential: optional(oneOf(true)),
  /** The organization or project that commands act on. */
  inUse: optional(object({ organization: optional(plain), project: optional(plain) })),
  /** What was in use before that, for `ctx use -`. */
  inUseBefore: optional(object({ organization: optional(plain), project: optional(plain) })),
  /** The organization of an API token. */
  organization: optional(plain),
  /** The team that Studio's commands act as. */
  team: optional(plain),
  /** The file of DataChain's own tools that holds the token, too. */
  exportedTo: optional(plain),
  /** It belongs to a project folder. */
  local: optional(oneOf(true)),
  /** When the access token ends, in ISO 8601, for lists of sessions that are not opened. */
  tokenExpires: optional(plain),
  /** When the session ends for good, in ISO 8601; absent while it renews itself. */
  expires: optional(plain),
  /** When the issuer refused to renew it, in ISO 8601; a sign-in or a refresh clears it. */
  renewalRefused: optional(plain),
  /** The sealed {@link Credentials}, as compact JWE. */
  credentials: text,
};

/** What a session's file must hold; members that this version does not know are dropped. */
function sessionSchema(providers: ProviderNames) {
  return object({
    schemaVersion: oneOf(SCHEMA_VERSION),
    /** The session's own name, unique here. */
    name: textThat(isSessionName),
    provider: named(providers.provider),
    kind: named(providers.kind),
    ...sessionFields,
    /** Group and version under which its cloud serves control planes, once it is known. */
    controlPlaneApi: optional(textThat(providers.isControlPlaneApi)),
  });
}

/** One identity at one server, as its file says. */
export type Session = Shaped<ReturnType<typeof sessionSchema>>;

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
  try {
    return sessionSchema(providers)(value, "");
  } catch (thrown) {
    if (!(thrown instanceof Mismatch)) throw thrown;
    const version = isObject(value) ? value.schemaVersion : undefined;
    if (typeof version === "number" && version > SCHEMA_VERSION) {
      throw new AppError("STORAGE", `${path} was written by a newer datumctl (schema ${version}).`, {
        hint: "Use that newer datumctl; this one leaves the file as it is.",
      });
    }
    const field = thrown.path === "" ? "the file" : thrown.path;
    throw new AppError("STORAGE", `${path} is not a session file that can be read: ${field} is wrong.`, {
      hint: remedy,
    });
  }
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
