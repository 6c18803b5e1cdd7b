/** Proves that whatever a server answers, a command that reads ends, prints nothing raw on a terminal, and gives no token away. */

import assert from "node:assert/strict";
import type { Json, JsonMembers } from "../../../src/kube/lossless-json.ts";
import { assertPrintable, printedError } from "../../expect-error.ts";
import { withoutColours } from "../../without-colours.ts";
import type { Ran } from "../run-line.ts";
import { type FakeAnswer, json, startFakeServer, TOKEN } from "./fake-server.ts";

const FORMS = [
  "",
  "-o wide --show-labels -L app",
  "-o json",
  "-o yaml",
  "-o name",
  "-o custom-columns=NAME:.metadata.name,SPEC:.spec",
  "-o jsonpath={.items[*].spec}",
  "-o jsonpath={range.items[*]}{.metadata.name}{end}",
  "--sort-by=.metadata.name",
];

const LISTS = [
  ...FORMS.map((form) => `get things ${form}`.trim()),
  "get things,others",
  "describe things",
  "describe things -l app=web",
  "events",
  "events --for thing/a",
];

const OBJECTS = [
  ...FORMS.slice(0, 6).map((form) => `get thing a ${form}`.trim()),
  "get thing/a other/b",
  "describe thing a",
  "wait thing a --for=condition=Ready --timeout=0s",
];

/** They end with what the server sends, or by a signal. */
const WATCHES = [
  "get things -w",
  "get things -w -o json --output-watch-events",
  "get thing a -w",
  "events -w",
];

const EXPLAIN = ["explain things", "explain things.spec --recursive"];

const ALL = [...LISTS, ...OBJECTS, ...EXPLAIN];

// deno-lint-ignore no-control-regex -- these are looked for
const STEERING = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;

const EVIL = "a\u001b]0;x\u0007\u009b2J\u001b[31m\u202e\r\u0000\u2066z";

const NOW = Date.UTC(2026, 0, 2);

function thing(name: string, more: JsonMembers = {}): JsonMembers {
  const metadata = { name, namespace: "default", resourceVersion: "1", uid: name };
  return { apiVersion: "v1", kind: "Thing", metadata, spec: { size: 1 }, ...more };
}

function list(items: readonly Json[], metadata: JsonMembers = {}): JsonMembers {
  return { apiVersion: "v1", kind: "ThingList", metadata: { resourceVersion: "10", ...metadata }, items };
}

function isList(url: URL): boolean {
  return /\/(?:things|others|events)$/.test(url.pathname);
}

/** Fails unless a line ended as one of ours does: by an error of ours at worst, without the token. */
function assertEnded({ code, stdout, stderr }: Ran, about: string): void {
  assert.ok([0, 1, 2, 4, 5, 6].includes(code), `${about} ended with ${code}: ${stderr}`);
  assert.doesNotMatch(stderr, /INTERNAL/, about);
  for (const text of [stdout, stderr]) assert.ok(!text.includes(TOKEN), `${about} tells the token`);
  assertPrintable(stderr);
}

Deno.test("a list without an end is an error", async () => {
  await using server = await startFakeServer();
  const endless: Readonly<Record<string, (request: number) => JsonMembers>> = {
    "the same token again": () => list([thing("a")], { continue: "same" }),
    "empty parts": (request) => list([], { continue: `${request}` }),
  };
  for (const [what, answer] of Object.entries(endless)) {
    server.answer = (_, request) => answer(request);
    // It takes a thousand empty parts.
    for (const line of what === "empty parts" ? LISTS.filter((_, at) => at % 4 === 0) : LISTS) {
      const ran = await server.run(line);
      assertEnded(ran, `${line}: ${what}`);
      printedError(ran, { says: /does not end/ }, `${line}: ${what}`);
      assert.ok(server.asked.length < 2_500, `${line}: ${what}: ${server.asked.length} requests`);
    }
  }
});

