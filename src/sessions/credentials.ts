/** What is sealed of a session: tokens, where the next ones come from, and where they belong. */

import * as v from "valibot";
import { parseJson } from "../encoding.ts";
import { plain, type Session, sessionFields, text } from "./session.ts";

// The schemas check what is relied on; members that this version does not know stay in the value.
const time = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));
const endpoint = v.pipe(v.string(), v.check((text) => URL.canParse(text)));
const texts = v.pipe(v.array(text), v.readonly());
const textsByName = v.pipe(v.record(text, text), v.readonly());
const { organization, expires, exportedTo } = sessionFields;

/** What every seal holds: it says where tokens and people are sent, and wins over the public fields. */
const sealedAddressEntries = {
  /**
   * The public fields, beside the address, that decide what is done with a session. The seal adds them; older seals lack
   * them, and then the public fields are believed.
   */
  fields: v.optional(v.object({ provider: text, kind: text, organization, expires, exportedTo })),
  clientId: text,
  clientSecret: v.optional(text),
  signIn: sessionFields.signIn,
  apiHost: plain,
  subject: text,
  certificateAuthority: v.optional(text),
  /** Milliseconds since 1970; absent when the issuer did not say. */
  accessTokenExpires: v.optional(time),
  /** The vendor's API: its address, and its operations where they differ from the known ones. */
  api: v.optional(textsByName),
  /** See {@link Session.servers}. */
  servers: sessionFields.servers,
};
const tokenEndpointSchema = v.object({
  tokenEndpoint: v.optional(endpoint),
  /** `token_endpoint_auth_methods_supported` of the issuer's metadata. */
  authMethods: v.optional(texts),
});
const tokenEndpoint = tokenEndpointSchema.entries;
const tokenParameters = { tokenParams: v.optional(textsByName), resources: v.optional(texts) };
const workloadSourceSchema = v.variant("kind", [
  /** GitHub Actions: asked for at `ACTIONS_ID_TOKEN_REQUEST_URL`. */
  v.object({ kind: v.literal("github") }),
  /** A variable, such as one of GitLab's `id_tokens`. */
  v.object({ kind: v.literal("variable"), name: text }),
  /** A file that is read each time, such as a projected service account token. */
  v.object({ kind: v.literal("file"), path: text }),
]);
const tokenSourceSchema = v.variant("kind", [
  /** An API token: its id is the client's id, its secret the client's secret. RFC 6749, 4.4. */
  v.object({ kind: v.literal("client-credentials"), ...tokenEndpoint, scope: v.optional(text) }),
  /** A service account's key, as PKCS#8 in base64. RFC 7523. */
  v.object({
    kind: v.literal("service-account"),
    ...tokenEndpoint,
    ...tokenParameters,
    keyId: text,
    privateKey: text,
    audience: text,
    scope: v.optional(text),
  }),
  v.object({ kind: v.literal("personal-access-token"), token: text }),
  /** The CI system's own token, as it is or exchanged. */
  v.object({
    kind: v.literal("workload"),
    source: workloadSourceSchema,
    audience: text,
    exchange: v.optional(v.object({
      /** RFC 8693 or RFC 7523. */
      grant: v.picklist(["token-exchange", "jwt-bearer"]),
      ...tokenEndpoint,
      ...tokenParameters,
      scope: v.optional(text),
    })),
  }),
  /** A token that was given; no other one can be asked for. */
  v.object({ kind: v.literal("fixed") }),
  /** Nobody has signed in yet. */
  v.object({ kind: v.literal("sign-in") }),
]);
/** See {@link SigningKey}. */
const signingKeySchema = v.object({
  kty: text,
  kid: v.exactOptional(text),
  alg: v.exactOptional(text),
  use: v.exactOptional(text),
  crv: v.exactOptional(text),
  n: v.exactOptional(text),
  e: v.exactOptional(text),
  x: v.exactOptional(text),
  y: v.exactOptional(text),
  key_ops: v.exactOptional(v.array(text)),
});
const signInSchema = v.object({
  ...sealedAddressEntries,
  tokenSource: v.optional(v.undefined()),
  /** The issuer and its endpoints. */
  metadata: v.object({
    issuer: endpoint,
    authorization_endpoint: endpoint,
    token_endpoint: endpoint,
    jwks_uri: endpoint,
    revocation_endpoint: v.exactOptional(endpoint),
    userinfo_endpoint: v.exactOptional(endpoint),
    id_token_signing_alg_values_supported: v.exactOptional(v.array(text)),
    token_endpoint_auth_methods_supported: v.exactOptional(v.array(text)),
  }),
  /** The issuer's keys, so that a refresh costs one request. */
  keys: v.optional(
    v.object({ keys: v.pipe(v.array(signingKeySchema), v.readonly()), fetchedAt: v.number() }),
  ),
  accessToken: text,
  /** When the access token came, in milliseconds since 1970. */
  received: time,
  idToken: v.optional(text),
  /** The issuer refreshes without an ID token: asking again brings none. */
  noIdTokenOnRefresh: v.optional(v.literal(true)),
  refreshToken: v.optional(text),
});
const supersededSchema = v.object({
  /** Studio's origin. */
  issuer: endpoint,
  token: text,
  /** The token's name, as Studio shows it. */
  name: text,
  /** When it ends, in ISO 8601. */
  expires: v.optional(plain),
});
const sourceCredentialsSchema = v.object({
  ...sealedAddressEntries,
  tokenSource: tokenSourceSchema,
  issuer: endpoint,
  /** The token that was issued last, while it is stored. */
  accessToken: v.optional(text),
  /** When that one came, in milliseconds since 1970. */
  received: v.optional(time),
  /** A fingerprint of the CI job that it was issued for: no other job may use it. */
  job: v.optional(text),
  /** The tokens that this one replaced, until they are revoked. */
  superseded: v.optional(v.pipe(v.array(supersededSchema), v.readonly())),
});
const credentialsSchema = v.union([signInSchema, sourceCredentialsSchema]);

