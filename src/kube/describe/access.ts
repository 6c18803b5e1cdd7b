/** The descriptions of roles and of what binds them. */

import { membersOf, objectsOf, textOf, textsOf } from "../json-parts.ts";
import { compareBytes } from "../json-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import type { Description } from "./description.ts";

/** Who may do what, as a line of a role's table. */
interface Rule {
  readonly group?: string | undefined;
  readonly resource?: string | undefined;
  readonly resourceNames: readonly string[];
  readonly urls: readonly string[];
  readonly verbs: readonly string[];
}

/** Describes a Role or a ClusterRole. */
export function describeRole(description: Description, role: JsonMembers): void {
  description.head(role, "namespace");
  description.line(0, "PolicyRule:");
  description.line(1, "Resources", "Non-Resource URLs", "Resource Names", "Verbs");
  description.line(1, "---------", "-----------------", "--------------", "-----");
  for (const rule of rulesOf(role)) {
    description.line(1, resourceOf(rule), list(rule.urls), list(rule.resourceNames), list(rule.verbs));
  }
}

/** Describes a RoleBinding or a ClusterRoleBinding. */
export function describeBinding(description: Description, binding: JsonMembers): void {
  description.head(binding, "namespace");
  const role = membersOf(binding, "roleRef");
  description.line(0, "Role:");
  description.line(1, "Kind:", textOf(role, "kind"));
  description.line(1, "Name:", textOf(role, "name"));
  description.line(0, "Subjects:");
  description.line(1, "Kind", "Name", "Namespace");
  description.line(1, "----", "----", "---------");
  for (const subject of objectsOf(binding, "subjects")) {
    description.line(1, ...["kind", "name", "namespace"].map((name) => textOf(subject, name)));
  }
}

/**
 * A role's rules, taken apart: a line for each resource and name, with all the verbs that any rule has for it, and one
 * for each verb of a URL. They are in the order of what they allow.
 */
function rulesOf(role: JsonMembers): Rule[] {
  const ofUrls: Rule[] = [];
  const ofResources = new Map<string, Rule>();
  for (const rule of objectsOf(role, "rules")) {
    const [groups, resources, verbs] = ["apiGroups", "resources", "verbs"].map((name) => textsOf(rule, name));
    const names = textsOf(rule, "resourceNames");
    for (const group of groups ?? []) {
      for (const resource of resources ?? []) {
        for (const resourceNames of names.length === 0 ? [[]] : names.map((name) => [name])) {
          const key = JSON.stringify([group, resource, ...resourceNames]);
          const { verbs: known = [] } = ofResources.get(key) ?? {};
          const all = [...new Set([...known, ...verbs ?? []])];
          ofResources.set(key, { group, resource, resourceNames, urls: [], verbs: all });
        }
      }
    }
    for (const url of textsOf(rule, "nonResourceURLs")) {
      for (const verb of verbs ?? []) ofUrls.push({ resourceNames: [], urls: [url], verbs: [verb] });
    }
  }
  const rules = [...ofUrls, ...ofResources.values()].filter(({ verbs }) => verbs.length > 0);
  return rules.map((rule) => ({ rule, key: sortKey(rule) }))
    .sort((a, b) => compareBytes(a.key, b.key)).map(({ rule }) => rule);
}

/** kubectl compares rules by what Go prints of them, in which verbs come first. */
function sortKey({ group, resource, resourceNames, urls, verbs }: Rule): string {
  const groups = group === undefined ? [] : [group];
  const resources = resource === undefined ? [] : [resource];
  return `{Verbs:${list(verbs)},APIGroups:${list(groups)},Resources:${list(resources)},` +
    `ResourceNames:${list(resourceNames)},NonResourceURLs:${list(urls)},}`;
}

/** `deployments.apps/scale`: a resource with its group, then its sub-resource. */
function resourceOf({ group = "", resource = "" }: Rule): string {
  const slash = resource.indexOf("/");
  const [name, rest] = slash < 0 ? [resource, ""] : [resource.slice(0, slash), resource.slice(slash)];
  return `${name}${group === "" ? "" : `.${group}`}${rest}`;
}

function list(texts: readonly string[]): string {
  return `[${texts.join(" ")}]`;
}