Deno.test("columns that grow without an end are an error", async () => {
  await using server = await startFakeServer();
  const text = "x".repeat(1024 * 1024);
  const columnDefinitions = [{ name: "Name", type: "string", format: "name" }];
  const rows = Array.from({ length: 10 }, () => ({ cells: [text] }));
  server.answer = (url, request) =>
    url.searchParams.has("includeObject")
      ? {
        kind: "Table",
        apiVersion: "meta.k8s.io/v1",
        metadata: { continue: `${request}` },
        columnDefinitions,
        rows,
      }
      : list(Array.from({ length: 10 }, () => thing(text)), { continue: `${request}` });
  for (const line of ["get things", "get things -o custom-columns=NAME:.metadata.name"]) {
    const ran = await server.run(line);
    assertEnded(ran, line);
    printedError(ran, { code: "INVALID", message: /too long/ }, line);
    assert.ok(server.asked.length < 20);
  }
});

Deno.test("an answer that is too large is an error", async () => {
  await using server = await startFakeServer();
  const blank = new Uint8Array(1024 * 1024).fill(0x20);
  const blanks = () =>
    new Response(
      new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(blank) }),
      { headers: { "content-type": "application/json" } },
    );
  const bomb = await packed(100);
  const answers: Readonly<Record<string, () => Response>> = {
    "a body that does not end": blanks,
    "a body that was packed small": () =>
      new Response(bomb, { headers: { "content-type": "application/json", "content-encoding": "gzip" } }),
  };
  for (const [what, answer] of Object.entries(answers)) {
    server.answer = answer;
    // These take a moment each.
    for (const line of ["get things", "get thing a -o yaml", "describe thing a", "explain things"]) {
      const ran = await server.run(line);
      assertEnded(ran, `${line}: ${what}`);
      printedError(ran, { code: "NETWORK", message: /sent more than 64 MiB/ }, `${line}: ${what}`);
      assert.equal(ran.stdout, "");
    }
  }
});

/** So many MiB of blanks, packed. */
async function packed(mebibytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const blank = new Uint8Array(1024 * 1024).fill(0x20);
  const blanks = new Blob(Array.from({ length: mebibytes }, () => blank));
  return await new Response(blanks.stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

Deno.test("a list of large objects is read in smaller parts", async () => {
  await using server = await startFakeServer();
  const large = thing("a", { spec: { text: "x".repeat(1024 * 1024) } });
  const limits: string[] = [];
  server.answer = (url) => {
    const limit = Number(url.searchParams.get("limit") ?? 100);
    const at = Number(url.searchParams.get("continue") ?? 0);
    limits.push(`${at}+${limit}`);
    const end = Math.min(100, at + limit);
    return list(Array.from({ length: end - at }, () => large), end < 100 ? { continue: `${end}` } : {});
  };
  const { code, stdout, stderr } = await server.run("get things -o name");
  assert.deepEqual([code, stdout, stderr], [0, "thing/a\n".repeat(100), ""]);
  assert.deepEqual(limits, ["0+500", "0+125", "0+32", "32+32", "64+32", "96+32"]);
});

Deno.test("an answer that stays away is an error", async () => {
  await using server = await startFakeServer();
  const ended = new AbortController();
  const silent = () =>
    new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(`{"kind":"ThingList","items":[`));
          ended.signal.addEventListener("abort", () => controller.error(new DOMException("", "AbortError")));
        },
      }),
      { headers: { "content-type": "application/json" } },
    );
  server.answer = silent;
  const runs = await Promise.all(
    ["get things", "describe thing a", "explain things", "events"].map(async (line) => {
      const ran = await server.run(`${line} --request-timeout 1s`);
      assertEnded(ran, line);
      return printedError(ran, { code: "NETWORK" }, line).message;
    }),
  );
  for (const message of runs) assert.match(message, /did not answer/);
  ended.abort();
});

