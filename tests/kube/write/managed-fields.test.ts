/** Proves how fields are named, found, and handed from one manager to another. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { compactJson } from "../../../src/kube/json-text.ts";
import { type Json, type JsonMembers, readJson } from "../../../src/kube/lossless-json.ts";
import { asMembers } from "../../../src/kube/json-parts.ts";
import {
  type FieldPath,
  pathText,
  readStep,
  serverPath,
  valueAt,
  without,
} from "../../../src/kube/write/field-path.ts";
import { LAST_APPLIED, withLastApplied, withoutLastApplied } from "../../../src/kube/write/last-applied.ts";
import { fieldsOf, takenOver, withoutLeftovers, yielded } from "../../../src/kube/write/managed-fields.ts";
import { mergePatch } from "../../../src/kube/write/merge-patch.ts";
import { hostileText, hostileValue, ours, RUNS } from "../../fuzz.ts";

const OBJECT = {
  metadata: { labels: { "example.com/a": "x" }, finalizers: ["a", "b"] },
  spec: {
    ports: [{ port: 80, name: "web" }, { port: 80, protocol: "UDP" }],
    numbers: [1, 9007199254740993n],
    command: ["run", "it"],
  },
};

const PATHS:
  readonly (readonly [keys: readonly string[], server: string, text: string, value: Json | undefined])[] = [
    [["f:spec", "f:command", "i:1"], ".spec.command[1]", "spec.command[1]", "it"],
    [["f:spec", "f:command", "i:7"], ".spec.command[7]", "spec.command[7]", undefined],
    [
      ["f:spec", "f:ports", 'k:{"protocol":"UDP","port":80}', "f:port"],
      '.spec.ports[port=80,protocol="UDP"].port',
      "spec.ports[port=80,protocol=UDP].port",
      80,
    ],
    // The document leaves the default out.
    [
      ["f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name"],
      '.spec.ports[port=80,protocol="TCP"].name',
      "spec.ports[port=80,protocol=TCP].name",
      "web",
    ],
    [
      ["f:metadata", "f:labels", "f:example.com/a"],
      ".metadata.labels.example.com/a",
      'metadata.labels["example.com/a"]',
      "x",
    ],
    [["f:metadata", "f:finalizers", 'v:"b"'], '.metadata.finalizers[="b"]', "metadata.finalizers[b]", "b"],
    [
      ["f:spec", "f:numbers", "v:9007199254740993"],
      ".spec.numbers[=9007199254740993]",
      "spec.numbers[9007199254740993]",
      9007199254740993n,
    ],
    [["f:constructor"], ".constructor", "constructor", undefined],
    [["f:\u001b[2J"], ".\u001b[2J", '["\\u001b[2J"]', undefined],
  ];

Deno.test("a path is read, written as the server and as a person has it, and followed", () => {
  for (const [keys, server, text, value] of PATHS) {
    const path = keys.map(readStep);
    assert.ok(path.every((step) => step !== undefined), server);
    assert.equal(serverPath(path), server);
    assert.equal(pathText(path), text);
    assert.equal(valueAt(OBJECT, path), value, server);
  }
  for (const key of [".", "", "f", "x:a", "k:a", "k:[]", "v:", "i:-1", "i:x"]) {
    assert.equal(readStep(key), undefined, key);
  }
});

Deno.test("a field is taken out of an object, and nothing else", () => {
  const path = (...keys: readonly string[]): FieldPath =>
    keys.map(readStep).filter((one) => one !== undefined);
  const { spec, metadata } = OBJECT;
  assert.deepEqual(without(OBJECT, path("f:metadata", "f:finalizers", 'v:"a"')), {
    spec,
    metadata: { ...metadata, finalizers: ["b"] },
  });
  assert.deepEqual(without(OBJECT, path("f:spec", "f:ports", 'k:{"port":80,"protocol":"UDP"}')), {
    metadata,
    spec: { ...spec, ports: [{ port: 80, name: "web" }] },
  });
  assert.deepEqual(without(OBJECT, path("f:spec", "f:nothing", "f:a")), OBJECT);
});

/** An object that some managers have fields of. */
function managed(
  ...entries:
    readonly (readonly [manager: string, operation: string, fields: JsonMembers, more?: JsonMembers])[]
) {
  const managedFields = entries.map(([manager, operation, fieldsV1, more]) => ({
    ...{
      manager,
      operation,
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      time: "2026-01-02T03:04:05Z",
      fieldsV1,
    },
    ...more,
  }));
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", managedFields } };
}

