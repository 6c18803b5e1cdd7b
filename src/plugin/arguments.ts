/** The words of `auth get-token`: read here without a framework, so that kubectl need not wait for one. */

import { AppError, checkErrorFormat } from "../errors.ts";
import type { TokenKind } from "../sessions/token.ts";
import { parseDuration, parseTimeout } from "../system/clock.ts";

/** What `auth get-token` was asked for. */
export interface GetTokenRequest {
  /** `-o`: `token` or an exec apiVersion. */
  readonly output?: string | undefined;
  /** `--session` or `--profile`. */
  readonly session?: string | undefined;
  /** `--credentials-file`: a service account's key file to act with. */
  readonly credentialsFile?: string | undefined;
  /** `--active-for`: the API host, or the URL of the issuer, that the session must be of; the active one unless named. */
  readonly activeFor?: string | undefined;
  /** `--client-id`: the client at that issuer, for the line that signs in where the session is not here. */
  readonly clientId?: string | undefined;
  readonly token?: TokenKind | undefined;
  readonly forceRefresh: boolean;
  /** Milliseconds. */
  readonly minimumLife?: number | undefined;
  /** Milliseconds. */
  readonly requestTimeout?: number | undefined;
  readonly claims: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
}

const VALUE_FLAGS: ReadonlyMap<string, string> = new Map([
  ["-o", "output"],
  ["--output", "output"],
  ["--session", "session"],
  ["--profile", "profile"],
  ["--credentials-file", "credentialsFile"],
  ["--active-for", "activeFor"],
  ["--client-id", "clientId"],
  ["--token", "token"],
  ["--min-ttl", "minimumLife"],
  ["--error-format", "errorFormat"],
  ["--request-timeout", "requestTimeout"],
]);

const SWITCHES: ReadonlyMap<string, string> = new Map([
  ["--force-refresh", "forceRefresh"],
  ["--claims", "claims"],
  ["-v", "verbose"],
  ["--verbose", "verbose"],
  ["-q", "quiet"],
  ["--quiet", "quiet"],
]);

/** The flags that stand before, between or after the words of any command. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  ...[
    "--session",
    "--profile",
    "--credentials-file",
    "--error-format",
    "--request-timeout",
    "-v",
    "--verbose",
    "-q",
    "--quiet",
  ],
]);

/**
 * Reads a command line as `auth get-token`; undefined when it is another command, asks for help, or holds a
 * word that is not known here: then the whole command line answers, with its suggestions.
 *
 * @example
 * ```ts
 * import { readGetToken } from "./arguments.ts";
 * const flags = readGetToken(["auth", "get-token", "--session=ada@example.com@api.datum.net"]);
 * console.assert(flags?.session === "ada@example.com@api.datum.net");
 * console.assert(readGetToken(["auth", "list"]) === undefined);
 * ```
 */
export function readGetToken(args: readonly string[]): GetTokenFlags | undefined {
  const { known, words, flags } = readWords(args);
  return known && words.length === 2 && isGetToken(words) ? flags : undefined;
}

/**
 * The flags of a line that means `auth get-token` but holds what is not known; undefined for another command.
 * Its error still has to reach kubectl in kubectl's form.
 */
export function flagsOfWrongGetToken(args: readonly string[]): GetTokenFlags | undefined {
  const { words, flags } = readWords(args);
  return isGetToken(words) ? flags : undefined;
}

function isGetToken([group, command]: readonly string[]): boolean {
  return group === "auth" && command === "get-token";
}

/** A command line, as far as it is get-token's. */
interface Words {
  /** False when something on it is not get-token's. */
  readonly known: boolean;
  readonly words: readonly string[];
  readonly flags: GetTokenFlags;
}

function readWords(args: readonly string[]): Words {
  let known = true;
  const words: string[] = [];
  const values = new Map<string, string>();
  const switches = new Set<string>();
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    const split = arg.startsWith("--") ? arg.indexOf("=") : -1;
    const flag = split < 0 ? arg : arg.slice(0, split);
    const name = VALUE_FLAGS.get(flag);
    const toggle = SWITCHES.get(arg);
    // A command's own flags stand behind its words, as the framework has it.
    if (words.length < 2 && !EVERYWHERE.has(flag)) known = false;
    if (toggle !== undefined) switches.add(toggle);
    else if (name === undefined) known = false;
    else if (split >= 0) values.set(name, arg.slice(split + 1));
    else {
      const value = args[at + 1];
      if (value === undefined || value.startsWith("-")) known = false;
      else {
        values.set(name, value);
        at++;
      }
    }
  }
  return {
    known,
    words,
    flags: {
      ...Object.fromEntries(values),
      ...Object.fromEntries([...switches].map((name) => [name, true])),
    },
  };
}

/** The session that two flags of one meaning name. Throws `USAGE` when they name two. */
export function oneSession(profile: string | undefined, session: string | undefined): string | undefined {
  if (profile !== undefined && session !== undefined && profile !== session) {
    throw new AppError(
      "USAGE",
      "--profile and --session are the same flag, but name two different sessions.",
    );
  }
  // As names are stored, however a terminal or a file has composed its letters.
  return (profile ?? session)?.normalize("NFC");
}

/** The flags of `auth get-token` as they were typed. */
export interface GetTokenFlags {
  readonly output?: string | undefined;
  readonly session?: string | undefined;
  readonly profile?: string | undefined;
  readonly credentialsFile?: string | undefined;
  readonly activeFor?: string | undefined;
  readonly clientId?: string | undefined;
  readonly token?: string | undefined;
  readonly minimumLife?: string | undefined;
  readonly requestTimeout?: string | undefined;
  readonly errorFormat?: string | undefined;
  readonly forceRefresh?: boolean | undefined;
  readonly claims?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Checks the flags' values. Throws `USAGE`. */
export function getTokenRequest(flags: GetTokenFlags): GetTokenRequest {
  const { output, credentialsFile, activeFor, clientId, token, minimumLife, requestTimeout, errorFormat } =
    flags;
  const session = oneSession(flags.profile, flags.session);
  if (token !== undefined && token !== "access" && token !== "id") {
    throw new AppError("USAGE", "--token takes access or id.");
  }
  if (errorFormat !== undefined) checkErrorFormat(errorFormat, "--error-format");
  return {
    forceRefresh: flags.forceRefresh ?? false,
    claims: flags.claims ?? false,
    verbose: flags.verbose ?? false,
    quiet: flags.quiet ?? false,
    output,
    session,
    credentialsFile,
    activeFor,
    clientId,
    token,
    minimumLife: minimumLife === undefined ? undefined : parseDuration(minimumLife, "--min-ttl"),
    requestTimeout: requestTimeout === undefined
      ? undefined
      : parseTimeout(requestTimeout, "--request-timeout"),
  };
}
