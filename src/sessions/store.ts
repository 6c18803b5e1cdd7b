/** Owns the sessions on this machine: their files, their keys, which one is active. */

import { AppError, fail, printable } from "../errors.ts";
import type { KeyringBound, SecretStore } from "../keyring/store.ts";
import { checkpoint } from "../system/checkpoint.ts";
import type { Clock } from "../system/clock.ts";
import type { Environment, Folders } from "../system/environment.ts";
import {
  clearReplacement,
  createFile,
  ensurePrivateFolder,
  exists,
  listFolder,
  prepareReplacement,
  readTextFile,
  removeFile,
  renameFile,
  tighten,
  writeFileAtomically,
} from "../system/files.ts";
import { acquireLock, type FileLock } from "../system/locks.ts";
import { kidOf, makeKeyText, readKeyText, seal, type SealingKey, unseal } from "./jwe.ts";
import {
  AMBIENT,
  ambientCredentials,
  type Credentials,
  fileNameOf,
  formatSession,
  isSessionName,
  NOBODY,
  parseCredentials,
  parseSession,
  refuseNameOfOtherHost,
  SCHEMA_VERSION,
  type SealedFields,
  sealedPlaceOf,
  type Session,
  signInAgain,
} from "./session.ts";

/** Where the key of a session can be kept. */
export type KeyStore = Session["keyStore"];

/** Where sessions are, and what it takes to read them. */
export interface SessionPlace {
  readonly folders: Folders;
  readonly secretStore: (kind: KeyStore) => SecretStore;
  readonly now: Clock;
  readonly env: Environment;
  /** The project folder whose own sessions these are; undefined for the person's. */
  readonly project?: string;
  /** The folder that the process works in; undefined when it is gone. */
  readonly workingFolder?: () => string | undefined;
  /** Finds, from a place of the person's, the sessions of the project folder that the process works in. */
  readonly local?: (place: SessionPlace) => Promise<SessionPlace | undefined>;
  /** The session that the variables give: of that name, or whichever of them counts without a name. */
  readonly ambient?: (name?: string) => Promise<Session | undefined>;
  /** Told when something of ours was mended on the way, such as loose permissions. */
  readonly notice: (line: string) => void;
  /** Ends waits for locks and keyrings on Ctrl-C, where that does not end the process by itself. */
  readonly interrupted?: AbortSignal;
}

/** A session with its credentials, and the key that seals them. */
export interface OpenedSession {
  readonly session: Session;
  readonly credentials: Credentials;
  /** Absent for a session that comes from variables: nothing of it is stored. */
  readonly key?: SealingKey;
}

/** The paths of a session's files. */
export interface SessionPaths {
  readonly file: string;
  readonly lock: string;
  /** The last failure of get-token, remembered for some seconds. */
  readonly failure: string;
  /** Which process was handed which token. */
  readonly handouts: string;
  /** The last sign-in that kubectl's plugin began by itself. */
  readonly signIn: string;
  /** The key, where no keyring keeps it. */
  readonly key: string;
  /** The session's file while it is being removed. */
  readonly leaving: string;
}

const LEAVING = ".json.leaving";

/** Where the files of a session of that name are. */
export async function pathsOf(folders: Folders, name: string): Promise<SessionPaths> {
  const base = `${folders.sessions}/${await fileNameOf(name)}`;
  return {
    file: `${base}.json`,
    lock: `${base}.lock`,
    failure: `${base}.failure`,
    handouts: `${base}.handouts`,
    signIn: `${base}.sign-in`,
    key: `${base}.key`,
    leaving: `${base}${LEAVING}`,
  };
}

/** The session of that name, or undefined. Throws `STORAGE` when its file is damaged. */
export async function readSession(place: SessionPlace, name: string): Promise<Session | undefined> {
  if (!isSessionName(name)) return undefined;
  const { file } = await pathsOf(place.folders, name);
  return await readSessionFile(place, file);
}

