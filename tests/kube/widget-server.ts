/** A server on loopback that real kubectl gets widgets from: each namespace has a list of its own. */

import type { Json } from "../../src/kube/lossless-json.ts";
import { compactJson } from "../../src/kube/json-text.ts";
import { runKubectl } from "./kubectl.ts";

/** What a namespace holds: objects, and the cells that the server makes of each. */
export interface Widgets {
  readonly objects: readonly Readonly<Record<string, Json>>[];
  readonly columns: readonly Json[];
  readonly cells: readonly (readonly Json[])[];
}

const GROUP_VERSION = "example.com/v1";

/** What discovery answers, by path. */
export const DISCOVERY: Readonly<Record<string, Json>> = {
  "/api": { kind: "APIVersions", versions: ["v1"] },
  "/api/v1": { kind: "APIResourceList", groupVersion: "v1", resources: [] },
  "/apis": {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: [{
      name: "example.com",
      versions: [{ groupVersion: GROUP_VERSION, version: "v1" }],
      preferredVersion: { groupVersion: GROUP_VERSION, version: "v1" },
    }],
  },
  [`/apis/${GROUP_VERSION}`]: {
    kind: "APIResourceList",
    groupVersion: GROUP_VERSION,
    resources: [{
      name: "widgets",
      singularName: "widget",
      namespaced: true,
      kind: "Widget",
      verbs: ["get", "list"],
    }],
  },
};

/** The table that the server answers with for a list. */
export function tableOf({ objects, columns, cells }: Widgets) {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: {},
    columnDefinitions: columns,
    rows: objects.map((object, index) => ({ cells: cells[index] ?? [], object })),
  };
}

/** Starts the server; `get` runs `kubectl get widgets` against it. */
export function widgetServer(namespaces: Readonly<Record<string, Widgets>>) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const namespace = /^\/apis\/example\.com\/v1\/(?:namespaces\/([^/]+)\/)?widgets$/.exec(pathname);
    const widgets = namespace === null ? undefined : namespaces[namespace[1] ?? "all"];
    const answer = widgets === undefined
      ? DISCOVERY[pathname]
      : request.headers.get("accept")?.includes("as=Table")
      ? tableOf(widgets)
      : { kind: "WidgetList", apiVersion: GROUP_VERSION, metadata: {}, items: widgets.objects };
    return answer === undefined
      ? new Response("{}", { status: 404 })
      : new Response(compactJson(answer), { headers: { "content-type": "application/json" } });
  });
  return {
    get: (...args: readonly string[]) =>
      runKubectl([`--server=http://127.0.0.1:${server.addr.port}`, "get", "widgets", ...args]),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A widget, with whatever members and labels it has more. */
export function widget(name: string, more?: Readonly<Record<string, Json>>, labels?: Json) {
  const plain = { name, namespace: "a" };
  const metadata = labels === undefined ? plain : { ...plain, labels };
  return { apiVersion: GROUP_VERSION, kind: "Widget", metadata, ...more };
}
