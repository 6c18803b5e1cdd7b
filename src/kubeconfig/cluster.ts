/** Whether the servers of a user entry fit into what kubectl tells its plugin. */

import { AppError } from "../errors.ts";
import { readSharedFile } from "../system/shared-file.ts";
import { authorityPath } from "./server.ts";
import { entriesByName, entryNamed, type Kubeconfig, type KubeconfigEntry } from "./file.ts";

/** The cluster entries that the contexts of a user entry use. */
export function clustersServed(kubeconfig: Kubeconfig, user: string): readonly KubeconfigEntry[] {
  const contexts = [...entriesByName(kubeconfig, "contexts").values()];
  const names = new Set(contexts.flatMap(({ fields }) => fields["user"] === user ? fields["cluster"] : []));
  if (names.size === 0) return [];
  const clusters = entriesByName(kubeconfig, "clusters");
  return [...names].flatMap((name) => typeof name === "string" ? clusters.get(name) ?? [] : []);
}

/**
 * The largest authority, in bytes of PEM, that client-go can tell its plugin: one environment variable holds 128
 * KiB on Linux and 32 KiB on Windows, the authority in base64 and everything else included.
 */
export const LARGEST_AUTHORITY = 16 * 1024;

/**
 * The name of a cluster whose authority is too large for that; undefined when all fit. Looks at the clusters that a
 * user entry serves and the one that is about to be written for it.
 */
export async function tooLargeToTell(
  kubeconfig: Kubeconfig,
  user: string,
  { cluster, server, certificateAuthority = "" }: {
    readonly cluster: string;
    /** Set when its entry is written, with this authority or none. */
    readonly server?: string | undefined;
    readonly certificateAuthority?: string | undefined;
  },
): Promise<string | undefined> {
  if (server !== undefined && new TextEncoder().encode(certificateAuthority).length > LARGEST_AUTHORITY) {
    return cluster;
  }
  const named = server === undefined ? entryNamed(kubeconfig, "clusters", cluster) ?? [] : [];
  const others = clustersServed(kubeconfig, user).filter(({ name }) => name !== cluster);
  for (const entry of others.concat(named)) if (await isTooLarge(entry)) return entry.name;
  return undefined;
}

async function isTooLarge(entry: KubeconfigEntry): Promise<boolean> {
  const data = entry.fields["certificate-authority-data"];
  // Four characters of base64 are three bytes.
  if (typeof data === "string" && data !== "") {
    return Math.floor(data.replace(/=+\s*$/, "").length * 3 / 4) > LARGEST_AUTHORITY;
  }
  const path = authorityPath(entry);
  try {
    if (path !== undefined) await readSharedFile(path, LARGEST_AUTHORITY);
    return false;
  } catch (thrown) {
    // A larger or unreadable file may be too large.
    if (thrown instanceof AppError) return true;
    throw thrown;
  }
}
