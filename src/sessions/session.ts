/** The public fields of a session, the checks that its file must pass. */

import * as v from "valibot";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import { parseJson } from "../encoding.ts";
import { isSessionName } from "./name-characters.ts";
import type { ProviderNames } from "./provider.ts";

/** The schema version of the session files that this program writes. */
export const SCHEMA_VERSION = 1;

/**
 * Any text. How long it is, is bounded by the file alone: tokens with many groups and bundles of authorities are long.
 */
export const text = v.string();

/**
 * What sentences are made of: it was printable when it was written, so whatever is not was put there by somebody else.
 */
export const plain = v.pipe(v.string(), v.check((text) => text === printable(text, Infinity)));

/** A server that tokens of a session are for, as it was when a person named it. */
const servedServerSchema = v.object({
  /** Scheme, host and port: `https://k8s.example.com:6443`. */
  origin: plain,
  /** It accepted a token of the session. */
  accepted: v.optional(v.literal(true)),
  /** The proxy of its cluster entry, without user and password. */
  proxy: v.optional(plain),
  /** The other name that its certificate is for. */
  tlsServerName: v.optional(plain),
  /** Its cluster entry says that its certificate is not looked at. */
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
  /** Who it is: `subject` (the issuer's `sub`) is the identity, the rest are labels. */
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
  /** Where the key of the credentials is kept. */
  keyStore: v.picklist(["system", "file"]),
  /** The API servers that its tokens are for, beside a Datum's own; absent where none was named since they are kept. */
  servers: v.optional(v.array(servedServerSchema)),
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
    /** `--auth-param`, by name: for authorization and device requests. */
    authParams: v.optional(v.record(text, text)),
    /** `--token-param`, by name: for token requests, refreshes included. */
    tokenParams: v.optional(v.record(text, text)),
    /** `--resource`: whom the tokens are for, RFC 8707. */
    resources: v.optional(v.array(text)),
    /** `--trust-audience`: who else an ID token may be for. */
    trustedAudiences: v.optional(v.array(text)),
  })),
  /** The client has a secret, which is sealed. */
  confidential: v.optional(v.literal(true)),
  /** The organization or project that commands act on. */
  inUse: v.optional(v.object({ organization: v.optional(plain), project: v.optional(plain) })),
  /** The organization that an API token is of. */
  organization: v.optional(plain),
  /** The team that Studio's commands act as. */
  team: v.optional(plain),
  /** The file of DataChain's own tools that has the token, too. */
  exportedTo: v.optional(plain),
  /** It is a project folder's own. */
  local: v.optional(v.literal(true)),
  /** When the access token ends, in ISO 8601, for those who list sessions without opening them. */
  tokenExpires: v.optional(plain),
  /** When the session ends for good, in ISO 8601; absent while it renews itself. */
  expires: v.optional(plain),
  /** When the issuer refused to renew it, in ISO 8601; a sign-in or a refresh clears it. */
  renewalRefused: v.optional(plain),
  /** The sealed {@link Credentials}, as compact JWE. */
  credentials: text,
};

/** What a session's file must hold; members that this version does not know are dropped. */
export function sessionSchema(providers: ProviderNames) {
  return v.object({
    schemaVersion: v.literal(SCHEMA_VERSION),
    /** The session's own name, unique here. */
    name: v.pipe(v.string(), v.check(isSessionName)),
    provider: named(providers.provider),
    kind: named(providers.kind),
    ...sessionFields,
  });
}

/** One identity at one server, as its file has it. */
export type Session = v.InferOutput<ReturnType<typeof sessionSchema>>;

/** What is chosen for a sign-in beside where it goes. */
export type SignInChoices = NonNullable<Session["signIn"]>;

/** The subject of a session to which nobody has signed in yet: the first who does becomes its identity. */
export const NOBODY = "";

/**
 * Reads a session file's text. Throws `STORAGE` when it is damaged, with that remedy, or of a newer schema; it is never
 * changed then.
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
