/** The whole command line: its words, its help, and the one way from an error to an exit code. */

import { Command, CommanderError, Option } from "@commander-js/extra-typings";
import { flagsOfWrongGetToken } from "../plugin/arguments.ts";
import { reportWrongGetToken } from "../plugin/get-token.ts";
import { AppError, CODES, ERROR_FORMATS, formatError, framesOf, toAppError } from "../errors.ts";
import { capital, printable, shellLine } from "../text.ts";
import { buildTarget, runtimeVersion } from "../system/environment.ts";
import { TRIAL_BUILD } from "../build.ts";
import { SAME_COMMAND, unknownAuthorityOf } from "../system/network.ts";
import { VERSION } from "../version.ts";
import { getTokenCommand, getTokenContext } from "./auth/get-token.ts";
import {
  commandContext,
  type ContextOf,
  exitCodeOf,
  type GlobalFlags,
  type Surroundings,
} from "./context.ts";
import { formatObject, formatTable, listFormat } from "./output/table.ts";

/** The version, and whether this is a build for trial and test. */
const BUILD = TRIAL_BUILD ? `${VERSION} (trial build)` : VERSION;

// In columns. What is broken more often is no easier to read.
const NARROWEST_HELP = 40;
const NARROWEST_DESCRIPTION = 20;

// Calls nothing, so that every command is there: for help, and for the nearest word to a wrong one.
const ALL: readonly string[] = [];

/** Runs a command line. Returns the exit code; every error was printed. */
export async function runCommandLine(args: readonly string[], context: Surroundings): Promise<number> {
  const { writeErr } = context.terminal;
  let refusing: Command | undefined;
  let named: string | undefined;
  const deps: ContextOf = (command) => {
    const made = commandContext(context, command.optsWithGlobals() as GlobalFlags);
    named = made.choice.flag;
    return made;
  };
  const parse = async (words: readonly string[]) => {
    const program = await buildProgram(words, context, deps, (command) => {
      refusing = command;
    });
    await program.parseAsync([...args], { from: "user" });
  };
  try {
    try {
      await parse(args.includes("help") ? ALL : args);
    } catch (thrown) {
      // A word that nobody knows: the nearest one may be of a command that was not loaded.
      if (!(thrown instanceof CommanderError) || thrown.code !== "commander.unknownCommand") throw thrown;
      await parse(ALL);
    }
    return 0;
  } catch (thrown) {
    const left = exitCodeOf(thrown);
    if (left !== undefined) return left;
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError ? usageError(thrown, refusing) : toAppError(thrown);
    const getToken = flagsOfWrongGetToken(args);
    if (getToken !== undefined) {
      return await reportWrongGetToken(error, getToken, getTokenContext(context));
    }
    const explained = actingAs(named, await withAuthority(error, args, context));
    writeErr(formatError(explained, context.errorFormat));
    if (error.code === "INTERNAL" && args.some((arg) => arg === "-v" || arg === "--verbose")) {
      writeErr(framesOf(error));
    }
    return error.exitCode;
  }
}

/** Command lines of a hint that act as a session. */
const ACTING = /\bdatumctl (?=(?:whoami|ctx|api-resources|organizations|projects|auth (?:can-i|whoami))\b)/g;

/** An error whose next steps act as the session that the failed call named by its flag. */
function actingAs(named: string | undefined, error: AppError): AppError {
  const { code, message, hint, retryable } = error;
  if (named === undefined || hint === undefined) return error;
  const acting = `${shellLine(["datumctl", "--profile", named])} `;
  return new AppError(code, message, {
    hint: hint.replace(ACTING, () => acting),
    retryable,
    cause: error.cause,
  });
}

/** An error about an unknown authority, with that authority and what makes the call trust it in its hint. */
async function withAuthority(
  error: AppError,
  args: readonly string[],
  { env, interrupted }: Surroundings,
): Promise<AppError> {
  if (error.code !== "UNTRUSTED_CERTIFICATE") return error;
  const { explainAuthority } = await import("./server-certificate.ts");
  // The words of `add-profile` may hold a secret.
  const words = args.includes("add-profile")
    ? SAME_COMMAND
    : unknownAuthorityOf(error)?.trust === SAME_COMMAND
    ? `${lineAgain(args)} --certificate-authority FILE`
    : undefined;
  return await explainAuthority(error, env, interrupted, words);
}