/** What is sealed of a user's sign-in. */
export type SignInCredentials = Readonly<v.InferOutput<typeof signInSchema>>;

/** What is sealed of an identity that requests each token instead of refreshing it. */
export type SourceCredentials = Readonly<v.InferOutput<typeof sourceCredentialsSchema>>;

/** What is sealed. */
export type Credentials = SignInCredentials | SourceCredentials;

/** A token of Studio's that a newer one replaced, and that is not known to be revoked. */
export type SupersededToken = Readonly<v.InferOutput<typeof supersededSchema>>;

/** Where tokens are asked for; discovered at the issuer when absent. */
export type TokenEndpoint = Readonly<v.InferOutput<typeof tokenEndpointSchema>>;

/** Where the next token comes from. */
export type TokenSource = Readonly<v.InferOutput<typeof tokenSourceSchema>>;

/** Where a CI system puts its token. */
export type WorkloadSource = Readonly<v.InferOutput<typeof workloadSourceSchema>>;

/** The public fields that repeat the address in the sealed credentials. */
export type SealedAddressFields = Pick<
  Session,
  "issuer" | "authHost" | "apiHost" | "clientId" | "certificateAuthority" | "confidential" | "servers"
>;

/** The address of credentials, as a session's public fields say it. */
export function sealedAddress(credentials: Credentials): SealedAddressFields {
  const { clientId, clientSecret, apiHost, certificateAuthority, servers } = credentials;
  const issuer = issuerOf(credentials);
  return {
    issuer,
    authHost: new URL(issuer).host,
    clientId,
    apiHost,
    certificateAuthority,
    confidential: clientSecret === undefined ? undefined : true,
    servers,
  };
}

/** The issuer that credentials are of. */
export function issuerOf(credentials: Credentials): string {
  return credentials.tokenSource === undefined ? credentials.metadata.issuer : credentials.issuer;
}

/**
 * Reads unsealed credentials; undefined when they are not what this version seals: they are ours by their seal, but another
 * version of us may have sealed them.
 */
export function parseCredentials(text: string): Credentials | undefined {
  const sealed = parseJson(text);
  if (typeof sealed !== "object" || sealed === null) return undefined;
  // On disk `tokenSource` is called `recipe`.
  const { recipe, ...value } = sealed as { readonly recipe?: unknown };
  const credentials = recipe === undefined ? value : { ...value, tokenSource: recipe };
  return v.is(credentialsSchema, credentials) ? credentials : undefined;
}

/** The text that is sealed of credentials, with the fields of their session that are acted on. */
export function formatCredentials({ tokenSource, ...credentials }: Credentials, session: Session): string {
  const { provider, kind, organization, expires, exportedTo } = session;
  // JSON leaves out what is undefined.
  const fields = { provider, kind, organization, expires, exportedTo };
  return JSON.stringify({ ...credentials, recipe: tokenSource, fields });
}
