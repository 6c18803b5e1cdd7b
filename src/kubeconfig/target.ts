/** What a kubeconfig entry leads to: addresses, the names of its parts, and the authorities to try. */

import type { Session } from "../sessions/session.ts";
import { SAME_COMMAND, type Trust } from "../system/network.ts";
import { loadKubeconfig } from "./file.ts";
import { findCluster, serverName, trustClusterLine } from "./server.ts";

/** What can be asked of a server: a control plane answers one kind of review, an ordinary API server any. */
export type ServerKind = "control-plane" | "api-server";

/** An address under which the target may be served. */
export interface ServerAddress {
  readonly url: string;
  /** The API group and version under which a Datum serves control planes there. */
  readonly api?: Session["controlPlaneApi"] | undefined;
}

/** What an entry leads to. */
export interface EntryTarget {
  /** For messages: `the project "web"`. */
  readonly what: string;
  readonly kind: ServerKind;
  /** The organization or project that comes into use. */
  readonly scope?: { readonly kind: "organization" | "project"; readonly id: string } | undefined;
  /** The name of the cluster entry. */
  readonly cluster: string;
  /** The cluster entry is ours to write; else it exists and is not changed. */
  readonly written: boolean;
  /** The name of the context, unless one is given. */
  readonly context: string;
  /** The host whose sessions an entry that follows the active one may act as. */
  readonly apiHost: string;
  /** In the order in which they are asked; the first is taken when none is asked. */
  readonly addresses: readonly [ServerAddress, ...ServerAddress[]];
  /** PEM to trust beside the system's authorities, tried in this order; undefined is none. */
  readonly authorities: readonly (string | undefined)[];
  /** What makes this command trust an authority at the server: a command line, or a variable. */
  readonly trust: Trust;
  /** Why the server is not asked, as a sentence. */
  readonly notAsked?: string | undefined;
}

/** An API server at an address. */
export function apiServerTarget(address: string, { apiHost, certificateAuthority }: Session): EntryTarget {
  const name = serverName(address);
  return {
    what: "the API server",
    kind: "api-server",
    cluster: name,
    written: true,
    context: name,
    apiHost,
    addresses: [{ url: address }],
    notAsked: whyNotAsked(address),
    // The issuer's private authority is tried last: the server's may be another one, and kubectl trusts only the one given.
    authorities: certificateAuthority === undefined ? [undefined] : [undefined, certificateAuthority],
    trust: SAME_COMMAND,
  };
}

/**
 * A cluster entry that exists.
 *
 * @throws {AppError} what {@link findCluster} throws
 */
export async function clusterTarget(
  name: string,
  { apiHost }: Session,
  kubeconfigs: readonly string[],
  { skipValidation, kubeconfig }: {
    readonly skipValidation?: true | undefined;
    readonly kubeconfig?: string | undefined;
  },
): Promise<EntryTarget> {
  const files = await loadKubeconfig(kubeconfigs);
  const cluster = await findCluster(files, name, { authority: skipValidation === undefined });
  return {
    what: "the API server",
    kind: "api-server",
    cluster: cluster.name,
    written: false,
    context: `datum-cluster-${cluster.name}`,
    apiHost,
    addresses: [{ url: cluster.address }],
    authorities: [cluster.certificateAuthority],
    notAsked: whyNotAsked(cluster.address, cluster.unfollowed),
    trust: trustClusterLine(cluster.name, { kubeconfig }),
  };
}

/** kubectl sends no token over http, and datumctl does not reach a server by every field that kubectl follows. */
function whyNotAsked(address: string, field?: string): string | undefined {
  if (address.startsWith("http:")) return "no token goes over http";
  return field === undefined ? undefined : `its cluster entry has ${field}, which datumctl does not follow`;
}
