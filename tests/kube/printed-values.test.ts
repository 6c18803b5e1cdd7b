/** Proves that printed values are what kubectl prints, are read back as they were, and never overflow a printer. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { goValue } from "../../src/kube/go-value.ts";
import { compactJson, jsonText } from "../../src/kube/json-text.ts";
import type { Json } from "../../src/kube/lossless-json.ts";
import { readDocuments } from "../../src/kube/manifest.ts";
import { yamlText } from "../../src/kube/yaml-printer.ts";
import { expectError } from "../expect-error.ts";
import { RUNS } from "../fuzz.ts";
import { members } from "./generated-values.ts";
import { OBJECTS } from "./printed-samples.ts";
import { ignore, kubectlPrints } from "./kubectl.ts";

for (
  const [format, print] of [
    ["json", (object: Json) => `${jsonText(object)}\n`],
    ["yaml", yamlText],
  ] as const
) {
  Deno.test({
    name: `generated objects are printed as ${format} as kubectl prints them`,
    ignore,
    fn: async () => {
      const manifest = OBJECTS.map((object) => compactJson(object)).join("\n");
      const { code, stdout, stderr } = await kubectlPrints(manifest, format);
      assert.equal(code, 0, stderr);
      assertSame(stdout, OBJECTS.map(print));
    },
  });
}

/** Compares the whole, and tells of the first object that differs. */
function assertSame(theirs: string, ours: readonly string[]): void {
  let at = 0;
  for (const text of ours) {
    assert.equal(theirs.slice(at, at + text.length), text);
    at += text.length;
  }
  assert.equal(theirs.slice(at), "");
}

Deno.test("what is printed as YAML or JSON is read again as it was", () => {
  fc.assert(
    fc.property(members, (members) => {
      assert.equal(compactJson(readDocuments(yamlText(members), "f")), compactJson([members]));
      assert.equal(compactJson(readDocuments(jsonText(members), "f")), compactJson([members]));
    }),
    { numRuns: RUNS },
  );
});

Deno.test("what nests too deep is refused by every printer, and overflows none", () => {
  let deep: Json = [];
  for (let level = 0; level < 20_000; level += 1) deep = level % 2 === 0 ? [deep] : { a: deep };
  for (const print of [jsonText, compactJson, yamlText, goValue]) {
    expectError(() => print(deep), "INVALID");
  }
});
