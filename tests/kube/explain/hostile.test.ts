/** Proves that no schema breaks `explain`, makes it run for long, or makes it print without end. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { explain } from "../../../src/kube/explain/explain.ts";
import { explainTarget, openApiPath } from "../../../src/kube/explain/target.ts";
import { wrapWords } from "../../../src/kube/explain/word-wrap.ts";
import { type Json, type JsonMembers, readJson } from "../../../src/kube/lossless-json.ts";
import { expectError } from "../../expect-error.ts";
import { changed, hostileText, hostileValue, ours, RUNS } from "../../fuzz.ts";

const resource = { group: "example.com", version: "v1", resource: "widgets" };
const KIND = { group: "example.com", version: "v1", kind: "Widget" };

function documentOf(schema: JsonMembers, schemas: JsonMembers = {}): JsonMembers {
  return {
    paths: { "/apis/example.com/v1/widgets": { get: { "x-kubernetes-group-version-kind": KIND } } },
    components: { schemas: { Widget: { ...schema, "x-kubernetes-group-version-kind": [KIND] }, ...schemas } },
  };
}

const refer = (name: string) => ({ $ref: `#/components/schemas/${name}` });

function explained(document: Json, fields: readonly string[] = [], recursive = false): string {
  const { text, error } = explain(document, { resource, fields, recursive });
  if (error !== undefined) throw error;
  return text;
}

Deno.test("a schema that refers to itself is explained once on each way", () => {
  const document = documentOf({ properties: { a: refer("Node") } }, {
    Node: {
      type: "object",
      description: "A node.",
      properties: {
        next: refer("Node"),
        all: { type: "array", items: refer("Node") },
        x: { type: "string" },
      },
    },
  });
  assert.equal(
    explained(document, [], true),
    [
      "GROUP:      example.com\nKIND:       Widget\nVERSION:    v1\n\nDESCRIPTION:\n    <empty>\nFIELDS:\n",
      "  a\t<Node>\n    all\t<[]Node>\n    next\t<Node>\n    x\t<string>\n\n",
    ].join(""),
  );
  assert.match(explained(document, ["a", "next", "all", "next", "x"]), /^FIELD: x <string>$/m);
});

const CIRCLES: Readonly<Record<string, JsonMembers>> = {
  items: { items: refer("Widget") },
  values: { additionalProperties: refer("Widget") },
  allOf: { allOf: [refer("Widget"), refer("Other")] },
  itself: refer("Widget"),
  nowhere: refer("Nobody"),
  elsewhere: { $ref: "https://evil.example/schema.json" },
  document: { $ref: "#/" },
};

Deno.test("circles of references end, whatever they go through", () => {
  for (const [name, circle] of Object.entries(CIRCLES)) {
    const document = documentOf({ description: "About.", ...circle }, {
      Other: { allOf: [refer("Widget")] },
    });
    for (const recursive of [false, true]) assert.match(explained(document, [], recursive), /Widget/, name);
    expectError(() => explained(document, ["none"]), "NOT_FOUND", name);
  }
});

/** Schemas; each refers twice to the next one. */
function doubling(depth: number, within: (name: string) => JsonMembers): JsonMembers {
  return Object.fromEntries(Array.from({ length: depth }, (_, at) => [`S${at}`, within(`S${at + 1}`)]));
}

Deno.test("schemas that double at each step are refused, and end", () => {
  const ofAll = documentOf(
    refer("S0"),
    doubling(64, (next) => ({ description: "d", allOf: [refer(next), refer(next)] })),
  );
  for (const recursive of [false, true]) expectError(() => explained(ofAll, [], recursive), "INVALID");
  expectError(() => explained(ofAll, ["none"]), "INVALID");
  const ofFields = doubling(64, (next) => ({ properties: { a: refer(next), b: refer(next) } }));
  expectError(() => explained(documentOf(refer("S0"), ofFields), [], true), "INVALID");
});

