/** The manual pages, made from the tree of commands: one for the program, and one for each command. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { exitCodes } from "../src/cli/help.ts";
import { inHelpGroups } from "../src/cli/help-groups.ts";
import { inOptionGroups } from "../src/cli/help-layout.ts";
import { buildProgram } from "../src/cli/tree.ts";
import { providersOf } from "../src/providers/registry.ts";
import { SessionStore } from "../src/sessions/store.ts";
import { systemHost } from "../src/system/host.ts";
import { VERSION } from "../src/version.ts";

/** What the program reads and writes: the section FILES of its page. */
const FILES: readonly (readonly [path: string, meaning: string])[] = [
  [
    "~/.config/datumctl/",
    "Sessions, one encrypted file each, and the configuration. $XDG_CONFIG_HOME moves it, $DATUMCTL_CONFIG_DIR names it. " +
    "On Windows it is %APPDATA%\\datumctl, with the sessions in %LOCALAPPDATA%\\datumctl.",
  ],
  [
    "~/.kube/config",
    "The kubeconfig that update-kubeconfig writes entries into; $KUBECONFIG or --kubeconfig name others.",
  ],
  ["$XDG_RUNTIME_DIR/datumctl/", "Tokens that --fast and exec hand to other programs while they are good."],
  [".datumctl/", "A session that is kept with a folder: login --local."],
];

/** The variables that the program reads: the section ENVIRONMENT of its page. */
const VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ["DATUMCTL_PROFILE", "The session to act as, as --profile names it."],
  ["DATUMCTL_CREDENTIALS_FILE", "A service account's key file to act with, without a session."],
  ["DATUMCTL_TOKEN", "A bearer token to act with, without a session."],
  ["DATUM_ORGANIZATION, DATUM_PROJECT", "The organization or project to act on."],
  ["DATUMCTL_API_HOSTNAME", "The API host of what variables and key files give."],
  ["DATUMCTL_CONFIG_DIR", "The folder of sessions and configuration."],
  ["DATUMCTL_KEYRING", "Where a session's key is kept: auto, system or file."],
  ["DATUMCTL_ERROR_FORMAT", "How errors are printed: human, json or yaml."],
  ["KUBECONFIG", "The kubeconfig files, as kubectl reads it."],
  ["BROWSER", "The program that opens the sign-in's address."],
  [
    "PATH",
    "Where plug-ins are: a program called datumctl-NAME runs as datumctl NAME; see datumctl help plugins.",
  ],
  [
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
    "The way to servers, in capitals or small letters.",
  ],
];

/**
 * All manual pages by their files' names, such as `datumctl-auth-login.1`, in roff with the macros of man(7).
 *
 * @param date of the pages, in seconds since 1970.
 */
export async function manPages(date: number): Promise<ReadonlyMap<string, string>> {
  const program = await wholeProgram();
  const pages = new Map<string, string>();
  const visit = (command: CommandUnknownOpts, words: readonly string[]) => {
    pages.set(`${words.join("-")}.1`, page(command, words, date));
    for (const child of command.commands) visit(child, [...words, child.name()]);
  };
  visit(program, ["datumctl"]);
  const table = await exitCodes();
  pages.set("datumctl.1", programPage(program, date, table));
  return pages;
}

/** The lines below "Examples:" in each command's help, by its words: `datumctl auth switch`. */
export async function exampleLines(): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const visit = (command: CommandUnknownOpts, words: readonly string[]) => {
    found.set(words.join(" "), afterHelp(command).examples);
    for (const child of command.commands) visit(child, [...words, child.name()]);
  };
  visit(await wholeProgram(), ["datumctl"]);
  return found;
}

/** The tree of all commands. None of them is run, so nothing is read, written or printed. */
async function wholeProgram(): Promise<CommandUnknownOpts> {
  const refuse = () => {
    throw new Error("A manual page runs no command.");
  };
  const host = systemHost(refuse);
  const providers = providersOf();
  const terminal = {
    outIsTerminal: false,
    errIsTerminal: false,
    canAsk: false,
    columns: () => 80,
    writeOut: refuse,
    writeErr: refuse,
    keys: refuse,
    readIn: refuse,
  };
  return await buildProgram(
    [],
    {
      ...host,
      terminal,
      store: new SessionStore(host, providers),
      providers,
      openNetwork: refuse,
      interrupted: new AbortController().signal,
      errorFormat: "human",
    },
    refuse,
    refuse,
  );
}

function page(command: CommandUnknownOpts, words: readonly string[], date: number): string {
  const { examples, remarks } = afterHelp(command);
  return [
    ...opening(words, date, command.description()),
    ".SH SYNOPSIS",
    ...synopsis(command, words),
    ".SH DESCRIPTION",
    literal(`${command.description()}.`),
    ...remarks.flatMap((text) => [".PP", literal(text)]),
    ...aliases(command),
    ...commandList(command, words),
    ...argumentList(command),
    ...optionList(command),
    ...examplesOf(examples),
    ".SH SEE ALSO",
    ...references([
      words.slice(0, -1),
      ...command.commands.map((child) => [...words, child.name()]),
    ].filter(({ length }) => length > 0)),
    "",
  ].join("\n");
}

