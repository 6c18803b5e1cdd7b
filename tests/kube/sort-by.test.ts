/** Proves that sorted lists have the order of `kubectl get --sort-by`. */

import assert from "node:assert/strict";
import type { Json } from "../../src/kube/lossless-json.ts";
import { sortBy } from "../../src/kube/sort-by.ts";
import { expectError } from "../expect-error.ts";
import { widget, type Widgets, widgetServer } from "./widget-server.ts";
import { COLUMNS } from "./table-answers.ts";
import { ignore } from "./kubectl.ts";

const ABSENT = Symbol();

// Values that objects are sorted by. Beyond twelve objects, the order of equal ones is that of Go's steps.
const SORTED: Readonly<Record<string, readonly (Json | typeof ABSENT)[]>> = {
  integers: [3, 1, 2, -1, 9007199254740993n, 9007199254740992],
  floats: [1.5, 0.5, -2.25],
  texts: ["b", "a", "C", "B", "é", "z", "", "a10", "a2", "a1"],
  quantities: ["10Mi", "1Gi", "5", "100Ki", "1", "1e3", "999m", "0.5", "-1"],
  mixed: ["10Mi", "x", "1Gi", "5"],
  dates: ["2024-01-01T00:00:00Z", "2023-06-01T00:00:00Z", "2024-01-01T00:00:00+02:00"],
  nulls: [1, null, 0, ABSENT],
  absent: ["b", ABSENT, "a", ABSENT],
  equals: [2, 1, 2, 1, 2],
  "thirteen-equals": many(13, () => 0),
  "many-equals": many(300, (at) => (at * 7919) % 5),
  "many-in-runs": many(200, (at) => Math.floor(at / 9)),
  "many-backwards": many(200, (at) => -Math.floor(at / 3)),
  "many-nearly-sorted": many(200, (at) => at % 50 === 7 ? 0 : at),
  "many-absent": many(100, (at) => at % 3 === 0 ? ABSENT : at % 4),
  "organ-pipe": many(1000, (at) => Math.min(at, 1000 - at)),
};

function many(count: number, valueAt: (at: number) => Json | typeof ABSENT): (Json | typeof ABSENT)[] {
  return Array.from({ length: count }, (_, at) => valueAt(at));
}

const UNSORTABLE: Readonly<Record<string, readonly (Json | typeof ABSENT)[]>> = {
  booleans: [true, false],
  lists: [[2], [1]],
  objects: [{ a: 1 }, { a: 0 }],
  kinds: [1, "a"],
  none: [ABSENT, ABSENT],
};

function widgetsWith(values: readonly (Json | typeof ABSENT)[]): Widgets {
  const objects = values.map((value, index) => {
    const { metadata, ...rest } = widget(`w${index}`, value === ABSENT ? {} : { v: value });
    return { ...rest, metadata: { name: metadata.name } };
  });
  return { objects, columns: COLUMNS, cells: objects.map(({ metadata }) => [metadata.name, "", "", ""]) };
}

function sortedNames(values: readonly (Json | typeof ABSENT)[]): string {
  return sortBy(widgetsWith(values).objects, ".v", (object) => object)
    .map((object) => (object.metadata as { name: string }).name).join(" ");
}

Deno.test({
  name: "objects are sorted as kubectl sorts them",
  ignore,
  fn: async () => {
    const cases = { ...SORTED, ...UNSORTABLE };
    await using server = widgetServer(
      Object.fromEntries(Object.entries(cases).map(([name, values]) => [name, widgetsWith(values)])),
    );
    for (const [name, values] of Object.entries(SORTED)) {
      const { stdout, stderr } = await server.get(
        "-n",
        name,
        "--sort-by=.v",
        "-o=jsonpath={.items[*].metadata.name}",
      );
      assert.equal(sortedNames(values), stdout, name + stderr);
      const table = await server.get("-n", name, "--sort-by={.v}", "--no-headers");
      assert.equal(table.stdout.match(/^w\d+/gm)?.join(" "), stdout, name);
    }
    for (const [name, values] of Object.entries(UNSORTABLE)) {
      const { code } = await server.get("-n", name, "--sort-by=.v", "-o=jsonpath={.items[*].metadata.name}");
      assert.notEqual(code, 0, name);
      expectError(() => sortedNames(values), "USAGE", name);
    }
  },
});

Deno.test("sortBy() compares integers with floats, which kubectl cannot", () => {
  assert.equal(sortedNames([3.5, 1, 2, 1e21]), "w1 w2 w0 w3");
  assert.deepEqual(sortBy([], ".v", (object: Json) => object), []);
  expectError(() => sortBy([{}], "{.v", (object) => object), { message: /^unexpected path string/ });
  expectError(() => sortBy([{}], ".v", (object) => object), {
    message: `couldn't find any field with path "{.v}" in the list of objects`,
  });
});
