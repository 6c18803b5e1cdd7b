/** One call of a tool of the system that reads and writes its keyring. */

import { AppError } from "../errors.ts";
import { ProgramError, ProgramTimeout, type Run, type RunResult } from "../system/processes.ts";
import { type KeyringLimits, keyringTimeout } from "./store.ts";

/** A tool of the system that reads and writes its keyring. */
export interface KeyringTool {
  /** What the store is called in messages. */
  readonly store: string;
  readonly program: string;
  readonly run: Run;
  readonly env: Readonly<Record<string, string>>;
}

/** What one call of a {@link KeyringTool} is given beside its arguments. */
export interface ToolCall {
  readonly limits: KeyringLimits;
  readonly stdin?: string | undefined;
  /** The error when the tool cannot be run. */
  readonly unreachable: (error: ProgramError) => AppError;
}

/**
 * Runs a tool within the limits.
 *
 * @throws {AppError} `KEYRING_TIMEOUT` when its time is over, and what `unreachable` returns.
 */
export async function runTool(
  { store, program, run, env }: KeyringTool,
  args: readonly string[],
  { limits: { timeout, signal }, stdin, unreachable }: ToolCall,
): Promise<RunResult> {
  try {
    return await run(program, args, { env, timeout: Math.max(1, timeout), stdin, signal });
  } catch (error) {
    if (error instanceof ProgramTimeout) {
      throw keyringTimeout(store, timeout, error);
    }
    throw error instanceof ProgramError ? unreachable(error) : error;
  }
}

/** The exit code of a child that SIGINT ended. */
export const INTERRUPTED_CODE = 130;