function programPage(program: CommandUnknownOpts, date: number, exitTable: string): string {
  const { examples } = afterHelp(program);
  return [
    ...opening(["datumctl"], date, "sign in to Kubernetes-style clouds, and hand kubectl fresh credentials"),
    ".SH SYNOPSIS",
    ".B datumctl",
    ".RI [ options ]",
    ".I command",
    ".RI [ arguments ]",
    ".SH DESCRIPTION",
    literal(program.description()),
    ...commandList(program, ["datumctl"]),
    ...optionList(program),
    ".SH ENVIRONMENT",
    ...VARIABLES.flatMap(([name, meaning]) => [".TP", `.B ${escaped(name)}`, literal(meaning)]),
    ".SH FILES",
    ...FILES.flatMap(([path, meaning]) => [".TP", `.I ${escaped(path)}`, literal(meaning)]),
    ".SH EXIT STATUS",
    ".EX",
    ...exitTable.trimEnd().split("\n").map(literal),
    ".EE",
    ...examplesOf(examples),
    ".SH SEE ALSO",
    ...references(program.commands.map((child) => ["datumctl", child.name()]), ["kubectl(1)"]),
    "",
  ].join("\n");
}

function opening(words: readonly string[], date: number, description: string): string[] {
  const name = words.join("-");
  const day = new Date(date * 1000).toISOString().slice(0, 10);
  return [
    `.TH ${escaped(name.toUpperCase())} 1 ${day} "datumctl ${escaped(VERSION)}" "datumctl manual"`,
    // Words and lines stay as they are, for many can be pasted.
    ".nh",
    ".ad l",
    ".SH NAME",
    `${escaped(name)} \\- ${escaped(description)}`,
  ];
}

function synopsis(command: CommandUnknownOpts, words: readonly string[]): string[] {
  const usage = command.usage();
  return [`.B ${escaped(words.join(" "))}`, ...usage === "" ? [] : [literal(usage)]];
}

function aliases(command: CommandUnknownOpts): string[] {
  const names = command.aliases();
  return names.length === 0 ? [] : [".PP", literal(`Other names: ${names.join(", ")}.`)];
}

function commandList(command: CommandUnknownOpts, words: readonly string[]): string[] {
  if (command.commands.length === 0) return [];
  const groups = inHelpGroups(words.join(" "), command.createHelp().visibleCommands(command));
  return [
    ".SH COMMANDS",
    ...groups.flatMap(([title, held]) => [
      ...subheading(title, groups.length),
      ...held.flatMap((child) => [
        ".TP",
        `.BR ${escaped([...words, child.name()].join("-"))} (1)`,
        literal(child.description()),
      ]),
    ]),
  ];
}

/** The title of one of several groups. */
function subheading(title: string, groups: number): string[] {
  return groups > 1 ? [`.SS ${escaped(title)}`] : [];
}

function argumentList(command: CommandUnknownOpts): string[] {
  const described = command.registeredArguments.filter(({ description }) => description !== "");
  if (described.length === 0) return [];
  return [
    ".SH ARGUMENTS",
    ...described.flatMap((argument) => [
      ".TP",
      `.I ${escaped(argument.name())}`,
      literal(argument.description),
    ]),
  ];
}

function optionList(command: CommandUnknownOpts): string[] {
  const help = command.createHelp();
  const groups = inOptionGroups(help.visibleOptions(command));
  return [
    ".SH OPTIONS",
    ...[...groups].flatMap(([title, options]) => [
      ...subheading(title, groups.size),
      ...options.flatMap((option) => [
        ".TP",
        `.B ${escaped(option.flags)}`,
        literal(help.optionDescription(option)),
      ]),
    ]),
  ];
}

function examplesOf(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [".SH EXAMPLES", ".EX", ...lines.map(literal), ".EE"];
}

function references(commands: readonly (readonly string[])[], others: readonly string[] = []): string[] {
  const names = [...commands.map((words) => `${words.join("-")}(1)`), ...others];
  return names.map((name, at) => {
    const [before = "", section = ""] = name.split(/(?=\()/);
    return `.BR ${escaped(before)} ${section}${at < names.length - 1 ? "," : ""}`;
  });
}

/** What stands behind the flags in a command's help: its examples, and paragraphs. */
function afterHelp(command: CommandUnknownOpts): {
  readonly examples: readonly string[];
  readonly remarks: readonly string[];
} {
  let text = "";
  const shown = command.configureOutput();
  command.configureOutput({ ...shown, writeOut: (part) => text += part });
  command.outputHelp();
  command.configureOutput(shown);
  const blocks = text.slice(command.helpInformation().length).split(/\n{2,}/)
    .map((block) => block.replace(/^\n+|\s+$/g, ""))
    .filter((block) => block !== "" && !block.startsWith("Flags of every command:"));
  const examples = blocks.filter((block) => /^[^\n]+:\n {2}/.test(block));
  return {
    examples: examples.flatMap((block, at) => {
      const [title = "", ...lines] = block.split("\n");
      return [
        ...at > 0 ? [""] : [],
        ...title === "Examples:" ? [] : [title],
        ...lines.map((line) => line.replace(/^ {2}/, "")),
      ];
    }),
    remarks: blocks.filter((block) => !examples.includes(block)).map((block) => block.replaceAll("\n", " ")),
  };
}

/** A line of text that roff prints as it is. */
function literal(line: string): string {
  const text = escaped(line);
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

/** A text in which roff finds no instruction, and only ASCII. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(
    /[^\x20-\x7e]/gu,
    (character) => `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}
