/** Opens a cluster of Cloudfleet by its id: its address comes from Cloudfleet's API, and no kubeconfig is needed. */

import { AppError } from "../errors.ts";
import { identityOf, userName } from "../kubeconfig/identity.ts";
import { askingServer } from "../sessions/served-servers.ts";
import { defaultKubeconfigs, loadKubeconfig } from "../kubeconfig/file.ts";
import { actingProfile, openCloudfleet } from "../providers/cloudfleet/open.ts";
import { checkedId } from "../providers/cloudfleet/operations.ts";
import { clusterCache, isServed, knownCluster, namedCluster } from "../providers/cloudfleet/known-cluster.ts";
import { serverOfCluster } from "../providers/cloudfleet/server-of-cluster.ts";
import type { ImpersonationFlags } from "../kube/impersonation.ts";
import { type ControlPlane, openTarget } from "../providers/datum/control-plane.ts";
import type { CommandContext } from "./context.ts";
import { rememberNamed } from "./session-servers.ts";

/**
 * Opens a cluster as the profile that acts; dispose of it. Its server becomes one that the profile's session is for: the
 * person named the cluster, and the address comes from the API that the session's own credentials name.
 *
 * @throws {AppError} as opening Cloudfleet and the cluster do; `NOT_FOUND`; `INVALID` for an address that gets no token
 */
export async function openClusterById(
  cli: CommandContext,
  id: string,
  flags: ImpersonationFlags = {},
): Promise<ControlPlane> {
  checkedId("a cluster", id);
  const { session, store } = await actingProfile(cli);
  const own = { ...cli, store };
  const cache = await clusterCache(store, session, id);
  const known = await knownCluster(cache, session, id);
  if (known !== undefined) return await openTarget(own, session, known, flags);
  const address = await askForAddress(own, id);
  await cache.write(address);
  return await openTarget(own, session, namedCluster(id, address, true), flags);
}

/** Asks Cloudfleet for the address, and remembers with the session that it is for that server. */
async function askForAddress(cli: CommandContext, id: string): Promise<string> {
  using cloudfleet = await openCloudfleet(cli, []);
  const { session } = cloudfleet;
  const server = serverOfCluster(await cloudfleet.api.cluster(id));
  if (!server.startsWith("https:")) {
    throw new AppError(
      "INVALID",
      `Cloudfleet's API gives the address ${server} for the cluster: no token goes over plain http.`,
    );
  }
  if (!isServed(session, askingServer({ server }))) {
    const kubeconfig = await loadKubeconfig(defaultKubeconfigs(cli.env));
    const user = userName(identityOf(session));
    await rememberNamed(cli, session, kubeconfig, { cluster: id, server, accepted: false, user });
  }
  return server;
}
