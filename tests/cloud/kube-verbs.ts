/** The verbs of a control plane: list, watch, create, update, patch, apply and delete. */

import { parse } from "yaml";

import { failure, json, notFound, shown, table } from "./kube-answers.ts";
import {
  apiVersion,
  born,
  type Change,
  type ControlPlane,
  keep,
  matches,
  record,
  type Row,
  rowKey,
  selected,
} from "./kube-control-plane.ts";
import {
  asKubeObject,
  asRecord,
  type Call,
  isDryRun,
  readObject,
  type Target,
  wantsTable,
} from "./kube-request.ts";
import type { KubeObject, Resource } from "./kube-resources.ts";

/** The objects of a resource, in pages where the client asked for some. */
export function list(call: Call, { resource, namespace }: Target): Response {
  const { plane, url } = call;
  const all = selected(plane, url, resource, namespace);
  const limit = Number(url.searchParams.get("limit") ?? 0);
  const start = Number(url.searchParams.get("continue") ?? 0);
  const part = limit > 0 ? all.slice(start, start + limit) : all.slice(start);
  const end = start + part.length;
  const metadata = {
    resourceVersion: String(plane.revision),
    continue: end < all.length ? String(end) : undefined,
    remainingItemCount: end < all.length ? all.length - end : undefined,
  };
  return shown(call, resource, part, {
    kind: `${resource.kind}List`,
    apiVersion: apiVersion(resource),
    metadata,
    items: part,
  }, metadata);
}

/** What happens to a resource from a revision on, until the time is up or the cloud closes. */
export function watch(call: Call, { resource, namespace, name }: Target): Response {
  const { plane, url, closing, request } = call;
  const since = Number(url.searchParams.get("resourceVersion") ?? 0);
  const seconds = Number(url.searchParams.get("timeoutSeconds") ?? 0);
  const wanted = (change: Change) =>
    change.resource === resource &&
    (namespace === undefined || change.object.metadata.namespace === namespace) &&
    (name === undefined || change.object.metadata.name === name) && matches(url, change.object);
  const encoder = new TextEncoder();
  let end = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (change: Change) => {
        if (!wanted(change)) return;
        const object = wantsTable(request) ? table(resource, [change.object], {}) : change.object;
        controller.enqueue(encoder.encode(`${JSON.stringify({ type: change.type, object })}\n`));
      };
      const finish = () => {
        end();
        controller.close();
      };
      const timer = seconds > 0 ? setTimeout(finish, seconds * 1000) : undefined;
      end = () => {
        clearTimeout(timer);
        plane.watchers.delete(send);
        closing.removeEventListener("abort", finish);
      };
      closing.addEventListener("abort", finish);
      plane.watchers.add(send);
      const past = since > 0
        ? plane.history.filter(({ revision }) => revision > since)
        : selected(plane, url, resource, namespace).map((object) => ({
          revision: 0,
          type: "ADDED" as const,
          resource,
          object,
        }));
      past.forEach(send);
    },
    cancel: () => end(),
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

/** Makes a new object. */
export async function create(call: Call, { resource, namespace }: Target): Promise<Response> {
  const { plane } = call;
  const sent = await readObject(call.request);
  if (sent === undefined) return failure(400, "BadRequest", "the object provided is unrecognized");
  const name = sent.metadata.name ?? "";
  const problem = call.switches.anyNames ? undefined : invalid(plane, resource, namespace, name);
  if (problem !== undefined) return problem;
  if (plane.rows.has(rowKey(resource, namespace, name))) {
    return failure(409, "AlreadyExists", `${resource.plural} "${name}" already exists`, {
      name,
      kind: resource.plural,
    });
  }
  const object = born({
    ...sent,
    metadata: { ...sent.metadata, namespace: namespace ?? sent.metadata.namespace },
    status: resource.kind === "Namespace" ? { phase: "Active" } : sent.status,
  });
  return stored(call, resource, object, new Map(), 201);
}

/** Puts an object in the place of the one that is there. */
export async function update(call: Call, resource: Resource, row: Row): Promise<Response> {
  const sent = await readObject(call.request);
  if (sent === undefined) return failure(400, "BadRequest", "the object provided is unrecognized");
  return replaced(call, resource, row, sent, row.applied);
}

/** Merges a change into an object. */
export async function patch(call: Call, resource: Resource, row: Row): Promise<Response> {
  const type = call.request.headers.get("content-type") ?? "";
  if (!/^application\/(merge|strategic-merge)-patch\+json/.test(type)) {
    return failure(415, "UnsupportedMediaType", `the patch type ${type} is not served here`);
  }
  const change: unknown = await call.request.json();
  return replaced(call, resource, row, merged(row.object, change) as KubeObject, row.applied);
}