async function readSessionFile(place: SessionPlace, file: string): Promise<Session | undefined> {
  const text = await readTextFile(file);
  if (text === undefined) return undefined;
  await makePrivate(place, file);
  const session = parseSession(text, file);
  // Else one session's file, copied over another's, would act in that one's name.
  if ((await pathsOf(place.folders, session.name)).file !== file) {
    throw new AppError("STORAGE", `${file} is the file of another session, "${session.name}".`, {
      hint: "Remove that file and sign in again: datumctl login",
    });
  }
  return session;
}

async function makePrivate(place: SessionPlace, path: string): Promise<void> {
  const told = await tighten(path);
  if (told !== undefined) place.notice(told);
}

/** Every session, by name; what cannot be read is told apart and hides no other. */
export async function listSessions(
  place: SessionPlace,
): Promise<{ readonly sessions: Session[]; readonly damaged: AppError[] }> {
  const sessions: Session[] = [];
  const damaged: AppError[] = [];
  await makePrivate(place, place.folders.sessions);
  for (const name of await listFolder(place.folders.sessions)) {
    if (!/^[a-z2-7]{16}\.json$/.test(name)) continue;
    try {
      const session = await readSessionFile(place, `${place.folders.sessions}/${name}`);
      if (session !== undefined) sessions.push(session);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      damaged.push(thrown);
    }
  }
  sessions.sort((a, b) => a.name < b.name ? -1 : 1);
  return { sessions, damaged };
}

/**
 * Opens a session's credentials with its key from where that is kept. What is sealed wins over the public
 * fields, so that an edited file cannot send a refresh token elsewhere.
 *
 * Throws `KEYRING_LOCKED`, `KEYRING_TIMEOUT`, `KEYRING_ITEM_MISSING`, or `STORAGE` for a damaged file.
 */
export async function openSession(
  place: SessionPlace,
  session: Session,
  bound: KeyringBound,
): Promise<OpenedSession> {
  const ambient = ambientCredentials(session);
  if (ambient !== undefined) return { session, credentials: ambient };
  const { interrupted: signal } = place;
  const text = await place.secretStore(session.keyStore).get(accountOf(place, session.name), {
    ...(signal && { signal }),
    ...bound,
  });
  const key = text === undefined ? undefined : await readKeyText(text);
  if (key === undefined || key.kid !== kidOf(session.credentials)) throw keyMissing(place, session);
  return await openWith(place, session, key);
}

/** Under which account a session's key is kept, so that a person finds it under their own identity. */
export function accountOf({ project }: SessionPlace, name: string): string {
  return project === undefined ? name : `${name} in ${project}`;
}

