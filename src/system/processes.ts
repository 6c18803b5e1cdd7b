/** Child processes: a limited run with captured output, a run on our terminal, a detached start, their environment. */

import { type Alarm, alarm, pause } from "./clock.ts";

/** The options of {@link run}. */
export interface RunOptions {
  /** The child's whole environment; it inherits nothing else. See {@link childEnvironment}. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to the child's stdin, which is then closed; without it stdin is empty. */
  readonly stdin?: string | Uint8Array | undefined;
  /** `inherit` gives the child our own standard error, and leaves {@link RunResult.stderr} empty. */
  readonly stderr?: "inherit" | undefined;
  /** Milliseconds after which the child is killed and {@link ProgramTimeout} thrown. */
  readonly timeout?: number | undefined;
  /** Kills the child and throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The most bytes of stdout; 1 MiB by default. More is an error; output is never cut. */
  readonly limit?: number | undefined;
}

/** The result of a child. */
export interface RunResult {
  /** The exit code; 128 plus the signal's number for a child that a signal ended. */
  readonly code: number;
  readonly stdout: string;
  /** At most 64 KiB; the rest is dropped. */
  readonly stderr: string;
  /** Milliseconds from the start to the end of its output. */
  readonly elapsed: number;
}

/** The type of {@link run}. */
export type Run = (command: string, args: readonly string[], options: RunOptions) => Promise<RunResult>;

/** A child without a result: it could not be started, or wrote too much. */
export class ProgramError extends Error {
  override readonly name: string = "ProgramError";
  /** The program as it was named. */
  readonly program: string;

  constructor(program: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.program = program;
  }
}

/** No file has that path, or no absolute folder of the `PATH` has that name. */
export class ProgramNotFound extends ProgramError {
  override readonly name = "ProgramNotFound";
}

/** The child was killed because its time was over. */
export class ProgramTimeout extends ProgramError {
  override readonly name = "ProgramTimeout";
}

const STDOUT_LIMIT = 1024 * 1024;
const STDERR_LIMIT = 64 * 1024;

/** How long children of an ended child may hold its pipes open. */
const GRACE = 1000;

/**
 * Runs a program to its end, without a shell, and returns its output. A non-zero exit code is a result. A bare name
 * is looked up with {@link findProgram}.
 *
 * The child gets only the environment of `options.env`, and never outlives this call: when the time is over or the
 * signal fires, it is killed (SIGKILL) and reaped. A grandchild that holds its pipes open is not waited for.
 *
 * @throws {ProgramNotFound} when there is no such program.
 * @throws {ProgramTimeout} when the time is over.
 * @throws {ProgramError} when the program cannot be started, or prints more than `options.limit`.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const started = performance.now();
  const child = spawn(command, {
    args: [...args],
    env: withoutLoader(options.env),
    clearEnv: true,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: options.stderr ?? "piped",
  });
  // The child runs from here on; with a second processor, what follows costs no time of its own.
  const stop = Promise.withResolvers<never>();
  stop.promise.catch(() => {});
  const onAbort = () => stop.reject(options.signal?.reason);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const bound = options.timeout === undefined ? undefined : alarm(options.timeout, () => {
    stop.reject(new ProgramTimeout(command, `"${command}" did not end within ${options.timeout} ms`));
  });
  const stdout = collect(child.stdout, options.limit ?? STDOUT_LIMIT, () => {
    stop.reject(new ProgramError(command, `"${command}" printed too much`));
  });
  const stderr = options.stderr === undefined ? collect(child.stderr, STDERR_LIMIT) : NOTHING;
  const input = options.stdin === undefined ? undefined : feed(child.stdin, options.stdin);
  let grace: Alarm | undefined;
  try {
    const { code } = await Promise.race([child.status, stop.promise]);
    const ended = Promise.all([stdout.ended, stderr.ended]);
    const tooLong = new Promise<void>((resolve) => grace = alarm(GRACE, resolve));
    await Promise.race([ended, tooLong, stop.promise]);
    return { code, stdout: stdout.text(), stderr: stderr.text(), elapsed: performance.now() - started };
  } catch (error) {
    kill(child);
    await child.status;
    throw error;
  } finally {
    bound?.disarm();
    grace?.disarm();
    options.signal?.removeEventListener("abort", onAbort);
    await Promise.all([stdout.cancel(), stderr.cancel(), input?.abort()]);
  }
}

/**
 * Starts a program that outlives this one: in its own process group, so that Ctrl-C does not reach it, without our
 * terminal and pipes. This process does not wait for it.
 *
 * @returns the exit code, once there is one
 * @throws {ProgramNotFound} when there is no such program.
 * @throws {ProgramError} when the program cannot be started.
 */
