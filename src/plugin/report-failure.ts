/** How a failed get-token is told: to kubectl every time, to the person once for each kubectl. */

import { AppError, formatError, framesOf } from "../errors.ts";
import { type FailureMemory, openFailureMemory } from "../sessions/last-failure.ts";
import { timeLeft } from "../sessions/token.ts";
import { boundedSignal } from "../system/clock.ts";
import { ensurePrivateFolder } from "../system/files.ts";
import type { GetTokenContext } from "./context.ts";
import { formatStatus, type TokenOutput } from "./exec-credential.ts";

/** The call that failed. */
export interface FailedCall {
  readonly output: TokenOutput;
  readonly verbose: boolean;
  /** The session's failure memory; undefined when no session was found that has one. */
  readonly failures: FailureMemory | undefined;
  /** When the call must end, on the scale of `performance.now()`. */
  readonly deadline: number;
}

/** Prints and remembers a failure. Returns the exit code. */
export async function reportFailure(
  thrown: AppError,
  { output, verbose, failures, deadline }: FailedCall,
  context: GetTokenContext,
): Promise<number> {
  const { store, errorFormat, writeOut, writeErr } = context;
  const error = await explained(thrown, deadline, context);
  // Without a folder there is no memory of who was told.
  const always = output === "token" || store.folders.missing !== undefined;
  if (always || (await isNews(error, failures, context) && !await underFullScreen(context))) {
    writeErr(formatError(error, errorFormat));
    if (error.code === "INTERNAL" && verbose) writeErr(framesOf(error));
  }
  if (output !== "token") writeOut(formatStatus(error));
  return error.exitCode;
}

/** Remembers a failure; true when this parent process has not been told of it. */
async function isNews(
  error: AppError,
  failures: FailureMemory | undefined,
  { store, parent }: GetTokenContext,
): Promise<boolean> {
  const { sessions } = store.folders;
  // Its failure is not reported: the person is told once more than needed.
  await ensurePrivateFolder(sessions).catch(() => {});
  const memory = failures ?? openFailureMemory(`${sessions}/no-session.failure`, store.host.now);
  // The file without a session only remembers who was told. No logout would remove a session's name from it.
  const remembered = failures === undefined ? new AppError(error.code, "") : error;
  const started = await parent.start();
  const shown = `${parent.id} ${started?.ticks ?? ""}`;
  return await memory.firstFor(shown, error.code === "INTERRUPTED" ? undefined : remembered);
}

/** True when a program above us shows a screen of its own, which a message would spoil. */
async function underFullScreen({ terminalUse }: GetTokenContext): Promise<boolean> {
  const use = await terminalUse?.();
  return use !== undefined && use.raw && !use.elsewhere;
}

async function explained(
  error: AppError,
  deadline: number,
  { explainCertificate }: GetTokenContext,
): Promise<AppError> {
  if (error.code !== "UNTRUSTED_CERTIFICATE" || explainCertificate === undefined) return error;
  using bounded = boundedSignal(timeLeft(deadline), () => error);
  return await explainCertificate(error, bounded.signal);
}