/** Opens a session's credentials with a key that is at hand. */
export async function openWith(
  place: SessionPlace,
  session: Session,
  key: SealingKey,
): Promise<OpenedSession> {
  const opened = await unseal(session.credentials, key);
  const credentials = opened === undefined ? undefined : parseCredentials(opened);
  if (credentials === undefined) {
    throw new AppError("STORAGE", `The credentials of the session "${session.name}" are damaged.`, {
      // What stands beside them in a project's folder may be anybody's.
      hint: place.project === undefined ? signInAgain(session) : instead(place.project),
    });
  }
  const { subject, signIn } = credentials;
  const { certificateAuthority: _, signIn: __, confidential: ___, ...rest } = session;
  return {
    session: {
      ...(credentials.fields === undefined ? rest : { ...withoutFields(rest), ...credentials.fields }),
      ...sealedPlaceOf(credentials),
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

function keyMissing(place: SessionPlace, session: Session): AppError {
  if (place.project !== undefined) return notOurs(place.project, session);
  const where = place.secretStore(session.keyStore).name;
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
    { hint: instead(project) },
  );
}

/** The way on that takes nothing from what a project's folder says. */
function instead(project: string): string {
  return `Remove ${printable(`${project}/.datumctl`)}, or act as a session of your own: --profile NAME`;
}

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
  checkpoint("session locked");
  return held;
}

/** A session's next file, its room already taken on the disk. */
export interface SessionReplacement {
  /** Seals the credentials, and with them what of the session is acted on, and renames the file into place. */
  commit(session: Session, credentials: Credentials): Promise<Session>;
  discard(): Promise<void>;
}

// Rotated tokens are about as long as the ones before; a little more room costs nothing.
const SPARE_ROOM = 4096;

/** Makes ready to write a session's file. The caller holds its lock. Throws `STORAGE`. */
export async function prepareSession(
  place: SessionPlace,
  name: string,
  previous: Session | undefined,
  key: SealingKey,
): Promise<SessionReplacement> {
  const { file } = await pathsOf(place.folders, name);
  const taken = previous === undefined ? 0 : new TextEncoder().encode(formatSession(previous)).length;
  const room = taken + SPARE_ROOM;
  const replacement = await prepareReplacement(file, room);
  checkpoint("room taken");
  return {
    discard: () => replacement.discard(),
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
  place: SessionPlace,
  name: string,
  change: (session: Session) => Session,
): Promise<void> {
  if (name.startsWith(AMBIENT)) return;
  const lock = await lockSession(place, name, LOCK_WAIT);
  try {
    const session = await readSession(place, name);
    if (session === undefined) return;
    const { file } = await pathsOf(place.folders, name);
    await writeFileAtomically(file, formatSession(change(session)));
  } finally {
    lock.release();
  }
}

/** How long a command waits for another process to let go of a session, in milliseconds. */
export const LOCK_WAIT = 15_000;

/** Makes the folder of the sessions and sees that there is room in it. Throws `STORAGE`. */
export async function checkRoom({ folders }: SessionPlace): Promise<void> {
  await ensurePrivateFolder(folders.sessions);
  const room = await prepareReplacement(`${folders.sessions}/room-${crypto.randomUUID()}`, 4 * SPARE_ROOM);
  await room.discard();
}

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
  const lock = await lockSession(place, name, LOCK_WAIT);
  try {
    const previous = await readSession(place, name);
    if (previous === undefined) refuseNameOfOtherHost(name, session.apiHost);
    if (previous !== undefined && !sameIdentity(previous, session)) {
      throw new AppError("IDENTITY_MISMATCH", `A session named "${name}" already belongs to someone else.`, {
        hint: "Choose another name: datumctl login --profile NAME",
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
  } finally {
    lock.release();
  }
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
      if (!(thrown instanceof AppError) || thrown.code === "INTERRUPTED") throw thrown;
      passedOver = thrown;
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

/** What a removal left behind: nothing, or the keyring's item, with the reason. */
export interface Removal {
  readonly leftBehind?: AppError;
}

/**
 * Removes a session: its file first, then its key, then what names it elsewhere. The caller holds its lock,
 * whose file stays. When this is broken off, {@link clearLeftovers} does the rest. Throws `STORAGE`.
 */
export async function removeSession(
  place: SessionPlace,
  session: Session,
  bound: KeyringBound,
): Promise<Removal> {
  const { file, leaving } = await pathsOf(place.folders, session.name);
  // Nobody reads it under that name, but a later logout still finds in it whose key is to go.
  await renameFile(file, leaving);
  checkpoint("session removed");
  const removal = await forgetSession(place, session, bound);
  await removeTraces(place, await fileNameOf(session.name), (name) => !name.endsWith(".key"));
  if (removal.leftBehind?.code === "INTERRUPTED") throw removal.leftBehind;
  return removal;
}

/** Removes a session's key and that it is the active one. */
async function forgetSession(place: SessionPlace, session: Session, bound: KeyringBound): Promise<Removal> {
  let leftBehind: AppError | undefined;
  try {
    await place.secretStore(session.keyStore).delete(accountOf(place, session.name), bound);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    leftBehind = thrown;
  }
  checkpoint("key removed");
  await changeConfig(place, (config) => {
    if (config.activeSession !== session.name) return config;
    const { activeSession: _, ...rest } = config;
    return rest;
  });
  return leftBehind === undefined ? {} : { leftBehind };
}

/**
 * Removes a session's notes and what a killed process left half-written; and the failures of other names, which can
 * list the sessions that there were. The file of a session that is leaving goes last.
 */
async function removeTraces(
  { folders }: SessionPlace,
  base: string,
  goes: (name: string) => boolean,
): Promise<void> {
  const own = (await listFolder(folders.sessions)).filter((name) => {
    const trace = name.startsWith(`${base}.`) && !name.endsWith(".lock") && goes(name);
    return trace || /\.failure(?:\.new)?$/.test(name);
  });
  own.sort((a, b) => Number(a.endsWith(LEAVING)) - Number(b.endsWith(LEAVING)));
  for (const name of own) await removeFile(`${folders.sessions}/${name}`);
}

/**
 * Clears away what killed processes left of sessions that are not there: keys, notes, half-written files. A keyring
 * that is locked is left for another time. Throws `STORAGE`.
 */
export async function clearLeftovers(place: SessionPlace, bound: KeyringBound): Promise<void> {
  const { folders: { sessions: folder } } = place;
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
      // Somebody is just signing in.
      if (thrown instanceof AppError && thrown.code === "BUSY") continue;
      throw thrown;
    }
    try {
      if (await exists(`${folder}/${base}.json`)) continue;
      const left = await leavingSession(folder, base);
      if (left !== undefined && (await forgetSession(place, left, bound)).leftBehind !== undefined) continue;
      await removeTraces(place, base, () => true);
    } finally {
      lock.release();
    }
  }
}

/** The session that was leaving under that file's name: another's, which may live, is not meant. */
async function leavingSession(folder: string, base: string): Promise<Session | undefined> {
  const path = `${folder}/${base}${LEAVING}`;
  const text = await readTextFile(path);
  if (text === undefined) return undefined;
  try {
    const session = parseSession(text, path);
    return await fileNameOf(session.name) === base ? session : undefined;
  } catch (thrown) {
    // Damaged, it tells nobody anything, and goes with the other traces.
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

/** What `config.json` holds; members that this version does not know are kept. */
export interface Config {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly activeSession?: string;
  readonly [unknown: string]: unknown;
}

/** Reads `config.json`. Throws `STORAGE` when it is damaged or of a newer schema. */
export async function readConfig(place: SessionPlace): Promise<Config> {
  const path = configPath(place);
  const text = await readTextFile(path);
  if (text === undefined) return { schemaVersion: SCHEMA_VERSION };
  await makePrivate(place, path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damagedConfig(path, "it is not JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw damagedConfig(path, "it is not an object");
  }
  const { schemaVersion, activeSession } = value as Record<string, unknown>;
  if (schemaVersion !== SCHEMA_VERSION) {
    const found = printable(JSON.stringify(schemaVersion) ?? "absent", 20);
    throw damagedConfig(path, `its schemaVersion is ${found} and not ${SCHEMA_VERSION}`);
  }
  if (activeSession !== undefined && typeof activeSession !== "string") {
    throw damagedConfig(path, "activeSession is not a string");
  }
  return value as Config;
}

/** Makes a session the active one; undefined makes none active. */
export async function activateSession(place: SessionPlace, name: string): Promise<void> {
  await changeConfig(place, (config) => ({ ...config, activeSession: name }), place.interrupted);
}

async function changeConfig(
  place: SessionPlace,
  change: (config: Config) => Config,
  signal?: AbortSignal,
): Promise<void> {
  await ensurePrivateFolder(place.folders.config);
  const path = configPath(place);
  const lock = await acquireLock(`${place.folders.config}/config.json.lock`, {
    timeout: LOCK_WAIT,
    guards: path,
    ...(signal && { signal }),
  });
  try {
    checkpoint("config locked");
    const before = await readConfig(place);
    const after = change(before);
    if (after === before) return await clearReplacement(path);
    await writeFileAtomically(path, JSON.stringify(after, undefined, 2) + "\n");
    checkpoint("config renamed");
  } finally {
    lock.release();
  }
}

function configPath(place: SessionPlace): string {
  return `${place.folders.config}/config.json`;
}

function damagedConfig(path: string, what: string, cause?: unknown): AppError {
  return new AppError("STORAGE", `${path} cannot be used: ${what}.`, {
    hint: "Use the datumctl that wrote it, or remove the file and run: datumctl auth switch",
    cause,
  });
}

/** Which session a command acts as. */
export interface ChosenSession {
  readonly session: Session;
  /** Where its files are: another place than was asked when a project folder has it. */
  readonly place: SessionPlace;
  /** Where the identity came from: a flag, a variable, a project folder, or the active session. */
  readonly source: string;
}

/** What picks a session: a flag, else the variable, else what the surroundings give. */
export interface SessionChoice {
  /** `--profile` or `--session`. */
  readonly flag?: string | undefined;
  /** `DATUMCTL_PROFILE`. */
  readonly variable?: string | undefined;
  /** No project folder's session counts without being named: a kubeconfig entry works in every folder. */
  readonly own?: boolean | undefined;
}

/**
 * Finds the session that a command acts as: the named one; else what the variables give, the project folder's, the
 * active one. Throws `NOT_SIGNED_IN`, naming the sessions that there are.
 */
export async function chooseSession(place: SessionPlace, choice: SessionChoice): Promise<ChosenSession> {
  const named = choice.flag ?? choice.variable;
  const chosen = named === undefined
    ? await sessionInForce(place, choice)
    : await namedSession(place, named, choice.flag === undefined ? "DATUMCTL_PROFILE" : "--profile");
  return chosen ?? fail(await noSession(place, named));
}

async function namedSession(
  place: SessionPlace,
  name: string,
  source: string,
): Promise<ChosenSession | undefined> {
  if (name.startsWith(AMBIENT)) {
    const session = await place.ambient?.(name);
    return session && { session, place, source };
  }
  const session = await readSession(place, name);
  if (session !== undefined) return { session, place, source };
  const local = await place.local?.(place);
  const inProject = local && await readSession(local, name);
  return inProject && local && { session: inProject, place: local, source };
}

async function sessionInForce(
  place: SessionPlace,
  { own }: SessionChoice,
): Promise<ChosenSession | undefined> {
  const ambient = await place.ambient?.();
  if (ambient !== undefined) return { session: ambient, place, source: ambient.name.slice(AMBIENT.length) };
  const local = own ? undefined : await place.local?.(place);
  const inProject = local && await activeSession(local);
  if (inProject) return { session: inProject, place: local, source: `the project folder ${local.project}` };
  const session = await activeSession(place);
  return session && { session, place, source: "the active session" };
}

async function activeSession(place: SessionPlace): Promise<Session | undefined> {
  const { activeSession: name } = await readConfig(place);
  return name === undefined ? undefined : await readSession(place, name);
}

async function noSession(place: SessionPlace, named: string | undefined): Promise<AppError> {
  if (named?.startsWith(AMBIENT)) {
    const variable = printable(named.slice(AMBIENT.length), 60);
    return new AppError("NOT_SIGNED_IN", `The variable ${variable} is not set.`, {
      hint: "Set it where this command runs, or pick a stored session: datumctl auth list",
    });
  }
  const { sessions } = await listSessions(place);
  const names = sessions.map(({ name }) => name);
  const there = names.length === 0 ? "" : ` Stored here: ${names.join(", ")}.`;
  const theirs = sessions.filter(({ user }) => user.email?.toLowerCase() === named?.toLowerCase())
    .map(({ name }) => name);
  if (named !== undefined && theirs.length > 0) {
    return new AppError(
      "NOT_SIGNED_IN",
      `There is no session ${printable(named, 128)} here; that is an e-mail.`,
      {
        hint: `Name ${theirs.length > 1 ? "one of its sessions" : "the session"}: --profile ${
          theirs.join(", or ")
        }`,
      },
    );
  }
  if (named !== undefined) {
    const shown = isSessionName(named) ? named : "of that name";
    const login = isSessionName(named) ? `datumctl login --profile ${named}` : "datumctl login";
    return new AppError("NOT_SIGNED_IN", `There is no session ${shown} here.${there}`, {
      hint: names.length === 0 ? `Sign in: ${login}` : `Pick one of these, or sign in: ${login}`,
    });
  }
  return new AppError(
    "NOT_SIGNED_IN",
    names.length === 0 ? "Nobody is signed in here." : `No session is active.${there}`,
    {
      hint: names.length === 0 ? "Sign in: datumctl login" : "Make one active: datumctl auth switch",
    },
  );
}
