/** Owns how a session's file is written: room first, then a seal and a rename, under the session's lock. */

import { checkpoint } from "../system/checkpoint.ts";
import { changeFile, ensurePrivateFolder, prepareReplacement } from "../system/files.ts";
import type { Credentials } from "./credentials.ts";
import { seal, type SealingKey } from "./seal.ts";
import { makeFoldersPrivate, pathsOf, type SessionStore } from "./store.ts";
import { LOCK_WAIT, lockSession, sessionOf } from "./read.ts";
import { formatSession, type Session } from "./session.ts";
import { AMBIENT } from "./name.ts";

/** A session's next file, its room already taken on the disk. */
export interface SessionReplacement {
  /** Seals the credentials, and with them what of the session is acted on, and renames the file into place. */
  commit(session: Session, credentials: Credentials): Promise<Session>;
  discard(): Promise<void>;
  /** True while another process, which has the lock too, may be renewing the same session. */
  hasRivals(): Promise<boolean>;
}

/** In milliseconds: a request to the issuer takes ten seconds at most. */
const LONGEST_RENEWAL = 11_000;

/** In bytes. Rotated tokens are about as long as the ones before; a little more room costs nothing. */
export const SPARE_ROOM = 4096;

/** Makes ready to write a session's file. The caller holds its lock. Throws `STORAGE`. */
export async function prepareSession(
  store: SessionStore,
  name: string,
  previous: Session | undefined,
  key: SealingKey,
): Promise<SessionReplacement> {
  const { file } = await pathsOf(store.folders, name);
  const taken = previous === undefined ? 0 : new TextEncoder().encode(formatSession(previous)).length;
  const room = taken + SPARE_ROOM;
  const replacement = await prepareReplacement(file, room);
  checkpoint("room taken");
  return {
    discard: () => replacement.discard(),
    hasRivals: () => replacement.hasRivals(LONGEST_RENEWAL),
    async commit(session, credentials) {
      const { provider, kind, organization, expires, exportedTo } = session;
      // JSON leaves out what is undefined.
      const fields = { provider, kind, organization, expires, exportedTo };
      const sealed = { ...session, credentials: await seal(JSON.stringify({ ...credentials, fields }), key) };
      await replacement.commit(formatSession(sealed));
      checkpoint("session renamed");
      return sealed;
    },
  };
}

/**
 * Rewrites a session's public fields under its lock. Nothing is written when it was removed meanwhile, nor of one that
 * comes from variables.
 */
export async function updateSession(
  store: SessionStore,
  name: string,
  change: (session: Session) => Session,
): Promise<void> {
  if (name.startsWith(AMBIENT)) return;
  using _lock = await lockSession(store, name, LOCK_WAIT);
  await changeLocked(store, name, change);
}

/**
 * As {@link updateSession}, for a caller who holds the session's lock. Where another machine holds it too and renews the
 * session meanwhile, its file is read again: an older text must not take the place of the refresh token in it.
 */
export async function changeLocked(
  store: SessionStore,
  name: string,
  change: (session: Session) => Session,
): Promise<void> {
  const { file } = await pathsOf(store.folders, name);
  await changeFile(file, async (text) => {
    const session = text === undefined ? undefined : await sessionOf(store, file, text, name);
    return session && formatSession(change(session));
  });
}

/** Makes the folder of the sessions and sees that there is room in it. Throws `STORAGE`. */
export async function checkRoom(store: SessionStore): Promise<void> {
  const { folders } = store;
  await ensurePrivateFolder(folders.sessions);
  await makeFoldersPrivate(store);
  const room = await prepareReplacement(`${folders.sessions}/room-${crypto.randomUUID()}`, 4 * SPARE_ROOM);
  await room.discard();
}
