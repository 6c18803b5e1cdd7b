/** Proves that manifests are read as kubectl reads them: YAML 1.1 as go-yaml understands it, JSON, documents, lists. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { compactJson, jsonText } from "../../src/kube/json-text.ts";
import { readDocuments, readManifest } from "../../src/kube/manifest.ts";
import { expectError } from "../expect-error.ts";
import { damaged, ours, RUNS } from "../fuzz.ts";
import { ignore, kubectlPrints } from "./kubectl.ts";

// What stands behind `v: `, and what kubectl 1.35 makes of it.
const READ: readonly (readonly [yaml: string, json: string])[] = [
  ...["", "~", "null", "Null", "NULL", "!!null", "!!null ''"].map((text) => [text, "null"] as const),
  ...["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE", "!!bool 'yes'"].map((text) =>
    [text, "true"] as const
  ),
  ...["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"].map((text) =>
    [text, "false"] as const
  ),
  ...["yEs", "tRUE", "nULL", "oN", "yy", "Infinity", "inf", "NaN", "nan"].map((text) =>
    [text, `"${text}"`] as const
  ),
  ...["12:30", "12:30:45", "190:20:30.15", "2001-01-01", "2001-01-01T00:00:00Z", "2001-12-14 21:59:43"].map((
    text,
  ) => [text, `"${text}"`] as const),
  ...[
    "1.2.3",
    "1e",
    "0.5e",
    "e1",
    "0x",
    "0b",
    "0o",
    "0o8",
    "0xG",
    "1,000",
    "1e400",
    "-1e400",
    "_1",
    "-",
    "+",
    "..",
    "=",
  ]
    .filter((text) => text !== "-").map((text) => [text, `"${text}"`] as const),
  ["0777", "511"],
  ["012", "10"],
  ["08", "8"],
  ["09.5", "9.5"],
  ["0o17", "15"],
  ["0O17", "15"],
  ["0x1F", "31"],
  ["0X1f", "31"],
  ["-0x1F", "-31"],
  ["+0x1f", "31"],
  ["0b101", "5"],
  ["-0b11", "-3"],
  ["1_000", "1000"],
  ["1__0_", "10"],
  ["0_7", "7"],
  ["-_1", "-1"],
  ["0x_1", "1"],
  ["1_000.5", "1000.5"],
  [".1_0", "0.1"],
  ["._5", '"._5"'],
  ["+12", "12"],
  ["-0", "0"],
  ["1.0", "1"],
  ["1.10", "1.1"],
  [".5", "0.5"],
  ["5.", "5"],
  ["-.5", "-0.5"],
  ["1e3", "1000"],
  ["1.e+3", "1000"],
  [".5e3", "500"],
  ["1e21", "1e+21"],
  ["1e-7", "1e-7"],
  ["9007199254740993", "9007199254740993"],
  ["9223372036854775807", "9223372036854775807"],
  ["-9223372036854775808", "-9223372036854775808"],
  ["0x7FFFFFFFFFFFFFFF", "9223372036854775807"],
  ["0xFFFFFFFFFFFFFFFFF", '"0xFFFFFFFFFFFFFFFFF"'],
  ["'12'", '"12"'],
  ['"yes"', '"yes"'],
  ["'it''s'", '"it\'s"'],
  ['"\\x41\\u00e9\\U0001F600\\e\\_\\N\\L\\0"', '"Aé😀\\u001b\u00a0\u0085\\u2028\\u0000"'],
  ["!!str 12", '"12"'],
  ["! 12", '"12"'],
  ["!mine 12", '"12"'],
  ["!!int '0x10'", "16"],
  ["!!float 1", "1"],
  ["!!timestamp 2001-01-01", '"2001-01-01"'],
  ["!!binary aGVsbG8=", '"hello"'],
  ["!!binary |\n  aGVs\n  bG8=", '"hello"'],
  ["!!set {a, b}", '{"a":null,"b":null}'],
  ["!!omap [a: 1]", '[{"a":1}]'],
  ["|\n  a\n  b", '"a\\nb\\n"'],
  ["|-\n  a", '"a"'],
  ["|+\n  a\n\n", '"a\\n\\n"'],
  [">\n  a\n  b\n\n  c", '"a b\\nc\\n"'],
  ["|2\n   x", '" x\\n"'],
  ["x\n  y\n\n  z", '"x y\\nz"'],
  ['"x\\\n  y"', '"xy"'],
  ["a #b", '"a"'],
  ["a#b", '"a#b"'],
  ["a:b", '"a:b"'],
  ["[a, 'b', 1, yes,]", '["a","b",1,true]'],
  ["{a: 1, b: yes, c}", '{"a":1,"b":true,"c":null}'],
  [
    "{on: 1, no: 2, 0x10: 3, 1.5: 4, 2001-01-01: 5, .inf: 6, '': 7}",
    '{"":7,".inf":6,"1.5":4,"16":3,"2001-01-01":5,"false":2,"true":1}',
  ],
  ["{a: 1, a: 2}", '{"a":2}'],
  ["{123456789.0: 1, 1e20: 2}", '{"1.2345679e+08":1,"1e+20":2}'],
  ["{x: &x {b: 1, c: 1}, z: *x}", '{"x":{"b":1,"c":1},"z":{"b":1,"c":1}}'],
  ["{x: &x {b: 1, c: 1}, z: {<<: *x, b: 2}}", '{"x":{"b":1,"c":1},"z":{"b":2,"c":1}}'],
  ["{x: &x {b: 1, c: 1}, z: {b: 2, <<: *x}}", '{"x":{"b":1,"c":1},"z":{"b":1,"c":1}}'],
  [
    "{x: &x {b: 1}, xy: &y {b: 3, e: 5}, z: {<<: [*x, *y]}}",
    '{"x":{"b":1},"xy":{"b":3,"e":5},"z":{"b":1,"e":5}}',
  ],
  ["{'<<': 1}", '{"\\u003c\\u003c":1}'],
  ["[&a 1, *a, &a 2, *a]", "[1,1,2,2]"],
  ["{\n\"a\": [\n1,\n'x\ny'\n] # c ]\n}", '{"a":[1,"x y"]}'],
  ["[\n- \n]".replace("- \n", "1\n"), "[1]"],
];

const REFUSED = [
  ".inf",
  "-.INF",
  ".nan",
  "{~: 1}",
  "{[a]: 1}",
  "{9223372036854775808: 1}",
  "{<<: 1}",
  "{<<: [1]}",
  "*nowhere",
  "&a [*a]",
  "!!int abc",
  "!!bool 1",
  "!!binary '!'",
  "@a",
  "`a",
  "%a",
  "a: b",
  "- a",
  '"\\q"',
  "'a",
  "[a",
  "a\u0007",
  "a\u007f",
  "\n\tb: 1",
];

function document(value: string, name = "w"): string {
  return `apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: ${name}\nv: ${value}\n`;
}

Deno.test("a scalar, a flow, an anchor and a merge mean what they mean to kubectl", () => {
  assert.ok(READ.length > 60);
  for (const [yaml, json] of READ) {
    const [read] = readDocuments(`v: ${yaml}`, "f");
    assert.equal(compactJson((read as { v: never }).v), json, JSON.stringify(yaml));
  }
});

Deno.test({
  name: "kubectl says the same of the table",
  ignore,
  fn: async () => {
    const manifest = READ.map(([yaml], index) => document(yaml, `w${index}`)).join("---\n");
    const { code, stdout, stderr } = await kubectlPrints(manifest, "json");
    assert.equal(code, 0, stderr);
    assert.equal(stdout, readManifest(manifest, "f").map((object) => `${jsonText(object)}\n`).join(""));
  },
});

Deno.test("what kubectl refuses is refused, with the line, and nothing of it is quoted", () => {
  for (const yaml of REFUSED) {
    expectError(() => readManifest(document(yaml), "f.yaml"), {
      code: "INVALID",
      message: /^Cannot read f\.yaml: (?:line [56]: )?[a-z][^"`\[{*@]*\.$/i,
    }, yaml);
  }
});

Deno.test({
  name: "kubectl refuses the same",
  ignore,
  fn: async () => {
    for (const yaml of REFUSED) {
      const { code, stdout } = await kubectlPrints(document(yaml), "json");
      assert.ok(code !== 0 && stdout === "", yaml);
    }
  },
});

const one = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}';
const list = (kind: string, ...items: string[]) =>
  `{"apiVersion":"v1","kind":"${kind}","items":[${items.join(",")}]}`;

// Manifests of more than one document or object, with kubectl's list of what is in them.
const MANIFESTS: readonly (readonly [manifest: string, objects: string])[] = [
  ["", ""],
  ["# nothing\n---\n---\n", ""],
  [`---\n${document("1", "a")}---   \n${document("2", "b")}--- # c\n\n---#c\n`, "Widget a,Widget b"],
  [document("1", "a").replaceAll("\n", "\r\n"), "Widget a"],
  [`\ufeff${document("1", "a")}`, "Widget a"],
  [one, "ConfigMap a"],
  [`${one}${one}\n\n${one}`, "ConfigMap a,ConfigMap a,ConfigMap a"],
  [`${one}\n---\n${document("1", "b")}---\n${one}`, "ConfigMap a,Widget b,ConfigMap a"],
  ["{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}", "ConfigMap b"],
  [list("List", one, one), "ConfigMap a,ConfigMap a"],
  [list("List"), ""],
  [list("ConfigMapList", '{"metadata":{"name":"c"}}', one), "ConfigMap c,ConfigMap a"],
  ['{"apiVersion":"x/v1","kind":"FooList","items":[{"metadata":{"name":"f"}}]}', "Foo f"],
  ['{"apiVersion":"v1","kind":"List","items":null}', ""],
  [`${document("1", "a")}...\n---\n${one}`, "Widget a,ConfigMap a"],
];

function names(manifest: string): string {
  return readManifest(manifest, "f").map(({ kind, metadata }) =>
    `${kind} ${(metadata as { name: string }).name}`
  )
    .join(",");
}

Deno.test("documents, JSON and lists are taken apart", () => {
  for (const [manifest, objects] of MANIFESTS) assert.equal(names(manifest), objects, manifest);
  // kubectl stops at a list within a list.
  assert.equal(names(list("List", list("List", one), one)), "ConfigMap a,ConfigMap a");
});

Deno.test({
  name: "kubectl takes them apart in the same way",
  ignore,
  fn: async () => {
    for (const [manifest, objects] of MANIFESTS) {
      const { stdout } = await kubectlPrints(manifest, "jsonpath={.kind} {.metadata.name},");
      assert.equal(stdout.replace(/,$/, ""), objects, manifest);
    }
  },
});

Deno.test("what is no object of Kubernetes is refused", () => {
  for (
    const manifest of [
      "a",
      "[1]",
      `[${one}]`,
      "kind: A",
      "apiVersion: v1",
      "apiVersion: v1\nkind: 1",
      list("List", "null"),
      list("List", '"a"'),
      list("List", '{"metadata":{}}'),
      '{"apiVersion":"v1","kind":"List","items":{}}',
      `${one}\n--- a\n`,
      "---x\n",
      `${one.slice(0, -1)},"n":1e400}`,
    ]
  ) expectError(() => readManifest(manifest, "f"), "INVALID", manifest);
});

Deno.test("the line of an error counts the documents before it", () => {
  expectError(() => readManifest(`${document("1")}---\na: 1\nb: [\n`, "f"), {
    message: "Cannot read f: line 8: a bracket is not closed.",
  });
  expectError(() => readManifest(`${one}\n\n${one}\n---\na: 1\nb: [\n`, "f"), { message: /line 6: / });
  expectError(() => readManifest(`${one}\n---\n--- a\n`, "f"), { message: /line 3 begins with/ });
  expectError(() => readManifest(`${document("1")}---\na: 1\nb: 'x\n`, "f"), { message: /line [89]: / });
});

Deno.test("aliases that stand for more and more values are refused in time", () => {
  const rows = Array.from(
    { length: 30 },
    (_, level) =>
      `a${level}: &a${level} [${Array(9).fill(level === 0 ? "x" : `*a${level - 1}`).join(", ")}]\n`,
  );
  expectError(() => readDocuments(rows.join(""), "f"), { message: /aliases stand for too many values/ });
  const merges = Array.from(
    { length: 30 },
    (_, level) =>
      `a${level}: &a${level} {x: ${level}, ${
        level === 0 ? "" : `<<: [${Array(9).fill(`*a${level - 1}`).join(", ")}]`
      }}\n`,
  );
  expectError(() => readDocuments(merges.join(""), "f"), { message: /aliases stand for too many values/ });
  const long = `a: &a ${"x".repeat(10_000)}\nb: [${Array(1_000).fill("*a").join(", ")}]\n`;
  expectError(() => readDocuments(long, "f"), { message: /aliases stand for too many values/ });
  const [read] = readDocuments(`a: &a [1, 2]\nb: [${Array(1_000).fill("*a").join(", ")}]`, "f");
  assert.equal((read as { b: unknown[] }).b.length, 1_000);
});

Deno.test("what nests without end is refused", () => {
  for (
    const text of [
      `a: ${"[".repeat(20_000)}`,
      `a: ${"[".repeat(5_000)}${"]".repeat(5_000)}`,
      "- ".repeat(3_000),
    ]
  ) {
    expectError(() => readDocuments(text, "f"), "INVALID");
  }
});

Deno.test("a member named __proto__ is one", () => {
  assert.equal(
    compactJson(readDocuments("__proto__: {a: 1}\nb: &b {__proto__: 2}\nc: {<<: *b}", "f")),
    '[{"__proto__":{"a":1},"b":{"__proto__":2},"c":{"__proto__":2}}]',
  );
});

const GOOD = `# SECRET
apiVersion: v1
kind: Secret
metadata: {name: a, labels: {"a/b": 'c'}}
stringData:
  x: |
    SECRET
  y: &y SECRET
  z: [*y, !!binary aGk=, {<<: {a: 1}}]
---
{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "A", "n": 9007199254740993}]}
`;

Deno.test("no manifest breaks its reader, and none is quoted", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(fc.constant(GOOD)), async (text) => {
      await ours(() => readManifest(text, "f"));
    }),
    { numRuns: RUNS },
  );
});
