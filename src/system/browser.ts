/** Owns how a web page comes up in the person's browser, and how one can tell that no browser here would reach them. */

import { AppError } from "../errors.ts";
import { type Environment, environment, operatingSystem } from "./environment.ts";
import { exists } from "./files.ts";
import { childEnvironment, ProgramError, startDetached } from "./processes.ts";

/** What decides which browser there is. */
export interface BrowserSurroundings {
  /** The operating system, as Deno names it. */
  readonly os: string;
  /** The kernel's release; asked for on Linux alone. */
  readonly release: () => string;
  readonly variable: Environment;
  readonly exists: (path: string) => Promise<boolean>;
}

/** The surroundings of this process. */
export const surroundings: BrowserSurroundings = {
  os: operatingSystem,
  release: () => Deno.osRelease(),
  variable: environment,
  exists,
};

/** What became of an attempt to open a page. */
export type BrowserOutcome =
  | { readonly opened: true; readonly program: string }
  | { readonly opened: false; readonly reason: string };

/** What browsers, and the scripts that start them, need of our variables. */
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
 * Why a browser started here would not come up before the person, as the end of a sentence that begins with
 * "because"; undefined when nothing speaks against it.
 */
export async function browserObstacle(
  { os, variable, exists }: BrowserSurroundings = surroundings,
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

/**
 * The argument vectors that can open the page, the first one that works to be used: the person's own command
 * alone; without one `$BROWSER`, then the system's way.
 *
 * @throws {AppError} `USAGE` when the person's own command cannot be split into words
 */
export function browserCommands(
  url: string,
  command: string | undefined,
  { os, release, variable }: BrowserSurroundings = surroundings,
): readonly (readonly string[])[] {
  // Else the "address" of a hostile issuer could be read as an option, or open a file.
  if (!/^https?:\/\/[^\s\p{Cc}]+$/u.test(url)) {
    throw new TypeError("Only web addresses are opened in a browser");
  }
  const windows = os === "windows";
  if (command !== undefined) {
    const words = splitWords(command, windows);
    if (words === undefined) {
      throw new AppError("USAGE", "--browser-command is empty, or one of its quotes is not closed.", {
        hint:
          `Write the program and its arguments, for example: --browser-command "firefox --private-window %s"`,
      });
    }
    return [withUrl(words, url)];
  }
  const own = splitWords(variable("BROWSER") ?? "", windows);
  return [...(own === undefined ? [] : [withUrl(own, url)]), ...systemCommands(url, os, release, variable)];
}

function systemCommands(
  url: string,
  os: string,
  release: () => string,
  variable: Environment,
): readonly (readonly string[])[] {
  // Not `cmd /c start`: it would read the & of a query as the end of the command.
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
 * Opens a page in a browser that lives on by itself and is out of reach of our Ctrl-C. Never throws for a browser
 * that is absent or fails: the address is printed anyway, and the outcome says why.
 *
 * @param options.command the person's own command (`--browser-command`)
 * @param options.patience milliseconds to watch a started program for an early failure; 1,000 unless given
 */
export async function openBrowser(
  url: string,
  options: {
    readonly command?: string | undefined;
    readonly patience?: number;
    readonly surroundings?: BrowserSurroundings;
  } = {},
): Promise<BrowserOutcome> {
  const env = childEnvironment(BROWSER_VARIABLES);
  let reason = "no browser was found";
  for (const [program = "", ...args] of browserCommands(url, options.command, options.surroundings)) {
    try {
      const { code } = startDetached(program, args, { env });
      const failed = await earlyFailure(code, options.patience ?? 1000);
      if (failed === undefined) return { opened: true, program };
      reason = `"${program}" ended with exit code ${failed}`;
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      // What a person chose themselves is what they want to hear about, not our guesses after it.
      if (reason === "no browser was found" && options.command !== undefined) reason = error.message;
    }
  }
  return { opened: false, reason };
}

/** The exit code of a program that fails at once; undefined for one that runs on, or ended well. */
async function earlyFailure(code: Promise<number>, patience: number): Promise<number | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const runsOn = new Promise<number>((resolve) => timer = setTimeout(() => resolve(0), patience));
  try {
    return await Promise.race([code, runsOn]) || undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Puts the address in place of each `%s`, or at the end where there is none. */
function withUrl(words: readonly string[], url: string): readonly string[] {
  if (!words.some((word) => word.includes("%s"))) return [...words, url];
  return words.map((word) => word.replaceAll("%s", () => url));
}

/**
 * Splits a command line into words as a POSIX shell does, without its expansions. On Windows a backslash is a
 * part of a path and quotes nothing. Undefined when there is no word, or a quote is not closed.
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
