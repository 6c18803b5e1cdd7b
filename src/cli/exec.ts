/** `exec`: runs a command with a kubeconfig of its own, whose token is renewed as long as the command runs. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { identityOf, userName } from "../kubeconfig/identity.ts";
import { singleTargetKubeconfig } from "../kubeconfig/single-target.ts";
import { entryFieldsFor } from "../kube/impersonation.ts";
import { type ControlPlane } from "../providers/datum/control-plane.ts";
import { controlPlaneName } from "../providers/datum/control-plane-address.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { askingServer, refuseOtherServer } from "../sessions/served-servers.ts";
import { openTokenFile, shortLife, type TokenFile } from "../sessions/token-file.ts";
import { alarm } from "../system/clock.ts";
import { runningProgram } from "../system/own-program.ts";
import { wholeEnvironment } from "../system/processes.ts";
import { makeRunFolder, type RunFolder } from "../system/run-folder.ts";
import { shellLine } from "../text.ts";
import { childVariables, keyFileOf } from "./child-variables.ts";
import { type CommandContext, type ContextOf, exitWith, tokenLimits } from "./context.ts";
import { openControlPlane } from "./control-plane.ts";
import { type ProgramLine, runProgram } from "./run-program.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import { valueArgument, valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl exec -- kubectl get namespaces
  datumctl exec --project my-project-id -- k9s
  datumctl exec --context staging -- helm upgrade --install web ./chart
  datumctl exec --profile ci --organization my-org-id -- \\
      sh -c 'kubectl get projects; terraform plan'

Flags of datumctl stand before --, everything behind it is the command's. KUBECONFIG is set for it: to a
private file that leads to this one target, and whose token is renewed while the command runs. The exit code is
the command's.`;

/** `exec`. */
export function execCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("exec")
    .description("Run a command with a kubeconfig and fresh token of its own")
    .usage("[options] -- <command...>")
    .addArgument(valueArgument("line", "[command...]", "program to run, with its arguments"))
    .addOption(
      valueOption(
        "nothing",
        "--token-env <name>",
        "also put the token into this variable, where it can be read and is not renewed",
      ),
    )
    .addHelpText("after", EXAMPLES);
  addScopeFlags(command, { impersonation: false });
  command.action((args, { tokenEnv }) =>
    runExec(contextOf(command), { ...scopeFlags(command), args, tokenEnv })
  );
  return command;
}

/** The words and flags of `exec`, as they were typed. */
export interface ExecInput extends ScopeFlags {
  /** The words that are no flags of ours: those behind `--`, and any before it. */
  readonly args: readonly string[];
  readonly tokenEnv?: string | undefined;
}

/** Runs the command to its end. Ends with the command's exit code. */
export async function runExec(cli: CommandContext, input: ExecInput): Promise<void> {
  const command = commandOf(cli, input);
  if (input.tokenEnv !== undefined) checkVariable(input.tokenEnv);
  using plane = await openControlPlane(cli, input);
  await using folder = await makeRunFolder(cli.env, cli.now);
  const stopped = new AbortController();
  const tokenFile = await openToken(cli, plane, folder, stopped.signal);
  const env = await variablesOf(cli, input, plane, folder, tokenFile);
  cli.interrupted.throwIfAborted();
  // The command is on its way before the first wait begins, which loads the runtime's timers.
  const running = runProgram(cli, command, env, NAME_A_PROGRAM);
  const renewing = tokenFile.maintain(stopped.signal, ({ message, hint = "" }) => {
    cli.out.important(`datumctl exec: ${message} ${hint}`.trim());
  });
  // It is heard below, when the command has ended.
  renewing.catch(() => {});
  let code: number;
  try {
    code = await running;
  } finally {
    stopped.abort();
    await ended(renewing, cli);
  }
  if (code !== 0) exitWith(code);
}

/** How long the end may take without a word, in milliseconds. */
const UNEXPLAINED = 2_000;

/** Waits until the renewing has ended. A token that was asked for is waited for: the session may not outlive its loss. */
async function ended(renewing: Promise<void>, { out }: CommandContext): Promise<void> {
  const slow = alarm(UNEXPLAINED, () => {
    out.info(
      "The command has ended; waiting for the answer to a renewal that had begun, or it would be lost.",
    );
  });
  await renewing.finally(() => slow.disarm());
}

const NAME_A_PROGRAM =
  "Name a program of the PATH, or the path of one; for a line of the shell: -- sh -c 'LINE'";

