/** Owns the control planes: the part of the Kubernetes API that kubectl and datumctl need, in memory. */

import { parse } from "yaml";

import { BY_VERBS, byRoles } from "./kube-authorization.ts";
import type { Authorizer, Identity } from "./kube-authorization.ts";
import { describe } from "./kube-discovery.ts";
import type { Aggregated } from "./kube-discovery.ts";
import { fromProtobuf, KUBERNETES_PROTOBUF } from "./kube-protobuf.ts";
import {
  CLUSTER_RESOURCES,
  GROUPS,
  initialObjects,
  isKnown,
  manyResources,
  RESOURCES,
} from "./kube-resources.ts";
import type { KubeObject, Resource, Scope } from "./kube-resources.ts";
import type { User } from "./users.ts";

export type { Identity } from "./kube-authorization.ts";

/** How the control planes answer; all can be changed while they run. */
export interface ControlPlaneSwitches {
  /** Which names of the service's group answer. */
  readonly groups: "both" | "miloapis" | "datumapis";
  /** Which tokens are taken: Datum introspects access tokens, a plain API server takes ID tokens. */
  readonly acceptedTokens: "access" | "id" | "both";
  /** Audiences for which the JWTs of CI jobs are taken as they are; none are unless given. */
  readonly workloadAudiences?: readonly string[];
  /** How a bad token is refused: 401, or 403 for `system:anonymous`. */
  readonly rejection: "unauthorized" | "anonymous";
  /** How an unknown organization or project is refused: 403 in plain text, or a 400 Status. */
  readonly unknownId: "forbidden" | "bad-request";
  readonly aggregatedDiscovery: Aggregated;
  /** Groups whose own server does not answer: discovery lacks them. */
  readonly failingGroups: readonly string[];
  /** How many kinds are served beside the usual ones. */
  readonly moreResources: number;
  /** What rules reviews answer as their status, instead of the user's own rules. */
  readonly rules?: Readonly<Record<string, unknown>>;
}

/** As Datum's service answers, but for the label of its aggregated discovery, which kubectl needs. */
export const DEFAULT_SWITCHES: ControlPlaneSwitches = {
  groups: "both",
  acceptedTokens: "access",
  rejection: "unauthorized",
  unknownId: "forbidden",
  aggregatedDiscovery: "labelled",
  failingGroups: [],
  moreResources: 0,
};

/** What the control planes need. */
export interface ControlPlaneOptions {
  readonly switches: () => ControlPlaneSwitches;
  /** The identity behind a bearer token of an accepted kind, or nothing. */
  authenticate(token: string): Promise<Identity | undefined>;
  /** Ends watches when the cloud closes. */
  readonly closing: AbortSignal;
}

/** Answers every request to the API host. */
export function makeControlPlanes(options: ControlPlaneOptions): (request: Request) => Promise<Response> {
  const planes = new Map<string, ControlPlane>();

  return async (request) => {
    const url = new URL(request.url);
    const switches = options.switches();
    const located = locate(url.pathname);

    const identity = await identityOf(request, options);
    if (identity === undefined) {
      return switches.rejection === "unauthorized" ? failure(401, "Unauthorized", "Unauthorized") : failure(
        403,
        "Forbidden",
        `forbidden: User "system:anonymous" cannot get path "${located?.rest ?? "/"}"`,
      );
    }
    if (located === undefined || !answers(located.group, switches.groups)) {
      return new Response("404 page not found\n", { status: 404, headers: { "content-type": "text/plain" } });
    }
    const { scope, rest } = located;
    const own = scope.kind === "user" && scope.id === identity.user.sub;
    if (!own && !isKnown(scope)) return unknownId(scope, switches);
    if (scope.kind === "user" && !own) {
      return forbidden(identity.user, `get users "${scope.id}"`);
    }
    const key = `${scope.kind}/${scope.id}`;
    const plane = planes.get(key) ?? makeControlPlane(
      RESOURCES.filter(({ at }) => at === undefined || at === scope.kind),
      initialObjects(scope, identity.user),
    );
    planes.set(key, plane);
    const { closing } = options;
    return await answer({ request, url, rest, plane, identity, authorizer: BY_VERBS, switches, closing });
  };
}