type Load = (context: Surroundings, deps: ContextOf) => Promise<Command>;

/** The commands by the words that call them, each in a module of its own, which is loaded when its word is there. */
const COMMANDS: readonly (readonly [words: readonly string[], load: Load])[] = [
  [["login"], async (_, deps) => (await import("./login/command.ts")).loginCommandLine(deps)],
  [["logout"], async (_, deps) => (await import("./logout.ts")).logoutCommand(deps)],
  [["whoami"], async (_, deps) => (await import("./whoami.ts")).whoamiCommand(deps)],
  [["ctx"], async (_, deps) => (await import("./ctx/command.ts")).ctxCommand(deps)],
  [
    ["organizations"],
    async (_, deps) => holdsOthers((await import("./organizations/command.ts")).organizationsCommand(deps)),
  ],
  [
    ["projects", "project"],
    async (_, deps) => holdsOthers((await import("./organizations/command.ts")).projectsCommand(deps)),
  ],
  [["tokens"], async (_, deps) => holdsOthers((await import("./tokens/command.ts")).tokensCommand(deps))],
  [
    ["clusters"],
    async (_, deps) => holdsOthers((await import("./clusters/command.ts")).clustersCommand(deps)),
  ],
  [["api-resources"], async (_, deps) => (await import("./api-resources.ts")).apiResourcesCommand(deps)],
  [["api-versions"], async (_, deps) => (await import("./api-resources.ts")).apiVersionsCommand(deps)],
  [["get"], async (_, deps) => (await import("./get/command.ts")).getCommand(deps)],
  [["version"], (_, deps) => Promise.resolve(versionCommand(deps))],
];

/** As {@link COMMANDS}, behind the word `auth`. */
const AUTH_COMMANDS: typeof COMMANDS = [
  [["login"], async (_, deps) => (await import("./login/command.ts")).loginCommandLine(deps)],
  [["logout"], async (_, deps) => (await import("./logout.ts")).logoutCommand(deps)],
  [["list", "ls"], async (_, deps) => (await import("./auth/list.ts")).listCommand(deps)],
  [["switch"], async (_, deps) => (await import("./auth/switch.ts")).switchCommand(deps)],
  [["get-token"], (context) => Promise.resolve(getTokenCommand(context))],
  [
    ["update-kubeconfig"],
    async (_, deps) => (await import("./auth/update-kubeconfig.ts")).updateKubeconfigCommand(deps),
  ],
  [["team"], async (_, deps) => (await import("./auth/team.ts")).teamCommand(deps)],
  [["token"], async (_, deps) => (await import("./auth/token.ts")).tokenCommand(deps)],
  [
    ["add-profile"],
    async (_, deps) => holdsOthers((await import("./auth/add-profile.ts")).addProfileCommand(deps)),
  ],
  [["list-profiles"], async (_, deps) => (await import("./auth/list-profiles.ts")).listProfilesCommand(deps)],
  [
    ["remove-profile"],
    async (_, deps) => (await import("./auth/remove-profile.ts")).removeProfileCommand(deps),
  ],
  [["whoami"], async (_, deps) => (await import("./auth/whoami.ts")).authWhoamiCommand(deps)],
  [["can-i"], async (_, deps) => (await import("./auth/can-i.ts")).canICommand(deps)],
];

/** Those whose words stand in a command line, wherever. */
function calledIn(words: readonly string[], table: typeof COMMANDS): typeof COMMANDS {
  return table.filter(([own]) => own.some((word) => words.includes(word)));
}

