/** Owns how a session's credentials are had: unsealed with its key, or, where variables give them, from memory. */

import { sha256, toBase64Url } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { KeyringLimits } from "../keyring/store.ts";
import {
  type Credentials,
  parseCredentials,
  sealedAddress,
  type SealedAddressFields,
  type SealedFields,
} from "./credentials.ts";
import { kidOf, readKeyText, type SealingKey, unseal } from "./seal.ts";
import { type SessionStore, withoutProjectHint } from "./store.ts";
import { signInAgain } from "./login-line.ts";
import { SCHEMA_VERSION, type Session } from "./session.ts";

/** A session with its credentials, and the key that seals them. */
export interface OpenedSession {
  readonly session: Session;
  readonly credentials: Credentials;
  /** Absent for a session that comes from variables: nothing of it is stored. */
  readonly key?: SealingKey;
}

/**
 * Opens a session's credentials with its key from where that is kept. What is sealed wins over the public
 * fields, so that an edited file cannot send a refresh token elsewhere.
 *
 * Throws `KEYRING_LOCKED`, `KEYRING_TIMEOUT`, `KEYRING_ITEM_MISSING`, or `STORAGE` for a damaged file.
 */
export async function openSession(
  store: SessionStore,
  session: Session,
  limits: KeyringLimits,
): Promise<OpenedSession> {
  const ambient = ambientCredentials(session);
  if (ambient !== undefined) return { session, credentials: ambient };
  const { interrupted: signal } = store;
  const text = await store.secretStore(session.keyStore).get(accountOf(store, session.name), {
    ...(signal && { signal }),
    ...limits,
  });
  const key = text === undefined ? undefined : await readKeyText(text);
  if (key === undefined || key.kid !== kidOf(session.credentials)) throw keyMissing(store, session);
  return await openWith(store, session, key);
}

/** Under which account a session's key is kept, so that a person finds it under their own identity. */
export function accountOf({ project }: SessionStore, name: string): string {
  return project === undefined ? name : `${name} in ${project}`;
}

/** Opens a session's credentials with a key that is at hand. */
export async function openWith(
  store: SessionStore,
  session: Session,
  key: SealingKey,
): Promise<OpenedSession> {
  const opened = await unseal(session.credentials, key);
  const credentials = opened === undefined ? undefined : parseCredentials(opened);
  if (credentials === undefined) {
    throw new AppError("STORAGE", `The credentials of the session "${session.name}" are damaged.`, {
      // What stands beside them in a project's folder may be anybody's.
      hint: store.project === undefined ? signInAgain(session) : withoutProjectHint(store.project),
    });
  }
  const { subject, signIn } = credentials;
  const { certificateAuthority: _, signIn: __, confidential: ___, servers: ____, ...rest } = session;
  return {
    session: {
      ...(credentials.fields === undefined ? rest : { ...withoutFields(rest), ...credentials.fields }),
      ...sealedAddress(credentials),
      user: { ...session.user, subject },
      ...(signIn === undefined ? {} : { signIn }),
    },
    credentials,
    key,
  };
}

/** What the seal leaves out was not there when it was made. */
function withoutFields<T extends Partial<SealedFields>>(session: T) {
  const { provider: _, kind: __, organization: ___, expires: ____, exportedTo: _____, ...rest } = session;
  return rest;
}

function keyMissing(store: SessionStore, session: Session): AppError {
  if (store.project !== undefined) return notOurs(store.project, session);
  const where = store.secretStore(session.keyStore).name;
  return new AppError(
    "KEYRING_ITEM_MISSING",
    `The key of the session "${session.name}" is no longer in ${where}; its credentials cannot be opened.`,
    { hint: signInAgain(session) },
  );
}

/** A folder that came from somebody else says nothing here of where to sign in. */
function notOurs(project: string, { name }: Session): AppError {
  return new AppError(
    "KEYRING_ITEM_MISSING",
    `The session "${name}" in ${
      printable(`${project}/.datumctl`)
    } is not used: you hold no key for it. It may be somebody else's.`,
    { hint: withoutProjectHint(project) },
  );
}

const ambient = new WeakMap<Session, Credentials>();
const given = new WeakMap<Session, string>();

/** A session that comes from variables: nothing of it is stored. */
export function ambientSession(
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
  ambient.set(made, credentials);
  // When they were read is no part of what they are: the next process reads the same values at another moment.
  const { received: _, ...values } = credentials;
  given.set(made, JSON.stringify(values));
  return made;
}

/** Keeps the token that was made for a session that comes from variables, as long as this process lives. */
export function rememberForThisProcess(session: Session, credentials: Credentials): void {
  ambient.set(session, credentials);
}

/** The credentials of a session that comes from variables; undefined for one that is stored. */
export function ambientCredentials(session: Session): Credentials | undefined {
  return ambient.get(session);
}

/** Tells one value of the variables from another, which cannot be told from it; undefined for a session that is stored. */
export async function fingerprintOfVariables(session: Session): Promise<string | undefined> {
  const values = given.get(session);
  return values === undefined ? undefined : toBase64Url((await sha256(values)).subarray(0, 8));
}
