/** Completes with what clouds list: organizations and projects, clusters and tokens. From the cache while that is young. */

import { mapConcurrent } from "../../http/map-concurrent.ts";
import { hasControlPlanes } from "../../providers/datum/facts.ts";
import { listedBefore, type ListedScope, type ListOwner } from "../../providers/datum/listed.ts";
import { organizationVariable } from "../../providers/datum/scope.ts";
import { actingSession } from "../../sessions/acting.ts";
import type { ChosenSession } from "../../sessions/choose.ts";
import {
  type Candidate,
  type Completer,
  type CompletionContext,
  FRESH_MS,
  quietly,
  STALE_MS,
} from "./context.ts";
import { flagValue } from "./position.ts";

/** The organizations of the signed-in user. */
export const organizations: Completer = async ({ context }) => {
  const acting = await actingDatum(context);
  return acting === undefined ? [] : (await organizationsOf(acting)).map(candidateOf);
};

/** The projects of the organization that is named, else those of all organizations. */
export const projects: Completer = async ({ context, given }) => {
  const acting = await actingDatum(context);
  if (acting === undefined) return [];
  const named = flagValue(given, "--organization") ?? organizationVariable(context.env)?.id;
  const of = named === undefined ? (await organizationsOf(acting)).map(({ id }) => id) : [named];
  const found = await projectsOf(acting, of);
  return [...new Map(found.flatMap(({ rows }) => rows).map((row) => [row.id, candidateOf(row)])).values()];
};

/** Organizations, and ORG/PROJECT for their projects. */
export const targets: Completer = async ({ context, text }) => {
  const acting = await actingDatum(context);
  if (acting === undefined) return [];
  const all = await organizationsOf(acting);
  const slash = text.indexOf("/");
  const of = slash < 0 ? all.map(({ id }) => id) : [text.slice(0, slash)];
  const found = await projectsOf(acting, of);
  return [
    ...all.map(candidateOf),
    ...found.flatMap(({ organization, rows }) =>
      rows.map((row) => ({ ...candidateOf(row), word: `${organization}/${row.id}` }))
    ),
  ];
};

/** The clusters of the Cloudfleet organization. */
export const clusters: Completer = async ({ context }) => {
  using cloudfleet = await cloudfleetOf(context);
  return (await cloudfleet.api.clusters()).map(({ id, name }) => ({ word: id, about: name ?? undefined }));
};

/** The API tokens of the Cloudfleet organization. */
export const tokens: Completer = async ({ context }) => {
  using cloudfleet = await cloudfleetOf(context);
  return (await cloudfleet.api.tokens()).map(({ id, name }) => ({ word: id, about: name ?? undefined }));
};

async function cloudfleetOf(context: CompletionContext) {
  const { openCloudfleet } = await import("../../providers/cloudfleet/open.ts");
  return await openCloudfleet(await connected(context), []);
}

async function connected(context: CompletionContext) {
  return (await import("./online.ts")).online(context);
}

interface Acting extends ChosenSession {
  readonly context: CompletionContext;
}

async function actingDatum(context: CompletionContext): Promise<Acting | undefined> {
  const chosen = await actingSession(context.store, context.choice, quietly(context));
  return hasControlPlanes(chosen.session)
    ? { ...chosen, context: { ...context, store: chosen.store } }
    : undefined;
}

function candidateOf({ id, displayName }: ListedScope): Candidate {
  return { word: id, about: displayName };
}

async function organizationsOf(acting: Acting): Promise<readonly ListedScope[]> {
  return await listed(
    acting,
    "user",
    async () => {
      const { listOrganizations } = await import("../../providers/datum/organizations.ts");
      return await listOrganizations(await connected(acting.context), acting.session);
    },
  );
}

async function projectsOf(acting: Acting, organizations: readonly string[]) {
  return await mapConcurrent(organizations, async (organization) => ({
    organization,
    rows: await listed(
      acting,
      { organization },
      async () => {
        const { listProjects } = await import("../../providers/datum/organizations.ts");
        return await listProjects(await connected(acting.context), acting.session, organization);
      },
    ),
  }));
}

/** What was listed lately; else what the server lists now; else what was listed long ago. */
async function listed(
  { store, session }: Acting,
  owner: ListOwner,
  ask: () => Promise<readonly ListedScope[]>,
): Promise<readonly ListedScope[]> {
  const young = await listedBefore(store, session, owner, FRESH_MS);
  if (young !== undefined) return young.rows;
  try {
    return await ask();
  } catch {
    return (await listedBefore(store, session, owner, STALE_MS))?.rows ?? [];
  }
}
