/**
 * Checks one user entry of ours: the program that it runs, the session that it names, what kubectl demands of
 * it.
 */

import { unverifiedClaims } from "../../oauth/jwt.ts";
import { LOGIN } from "../../hints.ts";
import { readTextFile } from "../../system/files.ts";
import { findProgram, isProgram } from "../../system/processes.ts";
import { failureOrThrow } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { checkNamed, type Finding } from "./finding.ts";
import { MODES, type OwnEntry, rewriteLine, sessionOf } from "./own-entry.ts";

const COMMAND = checkNamed("kubeconfig.command");
const EXEC = checkNamed("kubeconfig.exec");
const SESSION = checkNamed("kubeconfig.session");
const TOKEN_FILE = checkNamed("kubeconfig.token-file");

const API_VERSIONS: readonly unknown[] = [
  "client.authentication.k8s.io/v1",
  "client.authentication.k8s.io/v1beta1",
];

/** Checks a user entry. */
export async function checkEntry(cli: CommandContext, entry: OwnEntry): Promise<Finding[]> {
  const session = await sessionFinding(cli, entry);
  const others = entry.user.tokenFile === undefined
    ? [commandFinding(cli, entry), ...execFindings(entry)]
    : [await tokenFileFinding(cli, entry, entry.user.tokenFile)];
  return [...others, session];
}

function commandFinding({ env }: CommandContext, entry: OwnEntry): Finding {
  const { user, exec } = entry;
  const about = printable(user.name, 200);
  const command = exec?.["command"];
  if (typeof command !== "string" || command === "") {
    return COMMAND.fault({ about, found: "it names no program", ...writtenAgain(entry) });
  }
  const shown = printable(command);
  if (!/[\\/]/.test(command)) {
    return findProgram(command, env("PATH")) === undefined
      ? COMMAND.fault({ about, found: `there is no program ${shown} on PATH`, ...writtenAgain(entry) })
      : COMMAND.ok({ about, found: `it runs ${shown}` });
  }
  // kubectl resolves a relative path from the kubeconfig's folder.
  if (!/^(?:[\\/]|[A-Za-z]:)/.test(command) || isProgram(command)) {
    return COMMAND.ok({ about, found: `it runs ${shown}` });
  }
  const what = user.launcher === undefined ? "the program" : "the launcher";
  return COMMAND.fault({ about, found: `${what} that it runs is gone: ${shown}`, ...writtenAgain(entry) });
}

/** What kubectl demands before it runs the program at all. */
function execFindings(entry: OwnEntry): Finding[] {
  const { user, exec } = entry;
  const about = printable(user.name, 200);
  const version = exec?.["apiVersion"];
  if (!API_VERSIONS.includes(version)) {
    const shown = typeof version === "string" ? printable(version, 80) : "none";
    return [
      EXEC.fault({ about, found: `kubectl does not know its apiVersion: ${shown}`, ...writtenAgain(entry) }),
    ];
  }
  if (version === API_VERSIONS[0] && !MODES.includes(exec?.["interactiveMode"])) {
    return [EXEC.fault({
      about,
      found: "it has no interactiveMode that kubectl knows",
      ...writtenAgain(entry),
    })];
  }
  return [];
}

/** The meaning and the line of an entry that has to be written again. */
function writtenAgain(entry: OwnEntry): { readonly meaning: string; readonly line: string | undefined } {
  const line = rewriteLine(entry);
  return {
    meaning: line === undefined
      ? "kubectl gets no token through it, and no context uses it."
      : "kubectl gets no token through it. Write the entry again.",
    line: line ?? shellLine(["kubectl", "config", "delete-user", entry.user.name]),
  };
}

async function sessionFinding(cli: CommandContext, entry: OwnEntry): Promise<Finding> {
  const { user, known } = entry;
  const about = printable(user.name, 200);
  if (sessionOf(user, known) !== undefined) {
    return SESSION.ok({
      about,
      found: `it acts as ${user.session === undefined ? "the active session" : "a stored one"}`,
    });
  }
  if (user.session?.startsWith("env:")) {
    return SESSION.ok({ about, found: `it acts as ${printable(user.session, 100)}` });
  }
  if (user.session === undefined) {
    return SESSION.warning({
      about,
      found: `it follows the active session, and none of ${printable(user.activeFor ?? "", 200)} is active`,
      meaning: "kubectl gets no token through it until one is.",
      line: "datumctl auth switch",
    });
  }
  return SESSION.fault({
    about,
    found: `the session "${printable(user.session, 200)}" is not here`,
    meaning: "kubectl gets no token through it. Sign in to it again; or remove the entry's contexts.",
    line: await loginLine(cli, entry, user.session),
  });
}

/** The sentence that tells how to sign in may name several lines: then a person chooses. */
async function loginLine(
  { providers }: CommandContext,
  { user, exec }: OwnEntry,
  name: string,
): Promise<string> {
  const args = exec?.["args"];
  const clientId = Array.isArray(args) ? /^--client-id=(.+)$/m.exec(args.join("\n"))?.[1] : undefined;
  const said = await providers.signInOfName(name, { activeFor: user.activeFor, clientId });
  const [line] = said.split(/; |, or /);
  return line?.startsWith(LOGIN) ? line : shellLine(["datumctl", "login", "--profile", name]);
}

/** The file that kubectl reads a token from, which another process keeps fresh. */
async function tokenFileFinding(
  { now }: CommandContext,
  { user, known }: OwnEntry,
  path: string,
): Promise<Finding> {
  const about = printable(path);
  const line = shellLine([
    ...["datumctl", "auth", "get-token", "--session", user.session ?? ""],
    ...["--write", path, "--watch"],
  ]);
  const meaning = "Whatever keeps it fresh does not run. While it runs, kubectl has a token.";
  const session = sessionOf(user, known);
  try {
    const text = await readTextFile(path);
    if (text === undefined) {
      return TOKEN_FILE.fault({ about, found: "kubectl's token file is not there", meaning, line });
    }
    const { exp } = unverifiedClaims(text.trim()) ?? {};
    if (typeof exp !== "number" || exp * 1000 > now()) {
      return TOKEN_FILE.ok({
        about,
        found: `kubectl reads a token of ${session?.name ?? "a session"} there`,
      });
    }
    return TOKEN_FILE.fault({ about, found: "the token in kubectl's token file has expired", meaning, line });
  } catch (thrown) {
    return TOKEN_FILE.fault({ about, found: failureOrThrow(thrown).message, meaning, line });
  }
}
