/** `status` without a framework: prompts run it each time, and need not wait for one to load. */

import { checkErrorFormat, errorFormatOf, formatError, toAppError } from "../../errors.ts";
import { oneSession } from "../../plugin/arguments.ts";
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
  readonly profile: string | undefined;
  readonly session: string | undefined;
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
  const given = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const [, flag = "", , glued] = /^(--short|--(?:format|profile|session)(?=$|=))(=([^]*))?$/.exec(
      args[at] ?? "",
    ) ?? [];
    const value = flag === "--short" ? "" : glued ?? args[++at];
    if (flag === "" || given.has(flag) || value === undefined) return undefined;
    // What looks like a flag is left to the framework, as is --short with a value.
    if (glued === undefined ? value.startsWith("-") : flag === "--short") return undefined;
    given.set(flag, value);
  }
  const short = given.has("--short");
  const format = given.get("--format");
  if (short && format !== undefined) return undefined;
  return { short, format, output: "table", profile: given.get("--profile"), session: given.get("--session") };
}

/** Runs a line that {@link readStatus} reads. Returns its exit code; undefined for one that it does not read. */
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
      flag: oneSession(line.profile, line.session),
      variable: namingVariable(environment),
    });
    await printStatus(status, line, { text: writeOut, info: (text) => writeErr(`${text}\n`) });
    return exitCodeOfStatus(status);
  } catch (thrown) {
    const error = toAppError(thrown);
    writeErr(formatError(error, errorFormat));
    return error.exitCode;
  }
}
