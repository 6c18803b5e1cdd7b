/** What choosing an organization or project on a terminal takes: the choices as they are shown. */

import type { Session } from "../../sessions/session.ts";
import type { Label } from "../prompt/picker.ts";
import { targetName, type TargetRow } from "./targets.ts";

/** The choices: ids, with display names beside them. */
export function targetLabels(rows: readonly TargetRow[]): Label[] {
  return rows.map((row) => [targetName(row), row.displayName ?? ""]);
}

/** True for the target that a session has in use. */
export function isInUse({ inUse }: Pick<Session, "inUse">): (row: TargetRow) => boolean {
  return ({ organization, project }) =>
    inUse !== undefined && project === inUse.project &&
    organization === (inUse.organization ?? organization) &&
    (project ?? inUse.organization) !== undefined;
}
