/** Where the files of sessions are. */

import type { Folders } from "../system/environment.ts";
import { fileNameOf } from "./name.ts";

/** The paths of a session's files. */
export interface SessionPaths {
  readonly file: string;
  readonly lock: string;
  /** The last failure of get-token, remembered for some seconds. */
  readonly failure: string;
  /** Which process got which token. */
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

/** The folder in a project's folder that holds its own sessions. */
export const PROJECT_FOLDER = ".datumctl";

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
