/** Which kubeconfig files are in force, and whether one can hold an entry of ours: answered without reading YAML. */

import { type Environment, homeOf, onWindows } from "../system/environment.ts";
import { readTextFile } from "../system/files.ts";

/**
 * The files that `$KUBECONFIG` lists (separated by `;` on Windows, else by `:`), else `~/.kube/config`; none when there is
 * no home, so that a reader finds nothing.
 */
export function defaultKubeconfigs(env: Environment, windows = onWindows): string[] {
  const listed = (env("KUBECONFIG") ?? "").split(windows ? ";" : ":").filter((path) => path !== "");
  if (listed.length > 0) return [...new Set(listed)];
  const home = homeOf(env, windows);
  return home === undefined ? [] : [windows ? `${home}\\.kube\\config` : `${home}/.kube/config`];
}

/** What stands in every user entry of ours: the plugin's command, or the extension beside a token file. */
const OURS = /get-token|datumctl/;

/** False where no user entry of the files in force is ours. True for a file that cannot be read: its reader says why. */
export async function mayHoldOurs(env: Environment): Promise<boolean> {
  for (const path of defaultKubeconfigs(env)) {
    try {
      const text = await readTextFile(path);
      if (text !== undefined && OURS.test(text)) return true;
    } catch {
      return true;
    }
  }
  return false;
}
