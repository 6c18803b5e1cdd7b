/** kubelogin as a program: built from the Go module in this folder where Go is installed, once. */

import { ROOT } from "../../scripts/compile.ts";
import { buildCache } from "../../scripts/npm-packages.ts";
import { buildOnce, goAtHand } from "../apiserver/program.ts";

/**
 * The path of kubelogin, by the name that makes it a command of kubectl.
 *
 * @returns undefined where there is no Go that can build it
 */
export async function kubeloginProgram(): Promise<string | undefined> {
  const go = await goAtHand();
  return go === undefined ? undefined : await buildOnce({
    go,
    module: `${ROOT}tests/kubelogin`,
    name: "kubectl-oidc_login",
    flags: ["-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w"],
    cache: buildCache(),
  });
}
