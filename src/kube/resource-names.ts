/** The names of resources: full names, and which served resource a person's word means. */

import { AppError } from "../errors.ts";
import { SERVER_HINTS } from "../server-hints.ts";
import { nearestWord, printable } from "../text.ts";
import type { ApiResource, Discovery, DiscoverySource } from "./discovery.ts";

/** `plural.group`; only the plural for the core group. */
export function fullNameOf({ plural, group }: Pick<ApiResource, "plural" | "group">): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/** Each resource once: in its group's preferred version, else in the first that has it. */
export function preferredResources({ groups, resources }: Discovery): ApiResource[] {
  const preferred = new Map(groups.map((group) => [group.name, group.preferred]));
  const chosen = new Map<string, ApiResource>();
  for (const resource of resources) {
    const name = fullNameOf(resource);
    if (!chosen.has(name) || resource.version === preferred.get(resource.group)) chosen.set(name, resource);
  }
  return [...chosen.values()];
}

/**
 * Every resource that a word can mean, the most likely first: a plural before a short name before a singular or
 * kind, then in the server's order of groups. The word may be `resource`, `resource.group` or
 * `resource.version.group`; as in kubectl, the group may be abbreviated.
 */
export function matchingResources(discovery: Discovery, word: string): ApiResource[] {
  const [name = "", ...rest] = word.split(".");
  const lower = name.toLowerCase();
  const groups: readonly ((resource: ApiResource) => boolean)[] = rest.length === 0 ? [() => true] : [
    ({ version, group }) => rest.length > 1 && version === rest[0] && group === rest.slice(1).join("."),
    ({ group }) => group === rest.join("."),
    ({ group }) => group.startsWith(rest.join(".")),
  ];
  const names: readonly ((resource: ApiResource) => boolean)[] = [
    ({ plural }) => plural === lower,
    ({ shortNames }) => shortNames.includes(name),
    ({ singular, kind }) => singular === lower || kind.toLowerCase() === lower,
  ];
  for (const isThere of groups) {
    const there = discovery.resources.filter(isThere);
    for (const isNamed of names) {
      const found = preferredResources({ ...discovery, resources: there.filter(isNamed) });
      if (found.length > 0) return found;
    }
  }
  return [];
}

/** The meaning of a word. */
export interface ResolvedResource {
  readonly resource: ApiResource;
  /** Resources of other groups with the same name. */
  readonly others: readonly ApiResource[];
}

/**
 * The resource that a word means. A cached discovery that does not know the word is fetched again.
 *
 * @throws {AppError} `NOT_FOUND` with the nearest names, and what reading a discovery throws.
 */
export async function resolveResource(source: DiscoverySource, word: string): Promise<ResolvedResource> {
  let discovery = await source.read();
  let found = matchingResources(discovery, word);
  if (found.length === 0 && source.fromCache) {
    discovery = await source.read({ fresh: true });
    found = matchingResources(discovery, word);
  }
  const [resource, ...others] = found;
  if (resource !== undefined) return { resource, others };
  const missing = discovery.missing.length === 0
    ? ""
    : ` It did not report ${discovery.missing.map(({ part }) => printable(part, 100)).join(", ")}.`;
  throw new AppError(
    "NOT_FOUND",
    `There is no resource "${printable(word, 80)}" in ${source.client.what}.${missing}`,
    { hint: hintForWord(discovery, word) },
  );
}

/** The nearest name that is served, and where to see them all. */
export function hintForWord({ resources }: Discovery, word: string): string {
  const names = resources.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...shortNames])
    .filter((name) => name !== "");
  const near = nearestWord(word.toLowerCase(), names);
  return near === undefined
    ? SERVER_HINTS.NOT_FOUND.served
    : `Did you mean ${printable(near, 80)}? ${SERVER_HINTS.NOT_FOUND.served}`;
}

/** A sentence with everything else that a word could mean; undefined when it means one thing. */
export function ambiguityOf(word: string, { resource, others }: ResolvedResource): string | undefined {
  if (others.length === 0) return undefined;
  const named = others.map((other) => printable(fullNameOf(other), 200)).join(", ");
  return `"${printable(word, 80)}" means ${
    printable(fullNameOf(resource), 200)
  } here; there is also ${named}.`;
}
