/** Proves that reading and watching go on, or end with an error, whatever a server answers. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import type { DiscoverySource } from "../../../src/kube/discovery.ts";
import { type Json, type JsonMembers } from "../../../src/kube/lossless-json.ts";
import { compactJson } from "../../../src/kube/json-text.ts";
import { jsonLines } from "../../../src/kube/read/json-lines.ts";
import { listPages } from "../../../src/kube/read/list-pages.ts";
import { type Change, isNotLater, WatchedObjects } from "../../../src/kube/read/watched-objects.ts";
import { watchChanges, type WatchOptions } from "../../../src/kube/read/watch-changes.ts";
import { runGet } from "./command-line.ts";
import { readClientOf } from "./read-server.ts";

const RESOURCE = {
  group: "",
  version: "v1",
  plural: "things",
  singular: "thing",
  kind: "Thing",
  namespaced: true,
  verbs: ["get", "list", "watch"],
  shortNames: [],
  categories: [],
};

const KINDS: DiscoverySource = {
  client: { what: "the test" } as DiscoverySource["client"],
  fromCache: false,
  read: () =>
    Promise.resolve({
      groups: [{ name: "", versions: ["v1"], preferred: "v1" }],
      resources: [RESOURCE],
      missing: [],
    }),
};

type Answer = Json | Response;

/** A server that answers each request by a function. */
function serverOf(answer: (url: URL, request: number) => Answer) {
  let requests = 0;
  const client = readClientOf("https://api.example.com", (url) => {
    requests += 1;
    const said = answer(url, requests);
    return Promise.resolve(said instanceof Response ? said : json(said));
  });
  return { client, kinds: KINDS, requests: () => requests };
}

function json(value: Json, status = 200): Response {
  return new Response(compactJson(value), { status, headers: { "content-type": "application/json" } });
}

function thing(name: string, version = "1", uid = name): JsonMembers {
  return {
    apiVersion: "v1",
    kind: "Thing",
    metadata: { name, namespace: "default", resourceVersion: version, uid },
  };
}

function listOf(items: readonly Json[], metadata: JsonMembers = {}): JsonMembers {
  return { apiVersion: "v1", kind: "ThingList", metadata: { resourceVersion: "10", ...metadata }, items };
}

const COLUMNS = [{ name: "Name", type: "string", format: "name" }, { name: "Say", type: "string" }];

function table(rows: readonly Json[], metadata: JsonMembers = {}): JsonMembers {
  return { apiVersion: "meta.k8s.io/v1", kind: "Table", metadata, columnDefinitions: COLUMNS, rows };
}

const GONE = (token: string) =>
  json(
    { kind: "Status", apiVersion: "v1", metadata: { continue: token }, reason: "Expired", code: 410 },
    410,
  );

Deno.test("a list whose token expires goes on with the token of the refusal", async () => {
  const server = serverOf((url, request) => {
    if (request === 1) return table([{ cells: ["a", "1"] }], { continue: "old" });
    if (url.searchParams.get("continue") === "old") return GONE("new");
    assert.equal(url.searchParams.get("continue"), "new");
    return table([{ cells: ["b", "2"] }]);
  });
  let told = 0;
  const { stdout, code } = await runGet(server, ["things"], { onExpired: () => told += 1 });
  assert.deepEqual([stdout, code, told], ["NAME   SAY\na      1\nb      2\n", 0, 1]);
});

Deno.test("a list whose token expires for good keeps what came, and fails", async () => {
  const server = serverOf((_, request) =>
    request === 1 ? table([{ cells: ["a", "1"] }], { continue: "x" }) : GONE("")
  );
  const { stdout, code } = await runGet(server, ["things"]);
  assert.deepEqual([stdout, code], ["NAME   SAY\na      1\n", 1]);
});

Deno.test("a list that does not end is an error", async () => {
  const same = serverOf(() => listOf([thing("a")], { continue: "same" }));
  const { errors: [one] } = await runGet(same, ["things", "-o", "name"]);
  assert.equal(one?.code, "INVALID");
  assert.equal(same.requests(), 2);
  const restarting = serverOf((_, request) =>
    request === 1 ? listOf([], { continue: "x" }) : GONE(`${request}`)
  );
  const pages = listPages(restarting.client, { path: "/x", accept: "x", query: {}, chunkSize: 1 });
  await assert.rejects(Array.fromAsync(pages), { code: "INVALID" });
});

