/** The command that a kubeconfig entry runs: this program, by a path that survives an upgrade, or one that the user names. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { Environment, Folders } from "../system/environment.ts";
import { exists } from "../system/files.ts";
import { type OwnProgram, ownProgram, writeLauncher } from "../system/own-program.ts";
import { findProgram } from "../system/processes.ts";

/** The `command` of an exec entry, and what a person should know about it. */
export interface OwnCommand {
  readonly command: string;
  readonly warning?: string | undefined;
}

/** The name of a link that makes another program a command of kubectl, as Krew makes them. */
const KUBECTL_PLUGIN = /(?:^|[\\/])kubectl-[^\\/]*$/;

/**
 * The absolute path that this program was called by, as long as it leads to the running program: a package
 * manager's link survives an upgrade, its versioned folder does not. A link that makes this program a command of
 * kubectl disappears with that command, so the program's own name on PATH is used instead. From source, it is a
 * launcher in our folder.
 */
export async function ownCommand(
  env: Environment,
  folders: Folders,
  program: OwnProgram = ownProgram(),
): Promise<OwnCommand> {
  if (program.sources !== undefined) return { command: await writeLauncher(folders.config, program.sources) };
  const { path } = program;
  const calledAs = KUBECTL_PLUGIN.test(program.calledAs) ? "datumctl" : program.calledAs;
  const bare = !/[\\/]/.test(calledAs);
  const absolute = bare ? findProgram(calledAs, env("PATH")) : program.absolute(calledAs);
  if (absolute !== undefined && await program.realPath(absolute) === await program.realPath(path)) {
    return { command: absolute };
  }
  return {
    command: path,
    warning:
      `kubectl will run ${path}; if an upgrade moves it, run this command again, or use --exec-command.`,
  };
}

/**
 * The program that `--exec-command` names, as it was typed. It may be missing still.
 *
 * @throws {AppError} `USAGE` when the name cannot be used.
 */
export async function chosenCommand(typed: string, env: Environment): Promise<OwnCommand> {
  const command = checkedCommand(typed);
  if (await isThere(command, env)) return { command };
  return { command, warning: `There is no program ${printable(command)} here: kubectl will not find it.` };
}

async function isThere(command: string, env: Environment): Promise<boolean> {
  if (!/[\\/]/.test(command)) return findProgram(command, env("PATH")) !== undefined;
  // kubectl resolves a relative path from the kubeconfig's folder.
  return !/^(?:[\\/]|[A-Za-z]:)/.test(command) || await exists(command);
}

/**
 * Checks `--exec-command`.
 *
 * @throws {AppError} `USAGE` when it cannot be used.
 */
export function checkedCommand(command: string): string {
  // deno-lint-ignore no-control-regex
  if (command.trim() === "" || /[\u0000-\u001f]/.test(command)) {
    throw new AppError("USAGE", "--exec-command takes the name or path of a program.");
  }
  return command;
}
