/** Errors for a command line that cannot be parsed: what is wrong, and the nearest word or flag. */

import { CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { capital, nearestWord, printable, shellLine } from "../text.ts";

/** Its names stand behind flags, those of `ctx use` do not. */
const FOLDER_USE = "datumctl use";

/** Commander's error as our own. The hint names the nearest word, else the help of the command that refused. */
export function usageError(
  { code, message }: CommanderError,
  command: CommandUnknownOpts | undefined,
): AppError {
  // The message may contain a word of the command line, even with line breaks.
  // What stands behind the sign of equality may be a secret.
  const shown = code === "commander.unknownOption"
    ? message.replace(/'(--?[^\s'=]+)=[^]*'/, "'$1'")
    : message;
  const said = printable(shown.replace(/^error: /, ""), 500);
  const what = `${capital(said)}.`.replace(/\.\.$/, ".");
  const help = `See ${wordsOf(command)} --help.`;
  if (command === undefined) return new AppError("USAGE", what, { hint: help });
  if (code === "commander.unknownCommand") {
    const held = command.commands.map((held) => wordsOf(held));
    const few = held.length < 5 ? `Available: ${held.join(", ")}. ` : "";
    const [word = ""] = command.args;
    return new AppError("USAGE", what, {
      hint: heldBy(word, command) ?? nearestCommand(word, command) ?? `${few}${help}`,
    });
  }
  const word = command.args.find((arg) => arg !== "");
  const takesFiles = command.options.some(({ long }) => long === "--filename");
  if (code === "commander.excessArguments" && takesFiles && word !== undefined) {
    const line = shellLine([...wordsOf(command).split(" "), "-f", word]);
    return new AppError("USAGE", what, { hint: `Files and folders are named with -f: ${line}` });
  }
  if (code === "commander.excessArguments" && word !== undefined && wordsOf(command) === FOLDER_USE) {
    const everywhere = shellLine(["datumctl", "ctx", "use", word]);
    return new AppError("USAGE", what, {
      hint:
        `For this folder: ${FOLDER_USE} --organization ORG --project PROJECT. For all folders: ${everywhere}`,
    });
  }
  const [, flag = ""] = code === "commander.unknownOption" ? /'([^]*)'/.exec(message) ?? [] : [];
  const [name = "", value] = flag.split("=", 2);
  if (value !== undefined && flagsOf(command).includes(name)) {
    return new AppError("USAGE", `${name} takes no value.`, { hint: `Write it alone: ${name}` });
  }
  return new AppError("USAGE", what, { hint: nearestFlag(flag, command) ?? help });
}

/** The words that call a command: `datumctl tokens describe`. */
export function wordsOf(command: CommandUnknownOpts | undefined): string {
  if (command === undefined) return "datumctl";
  const { parent } = command;
  return parent === null ? command.name() : `${wordsOf(parent)} ${command.name()}`;
}

/** Turns one word or flag too many into an unknown command, for a command that holds others. */
export function wordUnknown(error: CommanderError, command: CommandUnknownOpts): CommanderError {
  const { args: [word], commands } = command;
  const tooMuch = error.code === "commander.excessArguments" || error.code === "commander.unknownOption";
  if (!tooMuch || commands.length === 0 || word === undefined || word.startsWith("-")) return error;
  return new CommanderError(1, "commander.unknownCommand", `unknown command '${printable(word, 60)}'`);
}

/** A question with the commands of that word one level below: `auth` is easily left out. */
function heldBy(word: string, { commands }: CommandUnknownOpts): string | undefined {
  const found = commands.flatMap((group) => group.commands.filter((held) => isCalled(held, word)));
  return found.length === 0 ? undefined : `Did you mean ${found.map(wordsOf).join(", ")}?`;
}

/** True for a word that calls a command of those on its level. */
export function isCalled(command: CommandUnknownOpts, word: string): boolean {
  return command.name() === word || command.aliases().includes(word);
}

/**
 * A question with the nearest command that a command holds, or the nearest of other words that may stand there; undefined
 * when none is near.
 */
export function nearestCommand(
  word: string,
  { commands }: CommandUnknownOpts,
  others: readonly string[] = [],
): string | undefined {
  return nearest(word, [...commands.flatMap((command) => [command.name(), ...command.aliases()]), ...others]);
}

/** A question with the nearest flag of a command; undefined when none is near. */
function nearestFlag(flag: string, command: CommandUnknownOpts): string | undefined {
  if (!flag.startsWith("--")) return undefined;
  const name = flag.slice(2).split("=")[0] ?? "";
  return nearest(name, flagsOf(command).map((known) => known.slice(2)), "--");
}

/** The flags that a command takes and its help shows, those of every command included. */
function flagsOf(command: CommandUnknownOpts): string[] {
  const { parent } = command;
  const own = command.createHelp().visibleOptions(command).flatMap(({ long }) => long ?? []);
  return parent === null ? own : [...own, ...flagsOf(parent)];
}

function nearest(word: string, names: readonly string[], prefix = ""): string | undefined {
  const near = nearestWord(word, names);
  return near === undefined ? undefined : `Did you mean ${prefix}${near}?`;
}
