/** Owns the search for what a command acts on, which looks into the kubeconfig last. */

import type { ChosenSession } from "../sessions/choose.ts";
import type { CommandContext } from "./context.ts";
import { type ChosenScope, chosenScope, type ScopeFlags } from "./scope.ts";

/** {@link chosenScope}, else the current context of the kubeconfig. Throws as both and `KUBECONFIG`. */
export async function findScope(
  flags: ScopeFlags,
  context: Pick<CommandContext, "env" | "providers">,
  chosen: ChosenSession,
): Promise<ChosenScope | undefined> {
  const scope = chosenScope(flags, { env: context.env, inUse: chosen.session.inUse });
  if (scope !== undefined) return scope;
  // A YAML reader is a long way to what a session mostly knows by itself.
  const { currentScope } = await import("./kubeconfig-context.ts");
  return await currentScope(context, chosen);
}
