/** The control planes: the part of the Kubernetes API that kubectl and datumctl need, in memory. */

import { failure, forbidden, notFound, shown } from "./kube-answers.ts";
import { BY_VERBS, byRoles } from "./kube-authorization.ts";
import type { Identity } from "./kube-authorization.ts";
import { type ControlPlane, makeControlPlane, rowKey } from "./kube-control-plane.ts";
import { describe } from "./kube-discovery.ts";
import {
  type Call,
  type ControlPlaneSwitches,
  DEFAULT_SWITCHES,
  isApply,
  resolve,
  verbOf,
} from "./kube-request.ts";
import {
  CLUSTER_RESOURCES,
  GROUPS,
  initialObjects,
  isKnown,
  manyResources,
  RESOURCES,
} from "./kube-resources.ts";
import type { KubeObject, Scope } from "./kube-resources.ts";
import { review } from "./kube-reviews.ts";
import { apply, create, list, patch, remove, update, watch } from "./kube-verbs.ts";

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
  let { organizations } = options.switches();

  return async (request) => {
    const url = new URL(request.url);
    const switches = options.switches();
    if (switches.organizations !== organizations) planes.clear();
    ({ organizations } = switches);
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
    if (!own && !isKnown(scope, organizations)) return unknownId(scope, switches);
    if (scope.kind === "user" && !own) {
      return forbidden(identity.user, `get users "${scope.id}"`);
    }
    const key = `${scope.kind}/${scope.id}`;
    const plane = planes.get(key) ?? makeControlPlane(
      RESOURCES.filter(({ at }) => at === undefined || at === scope.kind),
      initialObjects(scope, identity.user, organizations),
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
