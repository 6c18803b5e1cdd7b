/** The sessions of a folder as one object: read, opened, saved, changed, removed. */

import { keyFileStore } from "../keyring/file.ts";
import type { KeyringLimits, SecretStore } from "../keyring/store.ts";
import { systemStore, type SystemTools } from "../keyring/system.ts";
import { type Folders, foldersOf, operatingSystem } from "../system/environment.ts";
import type { Host } from "../system/host.ts";
import type { FolderFile, FoundFile } from "./folder-file.ts";
import { fileNameOf } from "./name.ts";
import { pathsOf, PROJECT_FOLDER } from "./paths.ts";
import { type KeyStore, SessionReader, type StoreParts } from "./reader.ts";
import type { Removal } from "./remove.ts";
import type { NewSession, SaveChoice, SavedSession } from "./save.ts";
import type { SessionProviders } from "./providers.ts";
import type { SealingKey } from "./seal.ts";
import type { Session } from "./session.ts";
import type { SessionChange, SessionReplacement } from "./write.ts";

export type { SessionPaths } from "./paths.ts";
export type { KeyStore } from "./reader.ts";

/** The sessions that are stored nowhere: variables or a key file give them, and their names begin with `env:`. */
export interface EnvironmentSessions {
  /**
   * The session of that name (`env:` and the variable), or without a name the one that counts for every command; undefined
   * where no variable gives it.
   */
  fromVariables(name?: string): Promise<Session | undefined>;
  /** The session of a service account's key file that a flag names; undefined where no cloud reads such files. */
  fromKeyFile(path: string): Promise<Session | undefined>;
}

/** What can be chosen of a store. */
export interface StoreOptions extends Partial<StoreParts> {
  /** What variables and key files give; without it no session comes from there. */
  readonly environment?: EnvironmentSessions | undefined;
}

/**
 * The sessions of a folder: of the user's own unless given, with their keys in this system's secret stores.
 *
 * Reading is loaded with this module, the rest when it is called: most calls only read.
 *
 * To write or remove a session's file: take its lock, read it again, then `prepare` or `remove`; `save` and `update` do that
 * themselves. Several locks are taken in the order of the sessions' names.
 */
export class SessionStore extends SessionReader {
  readonly #environment: EnvironmentSessions | undefined;

  constructor(
    host: Host,
    providers: SessionProviders,
    options: Omit<StoreOptions, "host" | "providers"> = {},
  ) {
    const { folders = foldersOf(host.env), project, environment } = options;
    super({
      host,
      providers,
      folders,
      secretStore: options.secretStore ?? secretStores(folders, host),
      project,
    });
    this.#environment = environment;
  }

  /** The same sessions, but for what is given. */
  with(options: StoreOptions): SessionStore {
    const { host, providers, folders, secretStore, project } = this;
    return new SessionStore(options.host ?? host, options.providers ?? providers, {
      folders,
      secretStore,
      project,
      environment: this.#environment,
      ...options,
    });
  }

  /** See {@link EnvironmentSessions.fromVariables}; undefined for a store without variables. */
  async fromVariables(name?: string): Promise<Session | undefined> {
    return await this.#environment?.fromVariables(name);
  }

  /** See {@link EnvironmentSessions.fromKeyFile}; undefined for a store without key files. */
  async fromKeyFile(path: string): Promise<Session | undefined> {
    return await this.#environment?.fromKeyFile(path);
  }

  /** Stores a session, in place of one of the same name; see `saveSession`. */
  async save(session: NewSession, choice: SaveChoice, limits: KeyringLimits): Promise<SavedSession> {
    const { saveSession } = await import("./save.ts");
    return await saveSession(this, session, choice, limits);
  }

  /**
   * Changes fields of a session that are not sealed, under its lock. The name stays, because the file belongs to it; of what
   * is sealed nothing changes here, because the seal wins when the session is opened. Nothing is written when the session was
   * removed meanwhile, nor of one that comes from variables.
   */
  async update(name: string, change: SessionChange): Promise<void> {
    const { updateSession } = await import("./write.ts");
    await updateSession(this, name, change);
  }

