/** Flags of resource commands, written as kubectl takes them. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((word) => [word, false] as const),
]);

/**
 * Lets every boolean flag of a command be given a value, too: `--wait=false`, `-A=true`. A flag without a `--no-` form of
 * its own is left out when it is false.
 */
export function takeBooleanValues(command: CommandUnknownOpts): void {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) => {
    const end = args.indexOf("--");
    const [before, after] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end)];
    return parse([...before.flatMap((arg) => plainFlag(command, arg)), ...after]);
  };
}

/** The flag without its value; nothing where it is false by itself. */
function plainFlag(command: CommandUnknownOpts, arg: string): string[] {
  const [, flag, value = ""] = /^(--?[A-Za-z][\w-]*)=(.*)$/s.exec(arg) ?? [];
  const option = command.options.find(({ short, long }) =>
    flag !== undefined && [short, long].includes(flag)
  );
  if (flag === undefined || option === undefined || !option.isBoolean()) return [arg];
  const meant = BOOLEANS.get(value);
  if (meant === undefined) {
    throw new AppError("USAGE", `${flag} takes true or false, not "${printable(value, 60)}".`);
  }
  const isOpposite = option.negate;
  if (meant) return [flag];
  const other = isOpposite ? flag.replace("--no-", "--") : `--no-${option.name()}`;
  return command.options.some(({ long }) => long === other) ? [other] : [];
}

/** Adds what a flag that may be repeated is given, in one list with commas, to what it was given before. */
export function listed(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...before ?? [], ...text.split(",").filter((part) => part !== "")];
}
