/** `help`: the help of a command, or of a topic. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import type { Environment } from "../system/environment.ts";
import type { Terminal } from "../system/terminal.ts";
import { printable, shellLine } from "../text.ts";
import { codeRows } from "./code-meanings.ts";
import type { GlobalFlags, ProcessContext } from "./context.ts";
import { PLAIN, styledRemark, stylesOf, titled } from "./output/style.ts";
import { formatTable } from "./output/table.ts";
import { isCalled, nearestCommand } from "./usage-errors.ts";
import { valueArgument } from "./complete/declare.ts";

/** What `help` tells of beside commands. */
const TOPICS = ["exit-codes", "plugins"] as const;

/** `help`, of the commands that a program holds. */
export function helpCommand(
  program: CommandUnknownOpts,
  { terminal, env }: ProcessContext,
): CommandUnknownOpts {
  const command = new Command("help")
    .description(`Show help for a command, or for a topic: ${TOPICS.join(", ")}`)
    .addArgument(valueArgument("words", "[words...]"))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl help auth update-kubeconfig\n  datumctl help exit-codes\n  datumctl help plugins",
    );
  command.action(async (words) => {
    if (words[0] === "exit-codes") return void terminal.writeOut(await exitCodes(stylesOf(terminal).out));
    if (words[0] === "plugins") return await showPlugins(program, terminal, env);
    let at = program;
    for (const word of words) {
      const next = at.commands.find((child) => isCalled(child, word));
      if (next === undefined) {
        throw new AppError("USAGE", `There is no help for "${printable(words.join(" "), 80)}".`, {
          hint: await pluginHelp(words, env) ?? nearestCommand(word, at, at === program ? TOPICS : []) ??
            "See datumctl help.",
        });
      }
      at = next;
    }
    return at.outputHelp();
  });
  return command;
}

/** Lists the plug-ins of the PATH on stdout, and on stderr the files that are none, with the reason. */
async function showPlugins(
  program: CommandUnknownOpts,
  terminal: Terminal,
  env: Environment,
): Promise<void> {
  const { listPlugins } = await import("./plugins.ts");
  const own = new Set(program.commands.flatMap((command) => [command.name(), ...command.aliases()]));
  const { plugins, warnings } = listPlugins(env, (word) => own.has(word));
  const style = stylesOf(terminal);
  const rows = plugins.map(({ name, path }) => [name, printable(path, Infinity)] as const);
  terminal.writeOut(
    "A program called datumctl-NAME in a folder of the PATH is a plug-in, and runs as datumctl NAME.\n\n" +
      (rows.length === 0
        ? "There is none.\n"
        : titled(await formatTable([["Name", "Program"], ...rows]), style.out)),
  );
  const { quiet }: GlobalFlags = program.opts();
  if (!quiet) {
    for (const warning of warnings) terminal.writeErr(`${styledRemark(`warning: ${warning}`, style.err)}\n`);
  }
}

/** Where the help of a plug-in is; undefined for words that call none. */
async function pluginHelp(
  [name = "", ...more]: readonly string[],
  env: Environment,
): Promise<string | undefined> {
  const { findPlugin } = await import("./plugins.ts");
  const path = findPlugin(name, env);
  return path === undefined
    ? undefined
    : `It is a plug-in: ${shellLine(["datumctl", name, ...more, "--help"])}`;
}

/** The table of exit codes and of the codes that lead to them. */
export async function exitCodes(style = PLAIN): Promise<string> {
  const rows = codeRows().map(({ code, exit, retryable, meaning }) =>
    [code, String(exit), retryable ? "yes" : "no", meaning] as const
  );
  return "Exit codes: 0 done, 1 failed, 2 wrong usage, 4 sign-in needed, expired or rejected, 5 refused by the\n" +
    "server, 6 network or server unavailable, 130 interrupted.\n\n" +
    titled(await formatTable([["Code", "Exit", "Retryable", "Meaning"], ...rows]), style);
}
