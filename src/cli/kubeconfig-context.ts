/** Owns what the kubeconfig's current context says of what is acted on. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import {
  actsAs,
  contextNamed,
  defaultKubeconfigs,
  entryNamed,
  type Kubeconfig,
  loadKubeconfig,
} from "../kubeconfig/file.ts";
import type { ChosenSession } from "../sessions/choose.ts";
import { askingServer, refuseOtherServer } from "../sessions/served-servers.ts";
import type { Session } from "../sessions/session.ts";
import type { Environment } from "../system/environment.ts";
import { type ChosenScope, scopeOfServer } from "./scope.ts";

/** {@link scopeOfContext} of the kubeconfig that is there. Throws `KUBECONFIG` and `STORAGE`. */
export async function currentScope(
  env: Environment,
  chosen: ChosenSession,
): Promise<ChosenScope | undefined> {
  return scopeOfContext(await loadKubeconfig(defaultKubeconfigs(env)), chosen);
}

/**
 * The kubeconfig's current context as what is acted on, when it is ours to use: pinned to the chosen session, or
 * following the active one while that is the one chosen.
 */
export function scopeOfContext(
  kubeconfig: Kubeconfig,
  { session, source }: Pick<ChosenSession, "session" | "source">,
): ChosenScope | undefined {
  const context = contextNamed(kubeconfig);
  const own = context?.own;
  if (context?.server === undefined || own === undefined) return undefined;
  const named = ["--profile", "DATUMCTL_PROFILE", "DATUM_SESSION"].includes(source);
  if (!actsAs(own, session) || (own.session === undefined && named)) return undefined;
  const refused = whyRefused(kubeconfig, context.cluster, session);
  return {
    kind: "context",
    context,
    kubeconfig,
    // What a path says of a project is a Datum's word alone.
    scope: session.provider === "datum" && refused === undefined ? scopeOfServer(context.server) : undefined,
    refused,
    source: `the kubeconfig's context ${printable(context.name, 100)}`,
  };
}

/** Why a request would get no token there, as far as the session's public fields tell it. */
function whyRefused(
  kubeconfig: Kubeconfig,
  cluster: string | undefined,
  session: Session,
): AppError | undefined {
  const fields = cluster === undefined ? undefined : entryNamed(kubeconfig, "clusters", cluster)?.fields;
  try {
    if (fields !== undefined) refuseOtherServer(session, askingServer(fields), { cluster });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}
