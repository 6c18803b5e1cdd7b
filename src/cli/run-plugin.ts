/** Runs a plug-in: with the rest of the line as it is, and the vendor's variables. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { type AppError, failureOrThrow } from "../errors.ts";
import { findScope } from "../providers/datum/find-scope.ts";
import type { ChosenScope } from "../providers/datum/scope.ts";
import { ENV_PREFIX } from "../sessions/name.ts";
import { runningProgram } from "../system/own-program.ts";
import { wholeEnvironment } from "../system/processes.ts";
import { childVariables, keyFileOf } from "./child-variables.ts";
import { type CommandContext, type ContextOf, exitWith, type ProcessContext } from "./context.ts";
import { type ActingSession, actingSession } from "./pick-session.ts";
import { findPlugin } from "./plugins.ts";
import { type ProgramLine, runProgram } from "./run-program.ts";
import { printable } from "../text.ts";
import { programWith } from "./tree.ts";

/**
 * Runs the plug-in that a line calls, and ends with its exit code. The flags before its word are read as those of any
 * command.
 *
 * @param at where the word stands in the line
 * @returns false where there is no such plug-in
 */
export async function runPluginLine(
  args: readonly string[],
  at: number,
  context: ProcessContext,
  contextOf: ContextOf,
  refused: (command: CommandUnknownOpts) => void,
): Promise<boolean> {
  const name = args[at] ?? "";
  const program = findPlugin(name, context.env);
  if (program === undefined) return false;
  const command = new Command(name).action(() =>
    runPlugin(contextOf(command), { program, args: args.slice(at + 1) })
  );
  await programWith(command, context, refused).parseAsync(args.slice(0, at + 1), { from: "user" });
  return true;
}

async function runPlugin(cli: CommandContext, line: ProgramLine): Promise<void> {
  cli.out.debug?.(`plug-in: ${printable(line.program, Infinity)}`);
  const chosen = await sessionIfAny(cli);
  const acting = chosen && {
    session: chosen.session,
    target: await targetOf(cli, chosen),
    keyFile: keyFileOf(cli),
  };
  const helper = await runningProgram(cli.store.folders);
  const env = childVariables(wholeEnvironment(), acting, helper);
  if (chosen !== undefined) warnOfNoToken(cli, chosen, env);
  cli.interrupted.throwIfAborted();
  const code = await runProgram(
    cli,
    line,
    env,
    "It is for another system, or its first line (#!) names a program that is not here.",
  );
  if (code !== 0) exitWith(code);
}

/**
 * The session that the plug-in acts as, by its file alone: nobody is asked to unlock a keyring. Undefined where nobody is
 * signed in and nothing names one, no flag, variable or folder: a plug-in need not have any.
 */
async function sessionIfAny(cli: CommandContext): Promise<ActingSession | undefined> {
  try {
    return await actingSession({ ...cli, storedOnly: true });
  } catch (thrown) {
    const error = failureOrThrow(thrown);
    if (await isNamed(cli) || await isOfAnother(error, cli)) throw error;
    if (error.code !== "NOT_SIGNED_IN") warnOf(cli, error, "The plug-in runs without a session.");
    return undefined;
  }
}

async function isNamed({ choice, providers, env }: CommandContext): Promise<boolean> {
  const { flag, credentialsFile, variable } = choice;
  if ((flag ?? credentialsFile ?? variable ?? providers.variableInForce(env)) !== undefined) return true;
  const file = await choice.folderFile?.().catch(() => undefined);
  return file?.session !== undefined;
}

/** True where a session is wanted that is not here, and the helper would give a token of the active one in its stead. */
async function isOfAnother({ code }: AppError, { store }: CommandContext): Promise<boolean> {
  return code === "NOT_SIGNED_IN" && await store.active().catch(() => undefined) !== undefined;
}

/** What is in use; undefined where that is nothing, or cannot be read from the kubeconfig. */
async function targetOf(cli: CommandContext, chosen: ActingSession): Promise<ChosenScope | undefined> {
  try {
    return await findScope({}, cli.env, chosen);
  } catch (thrown) {
    const error = failureOrThrow(thrown);
    if (error.code !== "KUBECONFIG" && error.code !== "STORAGE") throw error;
    warnOf(cli, error, "The plug-in is told of no organization or project.");
    return undefined;
  }
}

function warnOf({ out }: CommandContext, { message, hint = "" }: AppError, what: string): void {
  out.warn(`${what} ${message} ${hint}`.trim());
}

/** Says that the helper has no token for the plug-in: what the session comes from is not handed on. */
function warnOfNoToken(
  { out }: CommandContext,
  { session: { name } }: ActingSession,
  env: Readonly<Record<string, string>>,
): void {
  const variable = name.startsWith(ENV_PREFIX) ? name.slice(ENV_PREFIX.length) : undefined;
  if (variable === undefined || env["DATUM_SESSION"] !== name || env[variable] !== undefined) return;
  out.warn(`The session comes from ${variable}, which no plug-in is given: it gets no token.`);
}
