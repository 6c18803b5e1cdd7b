/** Proves how discovery is read in all its forms, what is kept of it, and a path's prefix. */

import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/errors.ts";
import { belowBase, discoveryOf, fetchDiscovery } from "../../src/kube/discovery.ts";
import { matchingResources, resolveResource } from "../../src/kube/resource-names.ts";
import { openSessionCache } from "../../src/sessions/cache.ts";
import { expectRejection } from "../expect-error.ts";
import { openTestClient } from "../http/test-client.ts";
import { openSandbox } from "../sessions/sandbox.ts";

const BASE = "https://api.example.com/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane";

/** A client of a server that answers paths with JSON objects, or with a status; it records what is asked. */
function clientOf(answers: Readonly<Record<string, unknown>>, baseUrl = BASE) {
  const asked: string[] = [];
  const client = openTestClient({
    baseUrl,
    fetch: (input) => {
      const path = String(input).slice(baseUrl.length);
      asked.push(path);
      const answer = answers[path] ?? 404;
      // As the real service labels everything.
      const headers = { "content-type": "application/json" };
      return Promise.resolve(
        typeof answer === "number"
          ? new Response("no\n", { status: answer })
          : new Response(JSON.stringify(answer), { headers }),
      );
    },
  });
  return { client, asked };
}

const aggregatedRow = (resource: string, kind: string, more: Record<string, unknown> = {}) => ({
  resource,
  responseKind: { group: "", version: "", kind },
  scope: "Namespaced",
  singularResource: kind.toLowerCase(),
  verbs: ["get", "list"],
  ...more,
});

const aggregated = (version: string, items: readonly unknown[]) => ({
  kind: "APIGroupDiscoveryList",
  apiVersion: `apidiscovery.k8s.io/${version}`,
  items,
});

const CORE = {
  metadata: {},
  versions: [{
    version: "v1",
    freshness: "Current",
    resources: [
      aggregatedRow("namespaces", "Namespace", { scope: "Cluster", shortNames: ["ns"] }),
      aggregatedRow("configmaps", "ConfigMap", {
        shortNames: ["cm"],
        categories: ["all"],
        subresources: [{}],
      }),
    ],
  }],
};
const SERVICE = {
  metadata: { name: "resourcemanager.miloapis.com" },
  versions: [
    { version: "v1", freshness: "Current", resources: [aggregatedRow("projects", "Project")] },
    {
      version: "v1alpha1",
      freshness: "Current",
      resources: [aggregatedRow("projects", "Project"), aggregatedRow("drafts", "Draft")],
    },
  ],
};

const PLAIN = {
  "/api": { kind: "APIVersions", versions: ["v1"] },
  "/apis": {
    kind: "APIGroupList",
    groups: [{
      name: "resourcemanager.miloapis.com",
      versions: [{ groupVersion: "x/v1", version: "v1" }, {
        groupVersion: "x/v1alpha1",
        version: "v1alpha1",
      }],
      preferredVersion: { groupVersion: "x/v1", version: "v1" },
    }],
  },
  "/api/v1": {
    kind: "APIResourceList",
    resources: [
      {
        name: "namespaces",
        singularName: "namespace",
        kind: "Namespace",
        namespaced: false,
        verbs: ["get", "list"],
        shortNames: ["ns"],
      },
      { name: "namespaces/status", singularName: "", kind: "Namespace", namespaced: false, verbs: ["get"] },
      {
        name: "configmaps",
        singularName: "configmap",
        kind: "ConfigMap",
        namespaced: true,
        verbs: ["get", "list"],
        shortNames: ["cm"],
        categories: ["all"],
      },
    ],
  },
  "/apis/resourcemanager.miloapis.com/v1": {
    kind: "APIResourceList",
    resources: [{
      name: "projects",
      singularName: "project",
      kind: "Project",
      namespaced: true,
      verbs: ["get", "list"],
    }],
  },
  "/apis/resourcemanager.miloapis.com/v1alpha1": {
    kind: "APIResourceList",
    resources: [
      {
        name: "projects",
        singularName: "project",
        kind: "Project",
        namespaced: true,
        verbs: ["get", "list"],
      },
      { name: "drafts", singularName: "draft", kind: "Draft", namespaced: true, verbs: ["get", "list"] },
    ],
  },
};

