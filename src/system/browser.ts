/** Opens a web page in the person's browser, and tells when no browser here could reach them. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { type Environment, environment, operatingSystem } from "./environment.ts";
import { exists } from "./files.ts";
import {
  childEnvironment,
  findProgram,
  isProgram,
  ProgramError,
  ProgramNotFound,
  startDetached,
} from "./processes.ts";

/** What decides which browser there is. */
export interface BrowserEnvironment {
  /** The operating system, as Deno names it. */
  readonly os: string;
  /** The kernel's release; asked on Linux only. */
  readonly release: () => string;
  readonly variable: Environment;
  readonly exists: (path: string) => Promise<boolean>;
  /** Whether a path, or a bare name on the `PATH`, is a program. */
  readonly isProgram: (name: string) => boolean;
}

/** What this process offers. */
export const browserEnvironment: BrowserEnvironment = {
  os: operatingSystem,
  release: () => Deno.osRelease(),
  variable: environment,
  exists,
  isProgram: (name) =>
    /[\\/]/.test(name) ? isProgram(name) : findProgram(name, environment("PATH")) !== undefined,
};

/** The result of an attempt to open a page. */
export type BrowserOutcome =
  | {
    readonly opened: true;
    readonly program: string;
    /** Why the browser of `$BROWSER` was not used. */
    readonly fallbackReason?: string | undefined;
  }
  | { readonly opened: false; readonly reason: string };

/** The variables that browsers, and the scripts that start them, need. */
const BROWSER_VARIABLES = [
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "BROWSER"],
  ...["LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"],
  ...["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "DESKTOP_SESSION"],
  ...["XDG_RUNTIME_DIR", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "XDG_SESSION_ID", "XDG_ACTIVATION_TOKEN"],
  ...[
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
  ],
  ...["KDE_FULL_SESSION", "KDE_SESSION_VERSION", "GNOME_DESKTOP_SESSION_ID", "MOZ_ENABLE_WAYLAND"],
  ...[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
  ],
  ...["WSL_DISTRO_NAME", "WSL_INTEROP", "WSLENV", "VSCODE_IPC_HOOK_CLI"],
  ...["SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERNAME", "USERPROFILE", "APPDATA"],
  ...["LOCALAPPDATA", "ProgramData", "ProgramFiles", "ProgramFiles(x86)", "HOMEDRIVE", "HOMEPATH"],
] as const;

/**
 * Why no browser that starts here would show up for the person, as a clause after "because"; undefined when nothing
 * speaks against it.
 */
export async function browserObstacle(
  { os, variable, exists }: BrowserEnvironment = browserEnvironment,
): Promise<string | undefined> {
  if (variable("CODESPACES") !== undefined) return "this is a GitHub codespace";
  const remote = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].some((name) => variable(name) !== undefined);
  const display = ["DISPLAY", "WAYLAND_DISPLAY"].some((name) => variable(name) !== undefined);
  if (remote && !display) return "this is an SSH session without a display";
  if (os !== "linux") return undefined;
  for (const mark of ["/.dockerenv", "/run/.containerenv"]) {
    if (await exists(mark)) return "this is a container";
  }
  return undefined;
}

/** The ways to open a page. */
export interface BrowserCommands {
  /** Argument vectors, in the order to try them. */
  readonly commands: readonly (readonly string[])[];
  /** Why the command of `$BROWSER` or of the person is not among them. */
  readonly problem?: string | undefined;
}

/**
 * The argument vectors that can open the page: only the person's own command; without one `$BROWSER`, then the
 * system's way. A shell that one of them starts finds nothing special in the address.
 *
 * @throws {AppError} `USAGE` when the person's own command cannot be split into words.
 */
export function browserCommands(
  address: string,
  command: string | undefined,
  { os, release, variable, isProgram }: BrowserEnvironment = browserEnvironment,
): BrowserCommands {
  // Otherwise the "address" of a hostile issuer could be read as an option, or open a file.
  if (!/^https?:\/\/[^\s\p{Cc}]+$/u.test(address) || !URL.canParse(address)) {
    throw new TypeError("Only web addresses are opened in a browser");
  }
  const url = withoutShell(new URL(address).href);
  const windows = os === "windows";
  if (command !== undefined) {
    const words = wordsOf(command, windows, isProgram);
    if (words === undefined) {
      throw new AppError("USAGE", "--browser-command is empty, or one of its quotes is not closed.", {
        hint:
          `Write the program and its arguments, for example: --browser-command "firefox --private-window %s"`,
      });
    }
    return withUrl(words, url);
  }
  const system = systemCommands(url, os, release, variable);
  const chosen = variable("BROWSER") ?? "";
  if (chosen === "") return { commands: system };
  const words = wordsOf(chosen, windows, isProgram);
  if (words === undefined) return { commands: system, problem: "one of its quotes is not closed" };
  const { commands, ...rest } = withUrl(words, url);
  return { commands: [...commands, ...system], ...rest };
}

