/** What is stored here, read as it lies: other commands narrow permissions on the way, a check only looks. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { chooseSession, isNearer } from "../../sessions/choose.ts";
import { FOLDER_FILE } from "../../sessions/folders-above.ts";
import { type Config, parseConfig, parseSession, type Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { trustedPath } from "../../sessions/trusted-files.ts";
import { accessOfOthers, isTrusted, kindOf, listFolder, readTextFile } from "../../system/files.ts";
import type { CommandContext } from "../context.ts";

/** A session, with the file that it was read from. */
export interface SessionFile {
  readonly session: Session;
  readonly store: SessionStore;
  readonly file: string;
}

/** A file of ours that cannot be used, and why. */
export interface BrokenFile {
  readonly path: string;
  readonly error: AppError;
}

/** What lies in the folders of the sessions. */
export interface Stored {
  readonly sessions: readonly SessionFile[];
  readonly config: Config | undefined;
  readonly brokenConfig: AppError | undefined;
  readonly broken: readonly BrokenFile[];
  /** Files and folders that other users can read or write. */
  readonly open: readonly string[];
  /** A folder that a variable names, where other users can write. */
  readonly writable: string | undefined;
  /** Files and folders of other users. */
  readonly foreign: readonly string[];
  /** Plain files of ours on which a lock can be tried. */
  readonly lockable: readonly string[];
}

/** Reads what a store's folders hold. Nothing is thrown: what cannot be read is part of the result. */
export async function readStored(store: SessionStore): Promise<Stored> {
  const { config, sessions } = store.folders;
  const names = await namesIn(sessions);
  const paths = names.map((name) => `${sessions}/${name}`);
  const own = [...new Set([config, `${config}/config.json`, `${config}/trusted.json`, sessions]), ...paths];
  const present: string[] = [];
  for (const path of own) if (await isThere(path)) present.push(path);
  const shared = sharedFolder(store);
  const files: SessionFile[] = [];
  const broken: BrokenFile[] = [];
  for (const file of paths.filter((path) => /\/[a-z2-7]{16}\.json$/.test(path))) {
    try {
      const session = await readSession(store, file);
      if (session !== undefined) files.push({ session, store, file });
    } catch (thrown) {
      broken.push({ path: file, error: failureOrThrow(thrown) });
    }
  }
  files.sort((a, b) => a.session.name < b.session.name ? -1 : 1);
  return {
    sessions: files,
    broken,
    ...await readConfig(store),
    open: present.filter((path) => path !== shared && accessOfOthers(path) !== "nothing"),
    writable: shared !== undefined && accessOfOthers(shared) === "write" ? shared : undefined,
    foreign: present.filter((path) => !isTrusted(path)),
    lockable: await plainFiles(present.filter((path) => path.endsWith(".lock"))),
  };
}

/** A folder that a variable names may hold more than our files: who can look into it is not for us to say. */
function sharedFolder({ folders: { config }, host, project }: SessionStore): string | undefined {
  return project === undefined && host.env("DATUMCTL_CONFIG_DIR") !== undefined ? config : undefined;
}

async function plainFiles(paths: readonly string[]): Promise<string[]> {
  const kinds = await Promise.all(
    paths.map((path) => kindOf(path).catch((thrown) => void failureOrThrow(thrown))),
  );
  return paths.filter((_, at) => kinds[at] === "file");
}

async function readSession(store: SessionStore, file: string): Promise<Session | undefined> {
  const text = await readTextFile(file);
  if (text === undefined) return undefined;
  const session = parseSession(text, file, store.providers);
  if ((await store.paths(session.name)).file === file) return session;
  throw new AppError("STORAGE", `${file} is the file of another session, "${session.name}".`);
}

async function readConfig(store: SessionStore): Promise<Pick<Stored, "config" | "brokenConfig">> {
  try {
    const config = parseConfig(store.configPath, await readTextFile(store.configPath));
    return { config, brokenConfig: undefined };
  } catch (thrown) {
    return { config: undefined, brokenConfig: failureOrThrow(thrown) };
  }
}

/** None for a folder that cannot be listed: the check of the folder says so. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return await listFolder(folder).catch((thrown) => (failureOrThrow(thrown), []));
}

async function isThere(path: string): Promise<boolean> {
  return await kindOf(path).catch((thrown) => void failureOrThrow(thrown)) !== undefined;
}

/** The session that commands act as: a flag's, a variable's, a project folder's or the active one. */
export interface Acting {
  readonly name: string | undefined;
  /** What names it. */
  readonly source: string;
  /** Why there is none. */
  readonly error?: AppError | undefined;
  /** The file that is to be moved aside. */
  readonly broken?: string | undefined;
}

/** Which session commands act as: what our own folder holds is known already, and what the project's is. */
export async function actingSessionOf(
  cli: CommandContext,
  { config }: Stored,
  inProject: SessionFile | undefined,
): Promise<Acting> {
  const { choice: { flag, credentialsFile, variable }, store, env } = cli;
  const named = flag ?? variable?.session;
  const source = flag !== undefined
    ? "--profile"
    : variable?.name ?? (credentialsFile === undefined ? undefined : "--credentials-file");
  if (credentialsFile !== undefined || named?.startsWith("env:")) {
    return await fromOutside(async () => (await chooseSession(store, cli.choice)).session.name, source ?? "");
  }
  if (named !== undefined) return { name: named, source: source ?? "" };
  const given = cli.providers.variableInForce(env);
  if (given !== undefined) {
    return await fromOutside(async () => (await store.fromVariables())?.name, given);
  }
  try {
    const file = await cli.choice.folderFile?.();
    if (file?.session !== undefined && !(inProject && isNearer(inProject.store.project, file))) {
      return { name: file.session, source: file.path };
    }
  } catch (thrown) {
    const error = failureOrThrow(thrown);
    const list = trustedPath(store);
    const broken = error.message.startsWith(list) ? list : undefined;
    return { name: undefined, source: FOLDER_FILE, error, broken };
  }
  if (inProject !== undefined) {
    return { name: inProject.session.name, source: `of the project folder ${inProject.store.project}` };
  }
  return { name: config?.activeSession, source: "the active session" };
}

async function fromOutside(find: () => Promise<string | undefined>, source: string): Promise<Acting> {
  try {
    return { name: await find(), source };
  } catch (thrown) {
    return { name: undefined, source, error: failureOrThrow(thrown) };
  }
}
