/** Proves that YAML is printed as kubectl prints it. */

import assert from "node:assert/strict";
import type { Json } from "../../src/kube/lossless-json.ts";
import { readDocuments } from "../../src/kube/manifest.ts";
import { yamlText } from "../../src/kube/yaml-printer.ts";

// What kubectl prints of such a value in YAML, found with kubectl 1.35.
const YAML: readonly (readonly [value: Json, text: string])[] = [
  ["", '""'],
  ["abc", "abc"],
  ["a b", "a b"],
  [" a", "' a'"],
  ["a ", "'a '"],
  ["yes", '"yes"'],
  ["y", '"y"'],
  ["Off", '"Off"'],
  ["yEs", "yEs"],
  ["null", '"null"'],
  ["~", '"~"'],
  ["0777", '"0777"'],
  ["08", '"08"'],
  ["0o17", '"0o17"'],
  ["0o8", "0o8"],
  ["1_000", '"1_000"'],
  ["1e3", '"1e3"'],
  ["1e400", "1e400"],
  [".5", '".5"'],
  [".1_0", '".1_0"'],
  ["._5", "._5"],
  ["1.2.3", "1.2.3"],
  ["12:30", '"12:30"'],
  ["1:60", "1:60"],
  ["2001-01-01", '"2001-01-01"'],
  ["2001-02-29", "2001-02-29"],
  ["2004-2-29", '"2004-2-29"'],
  ["2001-01-01T00:00:00Z", '"2001-01-01T00:00:00Z"'],
  ["2001-01-01T00:00:00", "2001-01-01T00:00:00"],
  ["2001-01-01 00:00:00", '"2001-01-01 00:00:00"'],
  ["2001-01-01T24:00:00Z", "2001-01-01T24:00:00Z"],
  [".inf", '".inf"'],
  ["=", "="],
  ["<<", "<<"],
  ["-", "'-'"],
  ["-a", "-a"],
  ["- a", "'- a'"],
  ["---", "'---'"],
  ["?a", "?a"],
  ["? a", "'? a'"],
  ["a:", "'a:'"],
  ["a:b", "a:b"],
  ["a: b", "'a: b'"],
  ["a#b", "a#b"],
  ["a #b", "'a #b'"],
  ["#a", "'#a'"],
  ["it's", "it's"],
  ["'", "''''"],
  ['"', "'\"'"],
  ["\\", "\\"],
  ["[]", "'[]'"],
  ["{a", "'{a'"],
  ["a,b", "a,b"],
  [",a", "',a'"],
  ["*a", "'*a'"],
  ["&a", "'&a'"],
  ["!a", "'!a'"],
  ["%a", "'%a'"],
  ["@a", "'@a'"],
  ["`a", "'`a'"],
  ["a\tb", '"a\\tb"'],
  ["a\rb", '"a\\rb"'],
  ["a\u0000b", '"a\\0b"'],
  ["\u001b[0m", '"\\e[0m"'],
  ["a\u00a0b", "a\u00a0b"],
  ["é", "é"],
  ["😀", '"\\U0001F600"'],
  ["a\nb", "|-\n  a\n  b"],
  ["a\nb\n", "|\n  a\n  b\n"],
  ["a\n\n", "|+\n  a\n\n"],
  ["\n", "|2+\n\n"],
  [" a\nb", "|2-\n   a\n  b"],
  ["a\n b", "|-\n  a\n   b"],
  ["a \nb", '"a \\nb"'],
  ["a\nb ", '"a\\nb "'],
  ["a\n😀", '"a\\n\\U0001F600"'],
  ["a\n\tb", '"a\\n\\tb"'],
  [0, "0"],
  [1e6, "1000000"],
  [1234567.5, "1.2345675e+06"],
  [1e21, "1e+21"],
  [1e-7, "1e-07"],
  [0.1, "0.1"],
  [9007199254740993n, "9007199254740993"],
  [18446744073709551615n, "18446744073709551615"],
  [null, "null"],
  [true, "true"],
  [[], "[]"],
  [{}, "{}"],
];

Deno.test("YAML has the quotes and the block style that kubectl gives a value", () => {
  for (const [value, text] of YAML) {
    assert.equal(
      yamlText({ v: value }),
      `v: ${text}${text.endsWith("\n") ? "" : "\n"}`,
      JSON.stringify(text),
    );
  }
});

Deno.test("YAML escapes what kubectl cannot print so that it is read again, or not at all", () => {
  for (
    const [value, text] of [
      ["a\u2028b", '"a\\Lb"'],
      ["a\nb\u2029c", '"a\\nb\\Pc"'],
      ["a\u0085b", '"a\\Nb"'],
      ["a\u007fb", '"a\\x7Fb"'],
      ["\ufffe", '"\\uFFFE"'],
    ] as const
  ) {
    assert.equal(yamlText({ v: value }), `v: ${text}\n`);
    assert.deepEqual(readDocuments(`v: ${text}\n`, "f"), [{ v: value }]);
  }
  assert.equal(yamlText({ "<<": "<<" }), "'<<': <<\n");
});

Deno.test("YAML folds a long text at the first blank behind column 80, and a name never", () => {
  const words = "word ".repeat(20).trim();
  assert.equal(yamlText({ v: words }), `v: ${"word ".repeat(16).trim()}\n  ${"word ".repeat(4).trim()}\n`);
  assert.equal(yamlText([[words]]), `- - ${"word ".repeat(16).trim()}\n    ${"word ".repeat(4).trim()}\n`);
  assert.equal(yamlText({ [words]: 1 }), `${words}: 1\n`);
  assert.equal(yamlText({ v: `\t${"w  ".repeat(30)}x` }).split("\n")[1]?.slice(0, 6), "  \\ w ");
});

Deno.test("YAML puts a name that is long or has several lines behind a question mark", () => {
  const long = "k".repeat(129);
  assert.equal(yamlText({ [long]: { a: 1 }, "a\nb": [1] }), `? |-\n  a\n  b\n: - 1\n? ${long}\n: a: 1\n`);
});

Deno.test("YAML has names in the order of the numbers in them", () => {
  const names = ["a10", "a2", "b", "B", "a", "_", "1", "10", "9", "f:a", "f:", "a-1", "é"];
  const printed = yamlText(Object.fromEntries(names.map((name) => [name, 0])));
  const order = printed.split("\n").map((line) => line.replace(/: 0$/, "").replaceAll(/["']/g, ""));
  assert.deepEqual(order, ["_", "1", "9", "10", "B", "a", "a-1", "a2", "a10", "b", "f:", "f:a", "é", ""]);
});