/**
 * Answers every request to a cluster: one control plane at the root of its host, whose roles and bindings say who
 * may do what. `objects` are there from the start, beside the usual namespaces.
 */
export function makeCluster(
  options: Pick<ControlPlaneOptions, "authenticate" | "closing"> & {
    readonly objects: readonly KubeObject[];
  },
): (request: Request) => Promise<Response> {
  const scope: Scope = { kind: "platform", id: "" };
  const plane = makeControlPlane(CLUSTER_RESOURCES, [...initialObjects(scope), ...options.objects]);
  const authorizer = byRoles(() => plane.rows.values().map(({ object }) => object));

  return async (request) => {
    const url = new URL(request.url);
    const identity = await identityOf(request, options);
    if (identity === undefined) return failure(401, "Unauthorized", "Unauthorized");
    const { closing } = options;
    const rest = url.pathname;
    return await answer({
      request,
      url,
      rest,
      plane,
      identity,
      authorizer,
      switches: DEFAULT_SWITCHES,
      closing,
    });
  };
}

async function identityOf(
  request: Request,
  { authenticate }: Pick<ControlPlaneOptions, "authenticate">,
): Promise<Identity | undefined> {
  const token = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return token === undefined ? undefined : await authenticate(token);
}

interface Located {
  readonly scope: Scope;
  /** The name of the group it was asked under; absent for the platform and for users. */
  readonly group?: keyof typeof GROUPS;
  /** The path below the control plane, with its slash. */
  readonly rest: string;
}

function locate(path: string): Located | undefined {
  const found = /^\/apis\/([^/]+)\/([^/]+)\/(organizations|projects|users)\/([^/]+)\/control-plane(\/.*)?$/
    .exec(path);
  if (found === null) return { scope: { kind: "platform", id: "" }, rest: path };
  const [, group = "", version = "", plural = "", id = "", rest = "/"] = found;
  const kind = plural.slice(0, -1) as "organization" | "project" | "user";
  const scope = { kind, id: decodeURIComponent(id) };
  if (kind === "user") {
    return group === "iam.miloapis.com" && version === "v1alpha1" ? { scope, rest } : undefined;
  }
  for (const name of ["miloapis", "datumapis"] as const) {
    if (GROUPS[name].group === group && GROUPS[name].version === version) return { scope, rest, group: name };
  }
  return undefined;
}

function answers(group: Located["group"], groups: ControlPlaneSwitches["groups"]): boolean {
  return group === undefined || groups === "both" || groups === group;
}

/** False for the name of the service's group that does not answer now. */
function isAnswered(group: string, groups: ControlPlaneSwitches["groups"]): boolean {
  const name = (["miloapis", "datumapis"] as const).find((name) => GROUPS[name].group === group);
  return answers(name, groups);
}

function unknownId({ kind, id }: Scope, { unknownId }: ControlPlaneSwitches): Response {
  return unknownId === "bad-request"
    ? failure(400, "BadRequest", `${kind} "${id}" does not exist`)
    : new Response(`${kind} "${id}": access denied\n`, {
      status: 403,
      headers: { "content-type": "text/plain" },
    });
}

