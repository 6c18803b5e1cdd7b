/** What a control plane keeps: objects by their place, revisions, history, and who watches. */

import type { KubeObject, Resource } from "./kube-resources.ts";

/** One event of the control plane's history, which watches replay. */
export interface Change {
  readonly revision: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** An object and what each field manager applied to it. */
export interface Row {
  readonly object: KubeObject;
  readonly applied: ReadonlyMap<string, KubeObject>;
}

/** One control plane: its resources, its objects, and what happened to them. */
export interface ControlPlane {
  readonly resources: readonly Resource[];
  readonly rows: Map<string, Row>;
  readonly history: Change[];
  readonly watchers: Set<(change: Change) => void>;
  revision: number;
}

/** A control plane that holds these objects. */
export function makeControlPlane(
  resources: readonly Resource[],
  objects: readonly KubeObject[],
): ControlPlane {
  const plane: ControlPlane = {
    resources,
    rows: new Map(),
    history: [],
    watchers: new Set(),
    revision: 0,
  };
  for (const object of objects) {
    const resource = plane.resources.find((row) =>
      row.kind === object.kind && apiVersion(row) === object.apiVersion
    );
    if (resource !== undefined) keep(plane, resource, born(object), new Map());
  }
  return plane;
}

/** The `apiVersion` of a resource's objects. */
export function apiVersion({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`;
}

/** What an object is kept under. */
export function rowKey(resource: Resource, namespace: string | undefined, name: string): string {
  return `${apiVersion(resource)}/${resource.plural}/${namespace ?? ""}/${name}`;
}

/** An object with the identity and the time that a new one gets. */
export function born(object: KubeObject): KubeObject {
  return {
    ...object,
    metadata: {
      ...object.metadata,
      uid: crypto.randomUUID(),
      creationTimestamp: new Date().toISOString().replace(/\.\d+/, ""),
    },
  };
}

/** Keeps an object, new or changed, as the next revision. */
export function keep(
  plane: ControlPlane,
  resource: Resource,
  object: KubeObject,
  applied: Row["applied"],
): KubeObject {
  const key = rowKey(resource, object.metadata.namespace, object.metadata.name);
  const resourceVersion = String(plane.revision + 1);
  const kept = { ...object, metadata: { ...object.metadata, resourceVersion } };
  const type = plane.rows.has(key) ? "MODIFIED" : "ADDED";
  plane.rows.set(key, { object: kept, applied });
  record(plane, type, resource, kept);
  return kept;
}

/** Records a change as the next revision and tells it to all who watch. */
export function record(
  plane: ControlPlane,
  type: Change["type"],
  resource: Resource,
  object: KubeObject,
): void {
  plane.revision += 1;
  const change = { revision: plane.revision, type, resource, object };
  plane.history.push(change);
  for (const send of plane.watchers) send(change);
}

/** The objects of a resource that a request selects, by namespace and name. */
export function selected(
  plane: ControlPlane,
  url: URL,
  resource: Resource,
  namespace: string | undefined,
): KubeObject[] {
  const prefix = `${apiVersion(resource)}/${resource.plural}/`;
  return [...plane.rows].filter(([key]) => key.startsWith(prefix)).map(([, row]) => row.object)
    .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
    .filter((object) => matches(url, object))
    .sort((a, b) => rank(a) < rank(b) ? -1 : 1);
}

function rank({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Label selectors by equality and existence, field selectors by name and namespace. */
export function matches(url: URL, { metadata }: KubeObject): boolean {
  const fields: Record<string, string | undefined> = {
    "metadata.name": metadata.name,
    "metadata.namespace": metadata.namespace,
  };
  const holds = (selector: string | null, values: Readonly<Record<string, string | undefined>>) =>
    (selector ?? "").split(",").filter((term) => term !== "").every((term) => {
      const [, key = "", operator, value] = /^([^!=]+)(!=|==?)?(.*)$/.exec(term) ?? [];
      if (operator === undefined) return values[key] !== undefined;
      return (values[key] === value) === (operator !== "!=");
    });
  return holds(url.searchParams.get("labelSelector"), metadata.labels ?? {}) &&
    holds(url.searchParams.get("fieldSelector"), fields);
}
