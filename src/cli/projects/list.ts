/** `projects list`: the projects of an organization. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ContextOf } from "../context.ts";
import { printProjects } from "./print.ts";
import { outputOption, valueOption } from "../complete/declare.ts";

/** `projects list`. */
export function projectsListCommand(contextOf: ContextOf): CommandUnknownOpts {
  const list = new Command("list").alias("ls")
    .description("List the projects of an organization that the signed-in user may see")
    .addOption(
      valueOption(
        "organization",
        "--organization <id>",
        "this organization instead of the one in use (env: DATUM_ORGANIZATION)",
      ),
    )
    .addOption(outputOption(["table", "wide", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl projects list\n  datumctl projects list --organization my-org-id -o json",
    );
  list.action((flags) => printProjects(contextOf(list), flags));
  return list;
}
