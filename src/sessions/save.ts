/** Stores sessions that were just signed in to: which name they get, and where their key is kept. */

import { sha256 } from "../encoding.ts";
import { AppError, failureOrThrow } from "../errors.ts";
import { HINTS } from "../hints.ts";
import type { KeyringLimits } from "../keyring/store.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { ensurePrivateFolder, removeFile } from "../system/files.ts";
import { createFile } from "../system/replacement.ts";
import { type Credentials, sealedAddress } from "./credentials.ts";
import { type SourceCredentials } from "./source-credentials.ts";
import { removeHandOffs } from "./hand-off.ts";
import { isSameClient, isSameIdentity, isSamePerson, mayBecome, type Person } from "./identity.ts";
import { ENV_PREFIX } from "./name.ts";
import { defaultSessionName, refuseNameOfOtherHost, sessionNameOf } from "./new-name.ts";
import type { KeyStore, SessionReader } from "./reader.ts";
import { makeKeyText, readKeyText, type SealingKey } from "./seal.ts";
import { SCHEMA_VERSION, type Session } from "./session.ts";
import { activateSession, prepareSession } from "./write.ts";

/** What is stored of a sign-in, all but the seal. */
export interface NewSession {
  readonly session: Omit<Session, "credentials" | "keyStore" | "schemaVersion">;
  readonly credentials: Credentials;
}

/** How a session is stored. */
export interface SaveChoice {
  /** Where the key may be kept, tried in order: the first that works keeps it. */
  readonly keyStores: readonly KeyStore[];
  /** The user named the session, so that another client may take its name; true unless given. */
  readonly named?: boolean | undefined;
}

/** A session as it was stored. */
export interface SavedSession {
  readonly session: Session;
  /** Why its key is not in the store that was tried first. */
  readonly fallbackReason?: AppError | undefined;
  /** The session of the same name that it replaced. */
  readonly replaced?: ReplacedSession | undefined;
}

/** A session that another one replaced. */
export interface ReplacedSession {
  readonly session: Session;
  /** Absent where its key was not at hand. */
  readonly credentials: Credentials | undefined;
}

/**
 * Stores a session that was just signed in to, in place of one of the same name.
 *
 * A key that exists is kept; a new one is stored, read back, and only then is the file renamed into place.
 *
 * @throws {AppError} what the last key store failed with; `STORAGE` when a file is there that cannot be read or be written;
 * `IDENTITY_MISMATCH` when the name is another identity's, or another client's and the user did not name it; `USAGE` for
 * the name of a session elsewhere. Then nothing was stored.
 */
export async function saveSession(
  store: SessionReader,
  { session, credentials }: NewSession,
  { keyStores, named = true }: SaveChoice,
  limits: KeyringLimits,
): Promise<SavedSession> {
  const { name } = session;
  if (name.startsWith(ENV_PREFIX)) {
    throw new AppError("USAGE", `A stored session's name cannot begin with "${ENV_PREFIX}".`, {
      hint: "Such names stand for sessions from variables. Choose another one.",
    });
  }
  await ensurePrivateFolder(store.folders.sessions);
  await store.makeFoldersPrivate();
  await createFile(`${store.folders.sessions}/.gitignore`, "*\n");
  using _lock = await store.lock(name);
  const previous = await store.read(name);
  if (previous === undefined) refuseNameOfOtherHost(name, session.apiHost);
  else await refuseOtherOwner(store, previous, session, named);
  const { key, keyStore, made, fallbackReason } = await storeKey(
    store,
    { name, previous, keyStores },
    limits,
  );
  const replaced = previous === undefined ? undefined : {
    session: previous,
    credentials: await credentialsOf(store, previous, made ? undefined : key, limits),
  };
  // Kept as they were sealed: nobody need name them again after a new sign-in.
  const servers = replaced?.credentials?.servers ?? credentials.servers;
  let saved: Session;
  try {
    const replacement = await prepareSession(store, name, previous, key);
    saved = await replacement.commit(
      { ...session, servers, schemaVersion: SCHEMA_VERSION, keyStore, credentials: "" },
      { ...credentials, servers },
    );
  } catch (thrown) {
    // No file is sealed with it.
    if (made) await forgetKey(store, name, keyStore, limits);
    throw thrown;
  }
  if (previous !== undefined && previous.keyStore !== keyStore) {
    await forgetKey(store, name, previous.keyStore, limits);
  }
  const { failure, signIn, leaving } = await store.paths(name);
  for (const note of [failure, signIn, leaving]) await removeFile(note);
  // The issuer may take back the tokens of the sign-in before.
  await removeHandOffs(store.folders, name).catch(() => {});
  return { session: saved, fallbackReason, replaced };
}

