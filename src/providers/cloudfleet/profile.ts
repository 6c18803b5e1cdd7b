/** Cloudfleet's profiles: where they belong, which use a token, and the one that variables give. */

import { AppError } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import { endpointUrl } from "../../http/address.ts";
import type { SourceCredentials } from "../../sessions/source-credentials.ts";
import { environmentSession } from "../../sessions/open.ts";
import { NOBODY, type Session } from "../../sessions/session.ts";
import { ENV_PREFIX } from "../../sessions/name.ts";
import type { MachineSession } from "../../sessions/save.ts";
import type { SessionStore } from "../../sessions/store.ts";
import type { Environment } from "../../system/environment.ts";
import { authorityOfVariable } from "../certificate-authority.ts";
import { PERSON } from "../kinds.ts";
import { API_TOKEN, CLOUDFLEET, isApiToken, isProfile } from "./facts.ts";
import { checkedApiUrl, checkedId, CLOUDFLEET_API_URL, operationsOf } from "./operations.ts";

/** The session that `CLOUDFLEET_ORGANIZATION_ID` and its kin give. */
export const CLOUDFLEET_ENV_SESSION = `${ENV_PREFIX}CLOUDFLEET_ACCESS_TOKEN_ID`;

const ORGANIZATION = "CLOUDFLEET_ORGANIZATION_ID";
const TOKEN_ID = "CLOUDFLEET_ACCESS_TOKEN_ID";
const TOKEN_SECRET = "CLOUDFLEET_ACCESS_TOKEN_SECRET";

/** What flags say of where a profile belongs. */
export interface AddressFlags {
  readonly issuer?: string | undefined;
  readonly apiUrl?: string | undefined;
  /** `--operation`, as they were typed. */
  readonly operation?: readonly string[] | undefined;
}

/** Where a profile belongs, as it is kept. */
export interface CloudfleetAddress {
  readonly issuer: string;
  readonly apiHost: string;
  /** The API's address as `url`, and the operations that differ from the table, by name. */
  readonly api: Readonly<Record<string, string>>;
  /** PEM. */
  readonly certificateAuthority?: string | undefined;
}

/**
 * Where a profile belongs: by the flags, where there can be any, else as it was kept, else by `CLOUDFLEET_ISSUER`,
 * `CLOUDFLEET_API_URL` and `DATUMCTL_CERTIFICATE_AUTHORITY`.
 *
 * @throws {AppError} `USAGE` for an issuer that nobody names, since none is known, and for addresses that are not
 * https
 */
export async function cloudfleetAddress(
  given: AddressFlags & { readonly certificateAuthority?: string | undefined } | undefined,
  env: Environment,
  address?: CloudfleetAddress,
): Promise<CloudfleetAddress> {
  const flags = given ?? {};
  const [issuerSource, issuer] = flags.issuer === undefined
    ? ["CLOUDFLEET_ISSUER", address?.issuer ?? env("CLOUDFLEET_ISSUER")] as const
    : ["--issuer", flags.issuer] as const;
  if (issuer === undefined) {
    throw new AppError("USAGE", "Cloudfleet's issuer is not known.", {
      hint: given === undefined
        ? "Set the variable CLOUDFLEET_ISSUER to its URL."
        : "Name it: --issuer URL, or the variable CLOUDFLEET_ISSUER.",
    });
  }
  const url = endpointUrl(issuer, { query: "refused" });
  if (typeof url === "string") {
    throw new AppError("USAGE", `${issuerSource}: the issuer ${printable(issuer)} ${url}.`, {
      hint:
        "Give the issuer URL exactly as the issuer states it, with its path: https://auth.example.com/realms/ORGANIZATION",
    });
  }
  const apiUrl = flags.apiUrl === undefined
    ? address?.api.url ?? checkedApiUrl(env("CLOUDFLEET_API_URL") ?? CLOUDFLEET_API_URL, "CLOUDFLEET_API_URL")
    : checkedApiUrl(flags.apiUrl, "--api-url");
  const certificateAuthority = flags.certificateAuthority ?? address?.certificateAuthority ??
    await authorityOfVariable(env);
  return {
    issuer,
    apiHost: new URL(apiUrl).host,
    api: { ...address?.api, ...operationsOf(flags.operation ?? []), url: apiUrl },
    certificateAuthority,
  };
}

