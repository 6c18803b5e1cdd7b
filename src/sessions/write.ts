/** Writes files of sessions and `config.json`: room first, then a seal and a rename, under a lock. */

import { checkpoint } from "../system/checkpoint.ts";
import { ensurePrivateFolder } from "../system/files.ts";
import { changeFile, prepareReplacement } from "../system/replacement.ts";
import { acquireLock } from "../system/locks.ts";
import { type Config, formatSession, type Session } from "./session.ts";
import { type Credentials, formatCredentials } from "./credentials.ts";
import { ENV_PREFIX } from "./name.ts";
import { LOCK_WAIT, type SessionReader } from "./reader.ts";
import { seal, type SealingKey } from "./seal.ts";

/** A session's next file, its room already taken on the disk. */
export interface SessionReplacement {
  /** Seals the credentials with the fields of the session that are acted on, and renames the file into place. */
  commit(session: Session, credentials: Credentials): Promise<Session>;
  discard(): Promise<void>;
  /** True while another process, which has the lock too, may be renewing the same session. */
  hasRivals(): Promise<boolean>;
}

/** In milliseconds: a request to the issuer takes ten seconds at most. */
const LONGEST_RENEWAL = 11_000;

/** In bytes. Rotated tokens are about as long as the ones before; a little more room costs nothing. */
const SPARE_ROOM = 4096;

/**
 * Makes ready to write a session's file, under its lock. Of the `previous` session only the size counts: so much room is taken
 * on the disk.
 *
 * @throws {AppError} `STORAGE` when there is no room.
 */
export async function prepareSession(
  store: SessionReader,
  name: string,
  previous: Session | undefined,
  key: SealingKey,
): Promise<SessionReplacement> {
  const { file } = await store.paths(name);
  const taken = previous === undefined ? 0 : new TextEncoder().encode(formatSession(previous)).length;
  const replacement = await prepareReplacement(file, taken + SPARE_ROOM);
  checkpoint("room taken");
  return {
    discard: () => replacement.discard(),
    hasRivals: () => replacement.hasRivals(LONGEST_RENEWAL),
    async commit(session, credentials) {
      const sealed = { ...session, credentials: await seal(formatCredentials(credentials, session), key) };
      await replacement.commit(formatSession(sealed));
      checkpoint("session renamed");
      return sealed;
    },
  };
}

/** The fields of a session that a change may set: those that are not sealed and name nothing. */
export type ChangedFields = Partial<
  Pick<
    Session,
    | "controlPlaneApi"
    | "inUse"
    | "inUseBefore"
    | "kubectlToken"
    | "team"
    | "tokenExpires"
    | "renewalRefused"
  >
>;

/** What to change of a session, given how its file is now. */
export type SessionChange = (session: Session) => ChangedFields;

/** See `SessionStore.update`. */
export async function updateSession(
  store: SessionReader,
  name: string,
  change: SessionChange,
): Promise<void> {
  if (name.startsWith(ENV_PREFIX)) return;
  using _lock = await store.lock(name);
  await updateLocked(store, name, change);
}

/**
 * As {@link updateSession}, for a caller who holds the session's lock. Where another machine holds it too and renews the
 * session meanwhile, its file is read again: an older text must not take the place of the refresh token in it.
 */
export async function updateLocked(
  store: SessionReader,
  name: string,
  change: SessionChange,
): Promise<void> {
  const { file } = await store.paths(name);
  await changeFile(file, async (text) => {
    const session = text === undefined ? undefined : await store.parse(file, text, name);
    return session && formatSession({ ...session, ...change(session) });
  });
}

/**
 * Makes the folder of the sessions and checks that there is room in it.
 *
 * @throws {AppError} `STORAGE`.
 */
export async function checkRoom(store: SessionReader): Promise<void> {
  const { sessions } = store.folders;
  await ensurePrivateFolder(sessions);
  await store.makeFoldersPrivate();
  const room = await prepareReplacement(`${sessions}/room-${crypto.randomUUID()}`, 4 * SPARE_ROOM);
  await room.discard();
}

/** See `SessionStore.activate`. */
export async function activateSession(store: SessionReader, name: string): Promise<void> {
  await changeConfig(
    store,
    (config) => ({ ...config, activeSession: name }),
    store.host.interrupted,
  );
}

/** Changes `config.json` under its lock; nothing is written when the change gives back what it got. */
export async function changeConfig(
  store: SessionReader,
  change: (config: Config) => Config,
  signal?: AbortSignal,
): Promise<void> {
  const { configPath, folders: { config: folder } } = store;
  await ensurePrivateFolder(folder);
  await store.makeFoldersPrivate();
  using _lock = await acquireLock(`${configPath}.lock`, { timeout: LOCK_WAIT, guards: configPath, signal });
  checkpoint("config locked");
  await changeFile(configPath, async (text) => {
    const before = await store.parseConfig(text);
    const after = change(before);
    return after === before ? undefined : JSON.stringify(after, undefined, 2) + "\n";
  });
  checkpoint("config renamed");
}