function systemCommands(
  url: string,
  os: string,
  release: () => string,
  variable: Environment,
): readonly (readonly string[])[] {
  // `cmd /c start` would read the & of a query as the end of the command.
  const handler = ["url.dll,FileProtocolHandler", url];
  if (os === "windows") {
    return [[`${variable("SystemRoot") ?? "C:\\Windows"}\\System32\\rundll32.exe`, ...handler]];
  }
  if (os === "darwin") return [["/usr/bin/open", url]];
  const desktop = [["xdg-open", url], ["gio", "open", url], ["x-www-browser", url]];
  if (variable("WSL_DISTRO_NAME") === undefined && !/microsoft/i.test(release())) return desktop;
  return [["wslview", url], ["/mnt/c/Windows/System32/rundll32.exe", ...handler], ...desktop];
}

/**
 * Opens a page in a browser that outlives this process and does not get our Ctrl-C. Never throws for a browser that
 * is missing or fails: the address is printed anyway, and the result says why.
 *
 * @param options.command the person's own command (`--browser-command`)
 * @param options.patience milliseconds to watch a started program for an early failure; 1,000 by default
 */
export async function openBrowser(
  url: string,
  options: {
    readonly command?: string | undefined;
    readonly patience?: number;
    readonly environment?: BrowserEnvironment;
  } = {},
): Promise<BrowserOutcome> {
  const env = childEnvironment(BROWSER_VARIABLES);
  const { command, patience = 1000, environment: context = browserEnvironment } = options;
  const { commands, problem } = browserCommands(url, command, context);
  const own = command ?? context.variable("BROWSER");
  const variable = command === undefined && own ? " (BROWSER)" : "";
  // The person wants to hear about the browser they chose, not about our guesses after it.
  let chosen = problem === undefined ? undefined : `${problem}${variable}`;
  let failure: string | undefined;
  for (const [program = "", ...args] of commands) {
    try {
      const { code } = startDetached(program, args, { env });
      const failed = await earlyFailure(code, patience);
      if (failed === undefined) {
        return { opened: true, program, fallbackReason: chosen };
      }
      failure = `"${program}" ended with exit code ${failed}`;
      if (own) chosen ??= `${failure}${variable}`;
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      // Shown whole, because its path may contain blanks, and only the person knows where it ends.
      const missing = own && error instanceof ProgramNotFound;
      const why = missing ? `"${printable(own)}" is not installed` : error.message;
      if (own) chosen ??= `${why}${variable}`;
    }
  }
  return { opened: false, reason: chosen ?? failure ?? "no browser was found" };
}

/** The exit code of a program that fails at once; undefined for one that keeps running or succeeds. */
async function earlyFailure(code: Promise<number>, patience: number): Promise<number | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const runsOn = new Promise<number>((resolve) => timer = setTimeout(() => resolve(0), patience));
  try {
    return await Promise.race([code, runsOn]) || undefined;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * An address with every character percent-encoded that a shell would read, except the `&` between a query's
 * parameters.
 */
function withoutShell(url: string): string {
  return url.replace(
    /[^\w\-.~:/?#[\]@+,=%&]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** Replaces each `%s` with the address; without any, appends the address. */
function withUrl(words: readonly string[], url: string): BrowserCommands {
  if (!words.some((word) => word.includes("%s"))) return { commands: [[...words, url]] };
  // A word with blanks is most likely a shell's text, in which a `&` ends a command.
  const script = words.some((word) => word.includes("%s") && /\s/.test(word));
  if (script && url.includes("&")) {
    return { commands: [], problem: "the address holds a &, so %s must be a word of its own" };
  }
  return { commands: [words.map((word) => word.replaceAll("%s", () => url))] };
}

/**
 * The words of a command line. A path with blanks need not be quoted: when the first word is no program but a
 * longer beginning is, that is the program.
 */
function wordsOf(
  text: string,
  windows: boolean,
  isProgram: (name: string) => boolean,
): readonly string[] | undefined {
  const words = splitWords(text, windows);
  if (words?.[0] !== undefined && isProgram(words[0])) return words;
  const trimmed = text.trim();
  for (let end = trimmed.length; end > 0; end = trimmed.lastIndexOf(" ", end - 1)) {
    const path = trimmed.slice(0, end);
    if (!/[\\/]/.test(path) || !isProgram(path)) continue;
    const rest = trimmed.slice(end);
    if (rest.trim() === "") return [path];
    const others = splitWords(rest, windows);
    return others === undefined ? undefined : [path, ...others];
  }
  return words;
}

/**
 * Splits a command line into words like a POSIX shell, but without expansions. On Windows, a backslash is part of a
 * path and quotes nothing. Undefined when there is no word or a quote is not closed.
 */
export function splitWords(text: string, windows: boolean): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    const next = text.charAt(at + 1);
    const escapes = !windows && character === "\\" && quote !== "'";
    if (escapes && (quote === undefined ? next !== "" : /["\\$`]/.test(next))) {
      word = (word ?? "") + next;
      at++;
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word += character;
    } else if (character === '"' || (character === "'" && !windows)) {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  return quote === undefined && words.length > 0 && words[0] !== "" ? words : undefined;
}
