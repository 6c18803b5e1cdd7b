/** Proves which objects are chosen where the kept list of types is old, and which choices are refused. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import type { ApiResource, DiscoverySource } from "../../../src/kube/discovery.ts";
import type { ReadClient } from "../../../src/kube/read/read-client.ts";
import { type Choice, chooseObjects, withServedKind } from "../../../src/kube/write/chosen-objects.ts";
import { changeEach } from "../../../src/kube/write/change-each.ts";
import { patchObject } from "../../../src/kube/write/patch.ts";
import { expectRejection } from "../../expect-error.ts";
import { clientOf } from "./write-server.ts";

const widgets = (version: string): ApiResource => ({
  group: "example.com",
  version,
  plural: "widgets",
  singular: "widget",
  kind: "Widget",
  namespaced: true,
  shortNames: [],
  categories: [],
  verbs: ["get", "list", "patch", "delete"],
});

/** Types as an earlier command learned them, of a version that is no longer served. */
function oldKinds(): DiscoverySource {
  let isFresh = false;
  return {
    get client(): never {
      return assert.fail("nothing is asked for the types");
    },
    get fromCache() {
      return !isFresh;
    },
    read({ fresh = false } = {}) {
      isFresh ||= fresh;
      const version = isFresh ? "v2" : "v1";
      return Promise.resolve({
        groups: [{ name: "example.com", preferred: version, versions: [version] }],
        resources: [widgets(version)],
        missing: [],
      });
    },
  };
}

const body = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const paths: string[] = [];
const client: ReadClient = {
  ...clientOf(({ method, path }) => {
    paths.push(`${method} ${path}`);
    if (!path.startsWith("/apis/example.com/v2/")) {
      return Promise.resolve({
        status: 404,
        headers: new Headers(),
        body: new TextEncoder().encode("404 page not found\n"),
      });
    }
    const one = {
      apiVersion: "example.com/v2",
      kind: "Widget",
      metadata: { name: "a", namespace: "n", uid: "1" },
    };
    const list = { apiVersion: "example.com/v2", kind: "WidgetList", metadata: {}, items: [one] };
    return Promise.resolve({
      status: 200,
      headers: new Headers(),
      body: body(path.endsWith("/widgets") ? list : one),
    });
  }),
  stream: () => assert.fail("nothing is watched"),
};

const choice = (more: Partial<Choice>): Choice => ({
  args: ["widgets"],
  namespace: "n",
  onlyThatNamespace: false,
  ...more,
});

Deno.test("a list at a path that is no longer served is asked for where it is served now", async () => {
  const { objects, errors } = await chooseObjects({ client, kinds: oldKinds() }, choice({ all: true }));
  assert.deepEqual(errors, []);
  assert.deepEqual(objects.map(({ ref, uid }) => [ref.resource.version, ref.name, uid]), [["v2", "a", "1"]]);
});

Deno.test("an object at a path that is no longer served is changed where it is served now", async () => {
  const kinds = oldKinds();
  const { objects } = await chooseObjects({ client, kinds }, choice({ args: ["widget/a"] }));
  paths.length = 0;
  const options = { type: "merge", patch: {}, fieldManager: "x", dryRun: "none" } as const;
  const [result] = await changeEach(
    objects,
    (object) => withServedKind(kinds, object, ({ ref }) => patchObject(client, ref, options)),
  );
  assert.equal(result?.type, "done");
  assert.deepEqual(paths, [
    "GET /apis/example.com/v1/namespaces/n/widgets/a",
    "GET /apis/example.com/v2/namespaces/n/widgets/a",
    "PATCH /apis/example.com/v2/namespaces/n/widgets/a",
  ]);
});

Deno.test("a choice that says nothing or too much is refused", async () => {
  for (
    const more of [
      { args: [] },
      { args: ["widgets"] },
      { args: ["widgets", "a"], all: true },
      { args: ["widgets/a"], labelSelector: "a=b" },
      { all: true, labelSelector: "a=b" },
      { args: [], all: true },
      { manifests: [] },
      { args: [], manifests: [], fieldSelector: "metadata.name=a" },
      { args: ["widgets/a"], allNamespaces: true },
      { args: ["widgets", "a/b"] },
    ]
  ) {
    await expectRejection(chooseObjects({ client, kinds: oldKinds() }, choice(more)), "USAGE");
  }
});

Deno.test("results are told in the objects' order, and an object that is named twice is changed twice in turn", async () => {
  const kinds = oldKinds();
  const args = ["widget/a", "widget/b", "widget/a"];
  const { objects } = await chooseObjects({ client, kinds }, choice({ args }));
  const [told, done]: [string[], string[]] = [[], []];
  await changeEach(objects, async ({ ref }) => {
    if (ref.name === "a") await new Promise((resolve) => setTimeout(resolve, 20));
    done.push(ref.name);
    if (ref.name === "b") throw new AppError("INVALID", "not b");
  }, { onResult: ({ ref, type }) => told.push(`${ref.name} ${type}`) });
  assert.deepEqual(done, ["b", "a", "a"]);
  assert.deepEqual(told, ["a done", "b failed", "a done"]);
});
