/** Runs a program in this one's stead, for a command whose whole work that is. */

import { AppError } from "../errors.ts";
import { isProgram, ProgramError, ProgramNotFound, runInStead } from "../system/processes.ts";
import { printable } from "../text.ts";
import type { CommandContext } from "./context.ts";

/** A program, by its name or path, with its arguments. */
export interface ProgramLine {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * Runs a program to its end: terminal, signals and exit code are its own.
 *
 * @param env its whole environment
 * @param hint what to do where it cannot be started
 * @returns its exit code; 128 plus the signal's number for a program that a signal ended
 * @throws {AppError} `NOT_FOUND` for a program that cannot be started.
 */
export async function runProgram(
  { holdInterrupts }: Pick<CommandContext, "holdInterrupts">,
  { program, args }: ProgramLine,
  env: Readonly<Record<string, string>>,
  hint: string,
): Promise<number> {
  try {
    using _held = holdInterrupts?.();
    return await runInStead(program, args, env);
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown;
    // The program that a script's first line names may be what is absent.
    const isAbsent = thrown instanceof ProgramNotFound && !(/[\\/]/.test(program) && isProgram(program));
    const is = isAbsent ? "is not installed" : "cannot be started";
    throw new AppError("NOT_FOUND", `The program "${printable(program, 200)}" ${is}.`, {
      hint,
      cause: thrown,
    });
  }
}
