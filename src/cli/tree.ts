/** The tree of commands: which there are, and the module that each is loaded from when a line calls it. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { ERROR_FORMATS } from "../errors.ts";
import { getTokenCommand } from "./auth/get-token.ts";
import type { ContextOf, ProcessContext } from "./context.ts";
import { holdsOthers } from "./group.ts";
import { helpCommand } from "./help.ts";
import { layOutHelp } from "./help-layout.ts";
import { stylesOf } from "./output/style.ts";
import { wordUnknown } from "./usage-errors.ts";
import { BUILD, versionCommand } from "./version.ts";
import { valueOption } from "./complete/declare.ts";

type Load = (contextOf: ContextOf, context: ProcessContext) => Promise<CommandUnknownOpts>;

/**
 * The commands by the words that call them. Each is a module of its own, loaded when its word is in the line, but for
 * `get-token` and `version`, which are loaded with this one.
 */
const COMMANDS: readonly (readonly [words: readonly string[], load: Load])[] = [
  [
    ["login"],
    async (contextOf, { providers }) =>
      (await import("./login/command.ts")).loginCommandLine(providers, contextOf),
  ],
  [["logout"], async (contextOf) => (await import("./logout.ts")).logoutCommand(contextOf)],
  [["whoami"], async (contextOf) => (await import("./whoami.ts")).whoamiCommand(contextOf)],
  [["status"], async (contextOf) => (await import("./status.ts")).statusCommand(contextOf)],
  [["use"], async (contextOf) => (await import("./use.ts")).useCommand(contextOf)],
  [["trust"], async (contextOf) => (await import("./trust.ts")).trustCommand(contextOf)],
  [["ctx"], async (contextOf) => (await import("./ctx/group.ts")).ctxCommand(contextOf)],
  [
    ["organizations", "organization", "orgs"],
    async (contextOf) => (await import("./organizations/group.ts")).organizationsCommand(contextOf),
  ],
  [
    ["projects", "project"],
    async (contextOf) => (await import("./projects/group.ts")).projectsCommand(contextOf),
  ],
  [["tokens"], async (contextOf) => (await import("./tokens/group.ts")).tokensCommand(contextOf)],
  [["clusters"], async (contextOf) => (await import("./clusters/group.ts")).clustersCommand(contextOf)],
  [["get"], async (contextOf) => (await import("./get.ts")).getCommand(contextOf)],
  [["describe"], async (contextOf) => (await import("./describe.ts")).describeCommand(contextOf)],
  [["explain"], async (contextOf) => (await import("./explain.ts")).explainCommand(contextOf)],
  [["events"], async (contextOf) => (await import("./events.ts")).eventsCommand(contextOf)],
  [["apply"], async (contextOf) => (await import("./apply.ts")).applyCommand(contextOf)],
  [["diff"], async (contextOf) => (await import("./diff.ts")).diffCommand(contextOf)],
  [["create"], async (contextOf) => (await import("./create/group.ts")).createCommand(contextOf)],
  [["edit"], async (contextOf) => (await import("./edit.ts")).editCommand(contextOf)],
  [["patch"], async (contextOf) => (await import("./patch.ts")).patchCommand(contextOf)],
  [["label"], async (contextOf) => (await import("./label.ts")).labelCommand(contextOf)],
  [["annotate"], async (contextOf) => (await import("./annotate.ts")).annotateCommand(contextOf)],
  [["delete"], async (contextOf) => (await import("./delete.ts")).deleteCommand(contextOf)],
  [["wait"], async (contextOf) => (await import("./wait.ts")).waitCommand(contextOf)],
  [
    ["api-resources"],
    async (contextOf) => (await import("./api-resources.ts")).apiResourcesCommand(contextOf),
  ],
  [["api-versions"], async (contextOf) => (await import("./api-versions.ts")).apiVersionsCommand(contextOf)],
  [["exec"], async (contextOf) => (await import("./exec.ts")).execCommand(contextOf)],
  [["proxy"], async (contextOf) => (await import("./proxy.ts")).proxyCommand(contextOf)],
  [["setup"], async (contextOf) => (await import("./setup.ts")).setupCommand(contextOf)],
  [
    ["docker-credential"],
    async (contextOf) => (await import("./docker-credential.ts")).dockerCredentialCommand(contextOf),
  ],
  [["completion"], async (contextOf) => (await import("./completion.ts")).completionCommand(contextOf)],
  [["doctor"], async (contextOf) => (await import("./doctor.ts")).doctorCommand(contextOf)],
  [["version"], (contextOf) => Promise.resolve(versionCommand(contextOf))],
];

