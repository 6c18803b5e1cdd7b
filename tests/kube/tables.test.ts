/** Proves that tables, custom columns and sorted lists are what `kubectl get` prints of the same answers. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { columnsOfFile, columnsOfText, CustomColumns } from "../../src/kube/custom-columns.ts";
import type { Json } from "../../src/kube/lossless-json.ts";
import { quantityOf } from "../../src/kube/quantity.ts";
import { PagedTable, type TableOptions, tableRows, tableTitles } from "../../src/kube/server-table.ts";
import { sortBy } from "../../src/kube/sort-by.ts";
import { alignColumns } from "../../src/kube/table-layout.ts";
import { expectError } from "../expect-error.ts";
import { hostileText, hostileValue, ours, RUNS } from "../fuzz.ts";
import { inScratch } from "../scratch.ts";
import { kubectl } from "./kubectl.ts";
import { tableOf, widget, type Widgets, widgetServer } from "./widget-server.ts";

const ignore = kubectl === undefined;

const COLUMNS: readonly Json[] = [
  { name: "Name", type: "string", format: "name", priority: 0 },
  { name: "Ready now", type: "string", format: "", priority: 0 },
  { name: "Node", type: "string", format: "", priority: 1 },
  { name: "Âge", type: "date", format: "", priority: 0 },
];

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

Deno.test("a column is at least six wide, and its last cell as wide as it is", () => {
  assert.equal(
    alignColumns([["A", "B", "C"], ["a", "long-b", ""], ["", "", "c"]]),
    "A     B        C\na     long-b   \n               c\n",
  );
  assert.equal(alignColumns([["only"], [""]]), "only\n\n");
  assert.equal(alignColumns([]), "");
});

Deno.test("a column ends at a line without it, and is not narrower when it begins again", () => {
  assert.equal(
    alignColumns([["a", "x"], ["b"], ["long-long", "y"], ["c"], ["d", "z"]]),
    [
      "a     x\n",
      "b\n",
      "long-long   y\n",
      "c\n",
      "d           z\n",
    ].join(""),
  );
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

const OBJECTS: Widgets = {
  objects: [
    widget("one", {
      a: { b: 1, d: null, f: 1.5, t: true },
      l: [1, "x", null, { y: [1, 2] }],
      s: "first\nsecond",
    }, {
      "a.b/c": "L",
    }),
    widget("two-with-a-long-name", {
      a: {},
      l: [],
      i: [{ n: "a" }, { n: "b", v: 2 }],
      s: "tab\there",
      big: 9007199254740993n,
    }),
    widget("three", { i: [], m: {}, s: "", g: 1e21 }),
  ],
  columns: COLUMNS,
  cells: [],
};

const COLUMN_TEXTS = [
  "NAME:.metadata.name",
  "NAME:metadata.name,B:.a.b",
  "NAME:{.metadata.name},B:{a.b}",
  "A B:.kind,lower:.a.f,É:.big",
  "N:.metadata.name,B:.a.b,D:.a.d,F:.a.f,T:.a.t,Z:.zz",
  "N:.metadata.name,L:.l,A:.a,M:.m,I:.i",
  "N:.metadata.name,L:.l[*],I:.i[*].n,V:.i[*].v",
  'N:.metadata.name,V:.i[?(@.n=="b")].v',
  "N:.metadata.name,C:.metadata.labels.a\\.b/c",
  "N:.metadata.name,S:.s,K:.kind",
  "N:.metadata.name,:.kind,X:",
  "N:.a:b,M: .metadata.name,O:$.kind,P:@",
  "N:..n,O:.i.*,G:.g",
];

function customColumns(text: string, { noHeaders = false } = {}): string {
  const columns = new CustomColumns(columnsOfText(text));
  const lines = OBJECTS.objects.flatMap((object) => columns.lines(object));
  return alignColumns(noHeaders ? lines : [[...columns.titles], ...lines]);
}

Deno.test({
  name: "custom columns are what kubectl prints",
  ignore,
  fn: async () => {
    await using server = widgetServer({ a: OBJECTS });
    for (const text of COLUMN_TEXTS) {
      const { stdout, stderr } = await server.get("-n", "a", "-o", `custom-columns=${text}`);
      assert.equal(customColumns(text), stdout, text + stderr);
    }
    const { stdout } = await server.get(
      "-n",
      "a",
      "--no-headers",
      "-o",
      "custom-columns=N:.metadata.name,B:.a.b",
    );
    assert.equal(customColumns("N:.metadata.name,B:.a.b", { noHeaders: true }), stdout);
  },
});

const FILES = ["N B\n.kind .a.b", "  N\tB \n.metadata.name\t{a.b}\nmore", "N\r\n.kind\r\n"];
const BAD_FILES = ["", "N", "N\n", "N B\n.kind\n", "N\n.kind .a", "\nN\n.kind", "N B\n\n.kind .a"];
const BAD_TEXTS = ["", "N", "N:.a,", ",N:.a", "N:.i[0,1].n", "N:{.a", "N:.a}", "N:{.a}{.b}", "N:x{.a}"];

Deno.test({
  name: "custom columns from a file, and those that are none, are what they are to kubectl",
  ignore,
  fn: async () => {
    await using server = widgetServer({ a: OBJECTS });
    await inScratch(async (folder) => {
      const path = `${folder}/columns`;
      for (const text of FILES) {
        await Deno.writeTextFile(path, text);
        const columns = new CustomColumns(columnsOfFile(text));
        const lines = OBJECTS.objects.flatMap((object) => columns.lines(object));
        const { stdout } = await server.get("-n", "a", "-o", `custom-columns-file=${path}`);
        assert.equal(alignColumns([[...columns.titles], ...lines]), stdout, text);
      }
      for (const text of BAD_FILES) {
        await Deno.writeTextFile(path, text);
        const { stderr } = await server.get("-n", "a", "-o", `custom-columns-file=${path}`);
        expectError(() => columnsOfFile(text), {
          code: "USAGE",
          message: stderr.trim().replace(/^error: /, ""),
        });
      }
    });
    for (const text of BAD_TEXTS) {
      const { stderr } = await server.get("-n", "a", "-o", `custom-columns=${text}`);
      expectError(() => columnsOfText(text), {
        code: "USAGE",
        message: stderr.trim().replace(/^error: /, ""),
      });
    }
  },
});

Deno.test("a path that fails makes the column fail", () => {
  expectError(() => new CustomColumns(columnsOfText("N:.a[")), { message: /unterminated array$/ });
  expectError(() => new CustomColumns(columnsOfText("N:.l[9]")).lines({ l: [] }), {
    message: /array index out of bounds: index 9, length 0$/,
  });
});

const ABSENT = Symbol();

// Values that objects are sorted by; none has two that are equal beyond twelve objects, for Go's order of them is its own.
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
};

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

Deno.test("sortBy() compares integers with floats, which kubectl cannot, and leaves equals in their order", () => {
  assert.equal(sortedNames([3.5, 1, 2, 1e21]), "w1 w2 w0 w3");
  const names = sortedNames(Array.from({ length: 100 }, (_, index) => index % 2));
  assert.equal(
    names,
    [...Array(50).keys()].map((n) => `w${2 * n}`).concat([...Array(50).keys()].map((n) => `w${2 * n + 1}`))
      .join(" "),
  );
  assert.deepEqual(sortBy([], ".v", (object: Json) => object), []);
  expectError(() => sortBy([{}], "{.v", (object) => object), { message: /^unexpected path string/ });
  expectError(() => sortBy([{}], ".v", (object) => object), {
    message: `couldn't find any field with path "{.v}" in the list of objects`,
  });
});

// The order of Kubernetes' resource.Quantity; what stands together is equal.
const QUANTITIES = [
  ["-1Gi"],
  ["-1", "-1000m"],
  ["0", "00", "0.0", "0Ki", "-", "k", "0e3"],
  ["1n", "0.0000000001", "1e-30", "0.5n"],
  ["1u", "1000n"],
  ["1m", "0.001"],
  ["100m", "0.1", ".1", "1e-1"],
  ["1", "1000m", "1.", "+1", "1e0", "0.001k"],
  ["1k", "1e3", "1E3"],
  ["1Ki", "1024"],
  ["1M"],
  ["1Mi"],
  ["1G"],
  ["1Gi"],
  ["1P"],
  ["1E", "1e18"],
  ["1Ei"],
  ["10Ei", "9223372036854775807Ki"],
  ["1e30"],
];

Deno.test("quantityOf() orders quantities as Kubernetes does, and knows which texts are none", () => {
  const sizes = QUANTITIES.map((equal) => new Set(equal.map(quantityOf)));
  for (const size of sizes) assert.equal(size.size, 1);
  const order = sizes.map((size) => [...size][0] as bigint);
  assert.deepEqual(order, order.toSorted((a, b) => a < b ? -1 : 1));
  for (
    const text of ["", "x", "1K", "1mi", "1 Mi", "1e1.5", "1Mi1", "1i", "--1", "1.1.1", "Pi", "e-30", "0x1"]
  ) {
    assert.equal(quantityOf(text), undefined, text);
  }
  assert.ok(quantityOf("1e999999999") !== undefined);
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
