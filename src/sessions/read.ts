/** Owns how the files of sessions are read, and the lock under which one is read to be changed. */

import { AppError } from "../errors.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { listFolder, readTextFile } from "../system/files.ts";
import { acquireLock, type FileLock } from "../system/locks.ts";
import { makeFoldersPrivate, makePrivate, pathsOf, type SessionStore, withoutProjectHint } from "./store.ts";
import { parseSession, type Session, SIGN_IN_AGAIN } from "./session.ts";
import { isSessionName } from "./name.ts";

/** The session of that name, or undefined. Throws `STORAGE` when its file is damaged. */
export async function readSession(store: SessionStore, name: string): Promise<Session | undefined> {
  if (!isSessionName(name)) return undefined;
  const { file } = await pathsOf(store.folders, name);
  await makeFoldersPrivate(store);
  const text = await readTextFile(file);
  return text === undefined ? undefined : await sessionOf(store, file, text, name);
}

/**
 * The session in a file's text. `named` says whose file that is, where it is known without a digest of the name that
 * stands in it.
 *
 * @throws {AppError} `STORAGE` when it is damaged.
 */
export async function sessionOf(
  store: SessionStore,
  file: string,
  text: string,
  named?: string,
): Promise<Session> {
  await makePrivate(store, file);
  const remedy = store.project === undefined ? SIGN_IN_AGAIN : withoutProjectHint(store.project);
  const session = parseSession(text, file, remedy);
  // Else one session's file, copied over another's, would act in that one's name.
  if (session.name !== named && (await pathsOf(store.folders, session.name)).file !== file) {
    throw new AppError("STORAGE", `${file} is the file of another session, "${session.name}".`, {
      hint: remedy,
    });
  }
  return session;
}

/** Every session, by name; what cannot be read is told apart and hides no other. */
export async function listSessions(
  store: SessionStore,
): Promise<{ readonly sessions: Session[]; readonly damaged: AppError[] }> {
  const sessions: Session[] = [];
  const damaged: AppError[] = [];
  await makeFoldersPrivate(store);
  for (const name of await listFolder(store.folders.sessions)) {
    if (!/^[a-z2-7]{16}\.json$/.test(name)) continue;
    try {
      const file = `${store.folders.sessions}/${name}`;
      const text = await readTextFile(file);
      if (text !== undefined) sessions.push(await sessionOf(store, file, text));
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      damaged.push(thrown);
    }
  }
  sessions.sort((a, b) => a.name < b.name ? -1 : 1);
  return { sessions, damaged };
}

/** How long a command waits for another process to let go of a session, in milliseconds. */
export const LOCK_WAIT = 15_000;

/** Holds a session's lock, waiting for it at most `timeout` milliseconds. Throws `BUSY`. */
export async function lockSession(
  store: SessionStore,
  name: string,
  timeout: number,
): Promise<FileLock> {
  const { interrupted: signal } = store;
  const { lock } = await pathsOf(store.folders, name);
  const guards = `the session "${name}"`;
  const held = await acquireLock(lock, { timeout, guards, ...(signal === undefined ? {} : { signal }) });
  if (!held.holds) {
    store.notice(
      `The file system of ${store.folders.sessions} keeps no locks: two commands that renew a session at once can ` +
        "end it. Start its lock service (on NFS: rpc.statd), or keep sessions elsewhere: DATUMCTL_CONFIG_DIR=FOLDER",
    );
  }
  checkpoint("session locked");
  return held;
}
