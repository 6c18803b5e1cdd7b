/** Opens the control plane that a command's flags choose. */

import { AppError } from "../errors.ts";
import { type ControlPlane, openTarget } from "../providers/datum/control-plane.ts";
import { findScope } from "../providers/datum/find-scope.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import type { CommandContext } from "./context.ts";
import { type ActingSession, actingSession } from "./pick-session.ts";

/**
 * Opens what a command acts on; dispose of it.
 *
 * @throws {AppError} `USAGE` when nothing is in use, naming what chooses it; `NOT_SIGNED_IN` and what getting a token
 * throws
 */
export async function openControlPlane(cli: CommandContext, flags: ScopeFlags): Promise<ControlPlane> {
  if (flags.cluster !== undefined) {
    // Loaded lazily: few calls name a cluster.
    const { openClusterById } = await import("./cluster-by-id.ts");
    return { ...await openClusterById(cli, flags.cluster, flags), namespace: flags.namespace };
  }
  const chosen = await actingSession(cli);
  const scope = await findScope(flags, cli.env, chosen);
  if (scope === undefined) throw await nothingInUse(chosen);
  const plane = await openTarget(chosen.context, chosen.session, scope, flags);
  const namespace = flags.namespace ?? (scope.kind === "context" ? scope.context.namespace : undefined);
  return { ...plane, namespace };
}

/** The error where nothing says what is acted on: the ways to say it, and why the current context does not. */
async function nothingInUse(chosen: ActingSession): Promise<AppError> {
  const { context: cli, session } = chosen;
  const { message, hint } = await cli.providers.nothingInUse(session);
  const { currentNotFollowed } = await import("../providers/datum/kubeconfig-context.ts");
  const reason = session.provider.kubernetes === "none"
    ? undefined
    : await currentNotFollowed(cli.env, chosen);
  if (reason === undefined) return new AppError("USAGE", message, { hint });
  return new AppError("USAGE", `${message} The kubeconfig's current context ${reason.message}.`, {
    hint: `${reason.hint}\n${hint}`,
  });
}
