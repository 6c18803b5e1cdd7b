/** Completes with what an API server serves and holds: types from the cache, names from the server itself. */

import { isObject } from "../../encoding.ts";
import { discoveryAtHand, openDiscovery } from "../../kube/cached-discovery.ts";
import { type ApiResource, type Discovery, groupVersionOf } from "../../kube/discovery.ts";
import { objects, text as textOf } from "../../kube/objects.ts";
import { type Impersonation, type ImpersonationFlags, impersonationOf } from "../../kube/impersonation.ts";
import { fullNameOf, matchingResources, preferredResources } from "../../kube/resource-names.ts";
import { baseUrlAtHand } from "../../providers/datum/base-url.ts";
import type { ControlPlane, ControlPlaneTarget } from "../../providers/datum/control-plane.ts";
import { findScope } from "../../providers/datum/find-scope.ts";
import { actingSession } from "../../sessions/acting.ts";
import type { StoredSession } from "../../sessions/acting.ts";
import {
  type Candidate,
  type Completer,
  type CompletionContext,
  quietly,
  STALE_MS,
  type ValueRequest,
} from "./context.ts";
import { flagValue, type Given } from "./position.ts";

/** How many names are asked for. */
const MOST_NAMES = 1000;

/** In bytes: names alone are far smaller, but a server may not be able to send them alone. */
const MOST_BYTES = 8 * 1024 * 1024;

/** Names without the objects, where the server can do that. */
const ONLY_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/** Types, several with commas; then names of that type; or TYPE/NAME. */
export const objectWords: Completer = async (request) => {
  const { given: { args, flags }, text } = request;
  if (flags.has("--filename")) return [];
  const [type] = args;
  if (text.includes("/")) return await slashNames(request);
  if (type === undefined) return await severalTypes(request);
  if (type.includes("/")) return (await types(request)).map(({ word }) => ({ word: `${word}/`, open: true }));
  if (type.includes(",")) return [];
  const named = new Set(args.slice(1));
  return (await namesOf(request, type)).filter(({ word }) => !named.has(word));
};

/** One TYPE/NAME. */
export const objectWord: Completer = async (request) =>
  request.text.includes("/")
    ? await slashNames(request)
    : (await types(request)).map(({ word, about }) => ({ word: `${word}/`, about, open: true }));

/** The types that are served. */
export const types: Completer = async (request) => {
  const server = await serverOf(request);
  if (server === undefined) return [];
  return typeCandidates(await discoveryOf(server));
};

/** The names of the objects of the type in the word before. */
export const names: Completer = async (request) => await namesOf(request, request.given.args.at(-1) ?? "");

/** The namespaces that are there. */
export const namespaces: Completer = async (request) => await namesOf(request, "namespaces");

/** The groups that are served. */
export const groups: Completer = async (request) =>
  distinct(await served(request), ({ groups }) => groups.map(({ name }) => name));

/** The versions that are served, with their groups. */
export const versions: Completer = async (request) =>
  distinct(
    await served(request),
    ({ groups }) => groups.flatMap(({ name, versions }) => versions.map((one) => groupVersionOf(name, one))),
  );

/** The categories of types. */
export const categories: Completer = async (request) =>
  distinct(await served(request), ({ resources }) => resources.flatMap((one) => one.categories));

function distinct(
  discovery: Discovery | undefined,
  texts: (discovery: Discovery) => readonly string[],
): Candidate[] {
  const found = discovery === undefined ? [] : texts(discovery);
  return [...new Set(found)].filter((text) => text !== "").map((word) => ({ word }));
}

/** A type in a list with commas: what stands before the last one stays. */
async function severalTypes(request: ValueRequest): Promise<Candidate[]> {
  const head = request.text.slice(0, request.text.lastIndexOf(",") + 1);
  return (await types(request)).map((one) => ({ ...one, word: `${head}${one.word}` }));
}

async function slashNames(request: ValueRequest): Promise<Candidate[]> {
  const type = request.text.slice(0, request.text.indexOf("/"));
  return (await namesOf(request, type)).map((one) => ({ ...one, word: `${type}/${one.word}` }));
}

/** What a person types for each type that can be read: its plural, with its group where another has the same. */
function typeCandidates(discovery: Discovery): Candidate[] {
  return preferredResources(discovery).filter(({ verbs }) => verbs.includes("get") || verbs.includes("list"))
    .map((resource) => {
      const [meant] = matchingResources(discovery, resource.plural);
      const word = meant?.group === resource.group ? resource.plural : fullNameOf(resource);
      return { word, about: aboutType(resource) };
    });
}

