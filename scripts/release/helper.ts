/** Docker's credential helper as archives and packages bring it. */

import { helperFileName, shippedHelper } from "../../src/cli/docker/helper-script.ts";
import type { Entry } from "./archives.ts";
import type { Platform } from "./table.ts";

/** The script's name for a system. */
export function helperName(os: Platform["os"]): string {
  return helperFileName(os === "windows");
}

/** The script as a file of an archive, which stands beside the program. */
export function helperEntry(os: Platform["os"], folder = ""): Entry {
  const bytes = new TextEncoder().encode(shippedHelper(os === "windows"));
  return { path: `${folder}${helperName(os)}`, bytes, mode: 0o755 };
}