function fieldsAfter(managedFields: readonly Json[] | undefined): Record<string, Json> {
  return Object.fromEntries(
    (managedFields as readonly JsonMembers[] ?? []).map((
      entry,
    ) => [`${entry.manager} ${entry.operation}`, entry.fieldsV1 ?? null]),
  );
}

const CSA = "kubectl-client-side-apply";

Deno.test("what client-side apply has goes to our apply, all else stays", () => {
  const object = managed(
    ["datumctl", "Apply", { "f:data": { "f:a": {} } }],
    [CSA, "Update", { "f:data": { ".": {}, "f:b": {} }, "f:x": { "f:y": {} } }],
    ["kubectl-edit", "Update", { "f:data": { "f:c": {} } }],
    [CSA, "Update", { "f:status": {} }, { subresource: "status" }],
  );
  assert.deepEqual(fieldsAfter(takenOver(object, "datumctl")), {
    "datumctl Apply": { "f:data": { ".": {}, "f:a": {}, "f:b": {} }, "f:x": { "f:y": {} } },
    "kubectl-edit Update": { "f:data": { "f:c": {} } },
    [`${CSA} Update`]: { "f:status": {} },
  });
});

Deno.test("nothing is taken over where nothing of client-side apply is", () => {
  for (
    const object of [
      managed(["datumctl", "Apply", { "f:data": {} }], ["kubectl-edit", "Update", { "f:data": {} }]),
      managed([CSA, "Apply", { "f:data": {} }]),
      managed([CSA, "Update", { "f:data": {} }, { subresource: "scale" }]),
      managed([CSA, "Update", {}]),
      { metadata: { managedFields: "none" } },
      {},
    ]
  ) {
    assert.equal(takenOver(object, "datumctl"), undefined, compactJson(object));
  }
});

Deno.test("a field that is whole for one manager and has parts for another is both afterwards", () => {
  const object = managed(
    ["datumctl", "Apply", { "f:data": {} }],
    [CSA, "Update", { "f:data": { "f:b": {} } }],
  );
  assert.deepEqual(fieldsAfter(takenOver(object, "datumctl")), {
    "datumctl Apply": { "f:data": { ".": {}, "f:b": {} } },
  });
});

Deno.test("entries of another version of the kind are left to the apply itself", () => {
  const object = managed(
    [CSA, "Update", { "f:old": {} }, { apiVersion: "v1beta1" }],
    [CSA, "Update", { "f:new": {} }],
  );
  assert.deepEqual(fieldsAfter(takenOver(object, "datumctl")), { "datumctl Apply": { "f:new": {} } });
});

Deno.test("only those fields of our own commands give way that are in conflict", () => {
  const object = managed(
    ["datumctl", "Apply", { "f:data": { "f:a": {} } }],
    ["datumctl-edit", "Update", { "f:data": { "f:b": {}, "f:c": {} } }],
    ["datumctl-label", "Update", { "f:data": { "f:b": {} } }],
    ["kubectl-edit", "Update", { "f:data": { "f:b": {} } }],
  );
  assert.deepEqual(fieldsAfter(yielded(object, "datumctl", new Set([".data.b"]))), {
    "datumctl Apply": { "f:data": { "f:a": {}, "f:b": {} } },
    "datumctl-edit Update": { "f:data": { "f:c": {} } },
    "kubectl-edit Update": { "f:data": { "f:b": {} } },
  });
  assert.equal(yielded(object, "ci", new Set([".data.b"])), undefined);
});

/** A set of fields. */
const fieldSet: fc.Arbitrary<JsonMembers> = fc.letrec<{ set: JsonMembers; inner: JsonMembers }>((tie) => ({
  set: fc.dictionary(
    fc.constantFrom("f:a", "f:b", "f:c.d", 'k:{"n":1}', 'v:"x"', "i:0"),
    fc.oneof(fc.constant({}), tie("inner")),
    { minKeys: 1, maxKeys: 4 },
  ),
  inner: fc.tuple(tie("set"), fc.boolean()).map(([set, itself]) => itself ? { ...set, ".": {} } : set),
})).set;