export function startDetached(
  command: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>> },
): { readonly code: Promise<number> } {
  const child = spawn(command, {
    args: [...args],
    env: withoutLoader(options.env),
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  });
  child.unref();
  return { code: child.status.then(({ code }) => code) };
}

/** What no child has a use for: our own variables, and the secrets that variables of other programs carry for us. */
const NOT_FOR_CHILDREN = /^DATUM(?:CTL)?_|^(?:CLOUDFLEET|DATACHAIN|DVC|ACTIONS)_.*(?:TOKEN|SECRET|PASSWORD)/i;

/**
 * Runs a program that reads and writes where this one does. It gets this process's variables without our own, since
 * some of those are secrets. When the signal fires, it is ended and the signal's reason thrown.
 *
 * @param ending what ends it: a full-screen program needs a gentle one to leave the terminal as it was
 * @returns its exit code
 * @throws {ProgramNotFound} when there is no such program.
 * @throws {ProgramError} when the program cannot be started.
 */
export async function runInForeground(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
  ending: "SIGKILL" | "SIGTERM" = "SIGKILL",
): Promise<number> {
  signal.throwIfAborted();
  const all = Object.entries(withoutLoader(Deno.env.toObject()));
  const child = spawn(command, {
    args: [...args],
    env: Object.fromEntries(all.filter(([name]) => !NOT_FOR_CHILDREN.test(name))),
    clearEnv: true,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  });
  const stop = () => kill(child, ending);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { code } = await child.status;
    signal.throwIfAborted();
    return code;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const WINDOWS = Deno.build.os === "windows";

/** What a terminal sends to every program in its foreground by itself. */
const TYPED: readonly Deno.Signal[] = WINDOWS ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGQUIT"];

/** What is sent to one process. */
const SENT: readonly Deno.Signal[] = WINDOWS ? [] : ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"];

/**
 * Runs a program in this one's stead: it has our terminal, reads and writes where we do, and gets the signals that are
 * sent to us. Those that are typed it gets from the terminal itself, as it does Ctrl-Z and a new size of the window.
 *
 * @param env its whole environment, the dynamic loader's variables included
 * @returns its exit code; 128 plus the signal's number for a program that a signal ended
 * @throws {ProgramNotFound} when there is no such program.
 * @throws {ProgramError} when the program cannot be started.
 */
export async function runInStead(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const onTerminal = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
  const child = spawn(command, {
    args: [...args],
    env: { ...env },
    clearEnv: true,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  });
  const listeners = [...TYPED, ...SENT].map((signal) => {
    // On a terminal, the command has got it already; here it is only kept from ending this process.
    const listener = () => onTerminal && TYPED.includes(signal) ? undefined : kill(child, signal);
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  const follower = onTerminal && !WINDOWS ? followStops(child) : undefined;
  try {
    return (await child.status).code;
  } finally {
    follower?.[Symbol.dispose]();
    for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
  }
}

/** How long the system may take to stop both, or to say that a child has ended, in milliseconds. */
const SETTLED = 100;

/**
 * Stops with a child that stopped by itself alone, as a shell does at `suspend`: else nobody would have the terminal. When
 * this process goes on, the child does. The runtime does not tell of it, so `ps` is asked whenever a child changed.
 */
function followStops(child: Deno.ChildProcess): Disposable {
  const over = new AbortController();
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    await pause(SETTLED, over.signal);
    if (await isStopped(child.pid, over.signal)) {
      Deno.kill(Deno.pid, "SIGTSTP");
      kill(child, "SIGCONT");
    }
    // The end of ps was a change, too.
    await pause(SETTLED, over.signal);
    looking = false;
  };
  // Without ps, nothing is found out, and nothing changes.
  const listener = () => void look().catch(() => {});
  Deno.addSignalListener("SIGCHLD", listener);
  return {
    [Symbol.dispose]() {
      over.abort();
      Deno.removeSignalListener("SIGCHLD", listener);
    },
  };
}

async function isStopped(pid: number, signal: AbortSignal): Promise<boolean> {
  const { stdout } = await run("ps", ["-o", "stat=", "-p", String(pid)], {
    env: childEnvironment(["PATH"]),
    timeout: 2_000,
    signal,
  });
  return stdout.trimStart().startsWith("T");
}

/** All variables of this process. */
export function wholeEnvironment(): Record<string, string> {
  return Deno.env.toObject();
}

/** The named variables that this process has, without those that control the dynamic loader. */
export function childEnvironment(names: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of names) {
    const value = Deno.env.get(name);
    if (value !== undefined) environment[name] = value;
  }
  return withoutLoader(environment);
}

/** How the names of programs end on Windows, where they need not be typed. */
export const PROGRAM_ENDING = /\.(?:exe|com|cmd|bat)$/i;

/**
 * The absolute path of a program on a `PATH`; undefined when it is not there. Empty and relative entries are
 * skipped, so that no program runs from the working folder by accident.
 */
export function findProgram(name: string, path: string | undefined): string | undefined {
  const endings = WINDOWS && !PROGRAM_ENDING.test(name) ? [".exe", ".com", ".cmd", ".bat"] : [""];
  for (const folder of programFolders(path)) {
    for (const ending of endings) {
      const candidate = `${folder}${name}${ending}`;
      if (isProgram(candidate)) return candidate;
    }
  }
  return undefined;
}

/** The absolute folders of a `PATH`, each with a separator at its end. */
export function programFolders(path: string | undefined): string[] {
  return (path ?? "").split(WINDOWS ? ";" : ":")
    .filter((folder) => (WINDOWS ? /^[A-Za-z]:[\\/]|^\\\\/ : /^\//).test(folder))
    .map((folder) => `${folder.replace(/[\\/]+$/, "")}${WINDOWS ? "\\" : "/"}`);
}

/** True for a plain file that may be run. */
export function isProgram(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (WINDOWS || ((mode ?? 0) & 0o111) !== 0);
  } catch {
    return false;
  }
}

// With such a variable, Deno refuses every spawn that is not fully allowed, and no child of ours needs one.
function withoutLoader(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(LD|DYLD)_/i.test(name)));
}

