/** What can be chosen with `ctx use`: the organizations of the signed-in user, each with its projects. */

import { mapConcurrent } from "../../http/map-concurrent.ts";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { checkedScope } from "../../providers/datum/control-plane-address.ts";
import type { Session } from "../../sessions/session.ts";
import { boundedSignal } from "../../system/clock.ts";
import type { CommandContext } from "../context.ts";
import { listOrganizations, listProjects } from "../../providers/datum/organizations.ts";

/** An organization, or a project within one. */
export interface Target {
  readonly organization: string;
  readonly project?: string | undefined;
}

/** @throws {AppError} `USAGE` for a text that is neither ORG nor ORG/PROJECT */
export function parseTarget(text: string): Target {
  const [organization = "", project, ...more] = text.split("/");
  if (more.length > 0) {
    throw new AppError("USAGE", `"${printable(text, 80)}" is neither ORG nor ORG/PROJECT.`, {
      hint: "For example: datumctl ctx use my-org-id/my-project-id",
    });
  }
  checkedScope("organization", organization);
  if (project !== undefined) checkedScope("project", project);
  return { organization, project };
}

/** A target as the server lists it. */
export interface TargetRow extends Target {
  readonly displayName: string | undefined;
}

/** ORG or ORG/PROJECT. */
export function targetName({ organization, project }: Target): string {
  return project === undefined ? organization : `${organization}/${project}`;
}

/** The time for all organizations together, as a multiple of `--request-timeout`. */
const PATIENCE = 4;

/** Every organization, followed by its projects. */
export async function listTargets(given: CommandContext, session: Session): Promise<TargetRow[]> {
  using whole = boundedSignal(PATIENCE * given.requestTimeout, tooLate, given.interrupted);
  const limited = { ...given, interrupted: whole.signal };
  const organizations = await listOrganizations(limited, session);
  const rows = await mapConcurrent(organizations, async ({ id, displayName }): Promise<TargetRow[]> => {
    return [{ organization: id, displayName }, ...await projectsOf(limited, session, id)];
  });
  return rows.flat();
}

function tooLate(): AppError {
  return new AppError("NETWORK", "Not every organization listed its projects in time.", {
    hint:
      "See one organization's: datumctl projects list --organization ID; or give a longer --request-timeout.",
  });
}

async function projectsOf(cli: CommandContext, session: Session, organization: string): Promise<TargetRow[]> {
  try {
    return (await listProjects(cli, session, checkedScope("organization", organization).id))
      .map(({ id, displayName }) => ({ organization, project: id, displayName }));
  } catch (thrown) {
    // An organization that does not list its projects hides no other.
    if (!(thrown instanceof AppError && (thrown.code === "FORBIDDEN" || thrown.code === "NOT_FOUND"))) {
      throw thrown;
    }
    cli.out.warn(thrown.message);
    return [];
  }
}
