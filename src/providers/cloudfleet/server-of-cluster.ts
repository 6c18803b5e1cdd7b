/** The address of a cluster's API server, as Cloudfleet's API gives it. */

import { AppError } from "../../errors.ts";
import { serverAddress } from "../../kubeconfig/server.ts";
import { type Cluster, clusterAddress } from "./api.ts";

/**
 * The cluster's address, which must be one that kubectl sends tokens to.
 *
 * @throws {AppError} `NOT_FOUND` when the API names none; `INVALID` for an address that is refused
 */
export function serverOfCluster(cluster: Cluster): string {
  const address = clusterAddress(cluster);
  if (address === undefined) {
    throw new AppError("NOT_FOUND", `Cloudfleet's API gives no address for the cluster ${cluster.id}.`, {
      hint: "It may still be starting: see datumctl clusters list. Or name the address yourself: " +
        "datumctl auth update-kubeconfig --server URL",
    });
  }
  try {
    return serverAddress(address);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(
      "INVALID",
      `The address that Cloudfleet's API gives for the cluster is refused: ${thrown.message}`,
      {
        hint: "Tokens are sent to https addresses only (http on loopback).",
        cause: thrown,
      },
    );
  }
}
