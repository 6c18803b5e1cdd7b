/** Opens the control plane that a command's flags choose. */

import { type ControlPlane, openTarget } from "../providers/datum/control-plane.ts";
import { findScope } from "../providers/datum/find-scope.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import type { CommandContext } from "./context.ts";
import { actingSession } from "./pick-session.ts";

/**
 * Opens what a command acts on; dispose of it.
 *
 * @throws {AppError} `USAGE` when nothing is in use, naming what chooses it; `NOT_SIGNED_IN` and what getting a token
 * throws
 */
export async function openControlPlane(cli: CommandContext, flags: ScopeFlags): Promise<ControlPlane> {
  const chosen = await actingSession(cli);
  const scope = await findScope(flags, cli.env, chosen);
  if (scope === undefined) throw await cli.providers.nothingInUse(chosen.session);
  const plane = await openTarget(chosen.context, chosen.session, scope);
  const namespace = flags.namespace ?? (scope.kind === "context" ? scope.context.namespace : undefined);
  return { ...plane, namespace };
}
