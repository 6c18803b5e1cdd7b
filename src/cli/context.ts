/** What every command is handed: the host, the sessions, the output, and the flags of every command. */

import { CommanderError } from "@commander-js/extra-typings";
import { oneSession } from "../plugin/arguments.ts";
import { checkErrorFormat, type ErrorFormat } from "../errors.ts";
import { namingVariable } from "../sessions/choose.ts";
import type { ProviderContext } from "../providers/context.ts";
import type { Providers } from "../providers/registry.ts";
import type { FoundFile } from "../sessions/folder-file.ts";
import type { SessionStore } from "../sessions/store.ts";
import { parseTimeout } from "../system/clock.ts";
import type { Host } from "../system/host.ts";
import type { Terminal } from "../system/terminal.ts";
import { printable, printableLines } from "../text.ts";
import { styledRemark, type Styles, stylesOf } from "./output/style.ts";

export { keyringLimits, type Output, requestLimits, tokenLimits } from "../providers/context.ts";

/** The flags of every command, which may stand before, between or after its words. */
export interface GlobalFlags {
  readonly profile?: string | undefined;
  readonly session?: string | undefined;
  readonly credentialsFile?: string | undefined;
  readonly errorFormat?: string | undefined;
  readonly verbose?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly requestTimeout?: string | undefined;
}

/** What the process offers to commands. */
export interface ProcessContext extends Host {
  readonly terminal: Terminal;
  readonly store: SessionStore;
  /** The clouds that the program knows. */
  readonly providers: Providers;
  readonly openNetwork: NonNullable<Host["openNetwork"]>;
  /** Fires on Ctrl-C. */
  readonly interrupted: AbortSignal;
  readonly errorFormat: ErrorFormat;
}

/** All that a command is handed. */
export interface CommandContext extends ProcessContext, ProviderContext {
  readonly terminal: Terminal;
  readonly providers: Providers;
  /** How what is printed looks, on each stream. */
  readonly style: Styles;
  readonly verbose: boolean;
  /** `--quiet`. */
  readonly quiet: boolean;
  /** What stands behind `--`, another program's words; undefined for a line without it. */
  readonly behindDashes?: readonly string[] | undefined;
}

/** The context of one command line, with its {@link GlobalFlags} applied. */
export function commandContext(context: ProcessContext, flags: GlobalFlags): CommandContext {
  const { terminal } = context;
  const verbose = flags.verbose ?? false;
  const style = stylesOf(terminal);
  // What is named in it is made safe where that is done; a place that forgets it must not steer the terminal.
  const err = (text: string) => terminal.writeErr(`${styledRemark(printableLines(text), style.err)}\n`);
  const format = flags.errorFormat === undefined ? context.env("DATUMCTL_ERROR_FORMAT") : undefined;
  if (format !== undefined) checkErrorFormat(format, "DATUMCTL_ERROR_FORMAT");
  return {
    ...context,
    style,
    verbose,
    quiet: flags.quiet ?? false,
    choice: {
      flag: oneSession(flags.profile, flags.session),
      credentialsFile: flags.credentialsFile,
      variable: namingVariable(context.env),
      folderFile: once(() =>
        context.store.folderFile(readByPerson(context, flags) ? ((file) => err(passedBy(file))) : undefined)
      ),
    },
    requestTimeout: flags.requestTimeout === undefined
      ? 30_000
      : parseTimeout(flags.requestTimeout, "--request-timeout"),
    out: {
      line: (text = "") => terminal.writeOut(`${text}\n`),
      text: (text) => terminal.writeOut(text),
      success: (text) => terminal.writeOut(`${style.out.successMark}${text}\n`),
      info: (text) => flags.quiet ? undefined : err(text),
      important: err,
      warn: (text) => flags.quiet ? undefined : err(`warning: ${text}`),
      debug: verbose ? (text) => terminal.writeErr(`${style.err.aside(printableLines(text))}\n`) : undefined,
    },
  };
}

/** True where a person reads stderr and wants remarks. */
function readByPerson({ terminal, errorFormat }: ProcessContext, { quiet }: GlobalFlags): boolean {
  return terminal.errIsTerminal && quiet !== true && errorFormat === "human";
}

/** The line that names a folder's file that is not followed. */
function passedBy({ path, ignored, names }: FoundFile): string {
  const next = names !== undefined ? " Look at it, then: datumctl trust" : "";
  return `warning: ${printable(path, Infinity)} is not followed: ${ignored}.${next}`;
}

function once<Result>(find: () => Promise<Result>): () => Promise<Result> {
  let found: Promise<Result> | undefined;
  return () => found ??= find();
}

const REPORTED = "datumctl.reported";

/** Ends a command line with an exit code and without an error message. */
export function exitWith(code: number): never {
  throw new CommanderError(code, REPORTED, "");
}

/** The exit code that {@link exitWith} ended a command line with; undefined when it was something else. */
export function exitCodeOf(thrown: unknown): number | undefined {
  return thrown instanceof CommanderError && thrown.code === REPORTED ? thrown.exitCode : undefined;
}

/** Makes the context of a command, once its flags are parsed. */
export type ContextOf = (command: { optsWithGlobals(): unknown }) => CommandContext;
