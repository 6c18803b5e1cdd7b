/** `proxy`: lets programs ask a Kubernetes API without holding the credential, and by default without changing anything. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError, toAppError } from "../errors.ts";
import { impersonationHeaders, impersonationLabel } from "../kube/impersonation.ts";
import type { ControlPlane } from "../providers/datum/control-plane.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { newKey } from "../proxy/door.ts";
import type { Rules } from "../proxy/judge.ts";
import { makeProxy, portOfProxy, type Proxy, proxyKubeconfig } from "../proxy/proxy.ts";
import { labelOf } from "../sessions/new-name.ts";
import { formatSpan, parseDuration } from "../system/clock.ts";
import { absolutePath } from "../system/environment.ts";
import { kindOf, readTextFile, removeFile } from "../system/files.ts";
import { writeFileAtomically } from "../system/replacement.ts";
import { type HttpListener, isPortTaken, listenOnPort, listenOnSocket } from "../system/http-listener.ts";
import { type LogFile, openLogFile } from "../system/log-file.ts";
import { printable, shellLine } from "../text.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { openControlPlane } from "./control-plane.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import { valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl proxy
  datumctl proxy --project my-project-id --namespace default \\
      --kubeconfig agent.kubeconfig
  datumctl proxy --socket ./cloud.sock --for 1h --audit requests.jsonl
  datumctl proxy --allow-writes --namespace staging
  datumctl proxy --as system:serviceaccount:default:agent

It protects only where the program cannot act as you: another user, a container or a sandbox without your
home, your runtime folder and your D-Bus. The first line on stdout is the address; then comes a kubeconfig,
unless --kubeconfig names a file for it.`;

/** `proxy`. */
export function proxyCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("proxy")
    .description("Let programs here ask a control plane without the credential")
    .option("--port <number>", "port of 127.0.0.1 to listen on (default: a free one)")
    .addOption(
      valueOption(
        "file",
        "--socket <path>",
        "listen on this Unix socket, which only you can open, and not on a port",
      ),
    )
    .option("--for <duration>", "how long; 0 until it is stopped (default: 15m)")
    .option("--read-only", "refuse what changes anything (the default)")
    .option("--allow-writes", "pass on what changes something, too")
    .option("--allow-secrets", "pass on what shows or changes Secrets, too")
    .option(
      "--allow-connect",
      "with --allow-writes: pass on ways to other servers and to new credentials, too",
    )
    .addOption(
      valueOption("namespace", "-n, --namespace <name>", "only what is in this namespace; repeatable")
        .argParser(
          (name: string, before: readonly string[]) => [...before, name],
        ).default([] as readonly string[], "all"),
    )
    .option("--audit <file>", "add one line of JSON for each request to this file")
    .option("--kubeconfig <file>", "write the kubeconfig to this new file, and remove it at the end")
    .addHelpText("after", EXAMPLES);
  addScopeFlags(command);
  command.action((flags) => {
    // --namespace is another flag here.
    const where: ScopeFlags = { ...scopeFlags(command), namespace: undefined };
    return runProxy(contextOf(command), { ...flags, where });
  });
  return command;
}

/** The flags of `proxy`, as they were typed. */
export interface ProxyInput {
  readonly port?: string | undefined;
  readonly socket?: string | undefined;
  readonly for?: string | undefined;
  readonly readOnly?: true | undefined;
  readonly allowWrites?: true | undefined;
  readonly allowSecrets?: true | undefined;
  readonly allowConnect?: true | undefined;
  readonly namespace: readonly string[];
  readonly audit?: string | undefined;
  readonly kubeconfig?: string | undefined;
  /** What the proxy leads to. */
  readonly where: ScopeFlags;
}

/** How long what is under way may take at the end, in milliseconds. */
const LONGEST_END = 4000;

/** How often the wall clock is looked at, in milliseconds: timers stand still while a laptop sleeps. */
const LOOK = 10_000;