Deno.test("what nests too deep is refused, and overflows nothing", () => {
  const deep = (open: string, close: string, levels: number) =>
    readJson(`${open.repeat(levels)}{"type":"string"}${close.repeat(levels)}`) as JsonMembers;
  const chain = Object.fromEntries(
    Array.from({ length: 5000 }, (_, at) => [`S${at}`, { properties: { a: refer(`S${at + 1}`) } }]),
  );
  const documents = [
    documentOf(refer("S0"), chain),
    documentOf({ properties: { a: deep('{"items":', "}", 3000) } }),
    documentOf(deep('{"additionalProperties":', "}", 3000)),
    documentOf(deep('{"properties":{"a":', "}}", 3000)),
    documentOf(deep('{"allOf":[', "]}", 3000)),
  ];
  for (const document of documents) expectError(() => explained(document, [], true), "INVALID");
  expectError(() => explained(documents[2] ?? null, ["x"]), "INVALID");
});

Deno.test("a huge description is wrapped in bounded time, and too much text is refused", async () => {
  const text = await ours(() => explained(documentOf({ description: "x y ".repeat(100_000) })));
  assert.ok(text !== undefined && text.length > 400_000);
  const word = await ours(() => explained(documentOf({ description: "x".repeat(2_000_000) })));
  assert.ok(word?.includes("x".repeat(2_000_000)));
  const properties = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`p${at}`, { description: "z".repeat(1_000_000) }]),
  );
  expectError(() => explained(documentOf({ properties })), "INVALID");
});

Deno.test("documents without the resource, or without its schema, have it not", () => {
  for (
    const document of [null, [], "x", {}, { paths: [] }, { paths: { "/apis/example.com/v1/widgets": null } }]
  ) {
    expectError(() => explained(document), {
      code: "NOT_FOUND",
      message: "GVR (example.com/v1, Resource=widgets) not found in OpenAPI schema",
    });
  }
  const { paths = null } = documentOf({});
  for (
    const components of [null, {}, { schemas: [] }, { schemas: { Widget: null, Other: { properties: {} } } }]
  ) {
    expectError(() => explained({ paths, components }), "NOT_FOUND");
  }
});

Deno.test("no schema breaks an explanation", async () => {
  const good = {
    type: "object",
    description: "About.",
    required: ["a"],
    properties: { a: { type: "string", enum: ["x", ""] }, b: refer("Other") },
    items: { type: "string" },
    additionalProperties: true,
    allOf: [refer("Other")],
    enum: [1],
    $ref: "#/components/schemas/Other",
  };
  const schema = fc.oneof(changed(good), hostileValue);
  await fc.assert(
    fc.asyncProperty(schema, schema, hostileText, fc.boolean(), async (one, other, field, recursive) => {
      const text = JSON.stringify(
        documentOf(Object(one), { Other: Object(other), P: { properties: { x: Object(one) } } }),
      );
      const document = readJson(text);
      if (document === undefined) return;
      for (const fields of [[], ["a"], ["b", "a"], [field], ["b", field, "x"]]) {
        await ours(() => assert.ok(explained(document, fields, recursive).startsWith("GROUP:")));
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no word after explain breaks its reader, and no index sends it elsewhere", async () => {
  const found = [{ group: "example.com", version: "v1", plural: "widgets" }];
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(hostileText, hostileText.map((text) => `widgets.${text}`)),
      hostileText,
      async (word, version) => void await ours(() => explainTarget(word, found, version)),
    ),
    { numRuns: RUNS },
  );
  const index = (serverRelativeURL: Json) => ({ paths: { "apis/example.com/v1": { serverRelativeURL } } });
  const at = "/openapi/v3/apis/example.com/v1";
  assert.equal(openApiPath(index(`${at}?hash=A1`), resource), `${at}?hash=A1`);
  for (const url of ["https://evil.example/", "//evil.example/openapi/v3/", "/api/v1/secrets", null, 1]) {
    assert.equal(openApiPath(index(url), resource), at);
  }
  expectError(() => openApiPath({ paths: {} }, { ...resource, group: "\u001b[2J" }), "NOT_FOUND");
});

Deno.test("wrapWords() leaves out nothing but blanks, and keeps lines within the limit where words allow it", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "b", " ", "\n", "\u00a0", "é"), maxLength: 200 }),
      (text) => {
        const wrapped = wrapWords(text, 20);
        assert.equal(wrapped.replace(/[ \n]/g, ""), text.replace(/[ \n]/g, ""));
        for (const line of wrapped.split("\n")) {
          assert.ok([...line.trimEnd()].length <= 20 || /[^ ]{20}/.test(line), JSON.stringify(line));
        }
      },
    ),
    { numRuns: RUNS },
  );
});
