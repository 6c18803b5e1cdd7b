/** What a place of sessions is, and where in it each file of a session and its key are. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { SecretStore } from "../keyring/store.ts";
import type { Clock } from "../system/clock.ts";
import type { Environment, Folders } from "../system/environment.ts";
import { isOurs, isTrusted, leaveOfOthers, listFolder, tighten } from "../system/files.ts";
import type { Session } from "./session.ts";
import { fileNameOf } from "./name.ts";

/** Where the key of a session can be kept. */
export type KeyStore = Session["keyStore"];

/**
 * Finds the session that the variables give, of that name or whichever of them counts without one; or the one of a key
 * file that a flag names.
 */
export type FindAmbient = (
  meant?: string | { readonly credentialsFile: string },
) => Promise<Session | undefined>;

/** Where sessions are, and what it takes to read them. */
export interface SessionStore {
  readonly folders: Folders;
  readonly secretStore: (kind: KeyStore) => SecretStore;
  readonly now: Clock;
  readonly env: Environment;
  /** The project folder whose own sessions these are; undefined for the person's. */
  readonly project?: string;
  /** The folder that the process works in; undefined when it is gone. */
  readonly workingFolder?: () => string | undefined;
  /** Finds, from a place of the person's, the sessions of the project folder that the process works in. */
  readonly local?: (store: SessionStore) => Promise<SessionStore | undefined>;
  /** The session that a variable or a key file gives. */
  readonly ambient?: FindAmbient;
  /** Told when something of ours was mended on the way, such as loose permissions. */
  readonly notice: (line: string) => void;
  /** Ends waits for locks and keyrings on Ctrl-C, where that does not end the process by itself. */
  readonly interrupted?: AbortSignal;
}

/** The paths of a session's files. */
export interface SessionPaths {
  readonly file: string;
  readonly lock: string;
  /** The last failure of get-token, remembered for some seconds. */
  readonly failure: string;
  /** Which process was handed which token. */
  readonly deliveries: string;
  /** The last sign-in that kubectl's plugin began by itself. */
  readonly signIn: string;
  /** The key, where no keyring keeps it. */
  readonly key: string;
  /** The session's file while it is being removed. */
  readonly leaving: string;
}

/** How the file of a session that is being removed ends. */
export const LEAVING = ".json.leaving";

/** Where the files of a session of that name are. */
export async function pathsOf(folders: Folders, name: string): Promise<SessionPaths> {
  const base = `${folders.sessions}/${await fileNameOf(name)}`;
  return {
    file: `${base}.json`,
    lock: `${base}.lock`,
    failure: `${base}.failure`,
    deliveries: `${base}.handouts`,
    signIn: `${base}.sign-in`,
    key: `${base}.key`,
    leaving: `${base}${LEAVING}`,
  };
}

/**
 * Takes away permissions of others, and tells of it.
 *
 * @throws {AppError} `STORAGE` for what belongs to another user, who could change it at any time. The administrator is no
 * exception: what they wrote there, its owner could no longer read.
 */
export async function makePrivate(store: SessionStore, path: string): Promise<void> {
  refuseForeign(store, path);
  const told = await tighten(path);
  if (told !== undefined) store.notice(told);
}

/**
 * Makes the folders of a place private, as {@link makePrivate}. One that `DATUMCTL_CONFIG_DIR` names and that holds more
 * than ours is left as it is.
 *
 * @throws {AppError} `STORAGE` for one of another user.
 */
export async function makeFoldersPrivate(store: SessionStore): Promise<void> {
  const { config, sessions } = store.folders;
  await makePrivate(store, sessions);
  if (config === sessions) return;
  refuseForeign(store, config);
  const leave = leaveOfOthers(config);
  if (leave === "nothing" || !isOurs(config)) return;
  const chosen = store.env("DATUMCTL_CONFIG_DIR") !== undefined;
  if (!chosen || (await listFolder(config)).every((name) => OURS.test(name))) {
    await makePrivate(store, config);
  } else if (leave === "write") {
    store.notice(
      `Others can write in ${config}. Keep sessions in a folder of their own: DATUMCTL_CONFIG_DIR=FOLDER`,
    );
  }
}

const OURS = /^(?:config\.json|sessions|datumctl-from-source)/;

function refuseForeign({ project }: SessionStore, path: string): void {
  if (isTrusted(path)) return;
  throw new AppError("STORAGE", `${printable(path)} is not used: it belongs to someone else.`, {
    hint: project === undefined
      ? "Run this as its owner (sudo -u USER), or keep sessions of your own: DATUMCTL_CONFIG_DIR=FOLDER"
      : withoutProjectHint(project),
  });
}

/** The way on that takes nothing from what a project's folder says. */
export function withoutProjectHint(project: string): string {
  return `Remove ${printable(`${project}/.datumctl`)}, or act as a session of your own: --profile NAME`;
}
