/** A command that holds others and does nothing by itself. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** Makes a word that only holds others show its help when it stands alone. */
export function holdsOthers(command: CommandUnknownOpts): CommandUnknownOpts {
  command.argument("[words...]").usage("[options] [command]").action(() => {
    if (command.args.length === 0) return command.outputHelp();
    // What Commander does by itself only where the command has no action.
    command.error("", { code: "commander.excessArguments" });
  });
  return command;
}
