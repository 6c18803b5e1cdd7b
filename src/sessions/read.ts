/** Owns how the files of sessions are read, and the lock under which one is read to be changed. */

import { AppError } from "../errors.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { listFolder, readTextFile } from "../system/files.ts";
import { acquireLock, type FileLock } from "../system/locks.ts";
import { instead, makeFoldersPrivate, makePrivate, pathsOf, type SessionPlace } from "./store.ts";
import { parseSession, type Session, START_ANEW } from "./session.ts";
import { isSessionName } from "./name.ts";

/** The session of that name, or undefined. Throws `STORAGE` when its file is damaged. */
export async function readSession(place: SessionPlace, name: string): Promise<Session | undefined> {
  if (!isSessionName(name)) return undefined;
  const { file } = await pathsOf(place.folders, name);
  await makeFoldersPrivate(place);
  const text = await readTextFile(file);
  return text === undefined ? undefined : await sessionOf(place, file, text, name);
}

/**
 * The session in a file's text. `named` says whose file that is, where it is known without a digest of the name that
 * stands in it.
 *
 * @throws {AppError} `STORAGE` when it is damaged.
 */
export async function sessionOf(
  place: SessionPlace,
  file: string,
  text: string,
  named?: string,
): Promise<Session> {
  await makePrivate(place, file);
  const remedy = place.project === undefined ? START_ANEW : instead(place.project);
  const session = parseSession(text, file, remedy);
  // Else one session's file, copied over another's, would act in that one's name.
  if (session.name !== named && (await pathsOf(place.folders, session.name)).file !== file) {
    throw new AppError("STORAGE", `${file} is the file of another session, "${session.name}".`, {
      hint: remedy,
    });
  }
  return session;
}

/** Every session, by name; what cannot be read is told apart and hides no other. */
export async function listSessions(
  place: SessionPlace,
): Promise<{ readonly sessions: Session[]; readonly damaged: AppError[] }> {
  const sessions: Session[] = [];
  const damaged: AppError[] = [];
  await makeFoldersPrivate(place);
  for (const name of await listFolder(place.folders.sessions)) {
    if (!/^[a-z2-7]{16}\.json$/.test(name)) continue;
    try {
      const file = `${place.folders.sessions}/${name}`;
      const text = await readTextFile(file);
      if (text !== undefined) sessions.push(await sessionOf(place, file, text));
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
  place: SessionPlace,
  name: string,
  timeout: number,
): Promise<FileLock> {
  const { interrupted: signal } = place;
  const { lock } = await pathsOf(place.folders, name);
  const guards = `the session "${name}"`;
  const held = await acquireLock(lock, { timeout, guards, ...(signal === undefined ? {} : { signal }) });
  if (!held.holds) {
    place.notice(
      `The file system of ${place.folders.sessions} keeps no locks: two commands that renew a session at once can ` +
        "end it. Start its lock service (on NFS: rpc.statd), or keep sessions elsewhere: DATUMCTL_CONFIG_DIR=FOLDER",
    );
  }
  checkpoint("session locked");
  return held;
}