  /**
   * Makes ready to write a session's file, under its lock. Of the `previous` session only the size counts: so much room is
   * taken on the disk.
   *
   * @throws {AppError} `STORAGE` when there is no room.
   */
  async prepare(
    name: string,
    previous: Session | undefined,
    key: SealingKey,
  ): Promise<SessionReplacement> {
    const { prepareSession } = await import("./write.ts");
    return await prepareSession(this, name, previous, key);
  }

  /** Removes a session, under its lock; see `removeSession`. */
  async remove(session: Session, limits: KeyringLimits): Promise<Removal> {
    const { removeSession } = await import("./remove.ts");
    return await removeSession(this, session, limits);
  }

  /** Clears away what killed processes left; see `clearLeftovers` of remove.ts. */
  async clearLeftovers(limits: KeyringLimits): Promise<void> {
    const { clearLeftovers } = await import("./remove.ts");
    await clearLeftovers(this, limits);
  }

  /**
   * Makes a session the active one; after a sign-in, `activateAfterSignIn` says in its error that the session is stored.
   *
   * @throws {AppError} `STORAGE`, `BUSY`.
   */
  async activate(name: string): Promise<void> {
    const { activateSession } = await import("./write.ts");
    await activateSession(this, name);
  }

  /**
   * Makes the folder of the sessions and checks that there is room in it.
   *
   * @throws {AppError} `STORAGE`.
   */
  async checkRoom(): Promise<void> {
    const { checkRoom } = await import("./write.ts");
    await checkRoom(this);
  }

  /**
   * The sessions of a project folder's own. Their keys stay with the user's: a folder that somebody else made, or that
   * came with a repository, opens nothing.
   */
  forProject(project: string): SessionStore {
    const folder = `${project}/${PROJECT_FOLDER}`;
    return this.with({ project, folders: { config: folder, sessions: folder }, environment: undefined });
  }

  /**
   * The sessions of the working folder's own, whether there are any or not.
   *
   * @throws {AppError} `STORAGE` when the folder is gone or its name cannot be shown.
   */
  async forWorkingFolder(): Promise<SessionStore> {
    const { workingFolder } = await import("./project-folder.ts");
    return this.forProject(workingFolder(this.host));
  }

  /** The sessions of the project that the process works in; undefined where there is none, or for a project's own store. */
  async nearestProject(): Promise<SessionStore | undefined> {
    if (this.project !== undefined) return undefined;
    const { findProjectFolder } = await import("./project-folder.ts");
    const project = await findProjectFolder(this);
    return project === undefined ? undefined : this.forProject(project);
  }

  /** The nearest trusted `.datumctl.json`; see `findFolderFile`. */
  async folderFile(tell?: (passedBy: FoundFile) => void): Promise<FolderFile | undefined> {
    const { findFolderFile } = await import("./folder-file.ts");
    return await findFolderFile(this, tell);
  }
}

/** How the system's own store is reached. */
export const SYSTEM_KEYRING: SystemTools = {
  os: operatingSystem,
  processes: () => import("../system/processes.ts"),
  credentialManager: async () => {
    const { openCredentialManager } = await import("../system/windows-credentials.ts");
    return openCredentialManager;
  },
};

/** This system's secret stores, each opened when it is first needed. */
function secretStores(folders: Folders, { env, notice }: Host): (kind: KeyStore) => SecretStore {
  const opened = new Map<KeyStore, SecretStore>();
  const open = (kind: KeyStore): SecretStore =>
    kind === "system"
      ? systemStore({ ...SYSTEM_KEYRING, bus: env("DBUS_SESSION_BUS_ADDRESS") })
      : keyFileStore({ folder: folders.sessions, pathFor: (account) => keyFileOf(folders, account), notice });
  return (kind) => {
    const store = opened.get(kind) ?? open(kind);
    opened.set(kind, store);
    return store;
  };
}

/** The file of an account's key. Those of project folders, which alone have blanks, belong to no session beside them. */
async function keyFileOf(folders: Folders, account: string): Promise<string> {
  return account.includes(" ")
    ? `${folders.sessions}/local-${await fileNameOf(account)}.key`
    : (await pathsOf(folders, account)).key;
}
