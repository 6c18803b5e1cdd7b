/** Finds what a command acts on; it looks into the kubeconfig last. */

import type { ChosenSession } from "../../sessions/choose.ts";
import type { Environment } from "../../system/environment.ts";
import { type ChosenScope, chosenScope, type ScopeFlags } from "./scope.ts";

/**
 * {@link chosenScope}, else the context of the kubeconfig that is named, else its current one.
 *
 * @throws {AppError} as all three and `KUBECONFIG`
 */
export async function findScope(
  flags: ScopeFlags,
  env: Environment,
  chosen: ChosenSession,
): Promise<ChosenScope | undefined> {
  const scope = chosenScope(flags, { env, inUse: chosen.session.inUse });
  if (scope !== undefined) return scope;
  // Loaded lazily: most calls never need the YAML reader.
  const { currentScope, namedScope } = await import("./kubeconfig-context.ts");
  const { context } = flags;
  return context === undefined ? await currentScope(env, chosen) : await namedScope(env, chosen, context);
}
