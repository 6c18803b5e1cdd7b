/** `projects`, which holds `list`. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ContextOf } from "../context.ts";
import { holdsOthers } from "../group.ts";
import { projectsListCommand } from "./list.ts";

/** `projects`. */
export function projectsCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command: CommandUnknownOpts = new Command("projects").alias("project")
    .description("List projects")
    .addHelpText("after", "\nExamples:\n  datumctl projects list --organization my-org-id")
    .addCommand(projectsListCommand(contextOf));
  return holdsOthers(command);
}
