/** What a place of sessions is, and where in it each file of a session and its key are. */

import { printable } from "../errors.ts";
import type { SecretStore } from "../keyring/store.ts";
import type { Clock } from "../system/clock.ts";
import type { Environment, Folders } from "../system/environment.ts";
import { tighten } from "../system/files.ts";
import type { Session } from "./session-file.ts";
import { fileNameOf } from "./session-name.ts";

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
  readonly handouts: string;
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
    handouts: `${base}.handouts`,
    signIn: `${base}.sign-in`,
    key: `${base}.key`,
    leaving: `${base}${LEAVING}`,
  };
}

/** Takes away permissions of others, and tells of it. */
export async function makePrivate(place: SessionPlace, path: string): Promise<void> {
  const told = await tighten(path);
  if (told !== undefined) place.notice(told);
}

/** The way on that takes nothing from what a project's folder says. */
export function instead(project: string): string {
  return `Remove ${printable(`${project}/.datumctl`)}, or act as a session of your own: --profile NAME`;
}
