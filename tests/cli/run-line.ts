/** Runs command lines in a test: the terminal records what is written, keys and standard input are given. */

import assert from "node:assert/strict";
import type { ProcessContext } from "../../src/cli/context.ts";
import { runCommandLine } from "../../src/cli/main.ts";
import { errorFormatOf } from "../../src/errors.ts";
import type { Providers } from "../../src/providers/registry.ts";
import type { SessionStore } from "../../src/sessions/store.ts";
import { pause } from "../../src/system/clock.ts";
import { openNetwork } from "../../src/system/network.ts";
import type { Terminal } from "../../src/system/terminal.ts";
import { CLOUDS } from "../clouds.ts";
import type { OnStderr } from "../when-printed.ts";

/** What a test chooses. */
export interface RunOptions {
  readonly store: SessionStore;
  /** The program's own clouds unless given. */
  readonly providers?: Providers;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Typed one after the other; their being given makes it a terminal that can be asked on. */
  readonly keys?: readonly string[] | undefined;
  readonly columns?: number | undefined;
  /** Whether stdout is a terminal; false unless given. */
  readonly outIsTerminal?: boolean | undefined;
  /** Whether colours and marks are shown where a stream is a terminal; false unless given. */
  readonly colour?: boolean | undefined;
  readonly stdin?: string | undefined;
  readonly onStderr?: OnStderr | undefined;
  /** Takes all that has been written to stdout so far. */
  readonly onStdout?: ((soFar: string) => void) | undefined;
  readonly interrupted?: AbortSignal | undefined;
  /** The store's clock unless given. */
  readonly now?: ProcessContext["now"] | undefined;
  /** True once nobody reads stdout any more, by what was written so far. */
  readonly readsNoFurther?: ((out: string) => boolean) | undefined;
  /** Waits as the clock does unless given. */
  readonly sleep?: ProcessContext["sleep"] | undefined;
}

/** What a command line left. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that records what is written. */
export function recordingHost(
  args: readonly string[],
  options: RunOptions,
): ProcessContext & { readonly written: { out: string; err: string } } {
  const {
    store,
    providers = CLOUDS,
    env = {},
    colour = false,
    keys,
    columns = 80,
    outIsTerminal = false,
    stdin = "",
    onStderr,
    onStdout,
    interrupted,
    now = store.host.now,
    sleep = pause,
    readsNoFurther = () => false,
  } = options;
  const written = { out: "", err: "" };
  const terminal: Terminal = {
    outIsTerminal,
    errIsTerminal: keys !== undefined,
    canAsk: keys !== undefined,
    showsColours: colour,
    showsMarks: colour,
    columns: () => columns,
    writeOut: (text) => {
      if (readsNoFurther(written.out)) return false;
      written.out += text;
      onStdout?.(written.out);
      return true;
    },
    writeErr: (text) => {
      written.err += text;
      onStderr?.(written.err);
    },
    async *keys() {
      yield* keys ?? [];
    },
    readIn: () => Promise.resolve(stdin),
  };
  const host = {
    ...store.host,
    env: (name: string) => env[name] || undefined,
    now,
    sleep,
    openNetwork,
    interrupted: interrupted ?? new AbortController().signal,
  };
  return {
    ...host,
    terminal,
    store: store.with({ host, providers, environment: providers.environmentSessions(host) }),
    providers,
    errorFormat: errorFormatOf(args, env.DATUMCTL_ERROR_FORMAT),
    written,
  };
}

/** Runs a command line in this process. */
export async function runLine(args: readonly string[], options: RunOptions): Promise<Ran> {
  const context = recordingHost(args, options);
  const code = await runCommandLine(args, context);
  return { code, stdout: context.written.out, stderr: context.written.err };
}

/** How a command line is run where the store is known. */
export type Options = Partial<RunOptions>;

/** Command lines that are run on one store, with one kubeconfig. */
export interface CommandLine {
  readonly kubeconfig: string;
  /** Runs a command line; a text is one of single words. */
  run(words: string | readonly string[], options?: Options): Promise<Ran>;
  /** Runs it, and it must end well; its stdout. */
  ok(words: string | readonly string[], options?: Options): Promise<string>;
}

/** Command lines on that store; a run's own variables come before `variables`. */
export function commandLine(
  { store, folder }: { readonly store: SessionStore; readonly folder: string },
  variables: Readonly<Record<string, string>> = {},
): CommandLine {
  const kubeconfig = `${folder}/kubeconfig`;
  const run: CommandLine["run"] = (words, options = {}) =>
    runLine(typeof words === "string" ? words.split(" ").filter((word) => word !== "") : words, {
      store,
      ...options,
      env: { KUBECONFIG: kubeconfig, PATH: Deno.env.get("PATH") ?? "", ...variables, ...options.env },
    });
  return {
    kubeconfig,
    run,
    async ok(words, options) {
      return good(await run(words, options), words).stdout;
    },
  };
}

/** What a command line left that must have ended well. */
export function good(ran: Ran, words: string | readonly string[] = ""): Ran {
  assert.equal(ran.code, 0, `${words}: ${ran.stderr}`);
  return ran;
}
