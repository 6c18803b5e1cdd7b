/** Unseals a session's credentials; sessions from environment variables carry theirs in memory. */

import { sha256, toBase64Url } from "../encoding.ts";
import {
  type Credentials,
  parseCredentials,
  sealedAddress,
  type SealedAddressFields,
} from "./credentials.ts";
import type { ProviderNames } from "./provider.ts";
import { type SealingKey, unseal } from "./seal.ts";
import { SCHEMA_VERSION, type Session } from "./session.ts";

/** A session with its credentials, and the key that seals them. */
export interface OpenedSession {
  readonly session: Session;
  readonly credentials: Credentials;
  /** Absent for a session that comes from variables: nothing of it is stored. */
  readonly key?: SealingKey | undefined;
}

/** A session as it was sealed: what is sealed wins over the public fields. Undefined when its credentials are damaged. */
export async function unsealSession(
  session: Session,
  key: SealingKey,
  providers: ProviderNames,
): Promise<OpenedSession | undefined> {
  const text = await unseal(session.credentials, key);
  const opened = text === undefined ? undefined : sessionAsSealed(session, text, providers);
  return opened && { ...opened, key };
}

/** As {@link unsealSession}, with the text that was sealed. */
export function sessionAsSealed(
  session: Session,
  text: string,
  providers: ProviderNames,
): OpenedSession | undefined {
  const credentials = parseCredentials(text);
  if (credentials === undefined) return undefined;
  const { subject, signIn } = credentials;
  // What a seal with these fields leaves out was not there when it was made.
  const { organization, expires, exportedTo } = credentials.fields ?? session;
  const [provider, kind] = credentials.fields === undefined
    ? [session.provider, session.kind]
    : [providers.provider(credentials.fields.provider), providers.kind(credentials.fields.kind)];
  if (provider === undefined || kind === undefined) return undefined;
  return {
    session: {
      ...session,
      provider,
      kind,
      organization,
      expires,
      exportedTo,
      ...sealedAddress(credentials, session.authHost),
      user: { ...session.user, subject },
      signIn,
    },
    credentials,
  };
}

const credentialsInMemory = new WeakMap<Session, Credentials>();
const given = new WeakMap<Session, string>();

/** A session that comes from variables: nothing of it is stored. */
export function environmentSession(
  session: Omit<Session, "credentials" | "keyStore" | "schemaVersion" | keyof SealedAddressFields>,
  credentials: Credentials,
): Session {
  const made: Session = {
    ...session,
    ...sealedAddress(credentials),
    schemaVersion: SCHEMA_VERSION,
    keyStore: "file",
    credentials: "",
  };
  credentialsInMemory.set(made, credentials);
  // The next process reads the same values at another moment.
  const { received: _, ...values } = credentials;
  given.set(made, JSON.stringify(values));
  return made;
}

/** Keeps the token of a session that comes from variables, as long as this process lives. */
export function rememberForThisProcess(session: Session, credentials: Credentials): void {
  credentialsInMemory.set(session, credentials);
}

/** The credentials of a session that comes from variables; undefined for one that is stored. */
export function environmentCredentials(session: Session): Credentials | undefined {
  return credentialsInMemory.get(session);
}

/** A fingerprint of the variables' values, safe to store; undefined for a session that is stored. */
export async function fingerprintOfVariables(session: Session): Promise<string | undefined> {
  const values = given.get(session);
  return values === undefined ? undefined : toBase64Url((await sha256(values)).subarray(0, 8));
}
