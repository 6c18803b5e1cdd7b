/** `help`: the help of a command, or of a topic. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError, CODES } from "../errors.ts";
import { printable } from "../text.ts";
import type { ProcessContext } from "./context.ts";
import { PLAIN, stylesOf, titled } from "./output/style.ts";
import { formatTable } from "./output/table.ts";
import { nearestCommand } from "./usage-errors.ts";
import { valueArgument } from "./complete/declare.ts";

/** `help`, of the commands that a program holds. */
export function helpCommand(program: CommandUnknownOpts, { terminal }: ProcessContext): CommandUnknownOpts {
  const command = new Command("help")
    .description("Show help for a command, or for a topic: exit-codes")
    .addArgument(valueArgument("words", "[words...]"))
    .addHelpText("after", "\nExamples:\n  datumctl help auth update-kubeconfig\n  datumctl help exit-codes");
  command.action(async (words) => {
    if (words[0] === "exit-codes") return void terminal.writeOut(await exitCodes(stylesOf(terminal).out));
    let at = program;
    for (const word of words) {
      const next = at.commands.find((child) => child.name() === word || child.aliases().includes(word));
      if (next === undefined) {
        throw new AppError("USAGE", `There is no help for "${printable(words.join(" "), 80)}".`, {
          hint: nearestCommand(word, at) ?? "See datumctl help.",
        });
      }
      at = next;
    }
    return at.outputHelp();
  });
  return command;
}

/** The table of exit codes and of the codes that lead to them. */
export async function exitCodes(style = PLAIN): Promise<string> {
  const rows = Object.entries(CODES).map(([code, { exit, retryable, meaning }]) =>
    [code, String(exit), retryable ? "yes" : "no", meaning] as const
  );
  return "Exit codes: 0 done, 1 failed, 2 wrong usage, 4 sign-in needed, expired or rejected, 5 refused by the\n" +
    "server, 6 network or server unavailable, 130 interrupted.\n\n" +
    titled(await formatTable([["Code", "Exit", "Retryable", "Meaning"], ...rows]), style);
}
