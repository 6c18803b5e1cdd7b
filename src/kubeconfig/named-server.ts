/** The server that a kubeconfig entry is about to lead to, and the servers that share its user entry. */

import { type AskingServer, askingServer } from "../sessions/served-servers.ts";
import { clustersServed } from "./cluster.ts";
import { entryNamed, type Kubeconfig } from "./file.ts";

/** The server that an entry is about to lead to. */
export interface NamedServer {
  /** The name of the cluster entry. */
  readonly cluster: string;
  /** Its address; undefined for an entry that exists and is not changed. */
  readonly server?: string | undefined;
  /** A token of the session was accepted there. */
  readonly accepted: boolean;
  /** The user entry through which it is served. */
  readonly user: string;
}

/**
 * The way to the server. Of a cluster entry that exists, all of it counts; of one that is written for an address, only
 * the proxy stays, through which the certificate is still checked.
 */
export function wayToServer(kubeconfig: Kubeconfig, { cluster, server }: NamedServer): AskingServer {
  const way = askingServer(entryNamed(kubeconfig, "clusters", cluster)?.fields ?? {});
  return server === undefined
    ? way
    : { ...way, address: server, tlsServerName: undefined, unverified: false };
}

/** The servers of the other contexts that go through the same user entry. */
export function othersServed(kubeconfig: Kubeconfig, { user, cluster }: NamedServer) {
  return clustersServed(kubeconfig, user).filter(({ name }) => name !== cluster)
    .map(({ name, fields }) => ({ name, asking: askingServer(fields) }));
}
