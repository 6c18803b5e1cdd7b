/** `status`: the session in force, what it acts on and how long it lasts, from files alone. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type CommandContext, type ContextOf, exitWith } from "./context.ts";
import { outputOption, valueOption } from "./complete/declare.ts";
import { listFormat } from "./output/table.ts";
import { printStatus } from "./status/print.ts";
import { checkTemplate, PLACEHOLDERS } from "./status/prompt-line.ts";
import { exitCodeOfStatus, statusOf } from "./status/state.ts";

/** `status`; a line that only a prompt's flags are in is answered by `status/quick.ts`. */
export function statusCommand(contextOf: ContextOf): CommandUnknownOpts {
  const placeholders = PLACEHOLDERS.map((name) => `{${name}}`).join(" ");
  const command = new Command("status")
    .description("Show who you act as, on what and for how long; for prompts")
    .addOption(new Option("--short", "one line for a prompt").conflicts(["format", "output"]))
    .addOption(
      valueOption("nothing", "--format <template>", `a line of your own: ${placeholders}`).conflicts(
        "output",
      ),
    )
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nIt ends with 0 when you are signed in, with 4 when you are not.\n\n" +
        "Examples:\n  datumctl status\n  datumctl status --short\n" +
        "  datumctl status --format '{user} {scope} {life}'",
    );
  command.action((flags) => runStatus(contextOf(command), flags));
  return command;
}

interface StatusInput {
  readonly short?: true | undefined;
  readonly format?: string | undefined;
  readonly output?: string | undefined;
}

/** Prints the status of the session in force. */
export async function runStatus(cli: CommandContext, { short, format, output }: StatusInput): Promise<void> {
  const form = { short: short ?? false, format, output: listFormat(output) };
  if (format !== undefined) checkTemplate(format);
  const status = await statusOf(cli.store, cli.choice);
  await printStatus(status, form, cli.out);
  if (exitCodeOfStatus(status) !== 0) exitWith(exitCodeOfStatus(status));
}
