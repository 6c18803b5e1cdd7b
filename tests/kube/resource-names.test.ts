/** Proves what a person's word finds among the resources that are served. */

import assert from "node:assert/strict";
import type { ApiClient } from "../../src/http/api-client.ts";
import { type Discovery, groupVersionOf } from "../../src/kube/discovery.ts";
import {
  ambiguityOf,
  fullNameOf,
  matchingResources,
  preferredResources,
  resolveResource,
} from "../../src/kube/resource-names.ts";

const rows: Discovery = (() => {
  const row = (full: string, version: string, kind: string, shortNames: string[] = []) => {
    const [plural = "", ...group] = full.split(".");
    return {
      group: group.join("."),
      version,
      plural,
      singular: kind.toLowerCase(),
      kind,
      namespaced: true,
      verbs: ["get"],
      shortNames,
      categories: [],
    };
  };
  return {
    groups: [
      { name: "", versions: ["v1"], preferred: "v1" },
      { name: "apps", versions: ["v1", "v1beta1"], preferred: "v1" },
      { name: "events.k8s.io", versions: ["v1beta1", "v1"], preferred: "v1" },
      { name: "odd.example.com", versions: ["v1"], preferred: "v1" },
    ],
    resources: [
      row("pods", "v1", "Pod", ["po"]),
      row("events", "v1", "Event", ["ev"]),
      row("deployments.apps", "v1", "Deployment", ["deploy"]),
      row("deployments.apps", "v1beta1", "Deployment", ["deploy"]),
      row("old.apps", "v1beta1", "Old"),
      row("events.events.k8s.io", "v1beta1", "Event", ["ev"]),
      row("events.events.k8s.io", "v1", "Event", ["ev"]),
      // Its plural is another's short name, its kind another's plural.
      row("po.odd.example.com", "v1", "Pods"),
    ],
    missing: [],
  };
})();

for (
  const [word, found] of [
    ["pods", ["v1/pods"]],
    ["pod", ["v1/pods"]],
    ["Pod", ["v1/pods"]],
    ["po", ["odd.example.com/v1/po"]],
    ["PODS", ["v1/pods"]],
    ["deploy", ["apps/v1/deployments"]],
    ["deploy.apps", ["apps/v1/deployments"]],
    ["Deployment.apps", ["apps/v1/deployments"]],
    ["deployments.v1beta1.apps", ["apps/v1beta1/deployments"]],
    ["deployments.v7.apps", []],
    ["deployments.other", []],
    ["pods.v1.", ["v1/pods"]],
    ["old", ["apps/v1beta1/old"]],
    ["events", ["v1/events", "events.k8s.io/v1/events"]],
    ["ev", ["v1/events", "events.k8s.io/v1/events"]],
    ["events.events", ["events.k8s.io/v1/events"]],
    ["events.events.k8s.io", ["events.k8s.io/v1/events"]],
    ["events.v1beta1.events.k8s.io", ["events.k8s.io/v1beta1/events"]],
    ["", []],
    [".", []],
    ["nothing", []],
  ] as const
) {
  Deno.test(`the word "${word}" finds ${found.join(" and ") || "nothing"}`, () => {
    assert.deepEqual(
      matchingResources(rows, word).map(({ group, version, plural }) =>
        `${groupVersionOf(group, version)}/${plural}`
      ),
      found,
    );
  });
}

Deno.test("each resource is preferred once, in its group's preferred version where that has it", () => {
  assert.deepEqual(
    preferredResources(rows).map((row) => `${fullNameOf(row)} ${row.version}`),
    [
      "pods v1",
      "events v1",
      "deployments.apps v1",
      "old.apps v1beta1",
      "events.events.k8s.io v1",
      "po.odd.example.com v1",
    ],
  );
});

Deno.test("an ambiguous word gives the first of the server's order, and names the others", async () => {
  const source = {
    client: { what: "the test" } as ApiClient,
    read: () => Promise.resolve(rows),
    fromCache: true,
  };
  const resolved = await resolveResource(source, "ev");
  assert.equal(fullNameOf(resolved.resource), "events");
  assert.equal(ambiguityOf("ev", resolved), '"ev" means events here; there is also events.events.k8s.io.');
  assert.equal(ambiguityOf("deploy", await resolveResource(source, "deploy")), undefined);
});
