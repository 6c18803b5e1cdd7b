/** `status` without a framework: prompts run it each time, and need not wait for one to load. */

import { checkErrorFormat, errorFormatOf, formatError, toAppError } from "../../errors.ts";
import { providersOf } from "../../providers/registry.ts";
import { namingVariable } from "../../sessions/choose.ts";
import { SessionStore } from "../../sessions/store.ts";
import { environment } from "../../system/environment.ts";
import { systemHost } from "../../system/host.ts";
import { writeErr, writeOut } from "../../system/terminal.ts";
import { readStatus } from "./arguments.ts";
import { printStatus } from "./print.ts";
import { checkTemplate, isForPrompt } from "./prompt-line.ts";
import { exitCodeOfStatus, statusOf } from "./state.ts";

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
      flag: line.named?.normalize("NFC"),
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