/** One event of the control plane's history, which watches replay. */
interface Change {
  readonly revision: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** An object and what each field manager applied to it. */
interface Row {
  readonly object: KubeObject;
  readonly applied: ReadonlyMap<string, KubeObject>;
}

interface ControlPlane {
  readonly resources: readonly Resource[];
  readonly rows: Map<string, Row>;
  readonly history: Change[];
  readonly watchers: Set<(change: Change) => void>;
  revision: number;
}

function makeControlPlane(resources: readonly Resource[], objects: readonly KubeObject[]): ControlPlane {
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

interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly rest: string;
  readonly plane: ControlPlane;
  readonly identity: Identity;
  readonly authorizer: Authorizer;
  readonly switches: ControlPlaneSwitches;
  readonly closing: AbortSignal;
}

async function answer(call: Call): Promise<Response> {
  const { request, rest, plane, identity, authorizer, switches } = call;
  const accept = request.headers.get("accept") ?? "";
  const group = /^\/apis\/([^/]+)\/[^/]+$/.exec(rest)?.[1];
  if (group !== undefined && switches.failingGroups.includes(group)) {
    return failure(503, "ServiceUnavailable", "the server is currently unable to handle the request");
  }
  const served = plane.resources.filter(({ group }) => isAnswered(group, switches.groups));
  const resources = [...served, ...manyResources(switches.moreResources)];
  const described = describe(
    rest,
    accept,
    resources,
    switches.aggregatedDiscovery,
    switches.failingGroups,
  );
  if (described !== undefined && request.method === "GET") {
    return new Response(described.body, { headers: { "content-type": described.contentType } });
  }
  const target = resolve(rest, served);
  if (target === undefined) {
    return failure(404, "NotFound", "the server could not find the requested resource");
  }
  const { resource, namespace, name } = target;

  const verb = verbOf(request.method, name, call.url);
  if (verb === undefined || !resource.verbs.includes(verb)) {
    return failure(
      405,
      "MethodNotAllowed",
      "the server does not allow this method on the requested resource",
    );
  }
  if (resource.kind.startsWith("SelfSubject")) return await review(call, resource);
  const { group: apiGroup, plural } = resource;
  if (!authorizer.allows(identity, { verb, group: apiGroup, resource: plural, namespace, name })) {
    const what = `${verb} resource "${resource.plural}" in API group "${resource.group}"`;
    const where = namespace === undefined ? " at the cluster scope" : ` in the namespace "${namespace}"`;
    const subject = name === undefined ? resource.plural : `${resource.plural} "${name}"`;
    return forbidden(identity.user, what + where, subject);
  }
  if (name === undefined) {
    switch (verb) {
      case "list":
        return list(call, target);
      case "watch":
        return watch(call, target);
      default:
        return await create(call, target);
    }
  }
  const row = plane.rows.get(rowKey(resource, namespace, name));
  if (verb === "patch" && isApply(request)) return await apply(call, target, row);
  if (row === undefined) return notFound(resource, name);
  switch (verb) {
    case "get":
      return shown(call, resource, [row.object], row.object);
    case "delete":
      return remove(call, resource, row);
    case "update":
      return await update(call, resource, row);
    default:
      return await patch(call, resource, row);
  }
}

interface Target {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

function resolve(path: string, resources: readonly Resource[]): Target | undefined {
  const segments = path.split("/").filter((segment) => segment !== "").map(decodeURIComponent);
  const root = segments.shift();
  if (root !== "api" && root !== "apis") return undefined;
  const group = root === "api" ? "" : segments.shift();
  const version = segments.shift();
  const scoped = segments[0] === "namespaces" && segments.length > 2;
  const namespace = scoped ? segments[1] : undefined;
  const [plural, name, subresource] = scoped ? segments.slice(2) : segments;
  const resource = resources.find((row) =>
    row.group === group && row.version === version && row.plural === plural
  );
  if (resource === undefined || subresource !== undefined || (scoped && !resource.namespaced)) {
    return undefined;
  }
  return { resource, namespace, name };
}

function verbOf(method: string, name: string | undefined, url: URL): string | undefined {
  switch (method) {
    case "GET":
      if (/^(1|true)$/.test(url.searchParams.get("watch") ?? "")) return "watch";
      return name === undefined ? "list" : "get";
    case "POST":
      return name === undefined ? "create" : undefined;
    case "PUT":
      return name === undefined ? undefined : "update";
    case "PATCH":
      return name === undefined ? undefined : "patch";
    case "DELETE":
      return name === undefined ? undefined : "delete";
    default:
      return undefined;
  }
}

// The verbs ---------------------------------------------------------------------------------------------------------

function list(call: Call, { resource, namespace }: Target): Response {
  const { plane, url } = call;
  const all = selected(call, resource, namespace);
  const limit = Number(url.searchParams.get("limit") ?? 0);
  const start = Number(url.searchParams.get("continue") ?? 0);
  const part = limit > 0 ? all.slice(start, start + limit) : all.slice(start);
  const end = start + part.length;
  const metadata = {
    resourceVersion: String(plane.revision),
    ...(end < all.length ? { continue: String(end), remainingItemCount: all.length - end } : {}),
  };
  return shown(call, resource, part, {
    kind: `${resource.kind}List`,
    apiVersion: apiVersion(resource),
    metadata,
    items: part,
  }, metadata);
}

function watch(call: Call, { resource, namespace, name }: Target): Response {
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
        : selected(call, resource, namespace).map((object) => ({
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

async function create(call: Call, { resource, namespace }: Target): Promise<Response> {
  const { plane } = call;
  const sent = await readObject(call.request);
  if (sent === undefined) return failure(400, "BadRequest", "the object provided is unrecognized");
  const name = sent.metadata.name ?? "";
  const problem = invalid(plane, resource, namespace, name);
  if (problem !== undefined) return problem;
  if (plane.rows.has(rowKey(resource, namespace, name))) {
    return failure(409, "AlreadyExists", `${resource.plural} "${name}" already exists`, {
      name,
      kind: resource.plural,
    });
  }
  const object = born({
    ...sent,
    metadata: { ...sent.metadata, ...(namespace === undefined ? {} : { namespace }) },
    ...(resource.kind === "Namespace" ? { status: { phase: "Active" } } : {}),
  });
  return stored(call, resource, object, new Map(), 201);
}

async function update(call: Call, resource: Resource, row: Row): Promise<Response> {
  const sent = await readObject(call.request);
  if (sent === undefined) return failure(400, "BadRequest", "the object provided is unrecognized");
  return replaced(call, resource, row, sent, row.applied);
}

async function patch(call: Call, resource: Resource, row: Row): Promise<Response> {
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
async function apply(
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
    ...(namespace === undefined ? {} : { namespace }),
  };
  const object = { ...next, metadata: { ...next.metadata, ...fields } };
  return row === undefined
    ? stored(call, resource, born(object), applied, 201)
    : replaced(call, resource, row, object, applied);
}

function remove(call: Call, resource: Resource, row: Row): Response {
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

/** The SelfSubject… reviews: who is asking, and what they may do. */
async function review(
  { request, identity, authorizer, switches }: Call,
  resource: Resource,
): Promise<Response> {
  const { user, tokenKind, groups = [] } = identity;
  const sent = await readObject(request);
  if (sent === undefined) return failure(400, "BadRequest", "the object provided is unrecognized");
  const spec = asRecord(sent.spec);
  const answer = { kind: resource.kind, apiVersion: apiVersion(resource), metadata: {}, spec };
  switch (resource.kind) {
    case "SelfSubjectReview":
      return json(201, {
        ...answer,
        spec: undefined,
        status: {
          userInfo: {
            username: user.email,
            uid: user.sub,
            groups: [...groups, "system:authenticated"],
            extra: { "cloud.example/token-kind": [tokenKind] },
          },
        },
      });
    case "SelfSubjectAccessReview": {
      const asked = asRecord(spec.resourceAttributes);
      const text = (member: string) => typeof asked[member] === "string" ? asked[member] : "";
      const attributes = {
        verb: text("verb"),
        group: text("group"),
        resource: text("resource"),
        namespace: text("namespace") || undefined,
        name: text("name") || undefined,
      };
      const allowed = spec.resourceAttributes === undefined ||
        authorizer.allows(identity, attributes) || attributes.resource.startsWith("selfsubject");
      return json(201, {
        ...answer,
        status: { allowed, ...(allowed ? {} : { reason: "no rule allows it" }) },
      });
    }
    default:
      return json(201, {
        ...answer,
        status: switches.rules ?? {
          resourceRules: [
            ...authorizer.rules(identity, String(spec.namespace ?? "")),
            { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
            {
              verbs: ["create"],
              apiGroups: ["authorization.k8s.io"],
              resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            },
          ],
          nonResourceRules: [{
            verbs: ["get"],
            nonResourceURLs: ["/api", "/api/*", "/apis", "/apis/*", "/version"],
          }],
          incomplete: false,
        },
      });
  }
}

// Objects -----------------------------------------------------------------------------------------------------------

function apiVersion({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`;
}

function rowKey(resource: Resource, namespace: string | undefined, name: string): string {
  return `${apiVersion(resource)}/${resource.plural}/${namespace ?? ""}/${name}`;
}

function born(object: KubeObject): KubeObject {
  return {
    ...object,
    metadata: {
      ...object.metadata,
      uid: crypto.randomUUID(),
      creationTimestamp: new Date().toISOString().replace(/\.\d+/, ""),
    },
  };
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

function keep(
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

function record(plane: ControlPlane, type: Change["type"], resource: Resource, object: KubeObject): void {
  plane.revision += 1;
  const change = { revision: plane.revision, type, resource, object };
  plane.history.push(change);
  for (const send of plane.watchers) send(change);
}

function selected({ plane, url }: Call, resource: Resource, namespace: string | undefined): KubeObject[] {
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
function matches(url: URL, { metadata }: KubeObject): boolean {
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

function isApply(request: Request): boolean {
  return (request.headers.get("content-type") ?? "").startsWith("application/apply-patch+");
}

function isDryRun(url: URL): boolean {
  return url.searchParams.get("dryRun") === "All";
}

async function readObject(request: Request): Promise<KubeObject | undefined> {
  try {
    const type = request.headers.get("content-type") ?? "";
    return type.startsWith(KUBERNETES_PROTOBUF)
      ? fromProtobuf(await request.bytes())
      : asKubeObject(await request.json());
  } catch {
    return undefined;
  }
}

function asKubeObject(value: unknown): KubeObject | undefined {
  const { metadata, kind } = asRecord(value);
  return typeof kind === "string"
    ? { ...asRecord(value), kind, metadata: asRecord(metadata) } as KubeObject
    : undefined;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

// Answers -----------------------------------------------------------------------------------------------------------

/** The document, or its objects as a Table where the client asked for one. */
function shown(
  { request }: Call,
  resource: Resource,
  objects: readonly KubeObject[],
  document: unknown,
  metadata: Readonly<Record<string, unknown>> = {},
): Response {
  return json(200, wantsTable(request) ? table(resource, objects, metadata) : document);
}

function wantsTable(request: Request): boolean {
  return /as=Table;/.test(request.headers.get("accept") ?? "");
}

function table(
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

function notFound({ plural, group }: Resource, name: string): Response {
  const full = group === "" ? plural : `${plural}.${group}`;
  return failure(404, "NotFound", `${full} "${name}" not found`, { name, kind: plural });
}

function forbidden(user: User, what: string, subject = "access"): Response {
  return failure(403, "Forbidden", `${subject} is forbidden: User "${user.email}" cannot ${what}`);
}

function failure(code: number, reason: string, message: string, details?: unknown): Response {
  return json(code, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  });
}

function json(status: number, document: unknown): Response {
  return new Response(JSON.stringify(document), { status, headers: { "content-type": "application/json" } });
}
