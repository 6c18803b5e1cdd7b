/** Which object is meant: its path in the API, and its name as kubectl writes it. */

import { pathSegment } from "../../http/address.ts";
import { printable } from "../../text.ts";
import type { ApiResource } from "../discovery.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { asText, metadataOf } from "../json-parts.ts";

/** What is known of an object's kind. */
export type ObjectKind = Pick<ApiResource, "group" | "version" | "plural" | "kind" | "namespaced">;

/** One object of an API. */
export interface ObjectRef {
  readonly resource: ObjectKind;
  /** Of no meaning where the resource has no namespaces. */
  readonly namespace: string;
  readonly name: string;
}

/** The path that a list of objects is read from, and a new one sent to. @throws {AppError} `INVALID` for no segment. */
export function collectionPath(
  { group, version, plural, namespaced }: ObjectKind,
  namespace: string,
): string {
  const root = group === "" ? "/api" : `/apis/${pathSegment(group)}`;
  const within = namespaced ? `/namespaces/${pathSegment(namespace)}` : "";
  return `${root}/${pathSegment(version)}${within}/${pathSegment(plural)}`;
}

/** The path of an object, or of a sub-resource of it. @throws {AppError} `INVALID` for no segment. */
export function objectPath({ resource, namespace, name }: ObjectRef, subresource = ""): string {
  const path = `${collectionPath(resource, namespace)}/${pathSegment(name)}`;
  return subresource === "" ? path : `${path}/${pathSegment(subresource)}`;
}

/** `deployment.apps/web`. */
export function refLabel({ resource: { kind, group }, name }: ObjectRef): string {
  return labelOf(kind, group, name);
}

/** `deployments/web`, as kubectl names what a wait is about. */
export function pluralLabel({ resource: { plural }, name }: ObjectRef): string {
  return labelOf(plural, "", name);
}

/** The label of an object as it says itself what it is. */
export function objectLabel(object: JsonMembers): string {
  const { name, generateName } = metadataOf(object);
  const { group } = splitApiVersion(asText(object.apiVersion));
  return labelOf(asText(object.kind), group, asText(name) || asText(generateName));
}

/** Kind, group and name, each as long as a server takes them. */
const LONGEST_LABEL = 63 + 253 + 253 + 2;

function labelOf(kind: string, group: string, name: string): string {
  return printable(`${kind.toLowerCase()}${group === "" ? "" : `.${group}`}/${name}`, LONGEST_LABEL);
}

/** `apps/v1` as group and version; the core group is empty. */
export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf("/");
  return { group: apiVersion.slice(0, Math.max(0, slash)), version: apiVersion.slice(slash + 1) };
}

/** How much a command writes: nothing, nothing but what the server makes of it, or all. */
export type DryRun = "none" | "client" | "server";

/** What stands behind a result line that wrote nothing. */
const DRY = { none: "", client: " (dry run)", server: " (server dry run)" } as const;

/** `configmap/a created (server dry run)`. */
export function resultLine(label: string, outcome: string, dryRun: DryRun): string {
  return `${label} ${outcome}${DRY[dryRun]}`;
}

/** `configmap "a" deleted from default namespace`. */
export function deletedLine(ref: ObjectRef, isForced: boolean, dryRun: DryRun): string {
  const { resource: { kind, group, namespaced }, namespace, name } = ref;
  const what = `${kind.toLowerCase()}${group === "" ? "" : `.${group}`} ${JSON.stringify(name)}`;
  const from = namespaced ? ` from ${namespace} namespace` : "";
  return printable(`${what} ${isForced ? "force deleted" : "deleted"}${from}${DRY[dryRun]}`, Infinity);
}
