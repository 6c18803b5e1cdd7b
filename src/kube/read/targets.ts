/** What the arguments of `get` mean: which lists and which objects are to be read. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { ApiResource, Discovery, DiscoverySource } from "../discovery.ts";
import { isUnserved } from "../resource-client.ts";
import {
  ambiguityOf,
  fullNameOf,
  matchingResources,
  preferredResources,
  resolveResource,
} from "../resource-names.ts";
import { collectionPath, objectPath } from "../write/object-ref.ts";
import type { Manifest } from "../write/write-all.ts";

/** A list, or one object. */
export interface ReadTarget {
  readonly resource: ApiResource;
  /** Undefined for all of them, and where the resource has none. */
  readonly namespace: string | undefined;
  /** Undefined for the list. */
  readonly name?: string | undefined;
}

/** What is to be read, in order. */
export interface ReadTargets {
  readonly targets: readonly ReadTarget[];
  /** True when one object was named, which is then printed without a list around it. */
  readonly isSingle: boolean;
  /** A sentence for each word that means more than one resource. */
  readonly ambiguities: readonly string[];
}

/** What is to be read, and why something else cannot be. */
export interface ChosenTargets extends ReadTargets {
  readonly errors: readonly AppError[];
}

/** Manifests that are read from the server. */
export interface ReadManifests {
  readonly manifests: readonly Manifest[];
  /** Whether they are of one file, whose only object is printed without a list around it. */
  readonly isOneFile: boolean;
  /** Whether objects of another namespace fail. */
  readonly onlyThatNamespace: boolean;
}

/** Where to look. */
export interface ReadScope {
  readonly namespace: string;
  readonly allNamespaces?: boolean | undefined;
  /** True when labels or fields select the objects, so that none can be named. */
  readonly selects?: boolean | undefined;
}

/**
 * Reads `TYPE`, `TYPE,TYPE`, `TYPE NAME…` and `TYPE/NAME…`, where a type may be a category.
 *
 * @throws {AppError} `USAGE` for arguments that mean nothing together, `NOT_FOUND` for a type that is not served, and
 * what reading a discovery throws.
 */
export async function resolveTargets(
  source: DiscoverySource,
  args: readonly string[],
  scope: ReadScope,
): Promise<ReadTargets> {
  const [types, ...names] = args;
  if (types === undefined) throw usage("You must say which type of resource to get.");
  return args.some((arg) => arg.includes("/"))
    ? await resolvePairs(source, args, scope)
    : await resolveTypes(source, types, names, scope);
}

/** `TYPE/NAME…` */
async function resolvePairs(
  source: DiscoverySource,
  args: readonly string[],
  scope: ReadScope,
): Promise<ReadTargets> {
  const pairs = args.map(splitPair);
  if (scope.selects) throw usage("Objects are either named or selected, not both.");
  const ambiguities: string[] = [];
  const targets: ReadTarget[] = [];
  for (const { type, name } of pairs) {
    const resolved = await resolveResource(source, type);
    const ambiguity = ambiguityOf(type, resolved);
    if (ambiguity !== undefined) ambiguities.push(ambiguity);
    targets.push(objectTarget(resolved.resource, name, scope));
  }
  return { targets, isSingle: targets.length === 1, ambiguities };
}

/** Does what reads targets; once more, with what is served now, where what was kept of the server's resources is old. */
export async function withServedKinds<Done>(
  kinds: DiscoverySource,
  attempt: () => Promise<Done>,
): Promise<Done> {
  try {
    return await attempt();
  } catch (thrown) {
    if (!(thrown instanceof AppError && isUnserved(thrown) && kinds.fromCache)) throw thrown;
    await kinds.read({ fresh: true });
    return await attempt();
  }
}

function splitPair(arg: string): { readonly type: string; readonly name: string } {
  const [type = "", name = "", ...more] = arg.split("/");
  if (type === "" || name === "" || type.includes(",") || more.length > 0) {
    throw usage(
      `"${printable(arg, 100)}" is not TYPE/NAME, as the arguments are when one of them has a slash.`,
    );
  }
  return { type, name };
}

/** `TYPE`, `TYPE,TYPE`, `TYPE NAME…` */
async function resolveTypes(
  source: DiscoverySource,
  types: string,
  names: readonly string[],
  scope: ReadScope,
): Promise<ReadTargets> {
  const ambiguities: string[] = [];
  const found = new Map<string, ApiResource>();
  const words = types.split(",");
  if (words.includes("")) throw usage(`A type is missing beside a comma: "${printable(types, 100)}".`);
  for (const word of new Set(words)) {
    const resources = await resourcesOf(source, word, ambiguities);
    if (resources.length > 1 && names.length > 0) throw usage("A category has no names of objects.");
    for (const resource of resources) {
      found.set(`${fullNameOf(resource)} ${resource.version}`, resource);
    }
  }
  const resources = [...found.values()];
  if (names.length === 0) {
    return { targets: resources.map((one) => listTarget(one, scope)), isSingle: false, ambiguities };
  }
  if (scope.selects) throw usage("Objects are either named or selected, not both.");
  const targets = resources.flatMap((resource) => names.map((name) => objectTarget(resource, name, scope)));
  return { targets, isSingle: targets.length === 1, ambiguities };
}

/** The resources that a word means: a category's, or one. A category comes first, as in kubectl. */
async function resourcesOf(
  source: DiscoverySource,
  word: string,
  ambiguities: string[],
): Promise<readonly ApiResource[]> {
  let discovery = await source.read();
  let category = inCategory(discovery, word);
  if (category.length === 0 && source.fromCache && matchingResources(discovery, word).length === 0) {
    discovery = await source.read({ fresh: true });
    category = inCategory(discovery, word);
  }
  if (category.length > 0) return category;
  const resolved = await resolveResource(source, word);
  const ambiguity = ambiguityOf(word, resolved);
  if (ambiguity !== undefined) ambiguities.push(ambiguity);
  return [resolved.resource];
}

function inCategory(discovery: Discovery, word: string): ApiResource[] {
  return preferredResources(discovery).filter(({ categories }) => categories.includes(word));
}

function listTarget(resource: ApiResource, { namespace, allNamespaces }: ReadScope): ReadTarget {
  return { resource, namespace: resource.namespaced && !allNamespaces ? namespace : undefined };
}

function objectTarget(resource: ApiResource, name: string, scope: ReadScope): ReadTarget {
  if (resource.namespaced && scope.allNamespaces) {
    throw usage("An object cannot be read by its name in all namespaces.");
  }
  return { ...listTarget(resource, scope), name };
}

/**
 * The path of a target.
 *
 * @throws {AppError} `INVALID` where a name cannot stand in a path.
 */
export function targetPath({ resource, namespace, name }: ReadTarget, subresource = ""): string {
  const within = { ...resource, namespaced: namespace !== undefined };
  return name === undefined
    ? collectionPath(within, namespace ?? "")
    : objectPath({ resource: within, namespace: namespace ?? "", name }, subresource);
}

function usage(message: string): AppError {
  return new AppError("USAGE", message, { hint: "Write TYPE, TYPE NAME or TYPE/NAME." });
}
