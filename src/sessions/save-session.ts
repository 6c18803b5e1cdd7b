/** Owns how a sign-in becomes a stored session: whose name it may have, and where its key is kept. */

import { AppError, failureOrThrow } from "../errors.ts";
import type { KeyringBound } from "../keyring/store.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { createFile, ensurePrivateFolder, removeFile } from "../system/files.ts";
import type { Credentials } from "./credentials.ts";
import { makeKeyText, readKeyText, type SealingKey } from "./jwe.ts";
import { accountOf } from "./open-session.ts";
import { type KeyStore, pathsOf, type SessionPlace } from "./place.ts";
import { LOCK_WAIT, lockSession, readSession } from "./read-session.ts";
import { newLoginLine } from "./remedy.ts";
import { NOBODY, SCHEMA_VERSION, type Session } from "./session-file.ts";
import { AMBIENT, refuseNameOfOtherHost } from "./session-name.ts";
import { prepareSession } from "./write-session.ts";

/** What is stored of a sign-in, all but the seal. */
export interface NewSession {
  readonly session: Omit<Session, "credentials" | "keyStore" | "schemaVersion">;
  readonly credentials: Credentials;
}

/** A session as it was stored, and why not in the store that was tried first. */
export interface SavedSession {
  readonly session: Session;
  readonly passedOver?: AppError;
}

/**
 * Stores a session that was just signed in to, in place of one of the same name.
 *
 * The key is kept when there is one; a new one is stored, read back, and only then is the file renamed into
 * place. `keyStores` are tried in order: the first that works keeps the key.
 *
 * Throws what the last of them said; `STORAGE` when a file is there that cannot be read or be written;
 * `IDENTITY_MISMATCH` when the name is another identity's; `USAGE` for the name of one elsewhere. Then nothing was stored.
 */
export async function saveSession(
  place: SessionPlace,
  { session, credentials }: NewSession,
  keyStores: readonly KeyStore[],
  bound: KeyringBound,
): Promise<SavedSession> {
  const { name } = session;
  if (name.startsWith(AMBIENT)) {
    throw new AppError("USAGE", `A stored session's name cannot begin with "${AMBIENT}".`, {
      hint: "Such names stand for sessions from variables. Choose another one.",
    });
  }
  await ensurePrivateFolder(place.folders.sessions);
  await createFile(`${place.folders.sessions}/.gitignore`, "*\n");
  using _lock = await lockSession(place, name, LOCK_WAIT);
  const previous = await readSession(place, name);
  if (previous === undefined) refuseNameOfOtherHost(name, session.apiHost);
  if (previous !== undefined && !sameIdentity(previous, session)) {
    throw new AppError("IDENTITY_MISMATCH", `A session named "${name}" already belongs to someone else.`, {
      hint: `Choose another name: ${newLoginLine("NAME", session)}`,
    });
  }
  const { key, keyStore, made, passedOver } = await keepKey(place, name, previous, keyStores, bound);
  let saved: Session;
  try {
    const replacement = await prepareSession(place, name, previous, key);
    saved = await replacement.commit(
      { ...session, schemaVersion: SCHEMA_VERSION, keyStore, credentials: "" },
      credentials,
    );
  } catch (thrown) {
    // No file is sealed with it.
    if (made) await forgetKey(place, name, keyStore, bound);
    throw thrown;
  }
  if (previous !== undefined && previous.keyStore !== keyStore) {
    await forgetKey(place, name, previous.keyStore, bound);
  }
  const { failure, signIn, leaving } = await pathsOf(place.folders, name);
  for (const note of [failure, signIn, leaving]) await removeFile(note);
  return passedOver === undefined ? { session: saved } : { session: saved, passedOver };
}

/** Where nobody has signed in yet, whoever does first is the session's identity. */
function sameIdentity(
  previous: Pick<Session, "issuer" | "user">,
  next: Pick<Session, "issuer" | "user">,
): boolean {
  const { subject } = previous.user;
  return previous.issuer === next.issuer && (subject === NOBODY || subject === next.user.subject);
}

interface KeptKey {
  readonly key: SealingKey;
  readonly keyStore: KeyStore;
  /** No file was sealed with it before. */
  readonly made: boolean;
  readonly passedOver: AppError | undefined;
}

async function keepKey(
  place: SessionPlace,
  name: string,
  previous: Session | undefined,
  keyStores: readonly KeyStore[],
  bound: KeyringBound,
): Promise<KeptKey> {
  let passedOver: AppError | undefined;
  for (const keyStore of keyStores) {
    const store = place.secretStore(keyStore);
    try {
      const kept = previous?.keyStore === keyStore
        ? await store.get(accountOf(place, name), bound)
        : undefined;
      const before = kept === undefined ? undefined : await readKeyText(kept);
      if (before !== undefined) return { key: before, keyStore, made: false, passedOver };
      const text = makeKeyText();
      await store.set(accountOf(place, name), text, bound);
      checkpoint("key stored");
      const key = await store.get(accountOf(place, name), bound) === text
        ? await readKeyText(text)
        : undefined;
      checkpoint("key read back");
      if (key !== undefined) return { key, keyStore, made: true, passedOver };
      await forgetKey(place, name, keyStore, bound);
      throw new AppError(
        "KEYRING_UNAVAILABLE",
        `${store.name} did not return the key that it was given.`,
      );
    } catch (thrown) {
      passedOver = failureOrThrow(thrown);
    }
  }
  throw passedOver ?? new AppError("KEYRING_UNAVAILABLE", "There is no place to keep the session's key.");
}

/** Removes a key that opens nothing; one that stays does no harm. */
async function forgetKey(
  place: SessionPlace,
  name: string,
  keyStore: KeyStore,
  bound: KeyringBound,
): Promise<void> {
  await place.secretStore(keyStore).delete(accountOf(place, name), bound).catch(() => false);
}
