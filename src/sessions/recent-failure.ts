/** Whether a session's last failure can be one that is still remembered: most calls of get-token find that none is. */

import { isObject, parseJson } from "../encoding.ts";
import type { Clock } from "../system/clock.ts";
import { isListed, readPrivateFile } from "../system/files.ts";

/** How long a failure is remembered, in milliseconds. */
export const REMEMBERED = 10_000;

/** False where the file of a memory tells of no failure that is still remembered. */
export function mayHaveFailed(path: string, now: Clock): boolean {
  // An error for a missing file would take longer than a look into a short folder.
  if (!isListed(path)) return false;
  const last = parseJson(readPrivateFile(path) ?? "");
  const at = isObject(last) ? last.at : undefined;
  return !(typeof at === "number" && now() - at >= REMEMBERED);
}
