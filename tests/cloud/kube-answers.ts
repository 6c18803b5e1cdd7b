/** How a control plane answers: documents, Tables, and the Status of a failure. */

import { type Call, wantsTable } from "./kube-request.ts";
import type { KubeObject, Resource } from "./kube-resources.ts";
import type { User } from "./users.ts";

/** The document, or its objects as a Table where the client asked for one. */
export function shown(
  { request }: Pick<Call, "request">,
  resource: Resource,
  objects: readonly KubeObject[],
  document: unknown,
  metadata: Readonly<Record<string, unknown>> = {},
): Response {
  return json(200, wantsTable(request) ? table(resource, objects, metadata) : document);
}

/** Objects as a Table, which is what `kubectl get` prints. */
export function table(
  { columns }: Resource,
  objects: readonly KubeObject[],
  metadata: Readonly<Record<string, unknown>>,
): unknown {
  const column = (name: string, description: string, format = "") => ({
    name,
    type: "string",
    format,
    description,
    priority: 0,
  });
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: [
      column("Name", "Name must be unique within a namespace.", "name"),
      ...columns.map(({ name, description }) => column(name, description)),
      column("Age", "How long ago it was created."),
    ],
    rows: objects.map((object) => ({
      cells: [object.metadata.name, ...columns.map(({ cell }) => cell(object)), age(object)],
      object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata },
    })),
  };
}

function age({ metadata }: KubeObject): string {
  return `${Math.max(0, Math.round((Date.now() - Date.parse(metadata.creationTimestamp ?? "")) / 1000))}s`;
}

/** 404 for an object. */
export function notFound({ plural, group }: Resource, name: string): Response {
  const full = group === "" ? plural : `${plural}.${group}`;
  return failure(404, "NotFound", `${full} "${name}" not found`, { name, kind: plural });
}

/** 403 for what a user may not do. */
export function forbidden(user: User, what: string, subject = "access"): Response {
  return failure(403, "Forbidden", `${subject} is forbidden: User "${user.email}" cannot ${what}`);
}

/** A Status that says what failed. */
export function failure(code: number, reason: string, message: string, details?: unknown): Response {
  return json(code, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    details,
    code,
  });
}

/** A document as JSON. */
export function json(status: number, document: unknown): Response {
  return new Response(JSON.stringify(document), { status, headers: { "content-type": "application/json" } });
}
