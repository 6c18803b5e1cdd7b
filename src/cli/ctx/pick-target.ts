/** What choosing an organization or project on a terminal takes: the choices as they are shown. */

import type { Label } from "../prompt/picker.ts";
import { targetName, type TargetRow } from "./targets.ts";

/** The choices: ids, with display names beside them. */
export function targetLabels(rows: readonly TargetRow[]): Label[] {
  return rows.map((row) => [targetName(row), row.displayName ?? ""]);
}
