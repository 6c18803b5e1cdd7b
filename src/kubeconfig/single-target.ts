/** A kubeconfig that holds one target, whose token is in a file. */

import { type EntryOwner, extensionsWith } from "./identity.ts";

/** What such a kubeconfig leads to. */
export interface SingleTarget {
  /** The name of its cluster and context. */
  readonly name: string;
  readonly server: string;
  /** PEM; undefined where the system knows the server's authority. */
  readonly certificateAuthority: string | undefined;
  readonly namespace: string | undefined;
  readonly user: string;
  readonly owner: EntryOwner;
  readonly tokenFile: string;
  /** More fields of the user entry, such as `as`. */
  readonly userFields: Readonly<Record<string, unknown>>;
}

/** Its text: JSON, which is YAML too. */
export function singleTargetKubeconfig(target: SingleTarget): string {
  const { name, server, certificateAuthority, namespace, user, owner, tokenFile, userFields } = target;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{
      name,
      cluster: {
        server,
        "certificate-authority-data": certificateAuthority &&
          new TextEncoder().encode(certificateAuthority).toBase64(),
      },
    }],
    // client-go and the clients that follow it read the first, JavaScript's client the second.
    users: [{
      name: user,
      user: { ...userFields, tokenFile, "token-file": tokenFile, extensions: extensionsWith(owner) },
    }],
    contexts: [{ name, context: { cluster: name, user, namespace } }],
    "current-context": name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
