/** Proves that a list printed object by object is what kubectl prints of the whole. */

import assert from "node:assert/strict";
import { jsonText } from "../../src/kube/json-text.ts";
import { jsonListPrinter, type ListPrinter, yamlListPrinter } from "../../src/kube/list-text.ts";
import type { Json } from "../../src/kube/lossless-json.ts";
import { yamlText } from "../../src/kube/yaml-printer.ts";
import { widget, widgetServer } from "./widget-server.ts";
import { OBJECTS } from "./printed-samples.ts";
import { ignore } from "./kubectl.ts";

function printedList(printer: ListPrinter, objects: readonly Json[]): string {
  return objects.map((object) => printer.item(object)).join("") + printer.end();
}

const LISTS = [[], [{ a: 1 }], OBJECTS.slice(0, 20)];

Deno.test("a list that is printed object by object reads as one that is printed whole", () => {
  for (const items of LISTS) {
    const whole: Json = { apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } };
    assert.equal(printedList(jsonListPrinter(), items), `${jsonText(whole)}\n`);
    assert.equal(printedList(yamlListPrinter(), items), yamlText(whole));
  }
});

Deno.test({
  name: "a list is printed as kubectl get prints it",
  ignore,
  fn: async () => {
    const objects = OBJECTS.slice(0, 20).map((object, index) => widget(`w${index}`, { spec: object }));
    const [columns, cells] = [[], []];
    await using server = widgetServer({ a: { objects, columns, cells }, b: { objects: [], columns, cells } });
    for (const [namespace, items] of [["a", objects], ["b", []]] as const) {
      for (const [format, printer] of [["json", jsonListPrinter()], ["yaml", yamlListPrinter()]] as const) {
        const { stdout, stderr } = await server.get("-n", namespace, "-o", format);
        assert.equal(printedList(printer, items), stdout, stderr);
      }
    }
  },
});