Deno.test("what is no list, no table and no object is an error, and half of one is shown", async () => {
  for (
    const answer of [
      [],
      "x",
      1,
      null,
      {},
      { kind: "Status" },
      { items: {} },
      thing("a"),
      new Response("<html>"),
    ]
  ) {
    const { errors, stdout } = await runGet(
      serverOf(() => answer instanceof Response ? answer.clone() : answer),
      ["things", "-o", "json"],
    );
    assert.ok(
      errors.length === 1 && errors[0]?.code === "NETWORK",
      `${JSON.stringify(answer)} ${errors} ${stdout}`,
    );
  }
  for (
    const half of [
      { ...table([]), rows: 1 },
      { ...table([]), rows: [1, null, "x", {}, { cells: 1 }, { cells: [], object: 1 }] },
      { ...table([]), columnDefinitions: [1, null, {}] },
      { ...table([{ cells: ["a"] }]), columnDefinitions: null },
      listOf([1, null, {}, { metadata: 1 }]),
      { ...listOf([]), items: null },
    ]
  ) {
    for (
      const args of [[], ["-A"], ["--show-labels", "-L", "a", "-o", "wide"], ["--sort-by=.metadata.name"]]
    ) {
      await runGet(serverOf(() => half), ["things", ...args]);
    }
  }
});

Deno.test("no text of a server steers a terminal", async () => {
  const evil = "a\u001b]0;x\u0007\u009b2J\u202e\r\u0000z";
  const object = {
    ...thing(evil),
    spec: { [evil]: evil },
    metadata: { name: evil, labels: { [evil]: evil } },
  };
  for (
    const form of [
      "json",
      "yaml",
      "name",
      "jsonpath={.items[*].spec}",
      "custom-columns=A:.metadata.name,B:.spec",
    ]
  ) {
    const { stdout } = await runGet(serverOf(() => listOf([object])), ["things", "-o", form], {
      isTerminal: true,
    });
    assert.ok(stdout.length > 5, form);
    // deno-lint-ignore no-control-regex -- these are looked for
    assert.doesNotMatch(stdout, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/, form);
  }
  const said = {
    ...table([{ cells: [evil, evil], object }]),
    columnDefinitions: [{ name: evil }, { name: evil }],
  };
  const { stdout } = await runGet(serverOf(() => said), ["things", "--show-labels", "-A"], {
    isTerminal: true,
  });
  // deno-lint-ignore no-control-regex -- these are looked for
  assert.doesNotMatch(stdout, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
});

Deno.test("on a terminal, a list is shown page by page, in columns that never become narrower", async () => {
  const pages = [["a-long-name", "1"], ["b", "2"]];
  const server = serverOf((_, request) =>
    table([{ cells: pages[request - 1] ?? [] }], request === 1 ? { continue: "x" } : {})
  );
  const written: string[] = [];
  const write = (text: string) => {
    written.push(text);
    return Promise.resolve();
  };
  await runGet(server, ["things"], { isTerminal: true, write });
  assert.deepEqual(written, ["NAME          SAY\na-long-name   1\n", "b             2\n"]);
});

Deno.test("a type that was served once is looked up again", async () => {
  let isFresh = false;
  const old = { ...RESOURCE, version: "v0" };
  const kinds: DiscoverySource = {
    client: KINDS.client,
    fromCache: true,
    async read({ fresh = false } = {}) {
      isFresh ||= fresh;
      const { groups } = await KINDS.read();
      return { groups, resources: [isFresh ? RESOURCE : old], missing: [] };
    },
  };
  const server = serverOf((url) =>
    url.pathname.includes("/v0/")
      ? new Response("404 page not found\n", { status: 404 })
      : listOf([thing("a")])
  );
  const { stdout } = await runGet({ ...server, kinds }, ["things", "-o", "name"]);
  assert.equal(stdout, "thing/a\n");
});

/** What a watch tells of, and the error that ends it. */
async function watched(answer: (url: URL, request: number) => Answer, most: number): Promise<string[]> {
  const ended = new AbortController();
  const options: WatchOptions = {
    signal: ended.signal,
    sleep: () => Promise.resolve(),
    random: () => 0,
  };
  const { client } = serverOf((url, request) => {
    if (request > 50) ended.abort();
    return answer(url, request);
  });
  const objects = new WatchedObjects();
  objects.add(thing("a", "1"));
  objects.add(thing("b", "2"));
  const told: string[] = [];
  const request = { path: "/api/v1/things", accept: "application/json", query: {}, chunkSize: 500 };
  try {
    for await (const { type, object } of watchChanges(client, request, { objects, version: "10" }, options)) {
      const { name, resourceVersion } = object.metadata as { name: string; resourceVersion: string };
      told.push(`${type} ${name} ${resourceVersion}`);
      if (told.length >= most) ended.abort();
    }
  } catch (thrown) {
    assert.ok(thrown instanceof AppError);
    told.push(thrown.code);
  }
  return told;
}

function events(...all: readonly (readonly [type: string, object: JsonMembers])[]): Response {
  return new Response(all.map(([type, object]) => `${compactJson({ type, object })}\n`).join(""));
}

const EXPIRED = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  reason: "Expired",
  code: 410,
};

