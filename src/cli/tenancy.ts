/** Owns what organizations and projects there are for a signed-in user, as the control planes tell. */

import { listObjects } from "../kube/list.ts";
import { member, text } from "../kube/objects.ts";
import type { Session } from "../sessions/session-file.ts";
import type { Deps } from "./context.ts";
import { openTarget } from "./control-plane.ts";

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
export async function listOrganizations(deps: Deps, chosen: Session): Promise<Organization[]> {
  using plane = await openTarget(deps, chosen, { kind: "user", source: "the session" });
  const found = new Map<string, Organization>();
  for (const membership of await listObjects(plane.client, `/apis/${plane.api}/organizationmemberships`)) {
    const id = text(member(member(membership, "spec"), "organizationRef").name);
    const { displayName, type } = member(member(membership, "status"), "organization");
    if (id !== "") {
      found.set(id, { id, displayName: text(displayName) || undefined, type: text(type) || undefined });
    }
  }
  return [...found.values()].sort(byId);
}

/** The projects of an organization, by id. */
export async function listProjects(deps: Deps, chosen: Session, organization: string): Promise<Project[]> {
  using plane = await openTarget(deps, chosen, { kind: "organization", id: organization, source: "" });
  return (await listObjects(plane.client, `/apis/${plane.api}/projects`)).flatMap((project): Project[] => {
    const metadata = member(project, "metadata");
    const id = text(metadata.name);
    const displayName = text(member(metadata, "annotations")["kubernetes.io/display-name"]) || undefined;
    return id === "" ? [] : [{ id, displayName, organization }];
  }).sort(byId);
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
