/**
 * What is stored, where all is in order: private files that nobody has to mend. It tells nothing and changes nothing, and
 * leaves what is not in order to the store. get-token and prompts ask here first, since the store takes much longer to load.
 */

import type { Folders } from "../system/environment.ts";
import { isPrivateFolder, readPrivateFile } from "../system/files.ts";
import { ENV_PREFIX, isSessionName } from "./name.ts";
import type { ProviderNames } from "./provider.ts";
import { pathsOf, type SessionPaths } from "./paths.ts";
import { parseConfig, parseSession, type Session } from "./session.ts";

/** A session, and where its files are. */
export interface SessionAtHand {
  readonly session: Session;
  readonly paths: SessionPaths;
}

/**
 * The name of the active session; undefined where there is none in order.
 *
 * @throws {AppError} `STORAGE` for a damaged `config.json`.
 */
export function activeAtHand({ config }: Folders): string | undefined {
  const path = `${config}/config.json`;
  const text = isPrivateFolder(config) ? readPrivateFile(path) : undefined;
  return text === undefined ? undefined : parseConfig(path, text).activeSession;
}

/**
 * The session of that name; undefined where there is none in order.
 *
 * @throws {AppError} `STORAGE` for a damaged file.
 */
export async function sessionAtHand(
  folders: Folders,
  name: string,
  providers: ProviderNames,
): Promise<SessionAtHand | undefined> {
  if (!isSessionName(name) || name.startsWith(ENV_PREFIX)) return undefined;
  // Its name is a digest, which another thread makes meanwhile.
  const finding = pathsOf(folders, name);
  if (!isPrivateFolder(folders.config) || !isPrivateFolder(folders.sessions)) return undefined;
  const paths = await finding;
  const text = readPrivateFile(paths.file);
  const session = text === undefined ? undefined : parseSession(text, paths.file, providers);
  return session?.name === name ? { session, paths } : undefined;
}
