/** Stored credentials that the launcher hands out: how they are named, written and removed. */

import { sha256, toBase32 } from "../encoding.ts";
import type { Environment, Folders } from "../system/environment.ts";
import {
  ensurePrivateFolder,
  listFolder,
  modifiedAt,
  readTextFile,
  realPath,
  removeFile,
  replaceQuickly,
} from "../system/files.ts";
import { createFile } from "../system/replacement.ts";
import { runtimeFolder, whyNotPrivate } from "../system/runtime-folder.ts";
import { readLauncher } from "./launcher.ts";
import type { TokenKind } from "./token.ts";

/** The folder of the stored credentials in a runtime folder. */
export function handOffFolder(runtime: string): string {
  return `${runtime}/datumctl`;
}

/**
 * The name of a stored credential, made of its session and of the token that the kubeconfig entry names. It differs
 * between sessions of one name in two folders of ours.
 */
export async function handleOf(
  { sessions }: Folders,
  name: string,
  kind: TokenKind | undefined,
): Promise<string> {
  const folder = await realPath(sessions) ?? sessions;
  return toBase32(await sha256(`${folder}\n${name}\n${kind ?? ""}`)).slice(0, 16);
}

/** What the launcher may hand out. */
export interface HandOff {
  /** An ExecCredential in one line. */
  readonly credential: string;
  /** The server that it is for, up to its path, as kubectl writes it. */
  readonly server: string;
  /** When another one must be asked for, in milliseconds since 1970. */
  readonly until: number;
  /** The number of the process that gets it now. */
  readonly pid: number;
}

/** The stored credential of a handle. Its calls never fail: without it, get-token does the work. */
export interface HandOffFile {
  write(handOff: HandOff): Promise<boolean>;
  remove(): Promise<void>;
  /** The token in it; undefined when there is none. */
  token(): Promise<string | undefined>;
  /** When the launcher noted the process that called it, in milliseconds since 1970; undefined when it did not. */
  noted(pid: number): number | undefined;
}

/**
 * The stored credential that the launcher reads for a handle; undefined where no launcher is, or where its runtime folder
 * is gone or not private.
 */
export async function openHandOff(folders: Folders, handle: string): Promise<HandOffFile | undefined> {
  const folder = (await readLauncher(folders))?.folder;
  if (folder === undefined || whyNotPrivate(folder.replace(/\/[^/]*$/, "")) !== undefined) return undefined;
  const path = `${folder}/${handle}`;
  // As the launcher names it.
  const note = (pid: number) => `${path}.${pid % 64}`;
  return {
    async write({ credential, server, until, pid }) {
      const text = `credential='${credential}'\nserver='${server}'\n`;
      // The script reads it as shell words.
      if (/['\\]/.test(credential + server) || text.split("\n").length !== 3) return false;
      await ensurePrivateFolder(folder).catch(() => {});
      if (whyNotPrivate(folder) !== undefined) return false;
      // The launcher made none where the folder was missing.
      await createFile(note(pid), `${pid}\n`).catch(() => {});
      return await replaceQuickly(path, text, until);
    },
    remove: () => removeHandle(folder, handle).catch(() => {}),
    async token() {
      const text = await readTextFile(path).catch(() => undefined) ?? "";
      return /^credential='.*"token":"([^"]*)".*'$/m.exec(text)?.[1];
    },
    noted: (pid) => modifiedAt(note(pid)),
  };
}

/**
 * Removes what the launcher could hand out of a session, with the notes of who got it. With `env`, it is also looked for
 * where a launcher would be told to find it: the launcher itself may be gone.
 *
 * @throws {AppError} `STORAGE`.
 */
export async function removeHandOffs(folders: Folders, name: string, env?: Environment): Promise<void> {
  for (const folder of await foldersInUse(folders, env)) {
    for (const handle of await handlesOf(folders, name)) await removeHandle(folder, handle);
  }
}

/** A credential that lies there for the launcher. */
export interface StoredHandOff {
  readonly path: string;
  /** When it is no longer handed out, in milliseconds since 1970. */
  readonly until: number;
}

/** What the launcher could hand out of a session. */
export async function storedHandOffs(
  folders: Folders,
  name: string,
  env: Environment,
): Promise<StoredHandOff[]> {
  const found: StoredHandOff[] = [];
  for (const folder of await foldersInUse(folders, env)) {
    for (const handle of await handlesOf(folders, name)) {
      const path = `${folder}/${handle}`;
      const until = modifiedAt(path);
      if (until !== undefined) found.push({ path, until });
    }
  }
  return found;
}

function handlesOf(folders: Folders, name: string): Promise<string[]> {
  return Promise.all(([undefined, "access", "id"] as const).map((kind) => handleOf(folders, name, kind)));
}

async function foldersInUse(folders: Folders, env: Environment | undefined): Promise<ReadonlySet<string>> {
  const launcher = await readLauncher(folders);
  const runtime = env === undefined || folders.missing !== undefined ? undefined : await runtimeFolder(env);
  const found = [launcher?.folder, runtime?.path && handOffFolder(runtime.path)];
  return new Set(found.filter((folder) => folder !== undefined));
}

async function removeHandle(folder: string, handle: string): Promise<void> {
  // Without its note a process that comes back would be given the same once more, so the notes go last.
  await removeFile(`${folder}/${handle}`);
  for (const name of await listFolder(folder)) {
    if (name.startsWith(`${handle}.`)) await removeFile(`${folder}/${name}`);
  }
}