for (const version of ["v2", "v2beta1"]) {
  Deno.test(`aggregated ${version} labelled as plain JSON says the same as plain discovery, in two requests`, async () => {
    const { client, asked } = clientOf({
      "/api": aggregated(version, [CORE]),
      "/apis": aggregated(version, [SERVICE]),
    });
    const plain = clientOf(PLAIN);
    assert.deepEqual(await fetchDiscovery(client), await fetchDiscovery(plain.client));
    assert.deepEqual(asked.toSorted(), ["/api", "/apis"]);
    assert.equal(plain.asked.length, 5);
  });
}

Deno.test("a group or version whose name leads upwards is asked nowhere, and named as missing", async () => {
  const { client, asked } = clientOf({
    "/api": { kind: "APIVersions", versions: ["..", "v1"] },
    "/api/v1": { resources: [{ name: "pods", kind: "Pod" }] },
    "/apis": {
      kind: "APIGroupList",
      groups: [
        { name: "..", versions: [{ version: ".." }] },
        { name: "g", versions: [{ version: ".." }, { version: "." }] },
      ],
    },
  });
  const { resources, missing } = await fetchDiscovery(client);
  assert.deepEqual(asked, ["/api", "/apis", "/api/v1"]);
  assert.deepEqual(resources.map(({ plural }) => plural), ["pods"]);
  assert.deepEqual(missing.map(({ part }) => part).sort(), ["..", "../..", "g/.", "g/.."]);
});

Deno.test("aggregated core and plain groups, as an old aggregator mixes them, are both read", async () => {
  const { client } = clientOf({ ...PLAIN, "/api": aggregated("v2", [CORE]) });
  assert.deepEqual(await fetchDiscovery(client), await fetchDiscovery(clientOf(PLAIN).client));
});

Deno.test("a group that is stale, or whose list fails, is missing, and the rest is there", async () => {
  const stale = {
    metadata: { name: "metrics.k8s.io" },
    versions: [{ version: "v1beta1", freshness: "Stale", resources: [] }],
  };
  const one = await fetchDiscovery(
    clientOf({
      "/api": aggregated("v2", [CORE]),
      "/apis": aggregated("v2", [stale, SERVICE]),
    }).client,
  );
  assert.deepEqual(one.missing.map(({ part }) => part), ["metrics.k8s.io/v1beta1"]);
  assert.equal(one.resources.length, 5);
  assert.ok(one.groups.some(({ name }) => name === "metrics.k8s.io"));

  const two = clientOf({ ...PLAIN, "/api/v1": 503, "/apis/resourcemanager.miloapis.com/v1alpha1": 503 });
  const { missing, resources } = await fetchDiscovery(two.client);
  assert.deepEqual(missing.map(({ part }) => part), ["v1", "resourcemanager.miloapis.com/v1alpha1"]);
  assert.match(missing[0]?.why ?? "", /HTTP 503/);
  assert.deepEqual(resources.map(({ plural }) => plural), ["projects"]);
});

Deno.test("a root that fails is missing", async () => {
  const half = await fetchDiscovery(clientOf({ ...PLAIN, "/api": 503 }).client);
  assert.deepEqual(half.missing.map(({ part }) => part), ["/api"]);
});

Deno.test("a server without a core group misses nothing", async () => {
  const coreless = await fetchDiscovery(clientOf({ ...PLAIN, "/api": 404 }).client);
  assert.deepEqual(coreless.missing, []);
});

Deno.test("both roots failing is an error, and so is a session that one of them rejects", async () => {
  const rows: readonly (readonly [answers: Record<string, unknown>, code: ErrorCode])[] = [
    [{ "/api": 503, "/apis": 503 }, "NETWORK"],
    [{}, "NOT_FOUND"],
    [{ ...PLAIN, "/api": 401 }, "SESSION_REJECTED"],
    [{ ...PLAIN, "/api": { kind: "Guest" } }, "INVALID"],
  ];
  for (const [answers, code] of rows) await expectRejection(fetchDiscovery(clientOf(answers).client), code);
});

Deno.test("entries of a wrong shape are passed over", async () => {
  const { client } = clientOf({
    "/api": aggregated("v2", [CORE, null, 5, { versions: "x" }, { versions: [{ resources: [{}] }] }]),
    "/apis": aggregated("v2", [{
      metadata: { name: "odd.example.com" },
      versions: [{
        version: "v1",
        resources: [null, { resource: "things" }, { resource: 5, responseKind: { kind: "X" } }],
      }],
    }]),
  });
  const { resources, groups } = await fetchDiscovery(client);
  assert.deepEqual(resources.map(({ plural }) => plural), ["namespaces", "configmaps"]);
  assert.deepEqual(groups.map(({ name }) => name), ["", "odd.example.com"]);
});

