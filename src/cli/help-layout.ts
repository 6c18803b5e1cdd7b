/** How help is laid out: what a command holds before its flags, both in groups, and a title above each. */

import type { CommandUnknownOpts, Help, Option } from "@commander-js/extra-typings";
import { printable } from "../text.ts";
import type { Terminal } from "../system/terminal.ts";
import { inHelpGroups } from "./help-groups.ts";
import { type Style, styledRemark } from "./output/style.ts";
import { wordsOf } from "./usage-errors.ts";

/** In columns. Narrower text would be harder to read than lines that the terminal breaks. */
const NARROWEST_HELP = 40;
const NARROWEST_DESCRIPTION = 20;

/**
 * The part of the columns that flags may take. One that needs more has its description on the next line, so that the
 * others have room for theirs.
 */
const WIDEST_TERM = 0.4;

const INDENT = "  ";
const GAP = 2;

/** Blanks in the place of `-x, `, so that the long names of all flags stand below one another. */
const NO_SHORT = "    ";

/** Sets how a command shows its help. */
export function layOutHelp(command: CommandUnknownOpts, terminal: Terminal, style: Style): void {
  const width = () => Math.max(NARROWEST_HELP, terminal.columns());
  command.configureOutput({
    writeOut: (text) =>
      terminal.writeOut(isOfCommander(text) ? text : remarks(text, command.createHelp(), width(), style)),
    // Commander's own message is not printed: our error says it.
    writeErr: () => {},
    getOutHelpWidth: width,
    getOutHasColors: () => style.isColoured,
  });
  command.configureHelp({
    minWidthToWrap: NARROWEST_DESCRIPTION,
    commandUsage: (command) => `${wordsOf(command as CommandUnknownOpts)} ${command.usage()}`.trimEnd(),
    subcommandTerm,
    optionTerm: (option) => `${option.short === undefined ? NO_SHORT : ""}${option.flags}`,
    // Choices and defaults are in the descriptions' own words.
    optionDescription: ({ description }) => description,
    argumentDescription: ({ description }) => description,
    styleTitle: style.title,
    styleUsage: (usage) => usage,
    styleSubcommandTerm: (term) => term.replace(/[\w-]+/g, style.command),
    styleOptionTerm: (term) => term.replace(/(?<![\w<-])--?[\w-]+/g, style.command),
    styleArgumentTerm: style.command,
    formatHelp: (command, helper) => formatHelp(command as CommandUnknownOpts, helper),
  });
}

/** The letters that an alias has in common with a name where it is only another form of it. */
const COMMON = 3;

/** The name, and aliases that are words of their own. */
function subcommandTerm(command: { name(): string; aliases(): readonly string[] }): string {
  const name = command.name();
  return [name, ...command.aliases().filter((alias) => !name.startsWith(alias.slice(0, COMMON)))].join(", ");
}

function formatHelp(command: CommandUnknownOpts, helper: Help): string {
  const width = helper.helpWidth ?? 80;
  const section = (title: string, items: readonly string[]) =>
    items.length === 0 ? [] : [[helper.styleTitle(`${title}:`), ...items].join("\n")];
  const commands = helper.visibleCommands(command);
  const commandsColumn = columnOf(commands.map((held) => helper.subcommandTerm(held)), width);
  const options = helper.visibleOptions(command);
  const args = helper.visibleArguments(command);
  const column = columnOf([
    ...options.map((option) => helper.optionTerm(option)),
    ...args.map((argument) => helper.argumentTerm(argument)),
  ], width);
  const item = (term: string, about: string, at = column) => formatItem(term, about, at, helper);
  const optionItem = (option: Option) =>
    item(helper.styleOptionTerm(helper.optionTerm(option)), helper.optionDescription(option));
  const description = helper.commandDescription(command);
  return [
    `${helper.styleTitle("Usage:")} ${helper.styleUsage(helper.commandUsage(command))}`,
    ...(description === "" ? [] : [helper.boxWrap(description, width)]),
    ...section(
      "Arguments",
      args.map((argument) =>
        item(helper.styleArgumentTerm(helper.argumentTerm(argument)), helper.argumentDescription(argument))
      ),
    ),
    ...inHelpGroups(wordsOf(command), commands).flatMap(([title, held]) =>
      section(
        title,
        held.map((one) =>
          item(
            helper.styleSubcommandTerm(helper.subcommandTerm(one)),
            helper.subcommandDescription(one),
            commandsColumn,
          )
        ),
      )
    ),
    ...[...inOptionGroups(options)].flatMap(([title, members]) => section(title, members.map(optionItem))),
  ].join("\n\n") + "\n";
}

/** The group of flags that are in none. */
const OPTIONS = "Options";

/** Flags in their groups: first those without one, then in the order of each group's first flag. */
export function inOptionGroups(options: readonly Option[]): ReadonlyMap<string, readonly Option[]> {
  const groups = Map.groupBy(
    options,
    ({ long, helpGroupHeading }) => long === "--help" ? OPTIONS : helpGroupHeading ?? OPTIONS,
  );
  const [help, ...others] = [...groups.get(OPTIONS) ?? []].reverse();
  const [first, second] = [...groups.keys()];
  if (help !== undefined && others.length === 0 && first !== undefined && second !== undefined) {
    // Where every flag has its group, a title for this one alone would say nothing.
    groups.delete(OPTIONS);
    groups.get(first)?.push(help);
  }
  return new Map([...groups].sort(([a], [b]) => Number(b === OPTIONS) - Number(a === OPTIONS)));
}

/** The columns of the widest term that leaves room for descriptions. */
function columnOf(terms: readonly string[], width: number): number {
  const fitting = terms.map(({ length }) => length).filter((length) => length <= width * WIDEST_TERM);
  return Math.max(0, ...fitting);
}

/** What its next word is never on another line than. */
const INSEPARABLE = /\b(env:) /g;
/** Stands for a blank that no line is broken at. */
const TIE = "\u2060";

function formatItem(term: string, description: string, column: number, helper: Help): string {
  if (description === "") return INDENT + term;
  const indent = " ".repeat(INDENT.length + column + GAP);
  const room = (helper.helpWidth ?? 80) - indent.length;
  const text = helper.boxWrap(description.replace(INSEPARABLE, `$1${TIE}`), room).replaceAll(TIE, " ")
    .replaceAll("\n", `\n${indent}`);
  const blanks = column - helper.displayWidth(term);
  if (blanks < 0) return `${INDENT}${term}\n${indent}${text}`;
  return `${INDENT}${term}${" ".repeat(blanks + GAP)}${text}`;
}

/** True for what commander makes itself: the help before our remarks, and the version. */
function isOfCommander(text: string): boolean {
  // deno-lint-ignore no-control-regex -- a title may have a look
  return /^(?:\u001b\[\d+m)?Usage:/.test(text) || !text.includes("\n\n") && !text.startsWith("\n");
}

/** What follows the flags: examples as they are below their title, and paragraphs, which are broken to the width. */
function remarks(text: string, helper: Help, width: number, style: Style): string {
  return text.split(/(\n{2,}|^\n|\n$)/).map((block) => {
    if (block.trim() === "") return block;
    const [title = "", ...lines] = block.split("\n");
    if (lines.length > 0 && lines.every((line) => line.startsWith(" "))) {
      return [style.title(title), ...lines].join("\n");
    }
    if (block.split("\n").some((line) => line.startsWith(" "))) return block;
    return styledRemark(helper.boxWrap(printable(block, Infinity), width), style);
  }).join("");
}
