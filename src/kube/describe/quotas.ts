/** The descriptions of what limits a namespace: resource quotas and limit ranges. */

import { membersOf, objectsOf, textOf, textsOf } from "../json-parts.ts";
import { compareBytes, sortedNames } from "../json-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import type { Description } from "./description.ts";

/** What kubectl says of the scopes of a quota. */
const SCOPES: ReadonlyMap<string, string> = new Map([
  [
    "Terminating",
    "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being " +
    "actively terminated by the system.",
  ],
  [
    "NotTerminating",
    "Matches all pods that do not have an active deadline. These pods usually include long running pods whose " +
    "container command is not expected to terminate.",
  ],
  [
    "BestEffort",
    "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
  ],
  [
    "NotBestEffort",
    "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed " +
    "quality of service.",
  ],
]);

const LIMIT_TITLES = [
  "Type",
  "Resource",
  "Min",
  "Max",
  "Default Request",
  "Default Limit",
  "Max Limit/Request Ratio",
];

/** The members of a limit, in the order of their columns. */
const LIMITS = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];

/** Adds the quotas of a namespace. */
export function describeQuotas(description: Description, quotas: readonly JsonMembers[]): void {
  if (quotas.length === 0) return description.line(0, "No resource quota.");
  description.line(0, "Resource Quotas");
  const named = quotas.map((quota) => ({ quota, name: textOf(membersOf(quota, "metadata"), "name") }));
  for (const { quota, name } of named.sort((a, b) => compareBytes(a.name, b.name))) {
    description.line(1, "Name:", name);
    describeScopes(description, quota, 1, "* ");
    description.line(1, "Resource", "Used", "Hard");
    description.line(1, "--------", "---", "---");
    describeUse(description, quota, 1);
  }
}

/** Describes a ResourceQuota by itself. */
export function describeQuota(description: Description, quota: JsonMembers): void {
  description.head(quota, "labels");
  describeScopes(description, quota, 0, " * ");
  description.line(0, "Resource", "Used", "Hard");
  description.line(0, "--------", "----", "----");
  describeUse(description, quota, 0);
}

function describeScopes(description: Description, quota: JsonMembers, level: number, bullet: string): void {
  const scopes = textsOf(membersOf(quota, "spec"), "scopes").sort(compareBytes);
  if (scopes.length > 0) description.line(level, "Scopes:", scopes.join(", "));
  for (const scope of scopes) {
    const meaning = SCOPES.get(scope);
    if (meaning !== undefined) description.line(level, `${bullet}${meaning}`);
  }
}

function describeUse(description: Description, quota: JsonMembers, level: number): void {
  const [hard, used] = ["hard", "used"].map((part) => membersOf(membersOf(quota, "status"), part));
  for (const resource of sortedNames(hard ?? {})) {
    description.line(level, resource, textOf(used, resource) || "0", textOf(hard, resource));
  }
}

/** Adds the limit ranges of a namespace. */
export function describeLimitRanges(description: Description, ranges: readonly JsonMembers[]): void {
  if (ranges.length === 0) return description.line(0, "No LimitRange resource.");
  description.line(0, "Resource Limits");
  describeLimitTable(description, ranges, " ");
}

/** Describes a LimitRange by itself. */
export function describeLimitRange(description: Description, range: JsonMembers): void {
  description.head(range, "labels");
  describeLimitTable(description, [range], "");
}

/** A line for each resource that a limit names, in the order of their names; kubectl's order is a new one each time. */
function describeLimitTable(description: Description, ranges: readonly JsonMembers[], indent: string): void {
  const [first = "", ...titles] = LIMIT_TITLES;
  description.line(0, `${indent}${first}`, ...titles);
  description.line(
    0,
    ...LIMIT_TITLES.map((title, at) => `${at === 0 ? indent : ""}${"-".repeat(title.length)}`),
  );
  for (const limit of ranges.flatMap((range) => objectsOf(membersOf(range, "spec"), "limits"))) {
    const columns = LIMITS.map((name) => membersOf(limit, name));
    const resources = new Set(columns.flatMap((column) => Object.keys(column ?? {})));
    for (const resource of [...resources].sort(compareBytes)) {
      const values = columns.map((column) => textOf(column, resource) || "-");
      description.line(0, `${indent}${textOf(limit, "type")}`, resource, ...values);
    }
  }
}
