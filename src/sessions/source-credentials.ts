/** What is sealed of an identity that asks for each token: where the next one comes from, and the one that it has. */

import { endpoint, sealedAddressEntries, texts, time } from "./sealed-fields.ts";
import { plain } from "./session.ts";
import { object, oneOf, optional, readonlyListOf, type Shaped, text, textsByName, variant } from "./shape.ts";

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
const supersededSchema = object({
  /** Studio's origin. */
  issuer: endpoint,
  token: text,
  /** The token's name, as Studio shows it. */
  name: text,
  /** When it ends, in ISO 8601. */
  expires: optional(plain),
});
/** See {@link SourceCredentials}. */
export const sourceCredentialsSchema = object({
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

/** What is sealed of an identity that requests each token instead of refreshing it. */
export type SourceCredentials = Readonly<Shaped<typeof sourceCredentialsSchema>>;

/** A token of Studio's that a newer one replaced, and that is not known to be revoked. */
export type SupersededToken = Readonly<Shaped<typeof supersededSchema>>;

/** Where tokens are asked for; discovered at the issuer when absent. */
export type TokenEndpoint = Readonly<Shaped<typeof tokenEndpointSchema>>;

/** Where the next token comes from. */
export type TokenSource = Readonly<Shaped<typeof tokenSourceSchema>>;

/** Where a CI system puts its token. */
export type WorkloadSource = Readonly<Shaped<typeof workloadSourceSchema>>;
