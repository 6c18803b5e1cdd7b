/** Reads the sessions of one folder: their files, their locks, which one is active, and what is sealed in them. */

import { AppError, failureOrThrow } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import type { KeyringLimits, SecretStore } from "../keyring/store.ts";
import { checkpoint } from "../system/checkpoint.ts";
import type { Folders } from "../system/environment.ts";
import {
  accessOfOthers,
  isNoFolder,
  isOurs,
  isTrusted,
  listFolder,
  readTextFile,
  tighten,
} from "../system/files.ts";
import type { Host } from "../system/host.ts";
import type { FileLock } from "../system/locks.ts";
import { type Config, parseConfig, parseSession, type Session } from "./session.ts";
import { isSessionName } from "./name.ts";
import { environmentCredentials, type OpenedSession, unsealSession } from "./open.ts";
import { pathsOf, PROJECT_FOLDER, type SessionPaths } from "./paths.ts";
import type { SessionProviders } from "./providers.ts";
import { isSealedWith, readKeyText, type SealingKey } from "./seal.ts";

/** Where the key of a session can be kept. */
export type KeyStore = Session["keyStore"];

/** How long a command waits for another process to let go of a session, in milliseconds. */
export const LOCK_WAIT = 15_000;

/** What a store is made of. */
export interface StoreParts {
  readonly host: Host;
  /** The clouds that its sessions can be of. */
  readonly providers: SessionProviders;
  readonly folders: Folders;
  /** Where keys are kept. */
  readonly secretStore: (kind: KeyStore) => SecretStore;
  /** The project folder whose own sessions these are; undefined for the user's. */
  readonly project: string | undefined;
}

/** Reads, locks and opens sessions. */
export class SessionReader implements StoreParts {
  readonly host: Host;
  readonly providers: SessionProviders;
  readonly folders: Folders;
  readonly secretStore: StoreParts["secretStore"];
  readonly project: string | undefined;

  constructor({ host, providers, folders, secretStore, project }: StoreParts) {
    this.host = host;
    this.providers = providers;
    this.folders = folders;
    this.secretStore = secretStore;
    this.project = project;
  }

  /** Where the files of a session of that name are. */
  paths(name: string): Promise<SessionPaths> {
    return pathsOf(this.folders, name);
  }

  /** The account under which a session's key is kept, so that users find it under their own identity. */
  account(name: string): string {
    return this.project === undefined ? name : `${name} in ${this.project}`;
  }

  /**
   * The session of that name; undefined when there is none.
   *
   * @throws {AppError} `STORAGE` when its file is damaged.
   */
  async read(name: string): Promise<Session | undefined> {
    if (!isSessionName(name)) return undefined;
    // Its name is a digest, which other threads make meanwhile.
    const [{ file }] = await Promise.all([this.paths(name), this.makeFoldersPrivate()]);
    const text = await readTextFile(file);
    return text === undefined ? undefined : await this.parse(file, text, name);
  }

  /**
   * The session in a file's text. `named` is the name that this file was looked up by; it saves computing its digest.
   *
   * @throws {AppError} `STORAGE` when it is damaged.
   */
  async parse(file: string, text: string, named?: string): Promise<Session> {
    await this.#makePrivate(file);
    const remedy = this.project === undefined
      ? HINTS.STORAGE.damagedSession
      : withoutProjectHint(this.project);
    const session = parseSession(text, file, this.providers, remedy);
    // Else one session's file, copied over another's, would act in that one's name.
    if (session.name !== named && (await this.paths(session.name)).file !== file) {
      throw new AppError("STORAGE", `${file} is the file of another session, "${session.name}".`, {
        hint: remedy,
      });
    }
    return session;
  }