async function refuseOtherOwner(
  { providers }: SessionReader,
  previous: Session,
  session: NewSession["session"],
  named: boolean,
): Promise<void> {
  if (mayBecome(previous, session) && (named || isSameClient(previous, session))) return;
  throw new AppError(
    "IDENTITY_MISMATCH",
    `A session named "${session.name}" already belongs to someone else.`,
    {
      hint: `Choose another name: ${await providers.newLoginLine("NAME", session)}`,
    },
  );
}

/** In milliseconds; the keyring may be one that did not answer before. */
const LONGEST_LOOK = 5_000;

/** The credentials of a session that is about to be replaced; undefined where their key cannot be read. */
async function credentialsOf(
  store: SessionReader,
  session: Session,
  key: SealingKey | undefined,
  limits: KeyringLimits,
): Promise<Credentials | undefined> {
  try {
    const opened = key === undefined
      ? await store.open(session, { ...limits, timeout: Math.min(limits.timeout, LONGEST_LOOK) })
      : await store.openWith(session, key);
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
  store: SessionReader,
  { name, previous, keyStores }: {
    readonly name: string;
    readonly previous: Session | undefined;
    readonly keyStores: readonly KeyStore[];
  },
  limits: KeyringLimits,
): Promise<StoredKey> {
  let fallbackReason: AppError | undefined;
  for (const keyStore of keyStores) {
    const secrets = store.secretStore(keyStore);
    try {
      const kept = previous?.keyStore === keyStore
        ? await secrets.get(store.account(name), limits)
        : undefined;
      const before = kept === undefined ? undefined : await readKeyText(kept);
      if (before !== undefined) return { key: before, keyStore, made: false, fallbackReason };
      const text = makeKeyText();
      await secrets.set(store.account(name), text, limits);
      checkpoint("key stored");
      const key = await secrets.get(store.account(name), limits) === text
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
  store: SessionReader,
  name: string,
  keyStore: KeyStore,
  limits: KeyringLimits,
): Promise<void> {
  await store.secretStore(keyStore).delete(store.account(name), limits).catch(() => false);
}

/** An identity that gets its tokens from a source, not stored yet. */
export interface MachineSession {
  readonly session:
    & Pick<Session, "provider" | "kind" | "user" | "scopes">
    & Partial<Pick<Session, "organization" | "team" | "exportedTo" | "local" | "expires">>;
  readonly credentials: SourceCredentials;
  /** What stands before the `@` in the name that the session gets by itself. */
  readonly label: string;
}

/** How an identity is stored. */
export interface SaveMachineChoice extends Pick<SaveChoice, "keyStores"> {
  /** The session's name; without it, the session of the same identity, else a name of its own. */
  readonly wantedName?: string | undefined;
  /** The user named a key store: an existing session moves to it; else it stays where it is. */
  readonly moveKey: boolean;
  /** False for an existing session that decides nothing of the new one; true for each unless given. */
  readonly isOurs?: ((session: Session) => boolean) | undefined;
  /** Makes it the active session. */
  readonly activate: boolean;
}

/**
 * Stores an identity with its token source, in place of the session of the same one.
 *
 * @throws {AppError} `IDENTITY_MISMATCH` where the name is another identity's, `STORAGE`, `BUSY` and the keyring's errors;
 * then nothing was stored.
 */
export async function saveMachine(
  store: SessionReader,
  { session, credentials, label }: MachineSession,
  choice: SaveMachineChoice,
  limits: KeyringLimits,
): Promise<SavedSession> {
  const { issuer, apiHost, clientId, accessTokenExpires } = credentials;
  const identity = { ...session, issuer, apiHost, clientId };
  const named = choice.wantedName !== undefined;
  const saved = await underFreeName(!named, async () => {
    const others = (await store.list()).sessions;
    const there = choice.wantedName === undefined
      ? others.find((other) => isSameIdentity(other, identity))
      : await store.read(choice.wantedName);
    const before = there !== undefined && choice.isOurs?.(there) === false ? undefined : there;
    const name = choice.wantedName ?? before?.name ?? await freeName(others, label, identity);
    const ends = accessTokenExpires === undefined ? undefined : new Date(accessTokenExpires).toISOString();
    const keyStores = before === undefined || choice.moveKey ? choice.keyStores : [before.keyStore];
    return await saveSession(
      store,
      {
        credentials,
        session: {
          inUse: before?.inUse,
          inUseBefore: before?.inUseBefore,
          controlPlaneApi: before?.controlPlaneApi,
          ...session,
          ...sealedAddress(credentials),
          name,
          tokenExpires: ends,
        },
      },
      { keyStores, named },
      limits,
    );
  });
  if (choice.activate) await activateAfterSignIn(store, saved.session.name);
  return saved;
}

/**
 * Makes a session that was just stored the active one. It stays stored when that fails, and the error says so.
 *
 * @throws {AppError} `STORAGE`, `BUSY`.
 */
export async function activateAfterSignIn(store: SessionReader, name: string): Promise<void> {
  try {
    await activateSession(store, name);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(
      thrown.code,
      `The session "${name}" is signed in and stored, but it could not be made the active one: ${thrown.message}`,
      { hint: HINTS.STORAGE.notActive(name), cause: thrown },
    );
  }
}

/** The name that a session gets by itself; another one where that is taken by another identity. */
export async function freeName(
  sessions: readonly Pick<Session, "name" | "issuer" | "user">[],
  label: string,
  identity: Pick<Session, "issuer" | "apiHost"> & Person,
): Promise<string> {
  const usual = defaultSessionName(label, identity.apiHost);
  const { lookAlike, isDoubtful } = [usual, ...sessions.map(({ name }) => name)].every(isPlain)
    ? PLAIN
    : await import("./look-alikes.ts");
  const theirs = sessions.some((session) =>
    lookAlike(session.name, usual) && !isSamePerson(session, identity)
  );
  // Not a number: on another machine, where they signed in in another order, that would be the other one's name.
  const ending = theirs || isDoubtful(usual) ? `-${await fingerprintOf(identity)}` : "";
  const text = `${label}@${identity.apiHost}`;
  let free = sessionNameOf(text, ending);
  for (let count = 2; sessions.some(({ name }) => lookAlike(name, free)); count++) {
    free = sessionNameOf(text, `${ending}-${count}`);
  }
  return free;
}

/** Names of ASCII alone are not taken for one another. */
const PLAIN = {
  lookAlike: (one: string, other: string) => one === other,
  isDoubtful: () => false,
};

function isPlain(name: string): boolean {
  return /^[\x20-\x7e]*$/.test(name);
}

/** Six characters, the same for a person on every machine. */
async function fingerprintOf({ issuer, user: { subject } }: Person): Promise<string> {
  const digest = await sha256(`${issuer}\n${subject}`);
  return Array.from(digest.subarray(0, 3), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Stores under a free name; under the next one, where another process took it at the same moment. */
export async function underFreeName<T>(free: boolean, store: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await store();
    } catch (thrown) {
      const taken = free && thrown instanceof AppError && thrown.code === "IDENTITY_MISMATCH";
      if (!taken || attempt === 5) throw thrown;
    }
  }
}
