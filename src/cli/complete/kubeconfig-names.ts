/** Completes with the names in kubeconfigs. */

import { defaultKubeconfigs, entriesByName, loadKubeconfig } from "../../kubeconfig/file.ts";
import type { Completer } from "./context.ts";
import { flagValue } from "./position.ts";

/** The names of a list of the kubeconfig: the one that the line names, else the one in force. */
function kubeconfigNames(list: "contexts" | "clusters"): Completer {
  return async ({ context, given }) => {
    const named = flagValue(given, "--kubeconfig");
    const paths = named === undefined ? defaultKubeconfigs(context.env) : [named];
    const entries = entriesByName(await loadKubeconfig(paths), list);
    return [...entries.values()].map(({ name, fields }) => ({ word: name, about: aboutEntry(fields) }));
  };
}

function aboutEntry({ server, cluster }: Readonly<Record<string, unknown>>): string | undefined {
  const about = server ?? cluster;
  return typeof about === "string" ? about : undefined;
}

/** The contexts of the kubeconfig, with their clusters. */
export const contexts: Completer = kubeconfigNames("contexts");

/** The cluster entries of the kubeconfig, with their servers. */
export const clusterEntries: Completer = kubeconfigNames("clusters");