Deno.test("no field is lost when fields are handed over, and none is made", () => {
  const manager = fc.constantFrom(CSA, "datumctl-edit", "kubectl-edit", "other");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(manager, fieldSet), { maxLength: 5 }),
      fieldSet,
      fc.boolean(),
      (all, own, has) => {
        const object = managed(
          ...all.map(([name, fields]) => [name, "Update", fields] as const),
          ...(has ? [["datumctl", "Apply", own] as const] : []),
        );
        for (
          const after of [takenOver(object, "datumctl"), yielded(object, "datumctl", new Set([".a", ".b.a"]))]
        ) {
          if (after === undefined) continue;
          const changed = { ...object, metadata: { managedFields: after } };
          const [before, now] = [object, changed].map((one) => [...fieldsOf(one, () => true).keys()].sort());
          assert.deepEqual(now, before);
          assert.deepEqual(
            [...fieldsOf(changed, ({ manager }) => manager === "kubectl-edit").keys()],
            [...fieldsOf(object, ({ manager }) => manager === "kubectl-edit").keys()],
          );
        }
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("what a server sends as managed fields breaks nothing", async () => {
  const keys = fc.oneof(
    hostileText,
    fc.constantFrom(".", "f:a", "k:{", 'k:{"a":{}}', "v:[", "i:1e9", "__proto__"),
  );
  const fields = fc.dictionary(keys, fc.oneof(hostileValue, fc.dictionary(keys, hostileValue)));
  const entry = fc.record({
    manager: fc.oneof(fc.constantFrom(CSA, "datumctl", "datumctl-edit"), hostileValue),
    operation: fc.oneof(fc.constantFrom("Update", "Apply"), hostileValue),
    apiVersion: hostileValue,
    fieldsV1: fc.oneof(fields, hostileValue),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.array(fc.oneof(entry, hostileValue)), hostileValue),
      async (managedFields) => {
        const sent = { metadata: { managedFields, annotations: { [LAST_APPLIED]: "{" } } };
        const object = asMembers(readJson(JSON.stringify(sent)));
        await ours(() => {
          takenOver(object, "datumctl");
          yielded(object, "datumctl", new Set([".a"]));
          withoutLeftovers(object);
        });
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("a dry run leaves out what only client-side apply still has, and what others have stays", () => {
  const object = {
    ...managed(
      [CSA, "Update", { "f:data": { ".": {}, "f:a": {}, "f:b": {} }, "f:gone": { ".": {}, "f:x": {} } }],
      ["datumctl", "Apply", { "f:data": { "f:a": {} } }],
    ),
    data: { a: "1", b: "1", c: "1" },
    gone: { x: 1 },
  };
  const { data, gone } = withoutLeftovers(object) as { data: Json; gone?: Json };
  assert.deepEqual([data, gone], [{ a: "1", c: "1" }, undefined]);
});

Deno.test("the annotation is made from the document as kubectl makes it, and an old one is not applied", () => {
  const document = {
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: { name: "a", annotations: { b: "<" } },
    data: { n: 2n ** 60n },
  };
  const live = { metadata: { annotations: { [LAST_APPLIED]: "" } } };
  const text =
    '{"apiVersion":"v1","data":{"n":1152921504606846976},"kind":"ConfigMap","metadata":{"annotations":{"b":"\\u003c"},"name":"a"}}\n';
  const carried = withLastApplied(document, live);
  assert.deepEqual(carried.metadata, { name: "a", annotations: { b: "<", [LAST_APPLIED]: text } });
  assert.deepEqual(withoutLastApplied(carried), document);
  assert.equal(withoutLastApplied(document), document);
  assert.equal(withLastApplied(document, { metadata: {} }), document);
  assert.equal(withLastApplied(document, undefined), document);
  const large = { ...document, data: { a: "x".repeat(256 * 1024) } };
  assert.equal(withLastApplied(large, live), large, "the server takes no annotation of that length");
});

/** A merge patch put to an object. RFC 7396, 2. */
function patched(target: Json, patch: Json): Json {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, Json> = typeof target === "object" && target !== null && !Array.isArray(target)
    ? { ...target as JsonMembers }
    : {};
  for (const [name, value] of Object.entries(patch as JsonMembers)) {
    if (value === null) delete result[name];
    else result[name] = patched(result[name] ?? null, value);
  }
  return result;
}

Deno.test("a merge patch makes the one object of the other, and is empty between equals", () => {
  const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json; object: JsonMembers }>((tie) => ({
    object: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value")),
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json>(1, "x", true, 9007199254740993n),
      fc.array(tie("value")),
      tie("object"),
    ),
  })).value;
  const object = fc.dictionary(fc.constantFrom("a", "b", "c"), value);
  fc.assert(
    fc.property(object, object, (from, to) => {
      assert.equal(compactJson(patched(from, mergePatch(from, to))), compactJson(to));
      assert.deepEqual(mergePatch(from, from), {});
    }),
    { numRuns: RUNS },
  );
});
