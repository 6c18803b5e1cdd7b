/** `organizations list`: the organizations of the signed-in user. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ContextOf } from "../context.ts";
import { printOrganizations } from "./print.ts";
import { outputOption } from "../complete/declare.ts";

/** `organizations list`. */
export function organizationsListCommand(contextOf: ContextOf): CommandUnknownOpts {
  const list = new Command("list").alias("ls")
    .description("List the organizations that the signed-in user is a member of")
    .addOption(outputOption(["table", "wide", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl organizations list\n  datumctl organizations list -o name",
    );
  list.action((flags) => printOrganizations(contextOf(list), { output: flags.output }));
  return list;
}
