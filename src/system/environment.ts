/** Owns what the surroundings say: variables, the platform, and the folders that are ours. */

import { AppError } from "../errors.ts";

/** Reads one environment variable; an empty one counts as unset. */
export type Environment = (name: string) => string | undefined;

/** This process's own variables. */
export const environment: Environment = (name) => Deno.env.get(name) || undefined;

/** True on Windows. */
export const onWindows = Deno.build.os === "windows";

/** The operating system, as Deno names it. */
export const operatingSystem: string = Deno.build.os;

/** The runtime below us, for `version`. */
export const runtimeVersion: string = Deno.version.deno;

/** The operating system and processor this binary was built for. */
export const buildTarget: string = Deno.build.target;

/**
 * Tells this machine or container from others that share its home: a mark of the host's name and of the root's file system,
 * which each container has of its own. Eight hexadecimal digits.
 */
export const machineMark: string = digitsOf(`${hostName()} ${rootFileSystem()}`);

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

/** FNV-1a of 32 bits: no secret, and quick. */
function digitsOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** The command line after the program's name. */
export const commandLine: readonly string[] = Deno.args;

/** The folder that this process works in; undefined when it is gone. */
export function currentFolder(): string | undefined {
  try {
    return Deno.cwd();
  } catch {
    return undefined;
  }
}

/** Ends the process at once. */
export function exit(code: number): never {
  Deno.exit(code);
}

/** Where our files are. */
export interface Folders {
  /** Holds `config.json`. */
  readonly config: string;
  /** Holds the sessions: a file each, with its lock. */
  readonly sessions: string;
  /** Why there are no folders here; reading one of the others throws it. What may be lost is not kept then. */
  readonly missing?: AppError | undefined;
}

/**
 * The folders: `$DATUMCTL_CONFIG_DIR`, else `$XDG_CONFIG_HOME/datumctl`, else `~/.config/datumctl`; on Windows
 * `%AppData%\datumctl`, with the sessions in `%LocalAppData%\datumctl`, which does not roam.
 *
 * Where no variable names a home, as in a container, that is `STORAGE` only for what needs a folder: a session that
 * comes from variables does not.
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
  // The XDG specification: a relative path there is invalid and is ignored.
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

/** A path from the root: as it is, or below the folder that this process works in. */
export function absolutePath(path: string, windows = onWindows): string {
  const rooted = path.startsWith("/") || (windows && /^(?:[A-Za-z]:)?[\\/]/.test(path));
  return rooted ? path : `${Deno.cwd()}/${path}`;
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
