/** Removes sessions: their files, their keys and what names them, also where a killed process left them. */

import { AppError } from "../errors.ts";
import type { KeyringLimits } from "../keyring/store.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { exists, listFolder, readTextFile, removeFile, renameFile } from "../system/files.ts";
import { acquireLock, type FileLock } from "../system/locks.ts";
import { removeHandOffs } from "./hand-off.ts";
import { fileNameOf } from "./name.ts";
import { LEAVING } from "./paths.ts";
import type { SessionReader } from "./reader.ts";
import { parseSession, type Session } from "./session.ts";
import { changeConfig } from "./write.ts";

/** What a removal left behind: nothing, or the keyring's item, with the reason. */
export interface Removal {
  readonly leftBehind?: AppError | undefined;
}

/**
 * Removes a session, under its lock: its file first, then its key, then what names it elsewhere. The lock's file stays. When this is interrupted, {@link clearLeftovers} does the rest.
 *
 * @throws {AppError} `STORAGE`.
 */
export async function removeSession(
  store: SessionReader,
  session: Session,
  limits: KeyringLimits,
): Promise<Removal> {
  const { file, leaving } = await store.paths(session.name);
  // Nobody reads it under that name, but a later logout still finds in it which key to remove.
  await renameFile(file, leaving);
  checkpoint("session removed");
  const { folders, host: { env } } = store;
  await removeHandOffs(folders, session.name, env).catch(() => {});
  const removal = await forgetSession(store, session, limits);
  await removeTraces(store, await fileNameOf(session.name), (name) => !name.endsWith(".key"));
  // Once more: a call that read the session before may have stored its credential meanwhile.
  await removeHandOffs(folders, session.name, env);
  if (removal.leftBehind?.code === "INTERRUPTED") throw removal.leftBehind;
  return removal;
}

/** Removes a session's key, and its name from `config.json`. */
async function forgetSession(
  store: SessionReader,
  session: Session,
  limits: KeyringLimits,
): Promise<Removal> {
  let leftBehind: AppError | undefined;
  try {
    await store.secretStore(session.keyStore).delete(store.account(session.name), limits);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    leftBehind = thrown;
  }
  checkpoint("key removed");
  await changeConfig(store, (config) => {
    if (config.activeSession !== session.name) return config;
    const { activeSession: _, ...rest } = config;
    return rest;
  });
  return { leftBehind };
}

/**
 * Removes a session's notes and half-written files, and the remembered failures of other names, which can list sessions.
 * The file of a session that is leaving goes last.
 */
async function removeTraces(
  { folders }: SessionReader,
  base: string,
  goes: (name: string) => boolean,
): Promise<void> {
  const own = (await listFolder(folders.sessions)).filter((name) => {
    const trace = name.startsWith(`${base}.`) && !name.endsWith(".lock") && goes(name);
    return trace || /\.failure(?:\.new(?:-[0-9a-f-]+)?)?$/.test(name);
  });
  own.sort((a, b) => Number(a.endsWith(LEAVING)) - Number(b.endsWith(LEAVING)));
  for (const name of own) await removeFile(`${folders.sessions}/${name}`);
}

/**
 * Clears away what killed processes left of sessions that are gone: keys, notes, half-written files. A locked keyring is
 * left for another time.
 *
 * @throws {AppError} `STORAGE`.
 */
export async function clearLeftovers(store: SessionReader, limits: KeyringLimits): Promise<void> {
  const { folders: { sessions: folder } } = store;
  const names = await listFolder(folder);
  const bases = names.flatMap((name) =>
    /^([a-z2-7]{16})\.(?!lock$|json$|sign-in\.lock$)/.exec(name)?.[1] ?? []
  );
  for (const base of new Set(bases)) {
    if (names.includes(`${base}.json`)) continue;
    let lock: FileLock;
    try {
      lock = await acquireLock(`${folder}/${base}.lock`, { timeout: 0, guards: "a session" });
    } catch (thrown) {
      // Another process is signing in.
      if (thrown instanceof AppError && thrown.code === "BUSY") continue;
      throw thrown;
    }
    try {
      // Without locks, another process may be signing in.
      if (!lock.holds || await exists(`${folder}/${base}.json`)) continue;
      const left = await leavingSession(store, base);
      if (left !== undefined) await removeHandOffs(store.folders, left.name, store.host.env);
      if (left !== undefined && (await forgetSession(store, left, limits)).leftBehind !== undefined) continue;
      await removeTraces(store, base, () => true);
    } finally {
      lock.release();
    }
  }
}

/** The session that was leaving under that file's name; undefined for the file of another one, which may live. */
async function leavingSession(
  { folders, providers }: SessionReader,
  base: string,
): Promise<Session | undefined> {
  const path = `${folders.sessions}/${base}${LEAVING}`;
  const text = await readTextFile(path);
  if (text === undefined) return undefined;
  try {
    const session = parseSession(text, path, providers);
    return await fileNameOf(session.name) === base ? session : undefined;
  } catch (thrown) {
    // A damaged file names no key; it goes with the other traces.
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}
