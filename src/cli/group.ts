/** A command that holds others and does nothing by itself. */

import type { Command } from "@commander-js/extra-typings";

/** Makes a word that only holds others show its help when it stands alone. */
export function holdsOthers(command: Command): Command {
  command.argument("[words...]").usage("[options] [command]").action((words: string[]) => {
    const [word] = words;
    if (word === undefined) return command.outputHelp();
    // What Commander does by itself only where the command has no action.
    command.error("", { code: "commander.excessArguments" });
  });
  return command;
}