/** An API token with its organization. */
export interface TokenIdentity {
  readonly organization: string;
  readonly tokenId: string;
  readonly secret: string;
}

/**
 * The profile of an API token, not stored yet.
 *
 * @throws {AppError} `USAGE` for ids that cannot be ones
 */
export function tokenProfile(
  { organization, tokenId, secret }: TokenIdentity,
  address: CloudfleetAddress,
): MachineSession {
  return {
    session: {
      provider: CLOUDFLEET,
      kind: API_TOKEN,
      user: { subject: checkedId("a token", tokenId) },
      scopes: [],
      organization: checkedId("an organization", organization),
    },
    credentials: {
      ...sealed(address),
      clientId: tokenId,
      clientSecret: secret,
      subject: tokenId,
      tokenSource: { kind: "client-credentials" },
    },
    label: tokenId,
  };
}

/**
 * The profile of a person who has not signed in to it yet.
 *
 * @throws {AppError} `USAGE` for an id that cannot be one
 */
export function userProfile(
  { organization, clientId }: { readonly organization: string; readonly clientId: string },
  address: CloudfleetAddress,
): MachineSession {
  return {
    session: {
      provider: CLOUDFLEET,
      kind: PERSON,
      user: { subject: NOBODY },
      scopes: [],
      organization: checkedId("an organization", organization),
    },
    credentials: { ...sealed(address), clientId, subject: NOBODY, tokenSource: { kind: "sign-in" } },
    label: organization,
  };
}

function sealed(
  { issuer, apiHost, api, certificateAuthority }: CloudfleetAddress,
): Pick<SourceCredentials, "issuer" | "apiHost" | "api" | "certificateAuthority"> {
  return { issuer, apiHost, api, certificateAuthority };
}

/** A profile under a name, stored nowhere. */
export function unstoredProfile({ session, credentials }: MachineSession, name: string): Session {
  return environmentSession({ ...session, name }, credentials);
}

/** True where the variables name an API token, or half of one. */
export function variablesSet(env: Environment): boolean {
  return env(TOKEN_ID) !== undefined || env(TOKEN_SECRET) !== undefined;
}

/**
 * The session of `CLOUDFLEET_ORGANIZATION_ID`, `CLOUDFLEET_ACCESS_TOKEN_ID` and `CLOUDFLEET_ACCESS_TOKEN_SECRET`. Throws
 * `USAGE`, naming what is missing.
 */
export async function sessionOfVariables(env: Environment): Promise<Session> {
  const [organization, tokenId, secret] = [env(ORGANIZATION), env(TOKEN_ID), env(TOKEN_SECRET)];
  if (organization === undefined || tokenId === undefined || secret === undefined) {
    const missing = [[ORGANIZATION, organization], [TOKEN_ID, tokenId], [TOKEN_SECRET, secret]]
      .flatMap(([name, value]) => value === undefined ? [name] : []);
    throw new AppError(
      "USAGE",
      `Cloudfleet's variables are only partly set: ${missing.join(" and ")} ${
        missing.length === 1 ? "is" : "are"
      } missing.`,
      { hint: `Set all of ${ORGANIZATION}, ${TOKEN_ID} and ${TOKEN_SECRET}, or none of them.` },
    );
  }
  const address = await cloudfleetAddress(undefined, env);
  return unstoredProfile(tokenProfile({ organization, tokenId, secret }, address), CLOUDFLEET_ENV_SESSION);
}

/** The names of the profiles that use a token at an API host, sorted. */
export async function profilesUsing(store: SessionStore, id: string, apiHost: string): Promise<string[]> {
  const { sessions } = await store.list();
  return sessions.filter((session) =>
    isProfile(session) && isApiToken(session) && session.clientId === id &&
    session.apiHost === apiHost
  ).map(({ name }) => name).sort();
}

/** The line that stores an API token as a profile. */
export function addTokenLine(name: string, tokenId: string, organization = "ORGANIZATION_ID"): string {
  return shellLine(["datumctl", "auth", "add-profile", "token", name, organization, tokenId]);
}