/** The program with the commands that a line calls; with all of them where it calls none. `refused` is told who refuses it. */
async function buildProgram(
  words: readonly string[],
  context: Surroundings,
  deps: ContextOf,
  refused: (command: Command) => void,
): Promise<Command> {
  const program: Command = new Command("datumctl");
  program.description(
    "Signs people and machines in to Kubernetes-style clouds, and hands kubectl a fresh credential.",
  )
    .option("--profile <name>", "session to act as for this command (env: DATUMCTL_PROFILE)")
    .addOption(new Option("--session <name>", "the same as --profile").hideHelp())
    .option(
      "--credentials-file <file>",
      "service account's key file to act with for this command (env: DATUMCTL_CREDENTIALS_FILE)",
    )
    .addOption(
      new Option("--error-format <format>", "how errors are printed (env: DATUMCTL_ERROR_FORMAT)").choices(
        ERROR_FORMATS,
      ),
    )
    .addOption(
      new Option("-v, --verbose", "log every request to stderr").argParser((_, count: number) => count + 1)
        .default(0, "off"),
    )
    .option("-q, --quiet", "print only results, errors and what needs your action")
    .option(
      "--request-timeout <duration>",
      "time limit for connecting and for an answer's headers (default: 30s)",
    )
    .version(BUILD, "--version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl login\n  datumctl auth update-kubeconfig --project PROJECT_ID\n  kubectl get namespaces",
    );
  holdsOthers(program);

  const auth = new Command("auth")
    .description("Sign-in, sessions and kubeconfig entries")
    .helpCommand(false)
    .addHelpText("after", "\nExamples:\n  datumctl auth login\n  datumctl auth list\n  datumctl auth switch");
  holdsOthers(auth);
  const load = (table: typeof COMMANDS) => Promise.all(table.map(([, load]) => load(context, deps)));
  const called = calledIn(words, COMMANDS);
  const inAuth = words.includes("auth");
  const none = called.length === 0 && !inAuth;
  const calledInAuth = inAuth ? calledIn(words, AUTH_COMMANDS) : [];
  const authWanted = none || (inAuth && calledInAuth.length === 0) ? AUTH_COMMANDS : calledInAuth;
  for (const command of await load(authWanted)) auth.addCommand(command);
  for (const command of await load(none ? COMMANDS : called)) program.addCommand(command);
  program.addCommand(auth);
  program.addCommand(helpCommand(program, context));
  forEachCommand(program, (command) => {
    command.exitOverride((error) => {
      refused(command);
      throw wordUnknown(error, command);
    });
    command.configureOutput({
      writeOut: context.terminal.writeOut,
      // What it would say is said by our own error.
      writeErr: () => {},
      getOutHelpWidth: () => Math.max(NARROWEST_HELP, context.terminal.columns()),
    });
    command.configureHelp({ minWidthToWrap: NARROWEST_DESCRIPTION });
    command.showSuggestionAfterError(false);
    command.allowExcessArguments(false);
    command.helpOption("-h, --help", "show help");
    if (command !== program) command.addHelpText("after", "\nFlags of every command: datumctl --help");
  });
  return program;
}

/** Makes a word that only holds others show its help when it stands alone. */
function holdsOthers(command: Command): Command {
  command.argument("[words...]").usage("[options] [command]").action((words: string[]) => {
    const [word] = words;
    if (word === undefined) return command.outputHelp();
    // What Commander does by itself only where the command has no action.
    command.error("", { code: "commander.excessArguments" });
  });
  return command;
}

/** Where a command holds others, a word or a flag too many means one that is not there. */
function wordUnknown(error: CommanderError, command: Command): CommanderError {
  const { args: [word], commands } = command;
  const tooMuch = error.code === "commander.excessArguments" || error.code === "commander.unknownOption";
  if (!tooMuch || commands.length === 0 || word === undefined || word.startsWith("-")) return error;
  return new CommanderError(1, "commander.unknownCommand", `unknown command '${printable(word, 60)}'`);
}

/** The nearest word that a command holds, as a question; undefined where none is near. */
function nearestCommand(word: string, { commands }: Command): string | undefined {
  return nearest(word, commands.flatMap((command) => [command.name(), ...command.aliases()]));
}

/** The nearest flag that may stand behind a command, as a question; undefined where none is near. */
function nearestFlag(flag: string, command: Command): string | undefined {
  if (!flag.startsWith("--")) return undefined;
  const name = flag.slice(2).split("=")[0] ?? "";
  const known = command.createHelp();
  const flags = [...known.visibleOptions(command), ...known.visibleGlobalOptions(command)];
  return nearest(name, flags.flatMap(({ long }) => long?.slice(2) ?? []), "--");
}