function replaced(
  call: Call,
  resource: Resource,
  row: Row,
  next: KubeObject,
  applied: Row["applied"],
): Response {
  const { name, namespace, uid, creationTimestamp, resourceVersion } = row.object.metadata;
  const asked = next.metadata.resourceVersion;
  if (asked !== undefined && asked !== resourceVersion) {
    const message =
      `Operation cannot be fulfilled on ${resource.plural} "${name}": the object has been modified; ` +
      "please apply your changes to the latest version and try again";
    return failure(409, "Conflict", message, { name, kind: resource.plural });
  }
  if (JSON.stringify(next.roleRef) !== JSON.stringify(row.object.roleRef)) {
    const cause = { reason: "FieldValueInvalid", message: "cannot change roleRef", field: "roleRef" };
    const message = `${resource.kind} "${name}" is invalid: roleRef: ${cause.message}`;
    return failure(422, "Invalid", message, { name, kind: resource.kind, causes: [cause] });
  }
  const fixed = { name, namespace, uid, creationTimestamp, resourceVersion } as KubeObject["metadata"];
  const object = { ...next, metadata: { ...next.metadata, ...fixed } };
  if (JSON.stringify(object) === JSON.stringify(row.object)) {
    return shown(call, resource, [row.object], row.object);
  }
  return stored(call, resource, object, applied, 200);
}

/** Server-side apply, by leaves: what a manager no longer sends it no longer owns, and it goes. */
export async function apply(
  call: Call,
  { resource, namespace, name = "" }: Target,
  row: Row | undefined,
): Promise<Response> {
  const { plane, url } = call;
  const manager = url.searchParams.get("fieldManager") ?? "";
  if (manager === "") {
    return failure(400, "BadRequest", "PatchOptions.meta.k8s.io is invalid: fieldManager is required");
  }
  const sent = asKubeObject(parse(await call.request.text()));
  if (sent === undefined || sent.metadata.name !== name) {
    return failure(400, "BadRequest", "the name of the object does not match the name on the URL");
  }
  const problem = invalid(plane, resource, namespace, name);
  if (problem !== undefined) return problem;

  const others = [...row?.applied ?? []].filter(([other]) => other !== manager);
  const wanted = leaves(sent);
  if (url.searchParams.get("force") !== "true") {
    for (const [other, theirs] of others) {
      const field = [...leaves(theirs)].find(([path, value]) =>
        wanted.has(path) && wanted.get(path) !== value
      )?.[0];
      if (field !== undefined) {
        return failure(409, "Conflict", `Apply failed with 1 conflict: conflict with "${other}": ${field}`, {
          name,
          kind: resource.plural,
          causes: [{ reason: "FieldManagerConflict", message: `conflict with "${other}"`, field }],
        });
      }
    }
  }
  const stillOwned = new Set(others.flatMap(([, theirs]) => [...leaves(theirs).keys()]));
  const before = row?.applied.get(manager);
  const gone = before === undefined
    ? []
    : [...leaves(before).keys()].filter((path) => !wanted.has(path) && !stillOwned.has(path));
  const next = without(merged(row?.object ?? {}, sent) as KubeObject, gone);
  const applied = new Map([...others, [manager, sent]]);
  const fields = {
    managedFields: [...applied.keys()].map((owner) => ({
      manager: owner,
      operation: "Apply",
      apiVersion: apiVersion(resource),
      fieldsType: "FieldsV1",
      fieldsV1: {},
    })),
    namespace: namespace ?? next.metadata.namespace,
  };
  const object = { ...next, metadata: { ...next.metadata, ...fields } };
  return row === undefined
    ? stored(call, resource, born(object), applied, 201)
    : replaced(call, resource, row, object, applied);
}

/** Takes an object away. */
export function remove(call: Call, resource: Resource, row: Row): Response {
  const { name, namespace, uid } = row.object.metadata;
  if (!isDryRun(call.url)) {
    call.plane.rows.delete(rowKey(resource, namespace, name));
    record(call.plane, "DELETED", resource, row.object);
  }
  return json(200, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name, kind: resource.plural, uid },
  });
}

function stored(
  call: Call,
  resource: Resource,
  object: KubeObject,
  applied: Row["applied"],
  status: number,
): Response {
  const kept = isDryRun(call.url) ? object : keep(call.plane, resource, object, applied);
  return json(status, kept);
}

function invalid(
  plane: ControlPlane,
  resource: Resource,
  namespace: string | undefined,
  name: string,
): Response | undefined {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)) {
    return failure(
      422,
      "Invalid",
      `${resource.kind} "${name}" is invalid: metadata.name: Invalid value: "${name}"`,
    );
  }
  if (resource.namespaced && namespace === undefined) {
    return failure(400, "BadRequest", "an empty namespace may not be set during creation");
  }
  const namespaces = plane.resources.find(({ kind }) => kind === "Namespace");
  if (namespace !== undefined && namespaces !== undefined) {
    if (!plane.rows.has(rowKey(namespaces, undefined, namespace))) return notFound(namespaces, namespace);
  }
  return undefined;
}

/** RFC 7386, which is also what a strategic merge comes to for maps; its directives (`$…`) are left out. */
function merged(base: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const result = { ...asRecord(base) };
  for (const [member, value] of Object.entries(change)) {
    if (member.startsWith("$")) continue;
    if (value === null) delete result[member];
    else result[member] = merged(result[member], value);
  }
  return result;
}

/** Every leaf of an object by its path; lists count as leaves. */
function leaves(value: unknown, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new Map([[path, JSON.stringify(value)]]);
  }
  return new Map(Object.entries(value).flatMap(([member, below]) => [...leaves(below, `${path}.${member}`)]));
}

function without(object: KubeObject, paths: readonly string[]): KubeObject {
  const prune = (value: unknown, path: string): unknown => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).filter(([member]) => !paths.includes(`${path}.${member}`))
        .map(([member, below]) => [member, prune(below, `${path}.${member}`)]),
    );
  };
  return prune(object, "") as KubeObject;
}
