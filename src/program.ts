/** The program: get-token, `status` and completion without a framework, else the whole command line. */

import { readGetToken } from "./plugin/arguments.ts";
import { remarksWanted, runGetToken } from "./plugin/get-token.ts";
import { errorFormatOf, formatError, toAppError } from "./errors.ts";
import { providersOf } from "./providers/registry.ts";
import { SessionStore } from "./sessions/store.ts";
import { commandLine, environment, exit } from "./system/environment.ts";
import { prepareRandomness } from "./system/entropy.ts";
import { systemHost } from "./system/host.ts";
import { parentProcess } from "./system/parent-process.ts";
import { canAsk, writeErr, writeOut } from "./system/terminal.ts";

/** The hidden word of completion, which must be quick: it needs no framework. */
const COMPLETE = "__complete";

/** The command of prompts, which wait for it each time. */
const STATUS = "status";

/**
 * Commands that ask a server; the ones behind `auth` without that word. `exec` and plug-ins ask when what is inside runs.
 * To forget one here costs time only.
 */
const ONLINE: ReadonlySet<string> = new Set(
  ("add-profile annotate api-resources api-versions apply can-i clusters create ctx delete describe diff doctor edit " +
    "events explain get get-token import label login logout organization organizations orgs patch project projects " +
    "proxy remove-profile setup team token tokens update-kubeconfig wait").split(" "),
);

function asksServer(line: readonly string[]): boolean {
  const [first = "", second = ""] = line;
  // Behind a flag, any word may be the command.
  const called = first.startsWith("-") ? line : [first === "auth" ? second : first];
  return called.some((word) => ONLINE.has(word)) && !line.includes("--help");
}

/** Runs the process's command line, and ends the process. */
export async function run(): Promise<never> {
  exit(await exitCode());
}

async function exitCode(): Promise<number> {
  if (commandLine[0] === COMPLETE) {
    const { runComplete } = await import("./cli/complete/run.ts");
    return await runComplete(commandLine.slice(1));
  }
  if (commandLine[0] === STATUS) {
    const { runQuickStatus } = await import("./cli/status/quick.ts");
    const code = await runQuickStatus(commandLine);
    if (code !== undefined) return code;
  }
  const flags = readGetToken(commandLine);
  if (flags === undefined) {
    if (asksServer(commandLine)) prepareRandomness();
    const { runFromProcess } = await import("./cli/process.ts");
    return await runFromProcess();
  }
  const errorFormat = errorFormatOf(commandLine, environment("DATUMCTL_ERROR_FORMAT"));
  const host = systemHost((line) => remarksWanted(flags, environment) ? writeErr(`${line}\n`) : undefined);
  const providers = providersOf();
  try {
    return await runGetToken(flags, {
      store: new SessionStore(host, providers, { environment: providers.environmentSessions(host) }),
      providers,
      env: host.env,
      parent: parentProcess,
      errorFormat,
      started: 0,
      canAsk,
      async terminalUse() {
        const { terminalUse } = await import("./system/terminal-use.ts");
        return await terminalUse();
      },
      writeOut,
      writeErr,
      async explainCertificate(error, signal) {
        const { explainAuthority } = await import("./cli/server-certificate.ts");
        return await explainAuthority(error, environment, signal);
      },
    });
  } catch (thrown) {
    const error = toAppError(thrown);
    writeErr(formatError(error, errorFormat));
    return error.exitCode;
  }
}
