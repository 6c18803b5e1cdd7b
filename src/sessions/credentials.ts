/** What is sealed of a session: tokens, where the next ones come from, and where they belong. */

import { parseJson } from "../encoding.ts";
import { plain, type Session, sessionFields } from "./session.ts";
import {
  exactOptional,
  listOf,
  Mismatch,
  numberThat,
  object,
  oneOf,
  optional,
  readonlyListOf,
  type Shape,
  type Shaped,
  text,
  textsByName,
  textThat,
  variant,
} from "./shape.ts";

// The schemas check what is relied on; members that this version does not know stay in the value.
/** No value. */
const nothing: Shape<undefined> = (value, path) => {
  if (value === undefined) return undefined;
  throw new Mismatch(path);
};
const time = numberThat((value) => value >= 0 && value <= 8.64e15);
const endpoint = textThat((text) => URL.canParse(text));
const texts = readonlyListOf(text);
const { organization, expires, exportedTo } = sessionFields;

/** What every seal holds: it says where tokens and people are sent, and wins over the public fields. */
const sealedAddressEntries = {
  /**
   * The public fields, beside the address, that decide what is done with a session. The seal adds them; older seals lack
   * them, and then the public fields are believed.
   */
  fields: optional(object({ provider: text, kind: text, organization, expires, exportedTo })),
  clientId: text,
  clientSecret: optional(text),
  signIn: sessionFields.signIn,
  apiHost: plain,
  subject: text,
  certificateAuthority: optional(text),
  /** Milliseconds since 1970; absent when the issuer did not say. */
  accessTokenExpires: optional(time),
  /** The vendor's API: its address, and its operations where they differ from the known ones. */
  api: optional(textsByName),
  /** See {@link Session.servers}. */
  servers: sessionFields.servers,
};
const tokenEndpoint = {
  tokenEndpoint: optional(endpoint),
  /** `token_endpoint_auth_methods_supported` of the issuer's metadata. */
  authMethods: optional(texts),
};
const tokenEndpointSchema = object(tokenEndpoint);
const tokenParameters = { tokenParams: optional(textsByName), resources: optional(texts) };
const workloadSourceSchema = variant({
  /** GitHub Actions: asked for at `ACTIONS_ID_TOKEN_REQUEST_URL`. */
  github: object({ kind: oneOf("github") }),
  /** A variable, such as one of GitLab's `id_tokens`. */
  variable: object({ kind: oneOf("variable"), name: text }),
  /** A file that is read each time, such as a projected service account token. */
  file: object({ kind: oneOf("file"), path: text }),
});
const tokenSourceSchema = variant({
  /** An API token: its id is the client's id, its secret the client's secret. RFC 6749, 4.4. */
  "client-credentials": object({
    kind: oneOf("client-credentials"),
    ...tokenEndpoint,
    scope: optional(text),
  }),
  /** A service account's key, as PKCS#8 in base64. RFC 7523. */
  "service-account": object({
    kind: oneOf("service-account"),
    ...tokenEndpoint,
    ...tokenParameters,
    keyId: text,
    privateKey: text,
    audience: text,
    scope: optional(text),
  }),
  "personal-access-token": object({ kind: oneOf("personal-access-token"), token: text }),
  /** The CI system's own token, as it is or exchanged. */
  workload: object({
    kind: oneOf("workload"),
    source: workloadSourceSchema,
    audience: text,
    exchange: optional(object({
      /** RFC 8693 or RFC 7523. */
      grant: oneOf("token-exchange", "jwt-bearer"),
      ...tokenEndpoint,
      ...tokenParameters,
      scope: optional(text),
    })),
  }),
  /** A token that was given; no other one can be asked for. */
  fixed: object({ kind: oneOf("fixed") }),
  /** Nobody has signed in yet. */
  "sign-in": object({ kind: oneOf("sign-in") }),
});
/** See {@link SigningKey}. */
const signingKeySchema = object({
  kty: text,
  kid: exactOptional(text),
  alg: exactOptional(text),
  use: exactOptional(text),
  crv: exactOptional(text),
  n: exactOptional(text),
  e: exactOptional(text),
  x: exactOptional(text),
  y: exactOptional(text),
  key_ops: exactOptional(listOf(text)),
});
const signInSchema = object({
  ...sealedAddressEntries,
  /** What tells the two forms apart. */
  tokenSource: optional(nothing),
  /** The issuer and its endpoints. */
  metadata: object({
    issuer: endpoint,
    authorization_endpoint: endpoint,
    token_endpoint: endpoint,
    jwks_uri: endpoint,
    revocation_endpoint: exactOptional(endpoint),
    userinfo_endpoint: exactOptional(endpoint),
    id_token_signing_alg_values_supported: exactOptional(listOf(text)),
    token_endpoint_auth_methods_supported: exactOptional(listOf(text)),
  }),
  /** The issuer's keys, so that a refresh costs one request. */
  keys: optional(
    object({ keys: readonlyListOf(signingKeySchema), fetchedAt: numberThat() }),
  ),
  accessToken: text,
  /** When the access token came, in milliseconds since 1970. */
  received: time,
  idToken: optional(text),
  /** The issuer refreshes without an ID token: asking again brings none. */
  noIdTokenOnRefresh: optional(oneOf(true)),
  refreshToken: optional(text),
});
const supersededSchema = object({
  /** Studio's origin. */
  issuer: endpoint,
  token: text,
  /** The token's name, as Studio shows it. */
  name: text,
  /** When it ends, in ISO 8601. */
  expires: optional(plain),
});
const sourceCredentialsSchema = object({
  ...sealedAddressEntries,
  tokenSource: tokenSourceSchema,
  issuer: endpoint,
  /** The token that was issued last, while it is stored. */
  accessToken: optional(text),
  /** When that one came, in milliseconds since 1970. */
  received: optional(time),
  /** A fingerprint of the CI job that it was issued for: no other job may use it. */
  job: optional(text),
  /** The tokens that this one replaced, until they are revoked. */
  superseded: optional(readonlyListOf(supersededSchema)),
});

/** What is sealed of a user's sign-in. */
export type SignInCredentials = Readonly<Shaped<typeof signInSchema>>;

/** What is sealed of an identity that requests each token instead of refreshing it. */
export type SourceCredentials = Readonly<Shaped<typeof sourceCredentialsSchema>>;

/** What is sealed. */
export type Credentials = SignInCredentials | SourceCredentials;

/** A token of Studio's that a newer one replaced, and that is not known to be revoked. */
export type SupersededToken = Readonly<Shaped<typeof supersededSchema>>;

/** Where tokens are asked for; discovered at the issuer when absent. */
export type TokenEndpoint = Readonly<Shaped<typeof tokenEndpointSchema>>;

/** Where the next token comes from. */
export type TokenSource = Readonly<Shaped<typeof tokenSourceSchema>>;

/** Where a CI system puts its token. */
export type WorkloadSource = Readonly<Shaped<typeof workloadSourceSchema>>;

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
  try {
    if (recipe === undefined) signInSchema(credentials, "");
    else sourceCredentialsSchema(credentials, "");
  } catch (thrown) {
    if (thrown instanceof Mismatch) return undefined;
    throw thrown;
  }
  return credentials as Credentials;
}

/** The text that is sealed of credentials, with the fields of their session that are acted on. */
export function formatCredentials({ tokenSource, ...credentials }: Credentials, session: Session): string {
  const { provider, kind, organization, expires, exportedTo } = session;
  // JSON leaves out what is undefined.
  const fields = { provider, kind, organization, expires, exportedTo };
  return JSON.stringify({ ...credentials, recipe: tokenSource, fields });
}
