/** What is found of other programs that sign people in: where each of them does, and why it can be taken over or not. */

import type { LoginInput } from "../../providers/flags.ts";
import { shellLine } from "../../text.ts";

/** A sign-in of another program, as one of ours. */
export interface OtherSignIn {
  /** The flags of `login`, without a secret and without an authority. */
  readonly login: LoginInput;
  readonly clientSecret?: string | undefined;
  /** The authorities of the issuer that it names. */
  readonly authority: OtherAuthority;
  /** The token that the entry's servers are shown, where it is not the usual one. */
  readonly token?: "access" | undefined;
  /** Who is signed in there, where that is known. */
  readonly email?: string | undefined;
}

/** The private authorities that another program trusts: files of certificates, or certificates in base64. */
export interface OtherAuthority {
  readonly files: readonly string[];
  readonly data: readonly string[];
}

/** No private authority. */
export const NO_AUTHORITY: OtherAuthority = { files: [], data: [] };

/** What another program keeps of a sign-in. */
export interface OtherTokens {
  /** The place, for people: a file, or the keyring. */
  readonly where: string;
  readonly refreshToken: string;
  /** The subject that the tokens are of, unverified. */
  readonly subject: string;
}

/** A sign-in, or why there is none, as the end of a sentence about the entry. */
export type Read =
  | { readonly signIn: OtherSignIn; readonly notes: readonly string[] }
  | { readonly problem: string };

/** The user entry of a kubeconfig that runs another program. */
export interface FoundEntry {
  readonly user: string;
  readonly contexts: readonly string[];
  /** The cluster entries of those contexts. */
  readonly clusters: readonly { readonly name: string; readonly server: string }[];
  /** The fields of the user entry as they were read. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Something that was found. */
export interface Finding {
  /** The program, as people call it. */
  readonly tool: string;
  /** What it is called here; `--only` takes it. */
  readonly name: string;
  /** Where it was found. */
  readonly place: string;
  readonly entry?: FoundEntry | undefined;
  readonly signIn?: OtherSignIn | undefined;
  readonly tokens?: OtherTokens | undefined;
  /** Why it is not offered, as a sentence without its end; undefined for one that is. */
  readonly problem?: string | undefined;
  /** What will be different, each a sentence without its end. */
  readonly notes: readonly string[];
  /** A machine's key, or a token, that is taken over as it is. */
  readonly kept?: KeptCredential | undefined;
  /** The session of Datum's own datumctl that an entry acts as. */
  readonly session?: string | undefined;
}

/** A credential that several programs can use at once. */
export type KeptCredential =
  | { readonly kind: "service-account"; readonly keyFile: string; readonly login: LoginInput }
  | {
    readonly kind: "studio";
    /** The file that it stands in. */
    readonly path: string;
    readonly url: string;
    readonly token: string;
    readonly team: string | undefined;
  };

/** True for one that can be taken over. */
export function isOffered({ signIn, kept, problem }: Finding): boolean {
  return problem === undefined && (signIn !== undefined || kept !== undefined);
}

/** The line that signs in as another program does; a secret and what is no file are left to be put into one. */
export function loginLineOf({ login, clientSecret, authority }: OtherSignIn): string {
  const file = authority.files.length === 1 && authority.data.length === 0 ? authority.files[0] : "FILE";
  const needsAuthority = authority.files.length + authority.data.length > 0;
  const flags: readonly (readonly [string, string | undefined])[] = [
    ["--hostname", login.hostname],
    ["--api-hostname", login.apiHostname],
    ["--issuer", login.issuer],
    ["--client-id", login.clientId],
    ["--client-secret-file", clientSecret === undefined ? undefined : "-"],
    ["--scopes", login.scopes],
    ["--redirect-uri", login.redirectUri],
    ["--prompt", login.prompt],
    ...(login.authParam ?? []).map((pair) => ["--auth-param", pair] as const),
    ["--certificate-authority", needsAuthority ? file : undefined],
  ];
  return shellLine([
    "datumctl",
    "login",
    ...flags.flatMap(([flag, value]) => value === undefined ? [] : [flag, value]),
    ...login.device ? ["--no-browser"] : [],
  ]);
}
