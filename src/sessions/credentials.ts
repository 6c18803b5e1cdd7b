/** What is sealed of a session: tokens, recipes, and where they belong. */

import * as v from "valibot";
import { parseJson } from "../encoding.ts";
import type { IssuerMetadata } from "../oauth/discovery.ts";
import type { SigningKeys } from "../oauth/id-token.ts";
import type { TokenParameters } from "../oauth/request-parameters.ts";
import { plain, type Session, sessionSchema, type SignInChoices, text } from "./session.ts";

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
  servers: sessionSchema.entries.servers,
};
const tokenEndpoint = { tokenEndpoint: v.optional(endpoint), authMethods: v.optional(v.array(text)) };
const tokenParameters = {
  tokenParams: v.optional(v.record(text, text)),
  resources: v.optional(v.array(text)),
};
const recipeSchema = v.variant("kind", [
  v.looseObject({
    kind: v.literal("client-credentials"),
    ...tokenEndpoint,
    scope: v.optional(text),
  }),
  v.looseObject({
    kind: v.literal("service-account"),
    ...tokenEndpoint,
    ...tokenParameters,
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
      ...tokenParameters,
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

/** The public fields, beside the place, by which it is decided what is done with a session. */
export type SealedFields = Pick<Session, "provider" | "kind" | "organization" | "expires" | "exportedTo">;

/** What every seal holds: what says where tokens and people are sent is repeated here and wins over the public fields. */
interface SealedPlace {
  /** Added by the seal; absent in what was sealed before there was this, whose public fields are believed. */
  readonly fields?: SealedFields | undefined;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly signIn?: SignInChoices | undefined;
  readonly apiHost: string;
  readonly subject: string;
  readonly certificateAuthority?: string | undefined;
  /** Milliseconds since 1970; absent when nobody said. */
  readonly accessTokenExpires?: number | undefined;
  /** The vendor's API: its address, and its operations where they differ from what is known of it. */
  readonly api?: Readonly<Record<string, string>> | undefined;
  /** See {@link Session.servers}. */
  readonly servers?: Session["servers"] | undefined;
}

/** What is sealed of a person's sign-in. */
export interface SignInCredentials extends SealedPlace {
  readonly recipe?: undefined;
  readonly job?: undefined;
  /** The issuer and its endpoints. */
  readonly metadata: IssuerMetadata;
  /** The issuer's keys, so that a refresh costs one request. */
  readonly keys?: SigningKeys | undefined;
  readonly accessToken: string;
  /** When the access token came, in milliseconds since 1970. */
  readonly received: number;
  readonly idToken?: string | undefined;
  /** The issuer refreshes without an ID token: asking again would be in vain. */
  readonly noIdTokenOnRefresh?: true | undefined;
  readonly refreshToken?: string | undefined;
}

/** What is sealed of an identity that makes its tokens anew instead of refreshing them. */
export interface SourceCredentials extends SealedPlace {
  readonly recipe: TokenSource;
  readonly issuer: string;
  /** The token that was made last, while it is kept. */
  readonly accessToken?: string | undefined;
  /** When that one came, in milliseconds since 1970. */
  readonly received?: number | undefined;
  /** Marks the CI job that it was made for: no other job may use it. */
  readonly job?: string | undefined;
  /** What this one took the place of, until it is revoked. */
  readonly superseded?: readonly SupersededToken[] | undefined;
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
export type Credentials = SignInCredentials | SourceCredentials;

/** Where tokens are asked for; discovered at the issuer when absent. */
export interface TokenEndpoint {
  readonly tokenEndpoint?: string | undefined;
  /** `token_endpoint_auth_methods_supported` of the issuer's metadata. */
  readonly authMethods?: readonly string[] | undefined;
}

/** How the next token is made. */
export type TokenSource =
  /** An API token: its id is the client's id, its secret the client's secret. RFC 6749, 4.4. */
  | TokenEndpoint & {
    readonly kind: "client-credentials";
    readonly scope?: string | undefined;
  }
  /** A service account's key, as PKCS#8 in base64. RFC 7523. */
  | TokenEndpoint & TokenParameters & {
    readonly kind: "service-account";
    readonly keyId: string;
    readonly privateKey: string;
    readonly audience: string;
    readonly scope?: string | undefined;
  }
  | { readonly kind: "personal-access-token"; readonly token: string }
  /** The CI system's own token, as it is or exchanged. */
  | {
    readonly kind: "workload";
    readonly source: WorkloadSource;
    readonly audience: string;
    readonly exchange?:
      | TokenEndpoint & TokenParameters & {
        /** RFC 8693 or RFC 7523. */
        readonly grant: "token-exchange" | "jwt-bearer";
        readonly scope?: string | undefined;
      }
      | undefined;
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
export type SealedAddressFields = Pick<
  Session,
  "issuer" | "authHost" | "apiHost" | "clientId" | "certificateAuthority" | "confidential" | "servers"
>;

/** Where credentials belong, as a session's public fields tell it. */
export function sealedAddress(credentials: Credentials): SealedAddressFields {
  const { clientId, clientSecret, apiHost, certificateAuthority, servers } = credentials;
  const issuer = issuerOf(credentials);
  return {
    issuer,
    authHost: new URL(issuer).host,
    clientId,
    apiHost,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    ...(clientSecret === undefined ? {} : { confidential: true }),
    ...(servers === undefined ? {} : { servers }),
  };
}

/** The issuer that credentials are of. */
export function issuerOf(credentials: Credentials): string {
  return credentials.recipe === undefined ? credentials.metadata.issuer : credentials.issuer;
}

/**
 * Reads unsealed credentials; undefined when they are not what this version seals. They are ours by their seal, but
 * perhaps of another version of us.
 */
export function parseCredentials(text: string): Credentials | undefined {
  const value = parseJson(text);
  return v.is(credentialsSchema, value) ? value as unknown as Credentials : undefined;
}
