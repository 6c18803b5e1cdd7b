/** Runs the command line of this process, with its variables, terminal and signals. */

import { errorFormatOf, toAppError } from "../errors.ts";
import { providersOf } from "../providers/registry.ts";
import { SessionStore } from "../sessions/store.ts";
import { commandLine, environment } from "../system/environment.ts";
import { systemHost } from "../system/host.ts";
import { openNetwork } from "../system/network.ts";
import { interruption } from "../system/signals.ts";
import { systemTerminal } from "../system/terminal.ts";
import { printableLines } from "../text.ts";
import { runCommandLine } from "./main.ts";
import { formatStyledError, styledRemark, stylesOf } from "./output/style.ts";

/** Runs this process's command line. Returns its exit code. */
export async function runFromProcess(): Promise<number> {
  const terminal = systemTerminal();
  const errorFormat = errorFormatOf(commandLine, environment("DATUMCTL_ERROR_FORMAT"));
  using interrupted = interruption();
  // Read before the command line is parsed, because opening the sessions can already print notices.
  const end = commandLine.indexOf("--");
  const quiet = commandLine.some((arg, at) => (end < 0 || at < end) && /^(?:--quiet|-v*qv*)$/.test(arg));
  const style = stylesOf(terminal).err;
  const notice = (line: string) =>
    quiet ? undefined : terminal.writeErr(`${styledRemark(printableLines(line), style)}\n`);
  // The runtime has opened that file already.
  if (environment("SSLKEYLOGFILE") !== undefined) {
    notice("warning: SSLKEYLOGFILE is set: the secrets of TLS connections are written into that file.");
  }
  const host = {
    ...systemHost(notice),
    openNetwork,
    interrupted: interrupted.signal,
    holdInterrupts: interrupted.hold,
  };
  const providers = providersOf();
  try {
    return await runCommandLine(commandLine, {
      ...host,
      terminal,
      providers,
      store: new SessionStore(host, providers, { environment: providers.environmentSessions(host) }),
      errorFormat,
    });
  } catch (thrown) {
    const error = toAppError(thrown);
    terminal.writeErr(formatStyledError(error, errorFormat, style));
    return error.exitCode;
  }
}
