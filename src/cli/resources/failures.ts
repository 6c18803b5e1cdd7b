/** Several failures of one command: each is told, and the exit code is theirs where they have one in common. */

import { AppError, CODES } from "../../errors.ts";
import { type CommandContext, exitWith } from "../context.ts";
import { formatStyledError } from "../output/style.ts";

/** Tells every error on stderr; for people, a next step that several have in common once, behind them. */
export function tellFailures(
  { terminal, errorFormat, style }: Pick<CommandContext, "terminal" | "errorFormat" | "style">,
  errors: readonly AppError[],
): void {
  for (const [at, error] of errors.entries()) {
    const isSaidNext = errorFormat === "human" && error.hint === errors[at + 1]?.hint;
    const { code, message, retryable } = error;
    const told = isSaidNext ? new AppError(code, message, { retryable }) : error;
    terminal.writeErr(formatStyledError(told, errorFormat, style.err));
  }
}

/**
 * Ends a command that went on after failures: one is thrown; several are told, and end it with the exit code that all of
 * them have, else with 1. Returns where there is none.
 */
export function endWithFailures(
  cli: Pick<CommandContext, "terminal" | "errorFormat" | "style">,
  errors: readonly AppError[],
): void {
  const [first, ...others] = errors;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  tellFailures(cli, errors);
  const { exit } = CODES[first.code];
  exitWith(others.every(({ code }) => CODES[code].exit === exit) ? exit : 1);
}

/** `INTERRUPTED` with how far a command came; any other error as it is. */
export function interruptedAfter(thrown: unknown, done: number, all: number): unknown {
  if (!(thrown instanceof AppError) || thrown.code !== "INTERRUPTED" || all < 2) return thrown;
  return new AppError("INTERRUPTED", `Interrupted after ${done} of ${all} objects.`, {
    hint: "A few more may have been done already. Run the same command again to go on.",
    cause: thrown,
  });
}
