/** Owns what a session is: its public fields, its credentials, and the checks that a file of ours must pass. */

import * as v from "valibot";
import { AppError, printable } from "../errors.ts";
import type { IssuerMetadata } from "../oauth/discovery.ts";
import type { SigningKeys } from "../oauth/id-token.ts";
import { toBase32, toBase64Url } from "../base64.ts";
import { shellLine } from "../shell-word.ts";

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
  /** The sealed {@link Credentials}, as compact JWE. */
  credentials: text,
});

/** One identity at one server, as its file has it. */
export type Session = v.InferOutput<typeof sessionSchema>;

// What is relied on unseen. Members that this version does not know stay.
const time = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));
const endpoint = v.pipe(v.string(), v.check((text) => URL.canParse(text)));
const { provider, kind, organization, expires, exportedTo } = sessionSchema.entries;
const sealedPlace = {
  fields: v.optional(v.object({ provider, kind, organization, expires, exportedTo })),
  clientId: text,
  clientSecret: v.optional(text),
  signIn: sessionSchema.entries.signIn,
  apiHost: plain,
  subject: text,
  certificateAuthority: v.optional(text),
  accessTokenExpires: v.optional(time),
  api: v.optional(v.record(text, text)),
};
const tokenEndpoint = { tokenEndpoint: v.optional(endpoint), authMethods: v.optional(v.array(text)) };
const recipeSchema = v.variant("kind", [
  v.looseObject({
    kind: v.literal("client-credentials"),
    ...tokenEndpoint,
    scope: v.optional(text),
  }),
  v.looseObject({
    kind: v.literal("service-account"),
    ...tokenEndpoint,
    keyId: text,
    privateKey: text,
    audience: text,
    scope: v.optional(text),
  }),
  v.looseObject({ kind: v.literal("personal-access-token"), token: text }),
  v.looseObject({
    kind: v.literal("workload"),
    source: v.variant("kind", [
      v.looseObject({ kind: v.literal("github") }),
      v.looseObject({ kind: v.literal("variable"), name: text }),
      v.looseObject({ kind: v.literal("file"), path: text }),
    ]),
    audience: text,
    exchange: v.optional(v.looseObject({
      grant: v.picklist(["token-exchange", "jwt-bearer"]),
      ...tokenEndpoint,
      scope: v.optional(text),
    })),
  }),
  v.looseObject({ kind: v.literal("fixed") }),
  v.looseObject({ kind: v.literal("sign-in") }),
]);
const credentialsSchema = v.union([
  v.looseObject({
    ...sealedPlace,
    recipe: v.optional(v.undefined()),
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
    received: time,
    idToken: v.optional(text),
    noIdTokenOnRefresh: v.optional(v.literal(true)),
    refreshToken: v.optional(text),
  }),
  v.looseObject({
    ...sealedPlace,
    recipe: recipeSchema,
    issuer: endpoint,
    accessToken: v.optional(text),
    received: v.optional(time),
    job: v.optional(text),
    superseded: v.optional(v.array(v.looseObject({
      issuer: endpoint,
      token: text,
      name: text,
      expires: v.optional(plain),
    }))),
  }),
]);

/** What is chosen for a sign-in beside where it goes. */
export type SignInChoices = NonNullable<Session["signIn"]>;

/** The public fields, beside the place, by which it is decided what is done with a session. */
export type SealedFields = Pick<Session, "provider" | "kind" | "organization" | "expires" | "exportedTo">;

/** What every seal holds: what says where tokens and people are sent is repeated here and wins over the public fields. */
interface SealedPlace {
  /** Added by the seal; absent in what was sealed before there was this, whose public fields are believed. */
  readonly fields?: SealedFields;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly signIn?: SignInChoices;
  readonly apiHost: string;
  readonly subject: string;
  readonly certificateAuthority?: string;
  /** Milliseconds since 1970; absent when nobody said. */
  readonly accessTokenExpires?: number;
  /** The vendor's API: its address, and its operations where they differ from what is known of it. */
  readonly api?: Readonly<Record<string, string>>;
}

/** What is sealed of a person's sign-in. */
export interface SignInCredentials extends SealedPlace {
  readonly recipe?: undefined;
  readonly job?: undefined;
  /** The issuer and its endpoints. */
  readonly metadata: IssuerMetadata;
  /** The issuer's keys, so that a refresh costs one request. */
  readonly keys?: SigningKeys;
  readonly accessToken: string;
  /** When the access token came, in milliseconds since 1970. */
  readonly received: number;
  readonly idToken?: string;
  /** The issuer refreshes without an ID token: asking again would be in vain. */
  readonly noIdTokenOnRefresh?: true;
  readonly refreshToken?: string;
}