Deno.test("20,000 resources come whole, and one of them is found", async () => {
  const items = Array.from({ length: 1000 }, (_, group) => ({
    metadata: { name: `g${group}.example.com` },
    versions: [{
      version: "v1",
      resources: Array.from(
        { length: 20 },
        (_, at) => aggregatedRow(`things${group * 20 + at}`, `Thing${group * 20 + at}`),
      ),
    }],
  }));
  const discovery = await fetchDiscovery(
    clientOf({ "/api": aggregated("v2", [CORE]), "/apis": aggregated("v2", items) }).client,
  );
  assert.equal(discovery.resources.length, 20_002);
  assert.equal(matchingResources(discovery, "thing19999")[0]?.group, "g999.example.com");
});

/** A client of a server that lists so many groups with a resource each, and answers each in a moment. */
function manyGroups(
  count: number,
  answer: (path: string, signal?: AbortSignal | null) => Promise<Response> | undefined = () => undefined,
  requestTimeout = 30_000,
) {
  const groups = Array.from({ length: count }, (_, at) => ({
    name: `g${at}.example.com`,
    versions: [{ version: "v1" }],
  }));
  let asked = 0;
  const client = openTestClient({
    baseUrl: BASE,
    requestTimeout,
    fetch: async (input, init) => {
      const path = String(input).slice(BASE.length);
      asked++;
      if (path === "/api") return Response.json({ kind: "APIVersions", versions: [] });
      if (path === "/apis") return Response.json({ kind: "APIGroupList", groups });
      return await answer(path, init?.signal) ??
        Response.json({ resources: [{ name: "things", kind: "Thing" }] });
    },
  });
  return { client, asked: () => asked };
}

Deno.test("of groups without an end a thousand versions are asked for, and the rest is missing", async () => {
  const { client, asked } = manyGroups(5_000);
  const { resources, missing, groups } = await fetchDiscovery(client);
  assert.equal(asked(), 1002);
  assert.equal(resources.length, 1000);
  assert.equal(groups.length, 1000);
  assert.deepEqual(missing, [{
    part: "/apis",
    why: "it lists 5000 versions of groups, and no more than 1000 are asked for",
  }]);
});

Deno.test("a document of more than 8 MiB is missing, and of both it is an error", async () => {
  const large = { kind: "APIGroupList", groups: [], padding: "x".repeat(8 * 1024 * 1024) };
  const { missing } = await fetchDiscovery(clientOf({ ...PLAIN, "/apis": large }).client);
  assert.ok(missing.some(({ part, why }) => part === "/apis" && /more than 8 MiB/.test(why)));
  await expectRejection(fetchDiscovery(clientOf({ "/api": large, "/apis": large }).client), {
    code: "NETWORK",
    message: /more than 8 MiB/,
  });
});

Deno.test("what all documents together have beyond 8 MiB is missing", async () => {
  const { client, asked } = manyGroups(
    50,
    () => Promise.resolve(Response.json({ resources: [], padding: "x".repeat(1024 * 1024) })),
  );
  const { missing } = await fetchDiscovery(client);
  assert.equal(missing.length, 43);
  assert.ok(asked() < 20);
});

Deno.test("a server that never ends is given up after twice the time of a request", async () => {
  const { client } = manyGroups(
    1000,
    (path, signal) =>
      path.startsWith("/apis/g0.") ? undefined : new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
    100,
  );
  const began = performance.now();
  const { missing, resources } = await fetchDiscovery(client);
  assert.ok(performance.now() - began < 5_000);
  assert.equal(resources.length, 1);
  assert.equal(missing.length, 999);
  assert.match(missing[0]?.why ?? "", /in time/);
});

Deno.test("what is forgotten is asked for again, here and by the next command", async () => {
  await using sandbox = await openSandbox();
  await Deno.mkdir(sandbox.store.folders.sessions, { recursive: true });
  const options = { session: "ada@example.com", kind: "discovery", source: BASE, longestLife: 1000 };
  const { client, asked } = clientOf(PLAIN);
  const source = discoveryOf(client, await openSessionCache(sandbox.store, options));
  const before = await source.read();
  await source.forget();
  const next = discoveryOf(client, await openSessionCache(sandbox.store, options));
  assert.deepEqual(await next.read(), before);
  assert.deepEqual([next.fromCache, asked.length], [false, 10]);
  await source.read();
  assert.deepEqual([source.fromCache, asked.length], [true, 10]);
});

