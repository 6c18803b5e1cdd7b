/** Lists the organizations and projects of a signed-in user. */

import { capital, printable } from "../../text.ts";
import { listObjects } from "../../kube/list.ts";
import { member, text } from "../../kube/objects.ts";
import { isScopeId } from "./facts.ts";
import type { Session } from "../../sessions/session.ts";
import type { ProviderContext } from "../context.ts";
import { openTarget } from "./control-plane.ts";
import { rememberListed } from "./listed.ts";

/** An organization that the user is a member of. */
export interface Organization {
  readonly id: string;
  readonly displayName: string | undefined;
  readonly type: string | undefined;
}

/** A project of an organization. */
export interface Project {
  readonly id: string;
  readonly displayName: string | undefined;
  readonly organization: string;
}

/** The user's organizations, by id: those of the memberships in their own control plane. */
export async function listOrganizations(context: ProviderContext, chosen: Session): Promise<Organization[]> {
  using plane = await openTarget(context, chosen, { kind: "user", source: "the session" });
  const memberships = await listObjects(plane.client, `/apis/${plane.api}/organizationmemberships`);
  const found = memberships.map((membership): Organization => {
    const { displayName, type } = member(member(membership, "status"), "organization");
    return {
      id: text(member(member(membership, "spec"), "organizationRef").name),
      displayName: text(displayName) || undefined,
      type: text(type) || undefined,
    };
  });
  const organizations = withIds(context, "organization", plane.what, found);
  const sorted = [...new Map(organizations.map((organization) => [organization.id, organization])).values()]
    .sort(byId);
  await rememberListed(context.store, chosen, "user", sorted);
  return sorted;
}

/** The projects of an organization, by id. */
export async function listProjects(
  context: ProviderContext,
  chosen: Session,
  organization: string,
): Promise<Project[]> {
  using plane = await openTarget(context, chosen, { kind: "organization", id: organization, source: "" });
  const found = (await listObjects(plane.client, `/apis/${plane.api}/projects`)).map((project): Project => {
    const metadata = member(project, "metadata");
    const displayName = text(member(metadata, "annotations")["kubernetes.io/display-name"]) || undefined;
    return { id: text(metadata.name), displayName, organization };
  });
  const projects = withIds(context, "project", plane.what, found).sort(byId);
  await rememberListed(context.store, chosen, { organization }, projects);
  return projects;
}

/** Those whose id can be one; that others are passed over is said, for they would lead requests elsewhere. */
function withIds<Row extends { readonly id: string }>(
  { out }: ProviderContext,
  kind: "organization" | "project",
  what: string,
  rows: readonly Row[],
): Row[] {
  const wrong = rows.find(({ id }) => id !== "" && !isScopeId(id));
  if (wrong !== undefined) {
    out.warn(
      `${capital(what)} lists ${kind === "project" ? "a project" : "an organization"} "${
        printable(wrong.id, 80)
      }", which cannot be an id: passed over.`,
    );
  }
  return rows.filter(({ id }) => isScopeId(id));
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
