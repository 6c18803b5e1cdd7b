/** Proves lists and single objects in each of their formats. */

import assert from "node:assert/strict";
import stringWidth from "string-width";
import { parse } from "yaml";
import fc from "../../fast-check.ts";
import {
  formatListing,
  formatObject,
  formatTable,
  LIST_FORMATS,
  listFormat,
  type Listing,
} from "../../../src/cli/output/table.ts";
import { expectError } from "../../expect-error.ts";

interface Row {
  readonly name: string;
  readonly email: string;
}

const listing = (rows: readonly Row[]): Listing<Row> => ({
  rows,
  columns: [
    { title: "Name", text: ({ name }) => name },
    { title: "Email", wide: true, text: ({ email }) => email },
  ],
  name: ({ name }) => name,
  object: (row) => ({ ...row, list: [row.name, null] }),
});

const ROWS = [{ name: "漢字", email: "a@b" }, { name: "Zoë\u001b[2J\u202e", email: "long@example.com" }];

Deno.test("columns line up by what a terminal shows, and rows end without spaces", async () => {
  assert.equal(
    await formatTable([["Name", "Email"], ["漢字", "a"], ["e\u0301", "b"], ["", ""]]),
    "Name   Email\n漢字   a\ne\u0301      b\n\n",
  );
  const cells = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme-ascii" }));
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(cells, fc.constant("x"))), async (rows) => {
    const clean = rows.map(([cell, x]) => [cell.replace(/\s|\p{C}/gu, "_"), x] as const);
    const ends = (await formatTable(clean)).split("\n").slice(0, -1).map((line) => stringWidth(line));
    assert.ok(new Set(ends).size <= 1, "the last column begins at one place");
  }));
});

Deno.test("a table hides what only wide shows; titles stand above no rows", async () => {
  assert.equal((await formatListing(listing(ROWS), "table")).split("\n")[0], "Name");
  assert.match(await formatListing(listing(ROWS), "wide"), /^Name +Email\n/);
  assert.equal(await formatListing(listing([]), "table"), "Name\n");
});

Deno.test("JSON and YAML read back alike, and no format lets a terminal be steered", async () => {
  const expected = [
    { name: "漢字", email: "a@b", list: ["漢字", null] },
    { name: "Zoë [2J", email: "long@example.com", list: ["Zoë [2J", null] },
  ];
  assert.deepEqual(JSON.parse(await formatListing(listing(ROWS), "json")), expected);
  assert.deepEqual(parse(await formatListing(listing(ROWS), "yaml")), expected);
  assert.equal(await formatListing(listing([]), "json"), "[]\n");
  assert.deepEqual(parse(await formatListing(listing([]), "yaml")), []);
  assert.equal(await formatListing(listing(ROWS), "name"), "漢字\nZoë [2J\n");
  for (const format of LIST_FORMATS) {
    const text = await formatListing(listing(ROWS), format) +
      await formatObject([["N", ROWS[1]?.name ?? ""]], ROWS[1], "n", format);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\u001b\u202e]/, format);
    assert.match(text, /\n$/);
  }
});

Deno.test("texts that YAML would take for something else read back as texts", async () => {
  const texts = fc.oneof(
    fc.constantFrom("yes", "null", "1e3", "~", "- a", "a: b", "#x", "'", "2026-01-01"),
    fc.string(),
  );
  await fc.assert(fc.asyncProperty(texts, async (text) => {
    const plain = JSON.parse(await formatObject([], { text }, "", "json"));
    assert.deepEqual(parse(await formatObject([], { text }, "", "yaml")), plain);
  }));
});

Deno.test("-o takes its five words and no other", () => {
  assert.equal(listFormat(undefined), "table");
  for (const format of LIST_FORMATS) assert.equal(listFormat(format), format);
  for (const text of ["", "JSON", "csv", "jsonpath=x"]) {
    expectError(() => listFormat(text), "USAGE");
  }
});
