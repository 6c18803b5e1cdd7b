/** Turns a command that holds others, and does nothing itself, into one that shows its help. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { valueArgument } from "./complete/declare.ts";

/** Makes a command that only holds others show its help when it is called alone. */
export function holdsOthers(command: CommandUnknownOpts): CommandUnknownOpts {
  command.addArgument(valueArgument("nothing", "[words...]")).usage("[options] [command]").action(() => {
    if (command.args.length === 0) return command.outputHelp();
    // Commander does this by itself only for a command without an action.
    command.error("", { code: "commander.excessArguments" });
  });
  return command;
}