/** What is sealed of an identity that makes its tokens anew instead of refreshing them. */
export interface RecipeCredentials extends SealedPlace {
  readonly recipe: Recipe;
  readonly issuer: string;
  /** The token that was made last, while it is kept. */
  readonly accessToken?: string;
  /** When that one came, in milliseconds since 1970. */
  readonly received?: number;
  /** Marks the CI job that it was made for: no other job may use it. */
  readonly job?: string;
  /** What this one took the place of, until it is revoked. */
  readonly superseded?: readonly SupersededToken[];
}

/** A token of Studio's that another took the place of, and that is not known to be revoked. */
export interface SupersededToken {
  /** Studio's origin. */
  readonly issuer: string;
  readonly token: string;
  /** The token's name, as Studio shows it. */
  readonly name: string;
  /** When it ends, in ISO 8601. */
  readonly expires?: string | undefined;
}

/** What is sealed. */
export type Credentials = SignInCredentials | RecipeCredentials;

/** Where tokens are asked for; discovered at the issuer when absent. */
interface TokenEndpoint {
  readonly tokenEndpoint?: string;
  /** `token_endpoint_auth_methods_supported` of the issuer's metadata. */
  readonly authMethods?: readonly string[];
}

/** How the next token is made. */
export type Recipe =
  /** An API token: its id is the client's id, its secret the client's secret. RFC 6749, 4.4. */
  | TokenEndpoint & {
    readonly kind: "client-credentials";
    readonly scope?: string;
  }
  /** A service account's key, as PKCS#8 in base64. RFC 7523. */
  | TokenEndpoint & {
    readonly kind: "service-account";
    readonly keyId: string;
    readonly privateKey: string;
    readonly audience: string;
    readonly scope?: string;
  }
  | { readonly kind: "personal-access-token"; readonly token: string }
  /** The CI system's own token, as it is or exchanged. */
  | {
    readonly kind: "workload";
    readonly source: WorkloadSource;
    readonly audience: string;
    readonly exchange?: TokenEndpoint & {
      /** RFC 8693 or RFC 7523. */
      readonly grant: "token-exchange" | "jwt-bearer";
      readonly scope?: string;
    };
  }
  /** A token that was given; nobody here makes another. */
  | { readonly kind: "fixed" }
  /** A person who has not signed in yet. */
  | { readonly kind: "sign-in" };

/** Where a CI system puts its token. */
export type WorkloadSource =
  /** GitHub Actions: asked for at `ACTIONS_ID_TOKEN_REQUEST_URL`. */
  | { readonly kind: "github" }
  /** A variable, such as one of GitLab's `id_tokens`. */
  | { readonly kind: "variable"; readonly name: string }
  /** A file that is read anew each time, such as a projected service account token. */
  | { readonly kind: "file"; readonly path: string };

/** The public fields that repeat where sealed credentials say that they belong. */
export type SealedPlaceFields = Pick<
  Session,
  "issuer" | "authHost" | "apiHost" | "clientId" | "certificateAuthority" | "confidential"
>;

/** Where credentials belong, as a session's public fields tell it. */
export function sealedPlaceOf(credentials: Credentials): SealedPlaceFields {
  const { clientId, clientSecret, apiHost, certificateAuthority } = credentials;
  const issuer = issuerOf(credentials);
  return {
    issuer,
    authHost: new URL(issuer).host,
    clientId,
    apiHost,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    ...(clientSecret === undefined ? {} : { confidential: true }),
  };
}

/** The issuer that credentials are of. */
export function issuerOf(credentials: Credentials): string {
  return credentials.recipe === undefined ? credentials.metadata.issuer : credentials.issuer;
}

/** The subject of a session to which nobody has signed in yet: the first who does becomes its identity. */
export const NOBODY = "";

/** The names of sessions that come from variables and are stored nowhere begin so. */
export const AMBIENT = "env:";

const ambient = new WeakMap<Session, Credentials>();
const given = new WeakMap<Session, string>();

/** A session that comes from variables: nothing of it is stored. */
export function ambientSession(
  session: Omit<Session, "credentials" | "keyStore" | "schemaVersion" | keyof SealedPlaceFields>,
  credentials: Credentials,
): Session {
  const made: Session = {
    ...session,
    ...sealedPlaceOf(credentials),
    schemaVersion: SCHEMA_VERSION,
    keyStore: "file",
    credentials: "",
  };
  ambient.set(made, credentials);
  // When they were read is no part of what they are: the next process reads the same values at another moment.
  const { received: _, ...values } = credentials;
  given.set(made, JSON.stringify(values));
  return made;
}

/** Keeps the token that was made for a session that comes from variables, as long as this process lives. */
export function keepForThisProcess(session: Session, credentials: Credentials): void {
  ambient.set(session, credentials);
}

/** Tells one value of the variables from another, which cannot be told from it; undefined for a session that is stored. */
export async function markOfVariables(session: Session): Promise<string | undefined> {
  const values = given.get(session);
  if (values === undefined) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(values));
  return toBase64Url(new Uint8Array(digest).subarray(0, 8));
}