/** Answers requests until its time is over or it is stopped, and removes what it wrote. */
export async function runProxy(cli: CommandContext, input: ProxyInput): Promise<void> {
  const rules = rulesOf(input);
  const port = portOf(input);
  const life = input.for === "0" ? 0 : parseDuration(input.for ?? "15m", "--for");
  const end = life === 0 ? Infinity : cli.now() + life;
  const files = await filesOf(input);
  using audit = input.audit === undefined ? undefined : openLogFile(input.audit, "--audit");
  using plane = await openControlPlane(cli, input.where);
  using network = plane.access.openNetwork({ http1: true });
  const key = newKey();
  const broken = new AbortController();
  const proxy = makeProxy({
    key,
    rules,
    upstream: {
      baseUrl: plane.baseUrl,
      fetch: network.fetch,
      token: oneAtATime(plane.access.token),
      headers: plane.impersonation && impersonationHeaders(plane.impersonation),
    },
    now: cli.now,
    end,
    audit: (entry) => {
      cli.out.debug?.(`${entry.verb} ${printable(entry.path)} ${entry.status}, ${entry.bytes} bytes`);
      writeAudit(audit, JSON.stringify(entry), broken);
    },
    failed: tellOnce(cli),
  });
  const listener = files.socket === undefined
    ? listenOnPort(port, proxy.handle)
    : await listenOnSocket(files.socket, proxy.handle);
  void listener.failed.then((error) => broken.abort(error));
  try {
    await announce(cli, { files, plane, server: `http://${listener.address.hosts[0]}/${key}`, rules, life });
    await untilOver(cli, end, broken.signal);
  } finally {
    await endProxy(cli, proxy, listener);
    await removeOurs(files.kubeconfig, key);
  }
  broken.signal.throwIfAborted();
}

function rulesOf({ readOnly, allowWrites, allowSecrets, allowConnect, namespace }: ProxyInput): Rules {
  if (readOnly && allowWrites) {
    throw new AppError("USAGE", "--read-only and --allow-writes cannot be combined.");
  }
  if (allowConnect && !allowWrites) {
    throw new AppError("USAGE", "--allow-connect takes --allow-writes: what it leads to can be changed.");
  }
  const wrong = namespace.find((name) => !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name));
  if (wrong !== undefined) {
    throw new AppError("USAGE", `--namespace: "${printable(wrong, 100)}" is no name of a namespace.`);
  }
  return {
    writes: allowWrites ?? false,
    secrets: allowSecrets ?? false,
    connect: allowConnect ?? false,
    namespaces: namespace,
  };
}

function portOf({ port, socket, kubeconfig }: ProxyInput): number {
  if (socket !== undefined && port !== undefined) {
    throw new AppError("USAGE", "--socket and --port cannot be combined.");
  }
  if (socket !== undefined && kubeconfig !== undefined) {
    throw new AppError("USAGE", "--socket and --kubeconfig cannot be combined: kubectl asks no socket.");
  }
  const number = Number(port ?? "0");
  if (/^\d{1,5}$/.test(port ?? "0") && number <= 65_535) return number;
  throw new AppError("USAGE", "--port takes a number up to 65535; 0 takes a free port.");
}

/** The paths of what is written; both absolute. */
interface ProxyFiles {
  readonly socket: string | undefined;
  readonly kubeconfig: string | undefined;
}

/** @throws {AppError} `USAGE` where a kubeconfig would be replaced that no proxy wrote, or one that is in use. */
async function filesOf({ socket, kubeconfig }: ProxyInput): Promise<ProxyFiles> {
  const absolute = (path: string | undefined) => path === undefined ? undefined : absolutePath(path);
  const files = { socket: absolute(socket), kubeconfig: absolute(kubeconfig) };
  if (files.kubeconfig === undefined) return files;
  const kind = await kindOf(files.kubeconfig);
  if (kind === undefined) return files;
  const port = kind === "file" ? portOfProxy(await readTextFile(files.kubeconfig) ?? "") : undefined;
  // A run that was killed could not remove its own.
  if (port !== undefined && !await isPortTaken(port)) return files;
  const what = port === undefined ? "something" : "the kubeconfig of a proxy that runs";
  throw new AppError("USAGE", `--kubeconfig: there is ${what} at ${printable(files.kubeconfig)} already.`, {
    hint: "Name a new file: it is removed when the proxy ends.",
  });
}

