/** The command line of `auth get-token`, read without a framework so that kubectl need not wait for one to load. */

import { AppError, checkErrorFormat } from "../errors.ts";
import type { TokenKind } from "../sessions/token.ts";
import { parseDuration, parseTimeout } from "../system/clock.ts";

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
  readonly write?: string | undefined;
  readonly watch?: boolean | undefined;
  readonly mode?: string | undefined;
  readonly keep?: boolean | undefined;
  readonly handOff?: string | undefined;
  readonly handedOut?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** What `auth get-token` is asked for. */
export interface GetTokenRequest {
  /** `--session` or `--profile`. */
  readonly session?: string | undefined;
  /** `--credentials-file`: a service account's key file to act with. */
  readonly credentialsFile?: string | undefined;
  /** `--active-for`: the API host, or the issuer's URL, that the session must belong to; alone, the active session. */
  readonly activeFor?: string | undefined;
  /** `--client-id`: the client at that issuer, for the line that signs in when the session is missing. */
  readonly clientId?: string | undefined;
  readonly token?: TokenKind | undefined;
  readonly forceRefresh: boolean;
  /** Milliseconds. */
  readonly minimumLife?: number | undefined;
  /** Milliseconds. */
  readonly requestTimeout?: number | undefined;
  readonly claims: boolean;
  /** `--hand-off`: the launcher's name for the credential that it will hand out from now on. */
  readonly handOff?: string | undefined;
  /** `--handed-out`: the launcher gave that credential to the same parent before. */
  readonly handedOut: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
}

const VALUE_FLAGS: ReadonlyMap<string, keyof GetTokenFlags> = new Map([
  ["-o", "output"],
  ["--output", "output"],
  ["--session", "session"],
  ["--profile", "profile"],
  ["--credentials-file", "credentialsFile"],
  ["--active-for", "activeFor"],
  ["--client-id", "clientId"],
  ["--token", "token"],
  ["--min-ttl", "minimumLife"],
  ["--write", "write"],
  ["--mode", "mode"],
  ["--hand-off", "handOff"],
  ["--error-format", "errorFormat"],
  ["--request-timeout", "requestTimeout"],
]);

const SWITCHES: ReadonlyMap<string, keyof GetTokenFlags> = new Map([
  ["--force-refresh", "forceRefresh"],
  ["--claims", "claims"],
  ["--watch", "watch"],
  ["--keep", "keep"],
  ["--handed-out", "handedOut"],
  ["-v", "verbose"],
  ["--verbose", "verbose"],
  ["-q", "quiet"],
  ["--quiet", "quiet"],
]);

/** The flags of every command, which may stand before, between and after its words. */
const GLOBAL_FLAGS: ReadonlySet<string> = new Set([
  "--session",
  "--profile",
  "--credentials-file",
  "--error-format",
  "--request-timeout",
  "-v",
  "--verbose",
  "-q",
  "--quiet",
]);

/**
 * Reads a command line as `auth get-token`. Undefined when it is another command, asks for help, or holds an argument
 * that is not known here: then the whole command line answers, with its suggestions.
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
  const { known, command, flags } = readLine(args);
  return known && command.length === 2 && isGetToken(command) ? flags : undefined;
}

/**
 * The flags of a line that means `auth get-token` but holds an unknown argument; undefined for another command. They say
 * in which form kubectl must get the error.
 */
export function flagsOfWrongGetToken(args: readonly string[]): GetTokenFlags | undefined {
  const { command, flags } = readLine(args);
  return isGetToken(command) ? flags : undefined;
}

function isGetToken([group, command]: readonly string[]): boolean {
  return group === "auth" && command === "get-token";
}

/** A command line, as far as it can be get-token's. */
interface Line {
  /** False when the line holds anything that get-token does not know. */
  readonly known: boolean;
  /** The arguments that are neither flags nor their values. */
  readonly command: readonly string[];
  readonly flags: GetTokenFlags;
}

function readLine(args: readonly string[]): Line {
  let known = true;
  const command: string[] = [];
  const flags: Record<string, string | true> = {};
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-")) {
      command.push(arg);
      continue;
    }
    const split = arg.startsWith("--") ? arg.indexOf("=") : -1;
    const flag = split < 0 ? arg : arg.slice(0, split);
    const name = VALUE_FLAGS.get(flag);
    const toggle = SWITCHES.get(arg);
    // A command's own flags follow its words, as with the framework.
    if (command.length < 2 && !GLOBAL_FLAGS.has(flag)) known = false;
    if (toggle !== undefined) flags[toggle] = true;
    else if (name === undefined) known = false;
    else if (split >= 0) flags[name] = arg.slice(split + 1);
    else {
      const value = args[at + 1];
      if (value === undefined || value.startsWith("-")) known = false;
      else {
        flags[name] = value;
        at++;
      }
    }
  }
  return { known, command, flags };
}

/**
 * The session that two flags of one meaning name.
 *
 * @throws {AppError} `USAGE` when they name two.
 */
export function oneSession(profile: string | undefined, session: string | undefined): string | undefined {
  if (profile !== undefined && session !== undefined && profile !== session) {
    throw new AppError(
      "USAGE",
      "--profile and --session are the same flag, but name two different sessions.",
    );
  }
  // Names are stored in this form, however a terminal or a file composes their letters.
  return (profile ?? session)?.normalize("NFC");
}

/**
 * The request that the flags make.
 *
 * @throws {AppError} `USAGE` when a flag's value is wrong.
 */
export function getTokenRequest(flags: GetTokenFlags): GetTokenRequest {
  const { credentialsFile, activeFor, clientId, token, minimumLife, requestTimeout, errorFormat, handOff } =
    flags;
  const session = oneSession(flags.profile, flags.session);
  if (token !== undefined && token !== "access" && token !== "id") {
    throw new AppError("USAGE", "--token takes access or id.");
  }
  if (errorFormat !== undefined) checkErrorFormat(errorFormat, "--error-format");
  return {
    session,
    credentialsFile,
    activeFor,
    clientId,
    token,
    minimumLife: minimumLife === undefined ? undefined : parseDuration(minimumLife, "--min-ttl"),
    requestTimeout: requestTimeout === undefined
      ? undefined
      : parseTimeout(requestTimeout, "--request-timeout"),
    forceRefresh: flags.forceRefresh ?? false,
    claims: flags.claims ?? false,
    handOff,
    handedOut: flags.handedOut ?? false,
    verbose: flags.verbose ?? false,
    quiet: flags.quiet ?? false,
  };
}