/**
 * The program that stands behind `--`, and its arguments.
 *
 * @throws {AppError} `USAGE` where none does: our own flags would be taken for its flags, and its flags for ours.
 */
function commandOf({ behindDashes = [] }: CommandContext, input: ExecInput): ProgramLine {
  const [program = "", ...args] = behindDashes;
  if (program !== "" && input.args.length === behindDashes.length) return { program, args };
  const meant = input.args.length > 0 ? input.args : ["kubectl", "get", "namespaces"];
  throw new AppError("USAGE", "exec takes its command behind --.", {
    hint: `For example: ${shellLine(["datumctl", "exec", "--", ...meant])}`,
  });
}

/** Where programs look for a kubeconfig: kubectl and its kin; Terraform's providers, which do not look at the first. */
const KUBECONFIG_VARIABLES: readonly string[] = ["KUBECONFIG", "KUBE_CONFIG_PATH"];

/** What other programs act on before the command reads it, and would show the token: the loader prints LD_PRELOAD. */
const ACTED_ON = /^(?:LD_|DYLD_|DATUM_)|^(?:PATH|HOME|SHELL|ENV|BASH_ENV|TMPDIR|IFS|TERM)$/;

/** @throws {AppError} `USAGE` for what is no name of a variable, and for those that exec sets or that programs act on. */
function checkVariable(name: string): void {
  const isName = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  if (isName && !KUBECONFIG_VARIABLES.includes(name) && !ACTED_ON.test(name)) return;
  throw new AppError("USAGE", "--token-env takes the name of a variable, such as MY_TOKEN.");
}

/** The token file of a run. Each token is judged as the first one was: it is for a server that the session serves. */
async function openToken(
  cli: CommandContext,
  { session, store, baseUrl, freshToken }: ControlPlane,
  folder: RunFolder,
  signal: AbortSignal,
): Promise<TokenFile> {
  const { providers, out } = cli;
  // A signal is the command's from here on, and no reason to leave it without a token.
  const host = { ...store.host, interrupted: signal };
  const file = await openTokenFile({
    path: folder.pathOf("token"),
    write: (text) => folder.write("token", text),
    store: store.with({ host }),
    session,
    first: await freshToken(),
    request: {
      accept: (sealed) => refuseOtherServer(providers, sealed, askingServer({ server: baseUrl })),
    },
    limits: () => tokenLimits({ ...cli, interrupted: signal }),
    warn: out.warn,
  });
  const short = shortLife(file.token);
  if (short !== undefined) out.warn(short);
  return file;
}

/** The command's environment, and what it points to. */
async function variablesOf(
  cli: CommandContext,
  { tokenEnv }: ExecInput,
  plane: ControlPlane,
  folder: RunFolder,
  { token: { token } }: TokenFile,
): Promise<Record<string, string>> {
  const { baseUrl, certificateAuthority, namespace, session, impersonation } = plane;
  const { activeFor } = identityOf(session);
  const identity = { session: session.name, activeFor, tokenFile: folder.pathOf("token") };
  const kubeconfig = folder.write(
    "kubeconfig",
    singleTargetKubeconfig({
      name: nameOf(plane),
      server: baseUrl,
      certificateAuthority,
      namespace,
      user: userName(identity),
      owner: identity,
      tokenFile: identity.tokenFile,
      userFields: impersonation === undefined ? {} : entryFieldsFor(impersonation),
    }),
  );
  const helper = await runningProgram(cli.store.folders);
  const acting = { ...plane, keyFile: keyFileOf(cli) };
  // Beside KUBE_CONFIG_PATH, Terraform's providers refuse the variable for several files.
  const { KUBE_CONFIG_PATHS: _, ...others } = childVariables(wholeEnvironment(), acting, helper);
  const env = { ...others, ...Object.fromEntries(KUBECONFIG_VARIABLES.map((name) => [name, kubeconfig])) };
  if (tokenEnv === undefined) return env;
  cli.out.warn(
    `The token is in the variable ${tokenEnv}, too: every program that the command starts can read it there, and it is not renewed.`,
  );
  return { ...env, [tokenEnv]: token };
}

/** What the target is called in the kubeconfig: as `auth update-kubeconfig` calls it. */
function nameOf({ target, session: { apiHost } }: ControlPlane): string {
  switch (target.kind) {
    case "context":
      return target.context.name;
    case "organization":
    case "project":
      return controlPlaneName(apiHost, target);
    default:
      return target.kind === "cluster" ? target.id : `datum-${target.kind}-${apiHost}`;
  }
}
