/** `describe`: an object as a text, and what else must be read of the server for it. */

import { pathSegment } from "../../http/address.ts";
import { membersOf, textOf } from "../json-parts.ts";
import { isMembers, type Json, type JsonMembers } from "../lossless-json.ts";
import { describeBinding, describeRole } from "./access.ts";
import { describeConfigMap, describeNamespace, describeSecret, describeServiceAccount } from "./core.ts";
import { Description } from "./description.ts";
import { describeEvents } from "./events.ts";
import { describeGeneric } from "./generic.ts";
import { describeLimitRange, describeLimitRanges, describeQuota, describeQuotas } from "./quotas.ts";

/** What an object is, as the server's discovery says: the object itself may say anything. */
export interface DescribedKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly kind: string;
}

/** The lists that a description can have beside the object. */
export type RelatedName = "events" | "quotas" | "limitRanges";

/** A list to be read before an object is described. */
export interface RelatedRequest {
  readonly name: RelatedName;
  /** Below the root of the API server, with a field selector, but without a limit: the list may come in pages. */
  readonly path: string;
  /**
   * What is done when the list cannot be read: it fails unless the server has no such list (404), which is then left
   * out; or the list is taken for empty.
   */
  readonly onFailure: "fail-unless-not-found" | "empty";
}

/** The items of the lists that were asked for; a list that is not there is left out of the description. */
export type Related = { readonly [name in RelatedName]?: readonly Json[] | undefined };

/** What a description takes from the machine that it is made on. */
export interface DescribeClock {
  readonly now: Date;
  /** How far the time zone of a time is before UTC, in minutes. */
  readonly minutesEast: (time: Date) => number;
}

interface Describer {
  readonly describe: (description: Description, object: JsonMembers, clock: DescribeClock) => void;
  /** Whether the description ends with events. */
  readonly events: boolean;
}

const GENERIC: Describer = { describe: describeGeneric, events: true };

/** By kind and group. */
const DESCRIBERS: ReadonlyMap<string, Describer> = new Map<string, Describer>([
  ["Namespace.", {
    describe: (description, object, { minutesEast }) => describeNamespace(description, object, minutesEast),
    events: false,
  }],
  ["ConfigMap.", { describe: describeConfigMap, events: true }],
  ["Secret.", { describe: describeSecret, events: false }],
  ["ServiceAccount.", { describe: describeServiceAccount, events: true }],
  ["ResourceQuota.", { describe: describeQuota, events: false }],
  ["LimitRange.", { describe: describeLimitRange, events: false }],
  ["Role.rbac.authorization.k8s.io", { describe: describeRole, events: false }],
  ["ClusterRole.rbac.authorization.k8s.io", { describe: describeRole, events: false }],
  ["RoleBinding.rbac.authorization.k8s.io", { describe: describeBinding, events: false }],
  ["ClusterRoleBinding.rbac.authorization.k8s.io", { describe: describeBinding, events: false }],
]);

/**
 * What must be read of the server before an object is described.
 *
 * @throws {AppError} `INVALID` when the object's name, or its namespace's, cannot stand in a path.
 */
export function relatedRequests(
  kind: DescribedKind,
  object: JsonMembers,
  { events }: { readonly events: boolean },
): RelatedRequest[] {
  const metadata = membersOf(object, "metadata");
  if (isNamespace(kind)) {
    const path = `/api/v1/namespaces/${pathSegment(textOf(metadata, "name"))}`;
    return [
      { name: "quotas", path: `${path}/resourcequotas`, onFailure: "fail-unless-not-found" },
      { name: "limitRanges", path: `${path}/limitranges`, onFailure: "fail-unless-not-found" },
    ];
  }
  return events && describerOf(kind).events
    ? [{ name: "events", path: eventsPath(kind, metadata), onFailure: "empty" }]
    : [];
}

/**
 * The text that `kubectl describe` prints of an object, ends of lines included. It may hold control characters other
 * than escapes and returns: what goes to a terminal must be made safe, line by line.
 *
 * @throws {AppError} `INVALID` when the object nests too deep or is too large.
 */
export function describe(
  kind: DescribedKind,
  object: JsonMembers,
  { events, quotas, limitRanges }: Related,
  clock: DescribeClock,
): string {
  const description = new Description();
  describerOf(kind).describe(description, object, clock);
  if (quotas !== undefined) {
    description.line(0, "");
    describeQuotas(description, quotas.filter(isMembers));
  }
  if (limitRanges !== undefined) {
    description.line(0, "");
    describeLimitRanges(description, limitRanges.filter(isMembers));
  }
  if (events !== undefined) describeEvents(description, events, clock.now);
  return description.text();
}

function describerOf({ group, kind }: DescribedKind): Describer {
  return DESCRIBERS.get(`${kind}.${group}`) ?? GENERIC;
}

function isNamespace({ group, kind }: DescribedKind): boolean {
  return group === "" && kind === "Namespace";
}

/** The events that are about an object; those of one without a namespace may be in any. */
function eventsPath({ kind }: DescribedKind, metadata: JsonMembers | undefined): string {
  const namespace = textOf(metadata, "namespace");
  const about = { name: textOf(metadata, "name"), namespace, kind, uid: textOf(metadata, "uid") };
  const selector = Object.entries(about).filter(([field, value]) => value !== "" || field === "namespace")
    .map(([field, value]) => `involvedObject.${field}=${value.replace(/[\\,=]/g, "\\$&")}`).join(",");
  const base = namespace === "" ? "/api/v1/events" : `/api/v1/namespaces/${pathSegment(namespace)}/events`;
  return `${base}?fieldSelector=${encodeURIComponent(selector.toWellFormed())}`;
}
