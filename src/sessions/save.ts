/** How a sign-in becomes a stored session: whose name it may have, and where its key is kept. */

import { AppError, failureOrThrow } from "../errors.ts";
import type { KeyringLimits } from "../keyring/store.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { createFile, ensurePrivateFolder, removeFile } from "../system/files.ts";
import type { Credentials } from "./credentials.ts";
import { isSameClient, mayBecome } from "./identity.ts";
import { makeKeyText, readKeyText, type SealingKey } from "./seal.ts";
import { accountOf, openSession, openWith } from "./open.ts";
import { type KeyStore, makeFoldersPrivate, pathsOf, type SessionStore } from "./store.ts";
import { LOCK_WAIT, lockSession, readSession } from "./read.ts";
import { newLoginLine } from "./login-line.ts";
import { SCHEMA_VERSION, type Session } from "./session.ts";
import { AMBIENT, refuseNameOfOtherHost } from "./name.ts";
import { prepareSession } from "./write.ts";

/** What is stored of a sign-in, all but the seal. */
export interface NewSession {
  readonly session: Omit<Session, "credentials" | "keyStore" | "schemaVersion">;
  readonly credentials: Credentials;
}

/** A session as it was stored. */
export interface SavedSession {
  readonly session: Session;
  /** Why its key is not in the store that was tried first. */
  readonly fallbackReason?: AppError | undefined;
  /** What it took the place of. */
  readonly replaced?: ReplacedSession | undefined;
}

/** A session that another took the place of. */
export interface ReplacedSession {
  readonly session: Session;
  /** Absent where its key was not at hand. */
  readonly credentials: Credentials | undefined;
}

/** Whose place a session may take. */
export interface Replacing {
  /** The person named it: as another client it is still the same session. */
  readonly named: boolean;
}

/**
 * Stores a session that was just signed in to, in place of one of the same name.
 *
 * The key is kept when there is one; a new one is stored, read back, and only then is the file renamed into
 * place. `keyStores` are tried in order: the first that works keeps the key.
 *
 * Throws what the last of them said; `STORAGE` when a file is there that cannot be read or be written;
 * `IDENTITY_MISMATCH` when the name is another identity's, or another client's that nobody named; `USAGE` for the name of
 * one elsewhere. Then nothing was stored.
 */
export async function saveSession(
  store: SessionStore,
  { session, credentials }: NewSession,
  keyStores: readonly KeyStore[],
  limits: KeyringLimits,
  { named }: Replacing = { named: true },
): Promise<SavedSession> {
  const { name } = session;
  if (name.startsWith(AMBIENT)) {
    throw new AppError("USAGE", `A stored session's name cannot begin with "${AMBIENT}".`, {
      hint: "Such names stand for sessions from variables. Choose another one.",
    });
  }
  await ensurePrivateFolder(store.folders.sessions);
  await makeFoldersPrivate(store);
  await createFile(`${store.folders.sessions}/.gitignore`, "*\n");
  using _lock = await lockSession(store, name, LOCK_WAIT);
  const previous = await readSession(store, name);
  if (previous === undefined) refuseNameOfOtherHost(name, session.apiHost);
  if (
    previous !== undefined && !(mayBecome(previous, session) && (named || isSameClient(previous, session)))
  ) {
    throw new AppError("IDENTITY_MISMATCH", `A session named "${name}" already belongs to someone else.`, {
      hint: `Choose another name: ${newLoginLine("NAME", session)}`,
    });
  }
  const { key, keyStore, made, fallbackReason } = await storeKey(
    store,
    name,
    previous,
    keyStores,
    limits,
  );
  const replaced = previous === undefined ? undefined : {
    session: previous,
    credentials: await credentialsOf(store, previous, made ? undefined : key, limits),
  };
  // As they were sealed: somebody who signs in again need not name them again.
  const servers = replaced?.credentials?.servers;
  let saved: Session;
  try {
    const kept = servers === undefined ? {} : { servers };
    const replacement = await prepareSession(store, name, previous, key);
    saved = await replacement.commit(
      { ...session, ...kept, schemaVersion: SCHEMA_VERSION, keyStore, credentials: "" },
      { ...credentials, ...kept },
    );
  } catch (thrown) {
    // No file is sealed with it.
    if (made) await forgetKey(store, name, keyStore, limits);
    throw thrown;
  }
  if (previous !== undefined && previous.keyStore !== keyStore) {
    await forgetKey(store, name, previous.keyStore, limits);
  }
  const { failure, signIn, leaving } = await pathsOf(store.folders, name);
  for (const note of [failure, signIn, leaving]) await removeFile(note);
  return { session: saved, fallbackReason, replaced };
}

/** In milliseconds; a keyring that was given up may be one that does not answer. */
const LONGEST_LOOK = 5_000;

/** The credentials of a session that is about to be replaced, where the key that they have is still to be had. */
async function credentialsOf(
  store: SessionStore,
  session: Session,
  key: SealingKey | undefined,
  limits: KeyringLimits,
): Promise<Credentials | undefined> {
  try {
    const opened = key === undefined
      ? await openSession(store, session, { ...limits, timeout: Math.min(limits.timeout, LONGEST_LOOK) })
      : await openWith(store, session, key);
    return opened.credentials;
  } catch (thrown) {
    failureOrThrow(thrown);
    return undefined;
  }
}

interface StoredKey {
  readonly key: SealingKey;
  readonly keyStore: KeyStore;
  /** No file was sealed with it before. */
  readonly made: boolean;
  readonly fallbackReason: AppError | undefined;
}

async function storeKey(
  store: SessionStore,
  name: string,
  previous: Session | undefined,
  keyStores: readonly KeyStore[],
  limits: KeyringLimits,
): Promise<StoredKey> {
  let fallbackReason: AppError | undefined;
  for (const keyStore of keyStores) {
    const secrets = store.secretStore(keyStore);
    try {
      const kept = previous?.keyStore === keyStore
        ? await secrets.get(accountOf(store, name), limits)
        : undefined;
      const before = kept === undefined ? undefined : await readKeyText(kept);
      if (before !== undefined) return { key: before, keyStore, made: false, fallbackReason };
      const text = makeKeyText();
      await secrets.set(accountOf(store, name), text, limits);
      checkpoint("key stored");
      const key = await secrets.get(accountOf(store, name), limits) === text
        ? await readKeyText(text)
        : undefined;
      checkpoint("key read back");
      if (key !== undefined) return { key, keyStore, made: true, fallbackReason };
      await forgetKey(store, name, keyStore, limits);
      throw new AppError(
        "KEYRING_UNAVAILABLE",
        `${secrets.name} did not return the key that it was given.`,
      );
    } catch (thrown) {
      fallbackReason = failureOrThrow(thrown);
    }
  }
  throw fallbackReason ?? new AppError("KEYRING_UNAVAILABLE", "There is no place to keep the session's key.");
}

/** Removes a key that opens nothing; one that stays does no harm. */
async function forgetKey(
  store: SessionStore,
  name: string,
  keyStore: KeyStore,
  limits: KeyringLimits,
): Promise<void> {
  await store.secretStore(keyStore).delete(accountOf(store, name), limits).catch(() => false);
}