/** Prints the address, first of all, and then how it is used. */
async function announce(
  { out }: CommandContext,
  { files: { socket, kubeconfig }, plane, server, rules, life }: {
    readonly files: ProxyFiles;
    readonly plane: ControlPlane;
    readonly server: string;
    readonly rules: Rules;
    readonly life: number;
  },
): Promise<void> {
  const { session, what, impersonation } = plane;
  const [first] = rules.namespaces;
  const text = proxyKubeconfig(server, first ?? plane.namespace);
  if (kubeconfig !== undefined) await writeFileAtomically(kubeconfig, text);
  if (socket !== undefined) {
    out.line(socket);
    out.line(shellLine(["curl", "--unix-socket", socket, `${server}/version`]));
  } else if (kubeconfig !== undefined) {
    // The key is in the file alone: what is printed may go to a log.
    out.line(new URL(server).origin);
  } else {
    out.line(server);
    out.text(text);
  }
  const allowed = [
    "reads",
    rules.writes && "writes",
    rules.secrets && "Secrets",
    rules.connect && "connects",
  ];
  const span = life === 0 ? "until it is stopped" : `for ${formatSpan(life)}`;
  const who = labelOf(session) + (impersonation ? `, acting as ${impersonationLabel(impersonation)}` : "");
  out.info(
    `Proxy for ${what} as ${who}, ${span}: ${allowed.filter(Boolean).join(", ")}. ` +
      "Who has the key can use it.",
  );
}

/** Waits until the time is over, a signal comes, or the audit cannot be written. */
async function untilOver({ now, sleep, interrupted }: CommandContext, end: number, broken: AbortSignal) {
  const signal = AbortSignal.any([interrupted, broken]);
  while (!signal.aborted && now() < end) {
    await sleep(Math.min(LOOK, end - now()), signal).catch(() => {});
  }
}

/** Takes no new connections; what is under way gets a moment to end by itself. */
async function endProxy({ sleep }: CommandContext, proxy: Proxy, listener: HttpListener): Promise<void> {
  const ended = new AbortController();
  const closing = listener.shutdown().finally(() => ended.abort());
  proxy.finish();
  await Promise.race([
    closing,
    sleep(LONGEST_END, ended.signal).catch(() => {}),
  ]);
  proxy.breakOff();
  await listener.close();
}

/** Removes a kubeconfig that still is the one of this run. */
async function removeOurs(path: string | undefined, key: string): Promise<void> {
  if (path === undefined || !(await readTextFile(path))?.includes(key)) return;
  await removeFile(path);
}

/** Writes a line; a proxy whose audit fails ends. */
function writeAudit(audit: LogFile | undefined, line: string, broken: AbortController): void {
  try {
    audit?.write(line);
  } catch (thrown) {
    broken.abort(thrown);
  }
}

/** Warns of what kept requests from an answer, of each thing once. */
function tellOnce({ out }: CommandContext): (thrown: unknown) => void {
  const told = new Set<string>();
  return (thrown) => {
    const { message, hint = "" } = toAppError(thrown);
    if (!told.has(message)) out.warn(`${message} ${hint}`.trim());
    told.add(message);
  };
}

/** Many requests that come at once wait for one token. */
function oneAtATime(token: (force: boolean) => Promise<string>): (force: boolean) => Promise<string> {
  let getting: Promise<string> | undefined;
  return async (force) => {
    if (force) return await token(true);
    getting ??= token(false).finally(() => {
      getting = undefined;
    });
    return await getting;
  };
}