  /** Every session, by name; a file that cannot be read is reported apart and hides no other. */
  async list(): Promise<{ readonly sessions: Session[]; readonly damaged: AppError[] }> {
    const sessions: Session[] = [];
    const damaged: AppError[] = [];
    await this.makeFoldersPrivate();
    for (const name of await listFolder(this.folders.sessions)) {
      if (!/^[a-z2-7]{16}\.json$/.test(name)) continue;
      try {
        const file = `${this.folders.sessions}/${name}`;
        const text = await readTextFile(file);
        if (text !== undefined) sessions.push(await this.parse(file, text));
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
        damaged.push(thrown);
      }
    }
    sessions.sort((a, b) => a.name < b.name ? -1 : 1);
    return { sessions, damaged };
  }

  /**
   * Holds a session's lock, waiting for it at most `timeout` milliseconds.
   *
   * @throws {AppError} `BUSY` when another process holds it for longer.
   */
  async lock(name: string, timeout: number = LOCK_WAIT): Promise<FileLock> {
    const { lock } = await this.paths(name);
    const { interrupted: signal, notice } = this.host;
    const { acquireLock } = await import("../system/locks.ts");
    const held = await acquireLock(lock, { timeout, guards: `the session "${name}"`, signal });
    if (!held.holds) {
      notice(
        `The file system of ${this.folders.sessions} keeps no locks: two commands that renew a session at once can ` +
          "end it. Start its lock service (on NFS: rpc.statd), or keep sessions elsewhere: DATUMCTL_CONFIG_DIR=FOLDER",
      );
    }
    checkpoint("session locked");
    return held;
  }

  /**
   * The name of the active session; undefined when none is active.
   *
   * @throws {AppError} `STORAGE` when `config.json` is damaged or of a newer schema.
   */
  async active(): Promise<string | undefined> {
    await this.makeFoldersPrivate();
    return (await this.parseConfig(await readTextFile(this.configPath))).activeSession;
  }

  /** Where it is noted which session is active. */
  get configPath(): string {
    return `${this.folders.config}/config.json`;
  }

  /** What the text of `config.json` holds; without a text, that of a new one. */
  async parseConfig(text: string | undefined): Promise<Config> {
    if (text !== undefined) await this.#makePrivate(this.configPath);
    return parseConfig(this.configPath, text);
  }

  /**
   * Opens a session's credentials with its key from where that is kept. What is sealed wins over the public fields, so
   * that an edited file cannot send a refresh token elsewhere.
   *
   * @throws {AppError} `KEYRING_LOCKED`, `KEYRING_TIMEOUT`, `KEYRING_ITEM_MISSING`; `STORAGE` for a damaged file.
   */
  async open(session: Session, limits: KeyringLimits): Promise<OpenedSession> {
    const given = environmentCredentials(session);
    if (given !== undefined) return { session, credentials: given };
    const text = await this.secretStore(session.keyStore).get(this.account(session.name), {
      ...limits,
      signal: limits.signal ?? this.host.interrupted,
    });
    const key = text === undefined ? undefined : await readKeyText(text);
    if (key === undefined || !isSealedWith(session.credentials, key)) throw await this.#keyMissing(session);
    return await this.openWith(session, key);
  }

  /**
   * Opens a session's credentials with a key that is at hand.
   *
   * @throws {AppError} `STORAGE` for a damaged file.
   */
  async openWith(session: Session, key: SealingKey): Promise<OpenedSession> {
    const opened = await unsealSession(session, key, this.providers);
    if (opened !== undefined) return opened;
    throw new AppError("STORAGE", `The credentials of the session "${session.name}" are damaged.`, {
      // What stands beside them in a project's folder may be anybody's.
      hint: this.project === undefined
        ? await this.providers.signInAgain(session)
        : withoutProjectHint(this.project),
    });
  }

