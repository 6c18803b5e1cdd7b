/** `tokens`, which holds the commands for Cloudfleet's API tokens. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { operationsHelp } from "../operation-flag.ts";
import type { ContextOf } from "../context.ts";
import { holdsOthers } from "../group.ts";
import { tokensCreateCommand } from "./create.ts";
import { tokensDeleteCommand } from "./delete.ts";
import { tokensDescribeCommand } from "./describe.ts";
import { tokensListCommand } from "./list.ts";
import { tokensRegenerateCommand } from "./regenerate.ts";

/** `tokens`. */
export function tokensCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command: CommandUnknownOpts = new Command("tokens")
    .description("Cloudfleet's API tokens, which machines sign in with")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl tokens list\n  datumctl tokens create --name ci --role User" +
        operationsHelp((operation) => !operation.startsWith("cluster")),
    )
    .addCommand(tokensCreateCommand(contextOf))
    .addCommand(tokensListCommand(contextOf))
    .addCommand(tokensDescribeCommand(contextOf))
    .addCommand(tokensRegenerateCommand(contextOf))
    .addCommand(tokensDeleteCommand(contextOf));
  return holdsOthers(command);
}
