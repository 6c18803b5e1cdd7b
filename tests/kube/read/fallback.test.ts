/** Proves that the objects of a server that makes no tables are shown as kubectl shows them. */

import assert from "node:assert/strict";
import type { DiscoverySource } from "../../../src/kube/discovery.ts";
import { compactJson } from "../../../src/kube/json-text.ts";
import type { Json } from "../../../src/kube/lossless-json.ts";
import { ignore, runKubectl } from "../kubectl.ts";
import { DISCOVERY } from "../widget-server.ts";
import { runGet } from "./command-line.ts";
import { masked } from "./masked.ts";
import { readClientOf } from "./read-server.ts";

const VERSION = "example.com/v1";

function widget(name: string, namespace: string, more: Record<string, Json> = {}): Record<string, Json> {
  const metadata = { name, namespace, labels: { app: name }, ...more };
  return { apiVersion: VERSION, kind: "Widget", metadata, spec: { size: name.length } };
}

const WIDGETS = [
  widget("b", "default", { creationTimestamp: "2020-01-01T00:00:00Z" }),
  widget("a-longer-name", "default", { creationTimestamp: null }),
  widget("c", "other", { labels: { app: "x", tier: "y" } }),
];

const ANSWERS: Readonly<Record<string, Json>> = {
  ...DISCOVERY,
  "/apis/example.com/v1/widgets": listOf(WIDGETS),
  "/apis/example.com/v1/namespaces/default/widgets": listOf(WIDGETS.slice(0, 2)),
  "/apis/example.com/v1/namespaces/default/widgets/b": WIDGETS[0] ?? {},
  "/apis/example.com/v1/namespaces/none/widgets": listOf([]),
};

function listOf(items: readonly Json[]): Json {
  return { kind: "WidgetList", apiVersion: VERSION, metadata: { resourceVersion: "5" }, items };
}

const LINES = [
  "widgets",
  "widgets -A",
  "widgets b",
  "widgets b -o wide --show-kind",
  "widgets -A -L app,tier --show-labels",
  "widgets --no-headers",
  "widgets -n none",
  "widgets --sort-by=.metadata.name",
  "widgets -A --sort-by=.spec.size",
  "widgets -o json",
  "widgets -A -o yaml",
  "widgets -o name",
];

Deno.test({ name: "a server without tables", ignore }, async () => {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const answer = ANSWERS[new URL(request.url).pathname];
    const headers = { "content-type": "application/json" };
    return new Response(compactJson(answer ?? {}), { status: answer === undefined ? 404 : 200, headers });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const kinds: DiscoverySource = {
    client: { what: "the test" } as DiscoverySource["client"],
    fromCache: false,
    read: () =>
      Promise.resolve({
        groups: [{ name: "example.com", versions: ["v1"], preferred: "v1" }],
        resources: [{
          group: "example.com",
          version: "v1",
          plural: "widgets",
          singular: "widget",
          kind: "Widget",
          namespaced: true,
          verbs: [],
          shortNames: [],
          categories: [],
        }],
        missing: [],
      }),
  };
  const ours = { client: readClientOf(url, fetch), kinds };
  for (const line of LINES) {
    const args = line.split(" ");
    const { stdout } = await runKubectl([`--server=${url}`, "get", ...args]);
    assert.equal(masked((await runGet(ours, args)).stdout), masked(stdout), line);
  }
});
