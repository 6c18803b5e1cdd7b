/** Krew itself, built once by Go: its checker of manifests, and the program that installs plugins. */

import { buildCache } from "../../../scripts/npm-packages.ts";
import { has, run } from "./example.ts";

const MODULE = "sigs.k8s.io/krew";
const VERSION = "v0.4.3";

/** Whether Krew can be built here. */
export const CAN_BUILD_KREW = has("go");

/** The path of one of Krew's programs. Go checks what it fetches against its sum database. */
export async function krewProgram(name: "krew" | "validate-krew-manifest"): Promise<string> {
  const folder = `${buildCache()}/krew-${VERSION}`;
  const path = `${folder}/${name}`;
  try {
    await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const env = { GOBIN: folder, CGO_ENABLED: "0" };
    await run("go", ["install", `${MODULE}/cmd/${name}@${VERSION}`], { env });
  }
  return path;
}