function spawn(command: string, options: Deno.CommandOptions): Deno.ChildProcess {
  // The system's own lookup would accept a "." in the PATH.
  const bare = !/[\\/]/.test(command);
  const path = bare ? findProgram(command, options.env?.["PATH"] ?? Deno.env.get("PATH")) : command;
  if (path === undefined) throw new ProgramNotFound(command, `"${command}" is not installed`);
  try {
    return new Deno.Command(path, options).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new ProgramNotFound(command, `"${command}" is not installed`, error);
    }
    const kind = error instanceof Error ? error.name : typeof error;
    throw new ProgramError(command, `"${command}" cannot be started (${kind})`, error);
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal = "SIGKILL"): void {
  try {
    child.kill(signal);
  } catch {
    // The child has ended already.
  }
}

/** Reads a pipe to its end or to its limit. What was read so far is available at any time. */
function collect(stream: ReadableStream<Uint8Array>, limit: number, onExcess?: () => void) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  const ended = (async () => {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      const room = limit - size;
      size += value.length;
      if (room > 0) text += decoder.decode(value.subarray(0, room), { stream: true });
      if (size > limit && onExcess !== undefined) return onExcess();
    }
  })();
  ended.catch(() => {});
  return {
    ended,
    text: () => text + decoder.decode(),
    cancel: () => reader.cancel().catch(() => {}),
  };
}

/** {@link collect} without a pipe. */
const NOTHING = { ended: Promise.resolve(), text: () => "", cancel: () => Promise.resolve() };

/** Writes the whole input and closes the pipe. A child may end before it reads everything. */
function feed(stream: WritableStream<Uint8Array>, input: string | Uint8Array) {
  const writer = stream.getWriter();
  const written = writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input)
    .then(() => writer.close());
  written.catch(() => {});
  return { abort: () => writer.abort().catch(() => {}) };
}
