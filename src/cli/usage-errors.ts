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
    return new AppError("USAGE", what, {
      hint: nearestCommand(command.args[0] ?? "", command) ?? `${few}${help}`,
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
  const known = command.createHelp();
  const flags = [...known.visibleOptions(command), ...known.visibleGlobalOptions(command)];
  return nearest(name, flags.flatMap(({ long }) => long?.slice(2) ?? []), "--");
}

function nearest(word: string, names: readonly string[], prefix = ""): string | undefined {
  const near = nearestWord(word, names);
  return near === undefined ? undefined : `Did you mean ${prefix}${near}?`;
}
