/** The kubeconfig's current context as what commands act on. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import {
  actsAs,
  contextNamed,
  defaultKubeconfigs,
  entryNamed,
  type Kubeconfig,
  loadKubeconfig,
} from "../../kubeconfig/file.ts";
import { hasControlPlanes } from "./facts.ts";
import { scopeOfServer } from "./hosts.ts";
import type { ChosenSession } from "../../sessions/choose.ts";
import { askingServer, refuseOtherServer } from "../../sessions/served-servers.ts";
import type { Environment } from "../../system/environment.ts";
import type { SessionProviders } from "../../sessions/providers.ts";
import type { Session } from "../../sessions/session.ts";
import type { ChosenScope } from "./scope.ts";

/**
 * {@link scopeOfContext} of the kubeconfig in force.
 *
 * @throws {AppError} `KUBECONFIG`; `STORAGE`
 */
export async function currentScope(
  env: Environment,
  chosen: ChosenSession,
): Promise<ChosenScope | undefined> {
  return await scopeOfContext(
    await loadKubeconfig(defaultKubeconfigs(env)),
    chosen,
    chosen.store.providers,
  );
}

/**
 * What the kubeconfig's current context leads to, when its user entry is pinned to the chosen session, or follows the
 * active session and that is the chosen one.
 */
export async function scopeOfContext(
  kubeconfig: Kubeconfig,
  { session, source }: Pick<ChosenSession, "session" | "source">,
  providers: SessionProviders,
): Promise<ChosenScope | undefined> {
  const context = contextNamed(kubeconfig);
  const own = context?.own;
  if (context?.server === undefined || own === undefined) return undefined;
  const named = ["--profile", "DATUMCTL_PROFILE", "DATUM_SESSION"].includes(source);
  if (!actsAs(own, session) || (own.session === undefined && named)) return undefined;
  const refused = await whyRefused(kubeconfig, context.cluster, session, providers);
  return {
    kind: "context",
    context,
    kubeconfig,
    // Only a path at a Datum's own host says which project it is.
    scope: hasControlPlanes(session) && refused === undefined ? scopeOfServer(context.server) : undefined,
    refused,
    source: `the kubeconfig's context ${printable(context.name, 100)}`,
  };
}

/** Why a request would get no token there, as far as the session's public fields say. */
async function whyRefused(
  kubeconfig: Kubeconfig,
  cluster: string | undefined,
  session: Session,
  providers: SessionProviders,
): Promise<AppError | undefined> {
  const fields = cluster === undefined ? undefined : entryNamed(kubeconfig, "clusters", cluster)?.fields;
  try {
    if (fields !== undefined) await refuseOtherServer(providers, session, askingServer(fields), { cluster });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}
