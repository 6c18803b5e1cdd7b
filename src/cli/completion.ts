/** `completion`: prints the script that lets a shell complete datumctl's words. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { valueArgument } from "./complete/declare.ts";
import { type Shell, SHELLS } from "./complete/shell-line.ts";
import type { ContextOf } from "./context.ts";

const EXAMPLES = `
Where it goes; the packages of datumctl put it there by themselves.

bash, in ~/.bashrc, or as a file where the bash-completion package is installed:
  eval "$(datumctl completion bash)"
  datumctl completion bash > ~/.local/share/bash-completion/completions/datumctl

zsh, in ~/.zshrc behind compinit, or as a file in a folder of $fpath:
  eval "$(datumctl completion zsh)"
  datumctl completion zsh > "\${fpath[1]}/_datumctl"

fish:
  datumctl completion fish > ~/.config/fish/completions/datumctl.fish

PowerShell, in $PROFILE:
  datumctl completion powershell | Out-String | Invoke-Expression

The script asks the datumctl on the PATH for each word, so it stays right after an upgrade.

Examples:
  datumctl completion bash
  datumctl completion zsh`;

/** The script of each shell. */
const SCRIPTS: Readonly<Record<Shell, () => Promise<string>>> = {
  bash: async () => (await import("./complete/scripts/bash.ts")).BASH,
  zsh: async () => (await import("./complete/scripts/zsh.ts")).ZSH,
  fish: async () => (await import("./complete/scripts/fish.ts")).FISH,
  powershell: async () => (await import("./complete/scripts/powershell.ts")).POWERSHELL,
};

/** `completion`. */
export function completionCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("completion")
    .description("Print the script that completes datumctl's words in a shell")
    .addArgument(valueArgument(SHELLS, "<shell>", "the shell: bash, zsh, fish or powershell").choices(SHELLS))
    .addHelpText("after", EXAMPLES);
  command.action(async (shell) => contextOf(command).out.text(await SCRIPTS[shell]()));
  return command;
}
