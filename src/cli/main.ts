/** Runs one command line, from its words to its exit code. Every error is printed here. */

import { CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { flagsOfWrongGetToken } from "../plugin/arguments.ts";
import { reportWrongGetToken } from "../plugin/get-token.ts";
import { AppError, type ErrorCode, framesOf, toAppError } from "../errors.ts";
import { shellLine } from "../text.ts";
import { SAME_COMMAND, unknownAuthorityOf } from "../system/network.ts";
import {
  commandContext,
  type ContextOf,
  exitCodeOf,
  type GlobalFlags,
  type ProcessContext,
} from "./context.ts";
import { getTokenContext } from "./get-token-context.ts";
import { formatStyledError, stylesOf } from "./output/style.ts";
import { buildProgram, foreignWordAt } from "./tree.ts";
import { usageError } from "./usage-errors.ts";

// Without words, every command is loaded: for help, and to find the word nearest to a wrong one.
const NO_WORDS: readonly string[] = [];

/** Runs a command line. Returns the exit code; every error was printed. */
export async function runCommandLine(typed: readonly string[], context: ProcessContext): Promise<number> {
  const args = foreignWordAt(typed) === undefined ? withHelpLast(typed) : typed;
  const { writeErr } = context.terminal;
  let refusingCommand: CommandUnknownOpts | undefined;
  let profile: string | undefined;
  const dashes = args.indexOf("--");
  // What stands behind them is no word of ours.
  const ownArgs = dashes < 0 ? args : args.slice(0, dashes);
  const behindDashes = dashes < 0 ? undefined : args.slice(dashes + 1);
  const contextOf: ContextOf = (command) => {
    const made = commandContext(context, command.optsWithGlobals() as GlobalFlags);
    profile = made.choice.flag;
    return { ...made, behindDashes };
  };
  const refused = (command: CommandUnknownOpts) => {
    refusingCommand = command;
  };
  const run = async (words: readonly string[]) => {
    const program = await buildProgram(words, context, contextOf, refused);
    const line = args[0]?.startsWith("-") ? await wordsFirst(args, program) : args;
    await program.parseAsync([...line], { from: "user" });
  };
  const foreign = foreignWordAt(args);
  try {
    if (foreign !== undefined) {
      const { runPluginLine } = await import("./run-plugin.ts");
      if (await runPluginLine(args, foreign, context, contextOf, refused)) return 0;
    }
    try {
      await run(ownArgs.includes("help") ? NO_WORDS : ownArgs);
    } catch (thrown) {
      // The nearest word to an unknown one may be of a command that was not loaded.
      if (!(thrown instanceof CommanderError) || thrown.code !== "commander.unknownCommand") throw thrown;
      await run(NO_WORDS);
    }
    return 0;
  } catch (thrown) {
    const exitCode = exitCodeOf(thrown);
    if (exitCode !== undefined) return exitCode;
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const wrong = thrown instanceof CommanderError ? usageError(thrown, refusingCommand) : toAppError(thrown);
    const error = foreign === undefined ? wrong : await withPlugin(wrong, args[foreign] ?? "", context);
    const getToken = flagsOfWrongGetToken(args);
    if (getToken !== undefined) {
      return await reportWrongGetToken(error, getToken, getTokenContext(context));
    }
    const explained = withDoctor(actingAs(profile, await withAuthority(error, args, context)));
    writeErr(formatStyledError(explained, context.errorFormat, stylesOf(context.terminal).err));
    if (error.code === "INTERNAL" && ownArgs.some((arg) => arg === "-v" || arg === "--verbose")) {
      writeErr(framesOf(error));
    }
    return error.exitCode;
  }
}

/** The line; flags that stand before the words of their command stand behind them. */
async function wordsFirst(args: readonly string[], program: CommandUnknownOpts): Promise<readonly string[]> {
  const { withWordsFirst } = await import("./flags-first.ts");
  return withWordsFirst(args, program) ?? args;
}

/**
 * The line; a flag for help that stands before a command's words stands behind them, as it means that command. It goes behind
 * no flag, which could take it for its value.
 */
function withHelpLast(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => arg.startsWith("-"));
  const help = args[at] ?? "";
  if (help !== "--help" && help !== "-h") return args;
  const rest = args.slice(at + 1);
  const flag = rest.findIndex((arg) => arg.startsWith("-"));
  const end = flag < 0 ? rest.length : flag;
  return [...args.slice(0, at), ...rest.slice(0, end), help, ...rest.slice(end)];
}

/**
 * The error of a word that we do not know; its hint tells what keeps a file of that name from being a plug-in,
 * or which plug-in is near.
 */
async function withPlugin(error: AppError, word: string, { env }: ProcessContext): Promise<AppError> {
  if (error.code !== "USAGE") return error;
  const { mendPlugin, nearestPlugin } = await import("./plugins.ts");
  const near = error.hint?.startsWith("Did you mean ") ? undefined : nearestPlugin(word, env);
  const hint = mendPlugin(word, env) ?? (near && `Did you mean the plug-in ${near}?`);
  return hint === undefined ? error : new AppError(error.code, error.message, { hint, cause: error.cause });
}

const SEE_DOCTOR = "See what mends it: datumctl doctor";

/** What is wrong with this machine: a line mends it, which another command knows. */
const OF_THIS_MACHINE: ReadonlySet<ErrorCode> = new Set(["CLOCK_SKEW", "KEYRING_LOCKED", "KEYRING_TIMEOUT"]);

/** The error; where this machine is the cause, its hint names the command that knows what to type. */
function withDoctor(error: AppError): AppError {
  const { code, message, hint, retryable, cause } = error;
  // What ends with a line to paste has told what to type.
  if (!OF_THIS_MACHINE.has(code) || !hint?.endsWith(".")) return error;
  return new AppError(code, message, { hint: `${hint} ${SEE_DOCTOR}`, retryable, cause });
}

/** The commands in hints that act as a session; `get` and `api-versions` are named in none but examples. */
const ACTING = /\bdatumctl (?=(?:whoami|ctx|api-resources|organizations|projects|auth (?:can-i|whoami))\b)/g;

/** The error, with next steps that act as the session that the failed call named by its flag. */
function actingAs(profile: string | undefined, error: AppError): AppError {
  const { code, message, hint, retryable } = error;
  if (profile === undefined || hint === undefined) return error;
  const acting = `${shellLine(["datumctl", "--profile", profile])} `;
  return new AppError(code, message, {
    hint: hint.replace(ACTING, () => acting),
    retryable,
    cause: error.cause,
  });
}

/** The error; its hint names an unknown authority, and what makes the call trust it. */
async function withAuthority(
  error: AppError,
  args: readonly string[],
  { env, interrupted }: ProcessContext,
): Promise<AppError> {
  if (error.code !== "UNTRUSTED_CERTIFICATE") return error;
  const { explainAuthority } = await import("./server-certificate.ts");
  // The words of `add-profile` may contain a secret.
  const words = args.includes("add-profile")
    ? SAME_COMMAND
    : unknownAuthorityOf(error)?.trust === SAME_COMMAND
    ? `${lineAgain(args)} --certificate-authority FILE`
    : undefined;
  return await explainAuthority(error, env, interrupted, words);
}

/** The command line as it was typed, without `--certificate-authority`. */
export function lineAgain(args: readonly string[]): string {
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--certificate-authority") at++;
    else if (!arg.startsWith("--certificate-authority=")) words.push(arg);
  }
  return shellLine(["datumctl", ...words]);
}
