/** Owns what is known of a control plane between two commands: its discovery, kept with the session. */

import { discoveryOf, type DiscoverySource } from "../kube/discovery.ts";
import { openSessionCache } from "../sessions/cache.ts";
import type { CommandContext } from "./context.ts";
import type { ControlPlane } from "./control-plane.ts";

/** As kubectl has it: what is new is found by its miss. */
const LONGEST_LIFE_MS = 6 * 3600 * 1000;

/** The discovery of an opened control plane, with what an earlier command of the same session learned. */
export async function openDiscovery(
  { store }: Pick<CommandContext, "store">,
  plane: ControlPlane,
): Promise<DiscoverySource> {
  const cache = await openSessionCache(store, {
    session: plane.session.name,
    kind: "discovery",
    source: plane.baseUrl,
    longestLife: LONGEST_LIFE_MS,
  });
  return discoveryOf(plane.client, cache);
}