Deno.test("no text of a server steers a terminal", async () => {
  await using server = await startFakeServer();
  const labels = { [EVIL]: EVIL, app: EVIL };
  const object = thing(EVIL, {
    kind: `Thing${EVIL}`,
    metadata: { name: EVIL, namespace: EVIL, labels, annotations: labels, uid: EVIL, resourceVersion: "1" },
    spec: { [EVIL]: EVIL },
    status: { conditions: [{ type: EVIL, status: EVIL, message: EVIL, reason: EVIL }] },
    type: EVIL,
    reason: EVIL,
    message: `${EVIL}\n${EVIL}`,
    involvedObject: { kind: EVIL, name: EVIL, namespace: EVIL },
    source: { component: EVIL },
  });
  const table = {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    columnDefinitions: [{ name: EVIL, type: "string", format: "name" }, { name: EVIL, type: "string" }],
    rows: [{ cells: [EVIL, EVIL], object }],
  };
  const warning = { warning: `299 - "${encodeURI(EVIL).slice(0, 20)} \u009b2J"` };
  const document = {
    openapi: "3.0.0",
    components: {
      schemas: {
        [`x${EVIL}`]: {
          description: EVIL,
          type: "object",
          properties: {
            spec: { type: EVIL, description: EVIL },
            [EVIL]: { type: "string", description: EVIL },
          },
          "x-kubernetes-group-version-kind": [{ group: "", version: "v1", kind: "Thing" }],
        },
      },
    },
  };
  const said: Readonly<Record<string, (url: URL) => FakeAnswer>> = {
    "objects": (url) => json(isList(url) ? list([object, object]) : object, 200, warning),
    "tables": () => json(table, 200, warning),
    "refusals": () =>
      json({ kind: "Status", reason: EVIL, message: EVIL, code: 403, details: { name: EVIL } }, 403),
    "an odd status": () => json({ kind: "Status", reason: EVIL, message: EVIL, code: 422 }, 422),
    "plain text": () => new Response(EVIL, { status: 400 }),
    "documents": (url) =>
      url.pathname === "/openapi/v3"
        ? { paths: { "api/v1": { serverRelativeURL: "/openapi/v3/api/v1?hash=1" } } }
        : document,
  };
  for (const [what, answer] of Object.entries(said)) {
    server.answer = answer;
    for (const line of ALL) {
      const terminal = { outIsTerminal: true, now: () => NOW };
      const ran = await server.run(line, terminal);
      assertEnded(ran, `${line}: ${what}`);
      assert.doesNotMatch(
        ran.stdout,
        STEERING,
        `${line}: ${what}`,
      );
      // A colour of the server's would not leave the blank that stands for its escape.
      const coloured = await server.run(line, { ...terminal, colour: true });
      assert.equal(withoutColours(coloured.stdout), ran.stdout, `${line}: ${what}`);
    }
  }
});

Deno.test("what is no answer to the question is an error, or shown as far as it goes", async () => {
  await using server = await startFakeServer();
  const table = {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    columnDefinitions: [{ name: "Name" }],
    rows: [],
  };
  const strange: readonly Json[] = [
    null,
    [],
    "x",
    1,
    {},
    { kind: "Status", apiVersion: "v1", status: "Success" },
    { items: {} },
    { ...list([]), items: null },
    list([1, null, "x", {}, { metadata: 1 }, { metadata: { name: 1, labels: [] } }, []]),
    list([list([thing("a")])]),
    thing("a"),
    thing("a", { metadata: null }),
    { kind: 1, apiVersion: {}, metadata: [] },
    table,
    { ...table, rows: null },
    { ...table, rows: 1 },
    { ...table, columnDefinitions: null, rows: [{ cells: ["a"] }] },
    { ...table, rows: [1, null, "x", {}, { cells: null }, { cells: 1 }, { cells: [], object: 1 }] },
    { ...table, rows: [{ cells: [{}, [1], null, true, 1.5] }] },
    { ...table, columnDefinitions: [1, null, {}, { name: 1, priority: "x" }], rows: [{ cells: ["a", "b"] }] },
    nested(5_000),
    list([nested(2_000)]),
  ];
  for (const [at, answer] of strange.entries()) {
    server.answer = () => answer;
    for (const line of ALL) assertEnded(await server.run(line), `${line}: ${at}`);
  }
  server.answer = () => new Response("<html>Sign in</html>", { headers: { "content-type": "text/html" } });
  for (const line of ALL) {
    const ran = await server.run(line);
    assertEnded(ran, line);
    assert.notEqual(ran.code, 0, line);
  }
});

function nested(levels: number): Json {
  let value: Json = {};
  for (let left = levels; left > 0; left -= 1) value = { kind: "Thing", apiVersion: "v1", spec: value };
  return value;
}

Deno.test("a redirect to another host is not followed, nor does its host get the token", async () => {
  await using server = await startFakeServer();
  await using other = await startFakeServer();
  for (const status of [301, 302, 303, 307, 308]) {
    server.answer = (url) =>
      new Response(null, {
        status,
        headers: { location: `https://${other.host}${url.pathname}${url.search}` },
      });
    for (const line of [...ALL, ...WATCHES]) {
      const ran = await server.run(line);
      assertEnded(ran, `${line}: ${status}`);
      printedError(ran, { code: "NETWORK", message: /redirect/ }, `${line}: ${status}`);
    }
  }
  assert.deepEqual(other.asked, []);
});

