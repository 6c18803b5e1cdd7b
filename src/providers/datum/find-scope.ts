/** Finds what a command acts on; it looks into the kubeconfig last. */

import type { ChosenSession } from "../../sessions/choose.ts";
import { mayHoldOurs } from "../../kubeconfig/default-files.ts";
import type { Environment } from "../../system/environment.ts";
import { type ChosenScope, chosenScope, type ScopeFlags } from "./scope.ts";

/**
 * {@link chosenScope}, else the context of the kubeconfig that is named, else its current one. With `quickly`, a kubeconfig
 * that no entry of ours can be in is not parsed, and nothing is said of its faults.
 *
 * @throws {AppError} as all three and `KUBECONFIG`
 */
export async function findScope(
  flags: ScopeFlags,
  env: Environment,
  chosen: ChosenSession,
  { quickly = false }: { readonly quickly?: boolean } = {},
): Promise<ChosenScope | undefined> {
  const scope = chosenScope(flags, { env, inUse: chosen.session.inUse });
  if (scope !== undefined) return scope;
  if (quickly && !await mayHoldOurs(env)) return undefined;
  // Loaded lazily: most calls never need the YAML reader.
  const { currentScope, namedScope } = await import("./kubeconfig-context.ts");
  const { context } = flags;
  return context === undefined ? await currentScope(env, chosen) : await namedScope(env, chosen, context);
}
