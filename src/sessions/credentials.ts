/** What is sealed of a session: tokens, where the next ones come from, and where they belong. */

import { parseJson } from "../encoding.ts";
import type { Session } from "./session.ts";
import { endpoint, sealedAddressEntries, time } from "./sealed-fields.ts";
import { type SourceCredentials, sourceCredentialsSchema } from "./source-credentials.ts";
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
} from "./shape.ts";

/** No value. */
const nothing: Shape<undefined> = (value, path) => {
  if (value === undefined) return undefined;
  throw new Mismatch(path);
};

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

// The schemas check what is relied on; members that this version does not know stay in the value.
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

/** What is sealed of a user's sign-in. */
export type SignInCredentials = Readonly<Shaped<typeof signInSchema>>;

/** What is sealed. */
export type Credentials = SignInCredentials | SourceCredentials;

/** The public fields that repeat the address in the sealed credentials. */
export type SealedAddressFields = Pick<
  Session,
  "issuer" | "authHost" | "apiHost" | "clientId" | "certificateAuthority" | "confidential" | "servers"
>;

/**
 * The address of credentials, as a session's public fields say it.
 *
 * @param likelyHost the host that the issuer should have. It is believed where the issuer's text says the same.
 */
export function sealedAddress(credentials: Credentials, likelyHost?: string): SealedAddressFields {
  const { clientId, clientSecret, apiHost, certificateAuthority, servers } = credentials;
  const issuer = issuerOf(credentials);
  return {
    issuer,
    authHost: hostOf(issuer, likelyHost),
    clientId,
    apiHost,
    certificateAuthority,
    confidential: clientSecret === undefined ? undefined : true,
    servers,
  };
}

/** To parse an address takes get-token long. */
function hostOf(issuer: string, likely: string | undefined): string {
  const [, behind = ""] = issuer.split("://", 2);
  const isPlain = likely !== undefined && `${behind}/`.startsWith(`${likely}/`) &&
    !likely.includes("@");
  return isPlain ? likely : new URL(issuer).host;
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
  const schema = recipe === undefined ? signInSchema : sourceCredentialsSchema;
  try {
    schema(credentials, "");
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
