/** Proves which values that were read from a file say the same. */

import assert from "node:assert/strict";
import { parse } from "smol-toml";
import { sameData } from "../../src/splice/same-data.ts";

const bare = (members: object) => Object.assign(Object.create(null), members);

const DIFFERENT: readonly (readonly [name: string, a: unknown, b: unknown])[] = [
  ["a number and its text", 1, "1"],
  ["a number and a big one", 1, 1n],
  ["nothing and null", undefined, null],
  ["a list and a table of its items", ["a"], { 0: "a" }],
  ["lists of another order", [1, 2], [2, 1]],
  ["a table with one key more", { a: 1 }, { a: 1, b: undefined }],
  ["a key of ours and one of every object's", { toString: 1 }, { valueOf: 1 }],
  ["a map and a set", new Map([["a", "a"]]), new Set(["a"])],
  ["maps of another value", new Map([["a", 1]]), new Map([["a", 2]])],
  ["two instants", new Date(0), new Date(1)],
  ["a local time and the same with a zone", toml("1970-01-01T00:00:00"), toml("1970-01-01T00:00:00Z")],
  ["what is deep inside", { a: [{ b: { c: 1 } }] }, { a: [{ b: { c: 2 } }] }],
];

function toml(value: string): unknown {
  return parse(`a = ${value}`).a;
}

for (const [name, a, b] of DIFFERENT) {
  Deno.test(`${name} do not say the same`, () => {
    assert.equal(sameData(a, b), false);
    assert.equal(sameData(b, a), false);
  });
}

Deno.test("the order of keys and a missing prototype do not count", () => {
  assert.ok(sameData({ a: 1, b: [bare({ c: NaN })] }, bare({ b: [{ c: NaN }], a: 1 })));
  assert.ok(sameData(new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]])));
  assert.ok(sameData(toml("1970-01-01"), toml("1970-01-01")));
});

Deno.test("values that are shared many times over are compared once", () => {
  const grown = () => {
    let value: unknown = "x";
    for (let depth = 0; depth < 60; depth++) value = [value, value];
    return value;
  };
  assert.ok(sameData(grown(), grown()));
});
