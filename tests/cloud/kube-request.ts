/** What a control plane reads in a request: the resource, the verb, the object, and how it is to answer. */

import type { Authorizer, Identity } from "./kube-authorization.ts";
import type { ControlPlane } from "./kube-control-plane.ts";
import type { Aggregated } from "./kube-discovery.ts";
import { fromProtobuf, KUBERNETES_PROTOBUF } from "./kube-protobuf.ts";
import { type KubeObject, type Organization, ORGANIZATIONS, type Resource } from "./kube-resources.ts";

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
  /** The organizations, with their members and projects; others than before begin with new control planes. */
  readonly organizations: readonly Organization[];
  /** Takes any name for an object, as a server does that means harm. */
  readonly anyNames?: boolean;
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
  organizations: ORGANIZATIONS,
};

/** A request to a control plane, and all that its answer depends on. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly rest: string;
  readonly plane: ControlPlane;
  readonly identity: Identity;
  readonly authorizer: Authorizer;
  readonly switches: ControlPlaneSwitches;
  readonly closing: AbortSignal;
}

/** The resource, and the object if one is named, that a path is about. */
export interface Target {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** What a path is about; undefined where it is about nothing that is served. */
export function resolve(path: string, resources: readonly Resource[]): Target | undefined {
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

/** The verb of a request, as authorization names it. */
export function verbOf(method: string, name: string | undefined, url: URL): string | undefined {
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

/** Whether a patch is a server-side apply. */
export function isApply(request: Request): boolean {
  return (request.headers.get("content-type") ?? "").startsWith("application/apply-patch+");
}

/** Whether nothing shall be kept. */
export function isDryRun(url: URL): boolean {
  return url.searchParams.get("dryRun") === "All";
}

/** Whether the client asked for a Table. */
export function wantsTable(request: Request): boolean {
  return /as=Table;/.test(request.headers.get("accept") ?? "");
}

/** The object in the body, of JSON or Protocol Buffers; undefined where there is none. */
export async function readObject(request: Request): Promise<KubeObject | undefined> {
  try {
    const type = request.headers.get("content-type") ?? "";
    return type.startsWith(KUBERNETES_PROTOBUF)
      ? fromProtobuf(await request.bytes())
      : asKubeObject(await request.json());
  } catch {
    return undefined;
  }
}

/** A value as an object, if it has a kind. */
export function asKubeObject(value: unknown): KubeObject | undefined {
  const { metadata, kind } = asRecord(value);
  return typeof kind === "string"
    ? { ...asRecord(value), kind, metadata: asRecord(metadata) } as KubeObject
    : undefined;
}

/** A value's members; none where it is no object. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
