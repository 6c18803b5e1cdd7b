/** Explains that kubectl's own preferences keep it from running an entry that was written. */

import { printable, shellLine } from "../text.ts";
import { pluginRemedy, readPluginPolicy, refusesPlugin } from "../kubeconfig/kuberc.ts";
import { findProgram } from "../system/processes.ts";
import type { CommandContext } from "./context.ts";

/** Prints that kubectl will not run a command, and what allows it; nothing when it will run it. */
export async function printPluginPolicy(
  { env, out }: Pick<CommandContext, "env" | "out">,
  command: string,
): Promise<void> {
  const policy = await readPluginPolicy(env);
  if (policy === undefined || !refusesPlugin(policy, command, (name) => findProgram(name, env("PATH")))) {
    return;
  }
  const { words, lines } = pluginRemedy(policy, command);
  const file = printable(policy.file);
  const unnamed = policy.policy === "Allowlist" ? ", and its list does not hold it" : "";
  out.important(
    `kubectl will not run ${
      printable(command)
    }: ${file} says credentialPluginPolicy: ${policy.policy}${unnamed}.`,
  );
  if (words !== undefined) out.important(`To allow it, with kubectl 1.36 or later: ${shellLine(words)}`);
  const where = lines.length === 1 ? `add to credentialPluginAllowlist in ${file}` : `let ${file} say`;
  out.important(
    words === undefined
      ? `To allow it, ${where}:`
      : `With kubectl 1.35, which does not read what that command writes, ${where}:`,
  );
  for (const line of lines) out.important(`  ${printable(line, Infinity)}`);
}
