/** `organizations`, which holds `list`. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ContextOf } from "../context.ts";
import { holdsOthers } from "../group.ts";
import { organizationsListCommand } from "./list.ts";

/** `organizations`. */
export function organizationsCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command: CommandUnknownOpts = new Command("organizations").alias("organization").alias("orgs")
    .description("List organizations")
    .addHelpText("after", "\nExamples:\n  datumctl organizations list")
    .addCommand(organizationsListCommand(contextOf));
  return holdsOthers(command);
}
