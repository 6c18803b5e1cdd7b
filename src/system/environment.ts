/** The process's environment: variables, the platform, and our folders. */

import { AppError } from "../errors.ts";

/** Reads one environment variable; an empty one counts as not set. */
export type Environment = (name: string) => string | undefined;

/** This process's own variables. @throws {AppError} `USAGE` for one that is no text. */
export const environment: Environment = (name) => {
  try {
    return Deno.env.get(name) || undefined;
  } catch (cause) {
    throw new AppError("USAGE", `The variable ${name} is no text in UTF-8.`, {
      hint: `Set it to another value, or unset it: unset ${name}`,
      cause,
    });
  }
};

/** True on Windows. */
export const onWindows = Deno.build.os === "windows";

/** The operating system, as Deno names it. */
export const operatingSystem: string = Deno.build.os;

/** The runtime below us, for `version`. */
export const runtimeVersion: string = Deno.version.deno;

/** The operating system and processor this binary was built for. */
export const buildTarget: string = Deno.build.target;

/**
 * Identifies this machine or container among those that share its home: a hash of the host's name and of the root
 * file system, which every container has of its own. Eight hexadecimal digits.
 */
export function machineId(): string {
  return thisMachine ??= hashOf(`${hostName()} ${rootFileSystem()}`);
}

let thisMachine: string | undefined;

function hostName(): string {
  try {
    return Deno.hostname();
  } catch {
    return "";
  }
}

function rootFileSystem(): string {
  try {
    const { dev, ino } = Deno.statSync("/");
    return `${dev} ${ino}`;
  } catch {
    return "";
  }
}

/** FNV-1a of 32 bits: fast, and nothing here is secret. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** The command line after the program's name. */
export const commandLine: readonly string[] = Deno.args;

/** The working folder; undefined when it is gone, or when its name is no text. */
export function currentFolder(): string | undefined {
  try {
    return Deno.cwd();
  } catch {
    return undefined;
  }
}

/** What is wrong where there is no {@link currentFolder}. */
export const NO_WORKING_FOLDER =
  "The folder that this command runs in is gone, or its name is no text in UTF-8.";

/** Ends the process at once. */
export function exit(code: number): never {
  Deno.exit(code);
}

/** Where our files are. */
export interface Folders {
  /** Holds `config.json`. */
  readonly config: string;
  /** Holds the sessions: one file each, with its lock. */
  readonly sessions: string;
  /** Why there are no folders; reading the others throws it. Nothing that may be lost is stored then. */
  readonly missing?: AppError | undefined;
}

/**
 * The folders: `$DATUMCTL_CONFIG_DIR`, else `$XDG_CONFIG_HOME/datumctl`, else `~/.config/datumctl`; on Windows
 * `%AppData%\datumctl`, with the sessions in `%LocalAppData%\datumctl`, which does not roam.
 *
 * A container may have no variable that names a home. That is `STORAGE` only for what needs a folder: a session
 * that comes from variables does not.
 */
export function foldersOf(env: Environment, windows = onWindows): Folders {
  const chosen = env("DATUMCTL_CONFIG_DIR");
  if (chosen !== undefined) return below(absolutePath(chosen, windows));
  if (windows) {
    const roaming = env("APPDATA");
    const local = env("LOCALAPPDATA") ?? roaming;
    if (roaming === undefined || local === undefined) return nowhere("AppData");
    return { config: `${roaming}\\datumctl`, sessions: `${local}\\datumctl\\sessions` };
  }
  const xdg = env("XDG_CONFIG_HOME");
  // The XDG specification: a relative path is invalid and ignored.
  if (xdg?.startsWith("/")) return below(`${xdg}/datumctl`);
  const home = homeOf(env, windows);
  return home === undefined ? nowhere("HOME") : below(`${home}/.config/datumctl`);
}

/** The person's home folder; undefined when no variable names one. */
export function homeOf(env: Environment, windows = onWindows): string | undefined {
  return windows ? env("USERPROFILE") : env("HOME");
}

function below(config: string): Folders {
  return { config, sessions: `${config}/sessions` };
}

/** True for the administrator of a system that has one; false on Windows. */
export function isAdministrator(): boolean {
  return Deno.uid() === 0;
}

/** An absolute path: as it is, or below the working folder. @throws {AppError} `STORAGE` where there is no such folder. */
export function absolutePath(path: string, windows = onWindows): string {
  const rooted = path.startsWith("/") || (windows && /^(?:[A-Za-z]:)?[\\/]/.test(path));
  if (rooted) return path;
  const folder = currentFolder();
  if (folder !== undefined) return `${folder}/${path.replace(/^(?:\.\/+)+/, "")}`;
  throw new AppError("STORAGE", NO_WORKING_FOLDER, {
    hint: "Go to another folder, or name the file by its whole path, from / on.",
  });
}

function nowhere(variable: string): Folders {
  const missing = new AppError("STORAGE", `Cannot tell where to keep sessions: ${variable} is not set.`, {
    hint: "Set DATUMCTL_CONFIG_DIR to a folder of your own.",
  });
  return {
    missing,
    get config(): never {
      throw missing;
    },
    get sessions(): never {
      throw missing;
    },
  };
}