Deno.test("what is kept answers without a request, and a miss is asked for once", async () => {
  await using sandbox = await openSandbox();
  await Deno.mkdir(sandbox.store.folders.sessions, { recursive: true });
  const options = { session: "ada@example.com", kind: "discovery", source: BASE, longestLife: 1000 };
  const first = clientOf(PLAIN);
  const before = await discoveryOf(first.client, await openSessionCache(sandbox.store, options)).read();
  assert.equal(first.asked.length, 5);

  const second = clientOf({
    ...PLAIN,
    "/api/v1": { resources: [{ name: "gadgets", kind: "Gadget", namespaced: true, verbs: ["get"] }] },
  });
  const source = discoveryOf(second.client, await openSessionCache(sandbox.store, options));
  assert.deepEqual(await source.read(), before);
  assert.equal(source.fromCache, true);
  assert.equal((await resolveResource(source, "cm")).resource.plural, "configmaps");
  assert.equal(second.asked.length, 0);
  assert.equal((await resolveResource(source, "gadget")).resource.plural, "gadgets");
  assert.equal(second.asked.length, 5);
  await expectRejection(resolveResource(source, "gizmo"), {
    code: "NOT_FOUND",
    message: /no resource "gizmo" in the project "web"/,
  });
  assert.equal(second.asked.length, 5, "asked anew a moment ago, it is not asked again");
});

Deno.test("what is kept is private, ends with its time, and is told apart by control plane and session", async () => {
  await using sandbox = await openSandbox();
  await Deno.mkdir(sandbox.store.folders.sessions, { recursive: true });
  const options = { session: "ada@example.com", kind: "discovery", source: BASE, longestLife: 1000 };
  let now = 5_000;
  const place = sandbox.store.with({ host: { ...sandbox.store.host, now: () => now } });
  const cache = await openSessionCache(place, options);
  assert.equal(await cache.read(), undefined);
  await cache.write({ groups: [] });
  assert.deepEqual(await cache.read(), { groups: [] });
  for (const other of [{ session: "grace@example.com" }, { source: `${BASE}2` }, { kind: "other" }]) {
    assert.equal(await (await openSessionCache(place, { ...options, ...other })).read(), undefined);
  }
  const [name = ""] = [...Deno.readDirSync(place.folders.sessions)].map(({ name }) => name)
    .filter((name) => name.includes(".discovery-"));
  const path = `${place.folders.sessions}/${name}`;
  if (Deno.build.os !== "windows") assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  now += 999;
  assert.notEqual(await cache.read(), undefined);
  now += 1;
  assert.equal(await cache.read(), undefined, "its time is over");
  now = 4_999;
  assert.equal(await cache.read(), undefined, "it comes from the future");
  now = 5_001;
  Deno.writeTextFileSync(path, '{"at":5000,"value":{}}');
  assert.equal(await cache.read(), undefined, "another schema");
  Deno.writeTextFileSync(path, "not JSON");
  assert.equal(await cache.read(), undefined);
  await cache.write("x".repeat(9 * 1024 * 1024));
  assert.equal(Deno.readTextFileSync(path), "not JSON", "what is too large is not kept");
});

Deno.test("what lacks a part is not kept", async () => {
  let written = 0;
  const cache = {
    read: () => Promise.resolve({ groups: "damaged" }),
    write: () => {
      written++;
      return Promise.resolve();
    },
  };
  await discoveryOf(clientOf({ ...PLAIN, "/api/v1": 503 }).client, cache).read();
  assert.equal(written, 0);
  await discoveryOf(clientOf(PLAIN).client, cache).read();
  assert.equal(written, 1);
});

Deno.test("a path is taken below the control plane, with its prefix or without", () => {
  const prefix = new URL(BASE).pathname;
  assert.equal(belowBase(BASE, "/openapi/v3"), "/openapi/v3");
  assert.equal(belowBase(BASE, `${prefix}/openapi/v3?hash=CD`), "/openapi/v3?hash=CD");
  assert.equal(belowBase(BASE, prefix), "/");
  assert.equal(belowBase(BASE, `${prefix}-2/openapi`), `${prefix}-2/openapi`);
  assert.equal(belowBase("https://api.example.com", "/api"), "/api");
});
