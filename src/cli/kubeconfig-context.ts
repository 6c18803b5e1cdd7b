/** Owns what the kubeconfig's current context says of what is acted on. */

import { printable } from "../errors.ts";
import {
  actsAs,
  contextOf,
  type Kubeconfig,
  loadKubeconfig,
  surroundingKubeconfigs,
} from "../kube/kubeconfig.ts";
import type { ChosenSession } from "../sessions/choose-session.ts";
import type { Environment } from "../system/environment.ts";
import { type ChosenScope, scopeOfServer } from "./scope.ts";

/** {@link scopeOfContext} of the kubeconfig that is there. Throws `KUBECONFIG` and `STORAGE`. */
export async function currentScope(
  env: Environment,
  chosen: ChosenSession,
): Promise<ChosenScope | undefined> {
  return scopeOfContext(await loadKubeconfig(surroundingKubeconfigs(env)), chosen);
}

/**
 * The kubeconfig's current context as what is acted on, when it is ours to use: pinned to the chosen session, or
 * following the active one while that is the one chosen.
 */
export function scopeOfContext(
  kubeconfig: Kubeconfig,
  { session, source }: Pick<ChosenSession, "session" | "source">,
): ChosenScope | undefined {
  const context = contextOf(kubeconfig);
  const own = context?.own;
  if (context?.server === undefined || own === undefined) return undefined;
  const named = ["--profile", "DATUMCTL_PROFILE", "DATUM_SESSION"].includes(source);
  if (!actsAs(own, session) || (own.session === undefined && named)) return undefined;
  return {
    kind: "context",
    context,
    kubeconfig,
    scope: scopeOfServer(context.server),
    source: `the kubeconfig's context ${printable(context.name, 100)}`,
  };
}