Deno.test("a watch that lost its place lists again and tells what happened meanwhile, once", async () => {
  for (const lost of [() => events(["ERROR", EXPIRED]), () => GONE("")]) {
    const told = await watched((url, request) => {
      if (request === 1) return events(["MODIFIED", thing("a", "11")], ["BOOKMARK", thing("", "12")]);
      if (request === 2) {
        assert.equal(url.searchParams.get("resourceVersion"), "12");
        return lost();
      }
      if (request === 3) {
        assert.equal(url.searchParams.get("watch"), null);
        return listOf([thing("a", "11"), thing("c", "15")], { resourceVersion: "20" });
      }
      assert.equal(url.searchParams.get("resourceVersion"), "20");
      return events(["ADDED", thing("c", "15")], ["MODIFIED", thing("c", "21")]);
    }, 4);
    assert.deepEqual(told, ["MODIFIED a 11", "DELETED b 2", "ADDED c 15", "MODIFIED c 21"]);
  }
});

Deno.test("an object that was made again under its name is told as deleted and added", () => {
  const objects = new WatchedObjects();
  objects.add(thing("a", "1", "one"));
  const changes: Change[] = objects.changesTo([thing("a", "5", "two")]);
  assert.deepEqual(changes.map(({ type }) => type), ["DELETED", "ADDED"]);
  assert.ok(isNotLater("9", "10") && !isNotLater("11", "10") && !isNotLater("x", "10"));
});

Deno.test("a watch goes on after dropped connections and broken lines, and tells nothing twice", async () => {
  const told = await watched((url, request) => {
    switch (request) {
      case 1:
        return events(["ADDED", thing("c", "11")]);
      case 2:
        assert.equal(url.searchParams.get("resourceVersion"), "11");
        return new Response(
          `${compactJson({ type: "ADDED", object: thing("d", "12") })}\n{"type":"ADDED","obj`,
        );
      case 3:
        return new Response(
          new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) }),
        );
      case 4:
        return json({ kind: "Status", reason: "ServiceUnavailable", message: "later", code: 503 }, 503);
      case 5:
        return events(["ADDED", thing("c", "11")], ["DELETED", thing("x", "13")], ["NONSENSE", {}], [
          "ADDED",
          thing("d", "12"),
        ]);
      default:
        return events(["DELETED", thing("d", "14")]);
    }
  }, 3);
  assert.deepEqual(told, ["ADDED c 11", "ADDED d 12", "DELETED d 14"]);
});

Deno.test("a watch takes a fresh token once, and ends when that is refused", async () => {
  const refused = () =>
    json({ kind: "Status", reason: "Unauthorized", message: "Unauthorized", code: 401 }, 401);
  assert.deepEqual(
    await watched((_, request) => request === 1 ? refused() : events(["ADDED", thing("c", "11")]), 1),
    ["ADDED c 11"],
  );
  assert.deepEqual(await watched(refused, 1), ["SESSION_REJECTED"]);
  assert.deepEqual(await watched(() => json({ kind: "Status", reason: "Forbidden", code: 403 }, 403), 1), [
    "FORBIDDEN",
  ]);
});

Deno.test("a line without an end is an error", async () => {
  const body = async function* () {
    for (;;) yield await Promise.resolve(new TextEncoder().encode("x".repeat(1000)));
  };
  await assert.rejects(Array.fromAsync(jsonLines(body(), 10_000)), { code: "NETWORK" });
});

Deno.test("20,000 objects are printed without being kept", async () => {
  const page = Array.from({ length: 500 }, (_, index) => thing(`thing-${index}`));
  const server = serverOf((_, request) => listOf(page, request < 40 ? { continue: `${request}` } : {}));
  let size = 0;
  let longest = 0;
  const write = (text: string) => {
    size += text.length;
    longest = Math.max(longest, text.length);
    return Promise.resolve();
  };
  const counts: number[] = [];
  await runGet(server, ["things", "-o", "yaml"], { write, onProgress: (count) => counts.push(count) });
  // The last part has none after it.
  assert.equal(counts.at(-1), 19_500);
  assert.ok(longest * 39 < size, `${longest} of ${size}`);
});
