/** Proves that custom columns are what `kubectl get` prints of the same answers. */

import assert from "node:assert/strict";
import { columnsOfFile, columnsOfText, CustomColumns } from "../../src/kube/custom-columns.ts";
import { alignColumns } from "../../src/kube/table-layout.ts";
import { expectError } from "../expect-error.ts";
import { inScratch } from "../scratch.ts";
import { widget, type Widgets, widgetServer } from "./widget-server.ts";
import { COLUMNS } from "./table-answers.ts";
import { ignore } from "./kubectl.ts";

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