function aboutType({ kind, group }: ApiResource): string {
  return group === "" ? kind : `${kind}, ${group}`;
}

async function namesOf(request: ValueRequest, type: string): Promise<Candidate[]> {
  const server = await serverOf(request);
  if (server === undefined || type === "") return [];
  const discovery = await discoveryOf(server);
  const [resource] = matchingResources(discovery, type);
  if (resource === undefined || !resource.verbs.includes("list")) return [];
  const { collectionPath } = await import("../../kube/write/object-ref.ts");
  using plane = await server.open();
  const list = await plane.client.get(collectionPath(resource, server.namespace), {
    accept: ONLY_METADATA,
    query: { limit: String(MOST_NAMES) },
    once: true,
    budget: { bytes: MOST_BYTES, left: MOST_BYTES },
  });
  return objects(list.items).map(({ metadata }) => ({
    word: isObject(metadata) ? textOf(metadata.name) : "",
  }));
}

/** The API server that the line acts on, as far as that is known without asking anybody. */
interface Server extends StoredSession {
  /** Undefined where a server has to be asked for it. */
  readonly baseUrl: string | undefined;
  readonly impersonation: Impersonation | undefined;
  readonly namespace: string;
  open(): Promise<ControlPlane>;
}

async function served(request: ValueRequest): Promise<Discovery | undefined> {
  const server = await serverOf(request);
  return server && await discoveryOf(server);
}

/** What an earlier command learned; else what the server says now; else what was learned long ago. */
async function discoveryOf(server: Server): Promise<Discovery> {
  const { baseUrl, session, store, impersonation } = server;
  const atHand = async (longestLife?: number) =>
    baseUrl === undefined
      ? undefined
      : await discoveryAtHand(store, { session, baseUrl, impersonation }, longestLife);
  const young = await atHand();
  if (young !== undefined) return young;
  try {
    using plane = await server.open();
    return await (await openDiscovery({ store }, plane)).read();
  } catch (thrown) {
    const old = await atHand(STALE_MS);
    if (old === undefined) throw thrown;
    return old;
  }
}

async function serverOf({ context, given }: ValueRequest): Promise<Server | undefined> {
  const cluster = flagValue(given, "--cluster");
  if (cluster !== undefined) return await clusterServer(context, given, cluster);
  const chosen = await actingSession(context.store, context.choice, quietly(context));
  const scope = await findScope(scopeFlags(given), context.env, chosen);
  if (scope === undefined) return undefined;
  const inUse = scope.kind === "context" ? scope.context.namespace : undefined;
  return {
    ...opener(context, chosen, scope, impersonationFlags(given)),
    baseUrl: baseUrlAtHand(chosen.session, scope),
    namespace: flagValue(given, "--namespace") ?? inUse ?? "default",
  };
}

/** A cluster whose address an earlier command learned. */
async function clusterServer(
  context: CompletionContext,
  given: Given,
  id: string,
): Promise<Server | undefined> {
  const { actingProfile } = await import("../../providers/cloudfleet/open.ts");
  const { clusterCache, knownCluster } = await import("../../providers/cloudfleet/known-cluster.ts");
  const { online } = await import("./online.ts");
  const profile = await actingProfile(online(context));
  const cache = await clusterCache(profile.store, profile.session, id);
  const target = await knownCluster(cache, profile.session, id);
  if (target === undefined) return undefined;
  return {
    ...opener(context, profile, target, impersonationFlags(given)),
    baseUrl: target.address,
    namespace: flagValue(given, "--namespace") ?? "default",
  };
}

function opener(
  context: CompletionContext,
  { session, store }: StoredSession,
  target: ControlPlaneTarget,
  flags: ImpersonationFlags,
): Pick<Server, "session" | "store" | "impersonation" | "open"> {
  return {
    session,
    store,
    impersonation: impersonationOf(flags, target.kind === "context" ? target.user : undefined),
    async open() {
      const { online } = await import("./online.ts");
      const { openTarget } = await import("../../providers/datum/control-plane.ts");
      return await openTarget({ ...online(context), store }, session, target, flags);
    },
  };
}

function scopeFlags(given: Given) {
  return {
    organization: flagValue(given, "--organization"),
    project: flagValue(given, "--project"),
    platformWide: given.flags.has("--platform-wide") || undefined,
    own: given.flags.has("--own") || undefined,
    context: flagValue(given, "--context"),
  };
}

function impersonationFlags({ flags }: Given): ImpersonationFlags {
  return {
    as: flags.get("--as")?.at(-1),
    asGroup: flags.get("--as-group"),
    asUid: flags.get("--as-uid")?.at(-1),
    asUserExtra: flags.get("--as-user-extra"),
  };
}
