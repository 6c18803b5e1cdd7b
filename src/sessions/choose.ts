/** Chooses the session that a command acts as. */

import { AppError } from "../errors.ts";
import type { Environment } from "../system/environment.ts";
import type { SessionStore } from "./store.ts";
import type { FolderFile } from "./folder-file.ts";
import type { EntryWords } from "./providers.ts";
import type { Session } from "./session.ts";
import { ENV_PREFIX } from "./name.ts";

/** Which session a command acts as. */
export interface ChosenSession {
  readonly session: Session;
  /** The store that has it: a project's when a project folder has it. */
  readonly store: SessionStore;
  /** What chose it: a flag, a variable, a folder's file by its path, a project folder, or the active session. */
  readonly source: string;
  /** As it was given with the choice. */
  readonly folderFile?: FolderFileLookup | undefined;
}

/** Finds the folder's trusted `.datumctl.json`, each time the same. */
export type FolderFileLookup = () => Promise<FolderFile | undefined>;

/** What picks a session: a flag, else a variable, else the active session. */
export interface SessionChoice {
  /** `--profile` or `--session`. */
  readonly flag?: string | undefined;
  /** `--credentials-file`: a service account's key file. */
  readonly credentialsFile?: string | undefined;
  readonly variable?: NamingVariable | undefined;
  /** Absent where the folder's file does not count, as for kubectl. */
  readonly folderFile?: FolderFileLookup | undefined;
  /** Leaves out what folders say, so that a kubeconfig entry means the same in every folder. */
  readonly ignoreProjectFolder?: boolean | undefined;
  /** What a kubeconfig entry says of the session that it names. */
  readonly entry?: EntryWords | undefined;
}

/** A variable that names a session: ours, or the vendor's. */
export interface NamingVariable {
  readonly name: "DATUMCTL_PROFILE" | "DATUM_SESSION";
  readonly session: string;
}

/** The variable that names a session. Any of ours comes before the vendor's. */
export function namingVariable(env: Environment): NamingVariable | undefined {
  const own = env("DATUMCTL_PROFILE");
  if (own !== undefined) return { name: "DATUMCTL_PROFILE", session: own.normalize("NFC") };
  const vendors = env("DATUM_SESSION");
  const given = env("DATUMCTL_TOKEN") ?? env("DATUMCTL_CREDENTIALS_FILE");
  if (vendors === undefined || given !== undefined) return undefined;
  return { name: "DATUM_SESSION", session: vendors.normalize("NFC") };
}

/**
 * Finds the session that a command acts as: the named one; else that of the variables, of the nearest of the folder's file
 * and the project folder, the active one.
 *
 * @throws {AppError} `NOT_SIGNED_IN`, listing the stored sessions; `USAGE` for two flags that name two.
 */
export async function chooseSession(store: SessionStore, choice: SessionChoice): Promise<ChosenSession> {
  const { flag, credentialsFile, variable } = choice;
  if (credentialsFile !== undefined) {
    if (flag !== undefined) {
      throw new AppError("USAGE", "--profile and --credentials-file cannot be combined.", {
        hint: "Act as one of the two.",
      });
    }
    const session = await store.fromKeyFile(credentialsFile);
    if (session !== undefined) {
      return { session, store, source: "--credentials-file", folderFile: choice.folderFile };
    }
  }
  const named = flag ?? variable?.session;
  const chosen = named === undefined
    ? await sessionInForce(store, choice)
    : await namedSession(store, named, flag === undefined ? variable?.name ?? "" : "--profile");
  if (chosen !== undefined) return { ...chosen, folderFile: choice.folderFile };
  const { noSession } = await import("./no-session.ts");
  throw await noSession(store, named, choice.entry);
}

/** The session of that name: of a variable, of the person, or of the project folder; undefined for none. */
export async function namedSession(
  store: SessionStore,
  name: string,
  source: string,
): Promise<ChosenSession | undefined> {
  if (name.startsWith(ENV_PREFIX)) {
    const session = await store.fromVariables(name);
    return session && { session, store, source };
  }
  const session = await store.read(name);
  if (session !== undefined) return { session, store, source };
  const local = await store.nearestProject();
  const inProject = local && await local.read(name);
  return inProject && local && { session: inProject, store: local, source };
}

async function sessionInForce(
  store: SessionStore,
  { ignoreProjectFolder, folderFile }: SessionChoice,
): Promise<ChosenSession | undefined> {
  const given = await store.fromVariables();
  if (given !== undefined) return { session: given, store, source: given.name.slice(ENV_PREFIX.length) };
  const local = ignoreProjectFolder ? undefined : await store.nearestProject();
  const inProject = local && await activeSession(local);
  const file = ignoreProjectFolder ? undefined : await folderFile?.();
  if (file?.session !== undefined && !(inProject && isNearer(local?.project, file))) {
    const named = await namedSession(store, file.session, file.path);
    if (named !== undefined) return named;
    const { noSession } = await import("./no-session.ts");
    throw await noSession(store, file.session, undefined, file);
  }
  if (inProject) return { session: inProject, store: local, source: `the project folder ${local.project}` };
  const session = await activeSession(store);
  return session && { session, store, source: "the active session" };
}

/** True for a project folder that is nearer than the folder of that file: both are at or above the working folder. */
export function isNearer(project: string | undefined, { folder }: FolderFile): boolean {
  return project !== undefined && project.length > folder.length;
}

async function activeSession(store: SessionStore): Promise<Session | undefined> {
  const name = await store.active();
  return name === undefined ? undefined : await store.read(name);
}
