/** Several failures of one command: each is told, and the exit code is theirs where they have one in common. */

import { type AppError, CODES, formatError } from "../../errors.ts";
import { type CommandContext, exitWith } from "../context.ts";

/** Tells every error on stderr. */
export function tellFailures(
  { terminal, errorFormat }: Pick<CommandContext, "terminal" | "errorFormat">,
  errors: readonly AppError[],
): void {
  for (const error of errors) terminal.writeErr(formatError(error, errorFormat));
}

/**
 * Ends a command that went on after failures: one is thrown; several are told, and end it with the exit code that all of
 * them have, else with 1. Returns where there is none.
 */
export function endWithFailures(
  cli: Pick<CommandContext, "terminal" | "errorFormat">,
  errors: readonly AppError[],
): void {
  const [first, ...others] = errors;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  tellFailures(cli, errors);
  const { exit } = CODES[first.code];
  exitWith(others.every(({ code }) => CODES[code].exit === exit) ? exit : 1);
}
