/** How a control plane describes itself: versions, plain and aggregated discovery, OpenAPI. */

import type { Resource } from "./kube-resources.ts";

/** A document and the content type it goes out with. */
export interface Described {
  readonly contentType: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** How the aggregated discovery goes out: rightly labelled, as plain JSON (as Datum does), or not at all. */
export type Aggregated = "labelled" | "plain" | "none";

const JSON_TYPE = "application/json";

/** The answer to one of the describing paths, or nothing when the path is another one. */
export function describe(
  path: string,
  accept: string,
  resources: readonly Resource[],
  aggregated: Aggregated,
  failing: readonly string[] = [],
): Described | undefined {
  const segments = path.split("/").filter((segment) => segment !== "");
  const [root, group, version] = segments;
  const served = groupVersions(resources);
  switch (root) {
    case "version":
      return segments.length === 1 ? json(VERSION) : undefined;
    case "healthz":
    case "livez":
    case "readyz":
      return { contentType: "text/plain", body: "ok" };
    case "api":
      if (segments.length === 1) return discovery("", accept, resources, aggregated, failing);
      return segments.length === 2 && group === "v1" ? json(resourceList("", "v1", resources)) : undefined;
    case "apis": {
      if (segments.length === 1) return discovery("groups", accept, resources, aggregated, failing);
      const found = served.find((row) =>
        row.group === group && (version === undefined || row.version === version)
      );
      if (found === undefined || segments.length > 3) return undefined;
      return version === undefined
        ? json({ kind: "APIGroup", apiVersion: "v1", ...apiGroup(found.group, served) })
        : json(resourceList(found.group, found.version, resources));
    }
    case "openapi":
      return openapi(segments.slice(1), accept, resources);
    default:
      return undefined;
  }
}

const VERSION = {
  major: "1",
  minor: "33",
  gitVersion: "v1.33.0-cloud",
  gitCommit: "0000000000000000000000000000000000000000",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "go1.24",
  compiler: "gc",
  platform: "linux/amd64",
};

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

function groupVersions(resources: readonly Resource[]): GroupVersion[] {
  const seen = new Map(resources.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return [...seen.values()];
}

function apiGroup(group: string, served: readonly GroupVersion[]): Record<string, unknown> {
  const versions = served.filter((row) => row.group === group)
    .map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function discovery(
  which: "" | "groups",
  accept: string,
  resources: readonly Resource[],
  aggregated: Aggregated,
  failing: readonly string[],
): Described {
  const version = /g=apidiscovery\.k8s\.io/.test(accept) ? /v=(v2(?:beta1)?);/.exec(accept)?.[1] : undefined;
  const here = resources.filter(({ group }) => (group === "") === (which === ""));
  if (version !== undefined && aggregated !== "none") {
    const contentType = aggregated === "plain"
      ? JSON_TYPE
      : `${JSON_TYPE};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return { contentType, body: JSON.stringify(aggregatedList(version, here, failing)) };
  }
  const served = groupVersions(here);
  return which === ""
    ? json({ kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] })
    : json({
      kind: "APIGroupList",
      apiVersion: "v1",
      groups: [...new Set(served.map(({ group }) => group))].map((group) => apiGroup(group, served)),
    });
}

/** A group whose server does not answer is listed without its resources, as the real aggregator does. */
function aggregatedList(
  version: string,
  resources: readonly Resource[],
  failing: readonly string[],
): unknown {
  const byVersion = Map.groupBy(resources, ({ group, version }) => `${group}/${version}`);
  const served = groupVersions(resources);
  const items = [...new Set(served.map(({ group }) => group))].map((group) => ({
    metadata: { name: group || undefined, creationTimestamp: null },
    versions: served.filter((row) => row.group === group).map((row) => ({
      version: row.version,
      freshness: failing.includes(group) ? "Stale" : "Current",
      resources: (failing.includes(group) ? [] : byVersion.get(`${group}/${row.version}`) ?? [])
        .map((resource) => ({
          resource: resource.plural,
          responseKind: { group: resource.group, version: resource.version, kind: resource.kind },
          scope: resource.namespaced ? "Namespaced" : "Cluster",
          singularResource: resource.singular,
          verbs: resource.verbs,
          shortNames: resource.shortNames,
          categories: resource.categories.length === 0 ? undefined : resource.categories,
        })),
    })),
  }));
  return { kind: "APIGroupDiscoveryList", apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
}

function resourceList(group: string, version: string, resources: readonly Resource[]): unknown {
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: resources.filter((resource) => resource.group === group && resource.version === version)
      .map(({ plural, singular, namespaced, kind, verbs, shortNames, categories }) => ({
        name: plural,
        singularName: singular,
        namespaced,
        kind,
        verbs,
        shortNames,
        categories: categories.length === 0 ? undefined : categories,
      })),
  };
}

function openapi(
  segments: readonly string[],
  accept: string,
  resources: readonly Resource[],
): Described | undefined {
  const [edition, root, ...rest] = segments;
  if (edition === "v2") return openapiV2(accept);
  if (edition !== "v3") return undefined;
  if (root === undefined) {
    // The addresses are relative to the host without the control plane's prefix, as the real service has them.
    const paths = groupVersions(resources).map(({ group, version }) => {
      const place = group === "" ? `api/${version}` : `apis/${group}/${version}`;
      return [place, { serverRelativeURL: `/openapi/v3/${place}?hash=1` }];
    });
    return json({ paths: Object.fromEntries(paths) });
  }
  const [group, version] = root === "api" ? ["", rest[0]] : rest;
  const here = resources.filter((resource) => resource.group === group && resource.version === version);
  return here.length === 0 ? undefined : json(openapiV3(here));
}

/**
 * OpenAPI v2 with nothing in it: kubectl before 1.27 asks for it as protobuf, finds no schema and skips its own
 * validation.
 */
function openapiV2(accept: string): Described {
  if (!accept.includes("protobuf")) {
    return json({ swagger: "2.0", info: { title: "Cloud", version: "v1" }, paths: {} });
  }
  const text = (
    field: number,
    value: string,
  ) => [field << 3 | 2, value.length, ...new TextEncoder().encode(value)];
  const info = [...text(1, "Cloud"), ...text(2, "v1")];
  return {
    contentType: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    body: new Uint8Array([...text(1, "2.0"), 2 << 3 | 2, info.length, ...info]),
  };
}

const OBJECT_META = {
  type: "object",
  description: "Standard object's metadata.",
  properties: {
    name: { type: "string", description: "Name must be unique within a namespace." },
    namespace: {
      type: "string",
      description: "Namespace defines the space within which each name must be unique.",
    },
    labels: { type: "object", additionalProperties: { type: "string" } },
    annotations: { type: "object", additionalProperties: { type: "string" } },
  },
};

function openapiV3(resources: readonly Resource[]): unknown {
  const paths = resources.map((resource) => [objectPath(resource), { patch: patchOperation(resource) }]);
  const schemas = resources.map((resource) => [schemaName(resource), schema(resource)]);
  return {
    openapi: "3.0.0",
    info: { title: "Cloud", version: "v1" },
    paths: Object.fromEntries(paths),
    components: {
      schemas: {
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": OBJECT_META,
        ...Object.fromEntries(schemas),
      },
    },
  };
}

function objectPath({ group, version, plural, namespaced }: Resource): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}/${namespaced ? "namespaces/{namespace}/" : ""}${plural}/{name}`;
}

/** kubectl looks here for whether the server validates fields and knows dry runs. */
function patchOperation(resource: Resource): unknown {
  const { group, version, kind } = resource;
  return {
    operationId: `patch${kind}`,
    parameters: ["dryRun", "fieldManager", "fieldValidation", "force"].map((name) => ({
      name,
      in: "query",
      schema: { type: name === "force" ? "boolean" : "string" },
    })),
    responses: { "200": { description: "OK" } },
    "x-kubernetes-action": "patch",
    "x-kubernetes-group-version-kind": { group, version, kind },
  };
}

function schemaName({ group, version, kind }: Resource): string {
  return group === ""
    ? `io.k8s.api.core.${version}.${kind}`
    : `${group.split(".").reverse().join(".")}.${version}.${kind}`;
}

function schema({ group, version, kind, schema }: Resource): unknown {
  return {
    type: "object",
    description: `${kind}, as this cloud keeps it.`,
    properties: {
      apiVersion: { type: "string", description: "The versioned schema of this representation." },
      kind: { type: "string", description: "The REST resource this object represents." },
      metadata: { allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }] },
      ...schema,
    },
    "x-kubernetes-group-version-kind": [{ group, version, kind }],
  };
}

function json(document: unknown): Described {
  return { contentType: JSON_TYPE, body: JSON.stringify(document) };
}