  /**
   * Opens a session that a new sign-in is about to replace. Undefined when the sign-in will mend it: its key is lost, its
   * file is damaged, or `--keyring file` gives up its keyring.
   *
   * @throws {AppError} what {@link open} throws otherwise, such as for a locked keyring.
   */
  async openUnlessLost(
    session: Session,
    limits: KeyringLimits,
    keyring?: string | undefined,
  ): Promise<OpenedSession | undefined> {
    try {
      return await this.open(session, limits);
    } catch (thrown) {
      const { code } = failureOrThrow(thrown);
      const lost = code === "KEYRING_ITEM_MISSING" || code === "STORAGE";
      if (lost || keyring === "file") return undefined;
      throw thrown;
    }
  }

  async #keyMissing(session: Session): Promise<AppError> {
    const { name } = session;
    const { project } = this;
    const { removeHandOffs } = await import("./hand-off.ts");
    await removeHandOffs(this.folders, name).catch(() => {});
    if (project === undefined) {
      const where = this.secretStore(session.keyStore).name;
      return new AppError(
        "KEYRING_ITEM_MISSING",
        `The key of the session "${name}" is no longer in ${where}; its credentials cannot be opened.`,
        { hint: await this.providers.signInAgain(session) },
      );
    }
    // Where to sign in is not taken from a folder that came from somebody else.
    const folder = printable(`${project}/${PROJECT_FOLDER}`);
    return new AppError(
      "KEYRING_ITEM_MISSING",
      `The session "${name}" in ${folder} is not used: you hold no key for it. It may be somebody else's.`,
      { hint: withoutProjectHint(project) },
    );
  }

  /**
   * Takes away other users' permissions on the folders, and says so. A folder that `DATUMCTL_CONFIG_DIR` names and that
   * holds more than ours is left as it is.
   *
   * @throws {AppError} `STORAGE` for one of another user, and for what is no folder.
   */
  async makeFoldersPrivate(): Promise<void> {
    const { config, sessions } = this.folders;
    for (const folder of [config, sessions]) this.#refuseNoFolder(folder);
    await this.#makePrivate(sessions);
    if (config === sessions) return;
    this.#refuseForeign(config);
    const access = accessOfOthers(config);
    if (access === "nothing" || !isOurs(config)) return;
    const chosen = this.host.env("DATUMCTL_CONFIG_DIR") !== undefined;
    if (!chosen || (await listFolder(config)).every((name) => OURS.test(name))) {
      await this.#makePrivate(config);
    } else if (access === "write") {
      this.host.notice(
        `Others can write in ${config}. Keep sessions in a folder of their own: DATUMCTL_CONFIG_DIR=FOLDER`,
      );
    }
  }

  // What is no folder, such as a device, is somebody else's thing, whose permissions stay as they are.
  #refuseNoFolder(path: string): void {
    if (!isNoFolder(path)) return;
    throw new AppError("STORAGE", `${printable(path)} is not a folder.`, {
      hint: this.project === undefined
        ? "Set DATUMCTL_CONFIG_DIR to a folder of your own."
        : withoutProjectHint(this.project),
    });
  }

  async #makePrivate(path: string): Promise<void> {
    this.#refuseForeign(path);
    const repaired = await tighten(path);
    if (repaired !== undefined) this.host.notice(repaired);
  }

  // Its owner could change it at any time. The administrator is no exception: what they wrote there, its owner could no
  // longer read.
  #refuseForeign(path: string): void {
    if (isTrusted(path)) return;
    throw new AppError("STORAGE", `${printable(path)} is not used: it belongs to someone else.`, {
      hint: this.project === undefined
        ? "Run this as its owner (sudo -u USER), or keep sessions of your own: DATUMCTL_CONFIG_DIR=FOLDER"
        : withoutProjectHint(this.project),
    });
  }
}

const OURS = /^(?:config\.json|trusted\.json|sessions|datumctl-from-source|bin$)/;

/** A remedy that takes nothing from what a project's folder says. */
function withoutProjectHint(project: string): string {
  return `Remove ${
    printable(`${project}/${PROJECT_FOLDER}`)
  }, or act as a session of your own: --profile NAME`;
}