/** As {@link COMMANDS}, behind the word `auth`. */
const AUTH_COMMANDS: typeof COMMANDS = [
  [
    ["login"],
    async (contextOf, { providers }) =>
      (await import("./login/command.ts")).loginCommandLine(providers, contextOf),
  ],
  [["logout"], async (contextOf) => (await import("./logout.ts")).logoutCommand(contextOf)],
  [["list", "ls"], async (contextOf) => (await import("./auth/list.ts")).listCommand(contextOf)],
  [["switch"], async (contextOf) => (await import("./auth/switch.ts")).switchCommand(contextOf)],
  [["get-token"], (_, context) => Promise.resolve(getTokenCommand(context))],
  [
    ["update-kubeconfig"],
    async (contextOf) => (await import("./auth/update-kubeconfig.ts")).updateKubeconfigCommand(contextOf),
  ],
  [
    ["configure-docker"],
    async (contextOf) => (await import("./auth/configure-docker.ts")).configureDockerCommand(contextOf),
  ],
  [["import"], async (contextOf) => (await import("./auth/import.ts")).importCommand(contextOf)],
  [["team"], async (contextOf) => (await import("./auth/team.ts")).teamCommand(contextOf)],
  [["token"], async (contextOf) => (await import("./auth/token.ts")).tokenCommand(contextOf)],
  [
    ["add-profile"],
    async (contextOf) => (await import("./auth/add-profile.ts")).addProfileCommand(contextOf),
  ],
  [
    ["list-profiles"],
    async (contextOf) => (await import("./auth/list-profiles.ts")).listProfilesCommand(contextOf),
  ],
  [
    ["remove-profile"],
    async (contextOf) => (await import("./auth/remove-profile.ts")).removeProfileCommand(contextOf),
  ],
  [["whoami"], async (contextOf) => (await import("./auth/whoami.ts")).authWhoamiCommand(contextOf)],
  [["can-i"], async (contextOf) => (await import("./auth/can-i.ts")).canICommand(contextOf)],
];

/** Other programs call it: it stands in no list, and the words behind it are no commands. */
const FOR_DOCKER = "docker-credential";

/** The commands of a table that a line calls: their words may stand anywhere in it. */
function calledIn(line: readonly string[], table: typeof COMMANDS): typeof COMMANDS {
  const words = line[0] === FOR_DOCKER ? [FOR_DOCKER] : line;
  return table.filter(([own]) => own.some((word) => words.includes(word)));
}

/**
 * The program with the commands that a line calls, or with all of them when it calls none. `refused` is called with the
 * command that refuses the line.
 */
export async function buildProgram(
  words: readonly string[],
  context: ProcessContext,
  contextOf: ContextOf,
  refused: (command: CommandUnknownOpts) => void,
): Promise<CommandUnknownOpts> {
  const program = programCommand();
  const auth = authCommand();
  const loadAll = (table: typeof COMMANDS) => Promise.all(table.map(([, load]) => load(contextOf, context)));
  const called = calledIn(words, COMMANDS);
  const inAuth = words.includes("auth");
  const none = called.length === 0 && !inAuth;
  const calledInAuth = inAuth ? calledIn(words, AUTH_COMMANDS) : [];
  const authWanted = none || (inAuth && calledInAuth.length === 0) ? AUTH_COMMANDS : calledInAuth;
  for (const command of await loadAll(authWanted)) auth.addCommand(command);
  for (const command of await loadAll(none ? COMMANDS : called)) {
    program.addCommand(command, { hidden: command.name() === FOR_DOCKER });
  }
  program.addCommand(auth);
  program.addCommand(helpCommand(program, context));
  return configured(program, context, refused);
}

function configured(
  program: CommandUnknownOpts,
  context: ProcessContext,
  refused: (command: CommandUnknownOpts) => void,
): CommandUnknownOpts {
  const style = stylesOf(context.terminal).out;
  forEachCommand(program, (command) => {
    configure(command, refused);
    layOutHelp(command, context.terminal, style);
    if (command !== program) command.addHelpText("after", "\nFlags of every command: datumctl --help");
  });
  return program;
}