Deno.test("a document that stands on another host is not read from there", async () => {
  await using server = await startFakeServer();
  await using other = await startFakeServer();
  for (
    const address of [`https://${other.host}/x`, `//${other.host}/x`, `@${other.host}/x`, `.${other.host}/`]
  ) {
    server.answer = (url) =>
      url.pathname === "/openapi/v3" ? { paths: { "api/v1": { serverRelativeURL: address } } } : undefined;
    for (const line of EXPLAIN) {
      const ran = await server.run(line);
      assertEnded(ran, `${line}: ${address}`);
      assert.notEqual(ran.code, 0);
    }
  }
  assert.deepEqual(other.asked, []);
});

Deno.test("a discovery that lies is bounded", async () => {
  const many = Array.from({ length: 3_000 }, (_, at) => ({ name: `g${at}`, versions: [{ version: "v1" }] }));
  const evil = { name: `../../${EVIL}`, singularName: EVIL, kind: EVIL, namespaced: true, verbs: [EVIL] };
  const lies: readonly Readonly<Record<string, Json>>[] = [
    {},
    { "/api": [], "/apis": 1 },
    {
      "/api": { kind: "APIVersions", versions: ["v1"] },
      "/api/v1": { kind: "APIResourceList", resources: [evil] },
    },
    { "/api": { kind: "APIVersions", versions: ["../../x", "v1?a=b", "v1#", EVIL] } },
    {
      "/api": { kind: "APIVersions", versions: ["v1"] },
      "/api/v1": {
        kind: "APIResourceList",
        resources: [{ name: "things", kind: "Thing", namespaced: "yes", verbs: 1, shortNames: [1, {}] }],
      },
    },
    { "/apis": { kind: "APIGroupList", groups: many } },
  ];
  for (const [at, lie] of lies.entries()) {
    await using server = await startFakeServer(lie);
    server.answer = (url) => isList(url) ? list([thing("a")]) : undefined;
    for (const line of ["get things", "describe things", "explain things", "get ..%2f..%2fx"]) {
      const ran = await server.run(line, { outIsTerminal: true });
      assertEnded(ran, `${line}: ${at}`);
      assertPrintable(ran.stdout);
      assert.ok(server.asked.length < 5_000);
    }
  }
});

Deno.test("a watch ends with what it cannot go on after", async () => {
  await using server = await startFakeServer();
  const events = (...lines: readonly Json[]) =>
    new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), {
      headers: { "content-type": "application/json" },
    });
  const evil = thing(EVIL, {
    metadata: { name: EVIL, namespace: "default", uid: "1", resourceVersion: "11" },
  });
  const streams: Readonly<Record<string, () => Response>> = {
    "no JSON": () => new Response("<html>\n"),
    "escapes": () =>
      events({ type: "ADDED", object: evil }, { type: EVIL, object: evil }, {
        type: "ERROR",
        object: { kind: "Status", code: 403, message: EVIL },
      }),
    "lists": () =>
      events({ type: "ADDED", object: list([evil]) }, { type: "ADDED", object: [] as Json }, {
        type: 1,
        object: null,
      }),
    "half a line": () => new Response(`{"type":"ADDED","object":{"kind"`),
  };
  for (const [what, stream] of Object.entries(streams)) {
    let watches = 0;
    server.answer = (url) => {
      if (url.searchParams.get("watch") !== "true") return isList(url) ? list([]) : thing("a");
      watches += 1;
      // Whatever may pass is asked for again: so in the end something is said that does not.
      return watches > 5 ? json({ kind: "Status", reason: "Forbidden", code: 403 }, 403) : stream();
    };
    for (const line of WATCHES) {
      watches = 0;
      const ran = await server.run(line, { outIsTerminal: true });
      assertEnded(ran, `${line}: ${what}`);
      assert.doesNotMatch(ran.stdout, STEERING, `${line}: ${what}`);
      assert.equal(ran.code, 5, `${line}: ${what}: ${ran.stderr}`);
    }
  }
});