function nearest(word: string, names: readonly string[], prefix = ""): string | undefined {
  const near = names.map((name) => [distance(word, name), name] as const).sort(([a], [b]) => a - b)[0];
  return near !== undefined && near[0] <= Math.max(1, Math.floor(word.length / 3))
    ? `Did you mean ${prefix}${near[1]}?`
    : undefined;
}

/** Edits (insert, delete, replace, swap two neighbours) between two words. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? (before[j - 2] ?? Infinity) + 1
        : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child as Command, visit);
}

/** Commander's own words as our error, with the nearest word as the hint, else the help of the command that refused. */
function usageError({ code, message }: CommanderError, command: Command | undefined): AppError {
  // A word of the command line may stand in it, with line breaks and all.
  const said = printable(message.replace(/^error: /, ""), 500);
  const what = `${capital(said)}.`.replace(/\.\.$/, ".");
  const help = `See ${wordsOf(command)} --help.`;
  if (command === undefined) return new AppError("USAGE", what, { hint: help });
  if (code === "commander.unknownCommand") {
    const held = command.commands.map((held) => wordsOf(held as Command));
    const few = held.length < 5 ? `Available: ${held.join(", ")}. ` : "";
    return new AppError("USAGE", what, {
      hint: nearestCommand(command.args[0] ?? "", command) ?? `${few}${help}`,
    });
  }
  const [, flag = ""] = code === "commander.unknownOption" ? /'([^]*)'/.exec(message) ?? [] : [];
  return new AppError("USAGE", what, { hint: nearestFlag(flag, command) ?? help });
}

/** The words that call a command: `datumctl tokens describe`. */
function wordsOf(command: Command | undefined): string {
  if (command === undefined) return "datumctl";
  const { parent } = command;
  return parent === null ? command.name() : `${wordsOf(parent as Command)} ${command.name()}`;
}

function versionCommand(deps: ContextOf): Command {
  const command = new Command("version")
    .description("Print the version")
    .option("-o, --output <format>", "table, json, yaml or name")
    .addHelpText("after", "\nExamples:\n  datumctl version\n  datumctl version -o json");
  command.action(async (flags) => {
    const { out } = deps(command);
    const lines = [
      ["Version", BUILD],
      ["Runtime", `Deno ${runtimeVersion}`],
      ["Built for", buildTarget],
    ] as const;
    const object = {
      version: VERSION,
      runtime: `deno ${runtimeVersion}`,
      target: buildTarget,
      trial: TRIAL_BUILD,
    };
    out.text(await formatObject(lines, object, VERSION, listFormat(flags.output)));
  });
  return command as unknown as Command;
}

function helpCommand(program: Command, { terminal }: Surroundings): Command {
  const command = new Command("help")
    .description("Show help for a command, or for a topic: exit-codes")
    .argument("[words...]")
    .addHelpText("after", "\nExamples:\n  datumctl help auth update-kubeconfig\n  datumctl help exit-codes");
  command.action(async (words) => {
    if (words[0] === "exit-codes") return terminal.writeOut(await exitCodes());
    let at = program;
    for (const word of words) {
      const next = at.commands.find((child) => child.name() === word || child.aliases().includes(word));
      if (next === undefined) {
        throw new AppError("USAGE", `There is no help for "${printable(words.join(" "), 80)}".`, {
          hint: nearestCommand(word, at) ?? "See datumctl help.",
        });
      }
      at = next as Command;
    }
    return at.outputHelp();
  });
  return command as unknown as Command;
}

/** The table of exit codes and of the codes that lead to them. */
export async function exitCodes(): Promise<string> {
  const rows = Object.entries(CODES).map(([code, { exit, retryable, meaning }]) =>
    [code, String(exit), retryable ? "yes" : "no", meaning] as const
  );
  return "Exit codes: 0 done, 1 failed, 2 wrong usage, 4 sign-in needed, expired or rejected, 5 refused by the\n" +
    "server, 6 network or server unavailable, 130 interrupted.\n\n" +
    await formatTable([["Code", "Exit", "Retryable", "Meaning"], ...rows]);
}

/** A command line as it was typed, without the authorities that it named. */
export function lineAgain(args: readonly string[]): string {
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--certificate-authority") at++;
    else if (!arg.startsWith("--certificate-authority=")) words.push(arg);
  }
  return shellLine(["datumctl", ...words]);
}