/** Sets what all commands share: their errors become our own. */
function configure(
  command: CommandUnknownOpts,
  refused: (command: CommandUnknownOpts) => void,
): void {
  command.exitOverride((error) => {
    refused(command);
    throw wordUnknown(error, command);
  });
  command.showSuggestionAfterError(false);
  command.allowExcessArguments(false);
  command.helpOption("-h, --help", "show help");
}

function forEachCommand(command: CommandUnknownOpts, visit: (command: CommandUnknownOpts) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child, visit);
}

/** The program itself, with the flags of every command. */
function programCommand(): CommandUnknownOpts {
  const program: CommandUnknownOpts = new Command("datumctl");
  program.description(
    "Signs people and machines in to Kubernetes-style clouds, works with what is there, and hands kubectl a fresh credential.",
  )
    .addOption(
      valueOption(
        "session",
        "--profile <name>",
        "session to act as for this command (env: DATUMCTL_PROFILE)",
      ),
    )
    .addOption(valueOption("session", "--session <name>", "the same as --profile").hideHelp())
    .option(
      "--credentials-file <file>",
      "service account's key file to act with for this command (env: DATUMCTL_CREDENTIALS_FILE)",
    )
    .addOption(
      new Option(
        "--error-format <format>",
        "how errors are printed: human, json or yaml (env: DATUMCTL_ERROR_FORMAT)",
      ).choices(
        ERROR_FORMATS,
      ),
    )
    .option("-v, --verbose", "log every request to stderr")
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
      "\nExamples:\n  datumctl login\n  datumctl ctx use ORG/PROJECT\n  datumctl get dnszones\n  datumctl apply -f zone.yaml\n\n" +
        "For kubectl:\n  datumctl auth update-kubeconfig --project PROJECT_ID\n  kubectl get namespaces\n\n" +
        "When something does not work:\n  datumctl doctor",
    );
  return holdsOthers(program);
}

function authCommand(): CommandUnknownOpts {
  const auth = new Command("auth")
    .description("Sign-in, sessions and kubeconfig entries")
    .helpCommand(false)
    .addHelpText("after", "\nExamples:\n  datumctl auth login\n  datumctl auth list\n  datumctl auth switch");
  return holdsOthers(auth);
}

/** The program with one command that is not in its tree. */
export function programWith(
  command: CommandUnknownOpts,
  context: ProcessContext,
  refused: (command: CommandUnknownOpts) => void,
): CommandUnknownOpts {
  const program = programCommand();
  program.addCommand(command);
  return configured(program, context, refused);
}

/** True for a word that calls a command of ours, in whatever letters: some file systems know no difference. */
function isOwnWord(word: string): boolean {
  const lower = word.toLowerCase();
  return lower === "auth" || lower === "help" || COMMANDS.some(([words]) => words.includes(lower));
}

/**
 * Where the first word of a line stands, when it is no command of ours. Undefined when it is one, when a flag before it is
 * none of every command's, and when the line asks for help or the version.
 */
export function foreignWordAt(args: readonly string[]): number | undefined {
  const at = firstWordAt(args);
  return at === undefined || isOwnWord(args[at] ?? "") ? undefined : at;
}

function firstWordAt(args: readonly string[]): number | undefined {
  if (args[0]?.startsWith("-") === false) return 0;
  const options = programCommand().options.filter(({ long }) => long !== "--version");
  for (let at = 0; at < args.length;) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-")) return at;
    const taken = wordsOfFlag(arg, options);
    if (taken === undefined) return undefined;
    at += taken;
  }
  return undefined;
}

/** How many words one of some flags takes, with its value; undefined for a word that is none of them. */
export function wordsOfFlag(word: string, options: CommandUnknownOpts["options"]): 1 | 2 | undefined {
  const [name] = word.split("=");
  const long = options.find((option) => option.long === name);
  if (long?.required) return word === name ? 2 : 1;
  if (long !== undefined) return word === name || long.optional ? 1 : undefined;
  const [, letters = ""] = /^-([^-].*)/s.exec(word) ?? [];
  // Its value can stand right behind the letter.
  const short = options.find((option) => option.short === `-${letters[0]}`);
  if (short?.required) return letters.length === 1 ? 2 : 1;
  const isSwitch = (letter: string) =>
    options.some(({ short, required }) => short === `-${letter}` && !required);
  return letters !== "" && [...letters].every(isSwitch) ? 1 : undefined;
}
