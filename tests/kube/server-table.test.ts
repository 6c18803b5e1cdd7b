/** Proves that a server's tables are what `kubectl get` prints of the same answers. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import type { Json } from "../../src/kube/lossless-json.ts";
import { PagedTable, type TableOptions, tableRows, tableTitles } from "../../src/kube/server-table.ts";
import { alignColumns } from "../../src/kube/table-layout.ts";
import { hostileText, hostileValue, ours, RUNS } from "../fuzz.ts";
import { tableOf, widget, type Widgets, widgetServer } from "./widget-server.ts";
import { COLUMNS } from "./table-answers.ts";
import { ignore } from "./kubectl.ts";

const NAMES = ["a", "longer-name", "z"];

const CELLS: readonly Json[] = [
  ...[
    "1/1",
    "",
    "<unknown>",
    "<none>",
    "2d",
    "a b",
    " blanks ",
    "a\\b",
    "é",
    "e\u0301",
    "日本",
    "😀",
    "<b>&",
    "long ".repeat(20),
  ],
  ...["one\ntwo", "\n", "one\r\ntwo", "one\ftwo", "\u001b[31mred\u001b[0m", "\u001b\n"],
  ...[null, true, false, 0, 5, 1000000, 1.5, 1234567.5, 1e21, 9007199254740993n, [], {}, ["a", 1, null], {
    b: 1,
    a: [2],
  }],
];

const TABLE: Widgets = {
  objects: CELLS.map((_, index) =>
    widget(
      `${NAMES[index % 3]}-${index}`,
      {},
      [undefined, {}, { app: "web", "x/Foo-bar": "é" }, { z: "1", app: "", a: "2" }][index % 4],
    )
  ),
  columns: COLUMNS,
  cells: CELLS.map((
    cell,
    index,
  ) => [`${NAMES[index % 3]}-${index}`, cell, cell, CELLS.at(-index - 1) ?? null]),
};

const VIEWS:
  readonly (readonly [flags: readonly string[], options: TableOptions & { noHeaders?: boolean }])[] = [
    [[], {}],
    [["-o", "wide"], { wide: true }],
    [["--no-headers"], { noHeaders: true }],
    [["-L", "app,x/Foo-bar,none"], { labelColumns: ["app", "x/Foo-bar", "none"] }],
    [["--show-labels"], { labels: true }],
    [["--show-kind"], { kind: "widget.example.com" }],
    [["-A"], { namespace: true }],
    [["-A", "-o", "wide", "--show-kind", "--show-labels", "-L", "app"], {
      namespace: true,
      wide: true,
      kind: "widget.example.com",
      labels: true,
      labelColumns: ["app"],
    }],
  ];

Deno.test({
  name: "a server's table is printed as kubectl prints it, whichever columns are asked for",
  ignore,
  fn: async () => {
    await using server = widgetServer({ a: TABLE, all: TABLE });
    for (const [flags, options] of VIEWS) {
      const { stdout, stderr } = await server.get(...flags, ...(options.namespace ? [] : ["-n", "a"]));
      const table = tableOf(TABLE);
      const titles = options.noHeaders ? [] : [tableTitles(table, options)];
      assert.equal(alignColumns([...titles, ...tableRows(table, options)]), stdout, flags.join(" ") + stderr);
      assert.equal(new PagedTable(options).page(table), stdout);
    }
  },
});

Deno.test("a cell has no control character but what kubectl makes of an escape", () => {
  const cells = ["a\tb", "\u009b2J", "\u202egnp", "a\u0000b"].map((cell) => [cell]);
  const table = { columnDefinitions: [{ name: "A\tB" }], rows: cells.map((cells) => ({ cells })) };
  assert.deepEqual(tableTitles(table), ["A B"]);
  assert.deepEqual(tableRows(table), [["a b"], [" 2J"], [" gnp"], ["a b"]]);
});

const page = fc.array(fc.array(fc.stringMatching(/^[a-zé]{0,12}$/), { minLength: 3, maxLength: 3 }), {
  minLength: 1,
  maxLength: 5,
});

Deno.test("the columns of a later page are never narrower than those of the pages before", () => {
  fc.assert(
    fc.property(fc.array(page, { minLength: 1, maxLength: 5 }), (pages) => {
      const printer = new PagedTable();
      const columnDefinitions = ["a", "bb", "ccc"].map((name) => ({ name }));
      let least = [0, 0, 0];
      pages.forEach((rows, index) => {
        const lines = printer.page({ columnDefinitions, rows: rows.map((cells) => ({ cells })) }).split("\n");
        assert.equal(lines.length - 1, rows.length + (index === 0 ? 1 : 0));
        if (index === 0) assert.match(lines[0] ?? "", /^A +BB +CCC$/);
        const [first = []] = rows.slice(0, 1);
        const line = lines.at(index === 0 ? 1 : 0) ?? "";
        // The rest of a line stands where its column begins.
        const begin = line.length - (first[2] ?? "").length;
        assert.ok(begin >= (least[2] ?? 0), line);
        least = [0, 0, begin];
      });
      // A page that comes alone is laid out as kubectl lays out a whole table.
      const whole = pages.flat();
      assert.equal(
        new PagedTable().page({ columnDefinitions, rows: whole.map((cells) => ({ cells })) }),
        alignColumns([["A", "BB", "CCC"], ...whole]),
      );
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no table of a server breaks its printer", async () => {
  const json = hostileValue.filter((value) => value !== undefined) as fc.Arbitrary<Json>;
  await fc.assert(
    fc.asyncProperty(json, json, hostileText, async (cells, object, name) => {
      const rows = [{ cells, object }, { cells: [cells, object], object: { metadata: object } }, cells];
      const text = await ours(() =>
        new PagedTable({ namespace: true, labels: true, labelColumns: [name], kind: "k" })
          .page({ columnDefinitions: [{ name, priority: 0, type: "string", format: "name" }, cells], rows })
      );
      assert.doesNotMatch(text ?? "", /[^\P{Cc}\n]/u);
    }),
    { numRuns: RUNS },
  );
});