/** The credentials of a session that comes from variables; undefined for one that is stored. */
export function ambientCredentials(session: Session): Credentials | undefined {
  return ambient.get(session);
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

/**
 * Refuses a new session the name that one at another host gets by itself: that one's kubeconfig entries are held to the
 * name alone, and would hand this one's tokens to their server. Throws `USAGE`.
 */
export function refuseNameOfOtherHost(name: string, apiHost: string): void {
  const [, long, api] = /^[^@]+@[^@]+@([^@]*[.:][^@]*)$|@(api\.[^@]+)$/.exec(name) ?? [];
  const host = long ?? api;
  const usual = defaultSessionName("x", apiHost).slice("x@".length);
  // A long name is cut, wherever that is; and one that is taken gets a number behind it.
  if (host === undefined || name.length >= 120 || host.replace(/-\d+$/, "") === usual || host === usual) {
    return;
  }
  throw new AppError(
    "USAGE",
    `A session of ${apiHost} cannot be named "${name}": it would pass for one of ${host}.`,
    {
      hint: "Choose another name (--profile NAME), or name the host to sign in to.",
    },
  );
}

/**
 * True for a session of that API host; or, where the place is a URL, of the issuer of exactly that URL: organizations
 * can share an API host.
 */
export function isOfPlace({ apiHost, issuer }: Pick<Session, "apiHost" | "issuer">, place: string): boolean {
  return place === (place.includes("://") ? issuer : apiHost);
}

/** The auth host unless another is named. */
export const DATUM_AUTH_HOST = "auth.datum.net";

/** Its API host, whose kubeconfig entries carry no host in their names. */
export const DATUM_API_HOST = "api.datum.net";

/** What to do when a session no longer gives tokens, as a sentence. */
export function signInAgain(session: Session): string {
  const { name, kind, clientId, organization, apiHost, issuer, local } = session;
  if (name.startsWith(AMBIENT)) return `Set ${name.slice(AMBIENT.length)} to a valid value.`;
  const login = ["datumctl", "login", "--profile", name];
  switch (kind) {
    case "user":
      return `Sign in again: ${shellLine(login)}`;
    case "api-token":
      return `Store the token's current secret: ${
        shellLine([
          "datumctl",
          "auth",
          "add-profile",
          "token",
          name,
          organization ?? "ORGANIZATION_ID",
          clientId,
        ])
      }`;
    case "service-account":
      return `Sign in with a current key: ${machineLogin(session)}`;
    case "pat":
      return `Sign in with a current token: ${machineLogin(session)}`;
    case "workload":
      return `Set it up again: ${machineLogin(session)}`;
    case "studio": {
      const host = issuer.startsWith("https:") ? apiHost : issuer;
      const where = ["--provider", "studio", "--hostname", host, ...(local ? ["--local"] : [])];
      return `Sign in again: ${shellLine([...login, ...where, "--force"])}`;
    }
  }
}

/** The line that signs a machine in as before, as far as a session's public fields tell it. */
export function machineLogin(session: Session): string {
  const { name, provider, kind, issuer, authHost, apiHost } = session;
  const way = kind === "service-account"
    ? ["--credentials", "FILE"]
    : kind === "pat"
    ? ["--with-token"]
    : workloadFlags(session);
  const usual = authHost === DATUM_AUTH_HOST && apiHost === DATUM_API_HOST;
  const where = provider === "oidc"
    ? ["--issuer", issuer]
    : usual
    ? []
    : ["--hostname", authHost, "--api-hostname", apiHost];
  return shellLine(["datumctl", "login", "--profile", name, ...way, ...where]);
}

/** The subject of a workload's session, as it was named at its login: where the token is, and whom it is for. */
export const WORKLOAD_SUBJECT = /^(github|gitlab:\w+|file:(?:[A-Za-z]:)?[^:]+):(.+)$/;

function workloadFlags({ user: { subject }, clientId, confidential, scopes }: Session): string[] {
  const [, kind = "KIND", audience = "AUDIENCE"] = WORKLOAD_SUBJECT.exec(subject) ?? [];
  return [
    "--workload",
    kind,
    "--audience",
    audience,
    ...(clientId === "" ? [] : ["--exchange", "--client-id", clientId]),
    ...(clientId === "" || scopes.length === 0 ? [] : ["--scopes", scopes.join(",")]),
    ...(confidential ? ["--client-secret-file", "FILE"] : []),
  ];
}

/** How somebody is called in a sentence: by e-mail, else by the session's own name, or by what that was made of. */
export function labelOf({ name, apiHost, user: { email, subject } }: Session): string {
  return printable(email ?? (name === defaultSessionName(subject, apiHost) ? subject : name));
}
