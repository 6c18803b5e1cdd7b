/** `status` without a framework: prompts run it each time, and need not wait for one to load. */

import { AppError, checkErrorFormat, errorFormatOf, formatError } from "../../errors.ts";
import { providersOf } from "../../providers/registry.ts";
import { namingVariable } from "../../sessions/choose.ts";
import { SessionStore } from "../../sessions/store.ts";
import { environment } from "../../system/environment.ts";
import { systemHost } from "../../system/host.ts";
import { writeErr, writeOut } from "../../system/terminal.ts";
import { checkTemplate, isForPrompt, printStatus, type StatusForm } from "./print.ts";
import { exitCodeOfStatus, statusOf } from "./state.ts";

/** A line of `status` that is answered here. */
export interface StatusLine extends StatusForm {
  /** `--profile` or `--session`. */
  readonly named: string | undefined;
}

/**
 * Reads a command line as `status` with the flags of a prompt, each at most once. Undefined for any other: then the whole
 * command line answers, which knows every flag and says what is wrong.
 *
 * @example
 * ```ts
 * import { readStatus } from "./quick.ts";
 * console.assert(readStatus(["status", "--short"])?.short === true);
 * console.assert(readStatus(["status", "--help"]) === undefined);
 * ```
 */
export function readStatus([word, ...args]: readonly string[]): StatusLine | undefined {
  if (word !== "status") return undefined;
  let short = false;
  let format: string | undefined;
  let named: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--short") {
      short = true;
      continue;
    }
    const split = arg.indexOf("=");
    const flag = split < 0 ? arg : arg.slice(0, split);
    const value = split < 0 ? args[++at] : arg.slice(split + 1);
    // What looks like a flag is left to the framework.
    if (value === undefined || (split < 0 && value.startsWith("-"))) return undefined;
    if (flag === "--format" && format === undefined) format = value;
    else if ((flag === "--profile" || flag === "--session") && named === undefined) named = value;
    else return undefined;
  }
  return short && format !== undefined ? undefined : { short, format, output: "table", named };
}

/**
 * Runs a line that {@link readStatus} reads. Returns its exit code; undefined for one that it does not read, and where the
 * binary would have to load more for it.
 */
export async function runQuickStatus(args: readonly string[]): Promise<number | undefined> {
  const line = readStatus(args);
  if (line === undefined) return undefined;
  const variable = environment("DATUMCTL_ERROR_FORMAT");
  const errorFormat = errorFormatOf([], variable);
  try {
    if (variable !== undefined) checkErrorFormat(variable, "DATUMCTL_ERROR_FORMAT");
    if (line.format !== undefined) checkTemplate(line.format);
    // A prompt would be told of the same thing again and again.
    const host = systemHost((notice) => isForPrompt(line) ? undefined : writeErr(`${notice}\n`));
    const providers = providersOf();
    const store = new SessionStore(host, providers, { environment: providers.environmentSessions(host) });
    const status = await statusOf(store, {
      flag: line.named?.normalize("NFC"),
      variable: namingVariable(environment),
    });
    await printStatus(status, line, { text: writeOut, info: (text) => writeErr(`${text}\n`) });
    return exitCodeOfStatus(status);
  } catch (thrown) {
    // What the binary would have to load, it does not find here; nor is a fault of our own told by what is so small.
    if (!(thrown instanceof AppError)) return undefined;
    writeErr(formatError(thrown, errorFormat));
    return thrown.exitCode;
  }
}
