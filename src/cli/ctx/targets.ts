/** What can be chosen with `ctx use`: the organizations of the signed-in user, each with its projects. */

import { mapConcurrent } from "../../http/map-concurrent.ts";
import { AppError } from "../../errors.ts";
import { checkedScope } from "../../providers/datum/control-plane-address.ts";
import type { Session } from "../../sessions/session.ts";
import { boundedSignal } from "../../system/clock.ts";
import type { CommandContext } from "../context.ts";
import { listedBefore, type ListedScope } from "../../providers/datum/listed.ts";
import { listOrganizations, listProjects } from "../../providers/datum/organizations.ts";

/** An organization, or a project within one. */
export interface Target {
  readonly organization: string;
  readonly project?: string | undefined;
}

/** A target as the server lists it. */
export interface TargetRow extends Target {
  /** What people call it. */
  readonly displayName: string | undefined;
  /** What people call the organization that it is within. */
  readonly within?: string | undefined;
}

/** ORG or ORG/PROJECT. */
export function targetName({ organization, project }: Target): string {
  return project === undefined ? organization : `${organization}/${project}`;
}

/** True for the target that a project, within an organization where that is known, or an organization alone names. */
export function isNamedBy(
  { organization, project }: NonNullable<Session["inUse"]>,
): (row: Target) => boolean {
  return (row) =>
    project === undefined
      ? row.project === undefined && row.organization === organization
      : row.project === project && (organization ?? row.organization) === row.organization;
}

/** A target in words. */
export function targetWords({ organization, project }: NonNullable<Session["inUse"]>): string {
  if (project === undefined) return `the organization ${organization}`;
  return organization === undefined ? `the project ${project}` : `the project ${project} of ${organization}`;
}

/** The time for all organizations together, as a multiple of `--request-timeout`. */
const PATIENCE = 4;

/** Every organization, followed by its projects. */
export async function listTargets(given: CommandContext, session: Session): Promise<TargetRow[]> {
  using whole = boundedSignal(PATIENCE * given.requestTimeout, tooLate, given.interrupted);
  const limited = { ...given, interrupted: whole.signal };
  const organizations = await listOrganizations(limited, session);
  const rows = await mapConcurrent(organizations, async ({ id, displayName }): Promise<TargetRow[]> => {
    const projects = await projectsOf(limited, session, id);
    return withProjects({ id, displayName }, projects);
  });
  return rows.flat();
}

function withProjects({ id, displayName }: ListedScope, projects: readonly ListedScope[]): TargetRow[] {
  return [
    { organization: id, displayName },
    ...projects.map((project) => ({
      organization: id,
      project: project.id,
      displayName: project.displayName,
      within: displayName,
    })),
  ];
}

function tooLate(): AppError {
  return new AppError("NETWORK", "Not every organization listed its projects in time.", {
    hint:
      "See one organization's: datumctl projects list --organization ID; or give a longer --request-timeout.",
  });
}

async function projectsOf(
  cli: CommandContext,
  session: Session,
  organization: string,
): Promise<readonly ListedScope[]> {
  try {
    return await listProjects(cli, session, checkedScope("organization", organization).id);
  } catch (thrown) {
    // An organization that does not list its projects hides no other.
    if (!(thrown instanceof AppError && (thrown.code === "FORBIDDEN" || thrown.code === "NOT_FOUND"))) {
      throw thrown;
    }
    cli.out.warn(thrown.message);
    return [];
  }
}

/** Every target as it was listed before, and when the oldest part of it was. */
export interface ListedTargets {
  readonly rows: readonly TargetRow[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The targets as they were listed in the time before now (in milliseconds); undefined where any part is older. */
export async function targetsListedBefore(
  { store }: Pick<CommandContext, "store">,
  session: Session,
  longestLife: number,
): Promise<ListedTargets | undefined> {
  const organizations = await listedBefore(store, session, "user", longestLife);
  if (organizations === undefined) return undefined;
  const rows: TargetRow[] = [];
  let { at } = organizations;
  for (const organization of organizations.rows) {
    const projects = await listedBefore(store, session, { organization: organization.id }, longestLife);
    if (projects === undefined) return undefined;
    rows.push(...withProjects(organization, projects.rows));
    at = Math.min(at, projects.at);
  }
  return { rows, at };
}
