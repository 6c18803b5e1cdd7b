/** The tree of commands as plain data: all that completion knows of the command line, without the framework. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { isBare, kindOfArgument, kindOfOption } from "./declare.ts";
import type { Kind } from "./kinds.ts";

/** A flag. */
export interface FlagWords {
  /** `--output`, `-o`: the long one first, where there is one. */
  readonly names: readonly string[];
  readonly about: string;
  /** What completes its value; absent for a flag without one. */
  readonly value?: Kind;
  /** The value stands behind an equals sign, never in a word of its own. */
  readonly attached?: true;
  readonly repeatable?: true;
  readonly hidden?: true;
}

/** An argument. */
export interface ArgumentWords {
  readonly kind: Kind;
  readonly variadic?: true;
}

/** A command, with those that it holds. */
export interface CommandWords {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly about: string;
  readonly flags: readonly FlagWords[];
  readonly arguments: readonly ArgumentWords[];
  readonly commands: readonly CommandWords[];
}

/** The table of a program whose commands are all loaded. */
export function tableOf(command: CommandUnknownOpts): CommandWords {
  const help = command.createHelp();
  const shown = new Set(help.visibleOptions(command));
  return {
    name: command.name(),
    aliases: command.aliases(),
    about: command.description(),
    flags: [...new Set([...command.options, ...shown])].map((option) => flagOf(option, shown.has(option))),
    arguments: command.registeredArguments.map((argument) => {
      const kind = kindOfArgument(argument) ?? "nothing";
      return argument.variadic ? { kind, variadic: true } : { kind };
    }),
    commands: help.visibleCommands(command).map(tableOf),
  };
}

type CommandOption = CommandUnknownOpts["options"][number];

function flagOf(option: CommandOption, shown: boolean): FlagWords {
  const names = [option.long, option.short].filter((name) => name !== undefined);
  const flag: { -readonly [Name in keyof FlagWords]: FlagWords[Name] } = { names, about: option.description };
  if (option.required || option.optional) flag.value = kindOfOption(option) ?? "nothing";
  if (option.optional || isBare(option)) flag.attached = true;
  if (option.parseArg !== undefined || option.variadic) flag.repeatable = true;
  if (!shown) flag.hidden = true;
  return flag;
}
