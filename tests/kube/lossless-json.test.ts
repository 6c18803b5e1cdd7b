/** Proves that JSON is read as `JSON.parse` does, but that no integer loses a digit. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { type Json, readJson } from "../../src/kube/lossless-json.ts";
import { compactJson } from "../../src/kube/json-text.ts";
import { expectError } from "../expect-error.ts";
import { ours, RUNS } from "../fuzz.ts";

/** A name without a backslash, because V8 changes such names: see the names of the generated values. */
const memberName = fc.oneof(fc.string(), fc.constantFrom("__proto__", "integer:1", "10", '"'))
  .filter((name) => !name.includes("\\"));

/** Anything that JSON has, with long integers, and with texts and names that look like them. */
const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Json>(null, true, false),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => Math.abs(number) < 2 ** 53),
    fc.string(),
    fc.constantFrom(
      "integer:12345678901234567890",
      "9007199254740993",
      ': 9007199254740993,"',
      "\\",
      '\\"',
      "1e400",
    ),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(memberName, tie("value"), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
  ),
})).value;

/** A value as fast-check made it, with the number that an integer of that size is read as. */
function normal(value: Json): Json {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Object.is(value, -0)) return 0;
  return value;
}

function isSame(one: Json, other: Json): void {
  if (Array.isArray(one)) {
    assert.ok(Array.isArray(other) && one.length === other.length);
    one.forEach((item, index) => isSame(item, other[index]));
  } else if (typeof one === "object" && one !== null) {
    assert.deepEqual(Object.keys(one), Object.keys(other as object));
    for (const [name, inner] of Object.entries(one)) {
      isSame(inner, Object.entries(other as object).find(([key]) => key === name)?.[1]);
    }
  } else assert.equal(normal(other), normal(one));
}

function written(value: Json, indent: string): string {
  const text = typeof value === "object" && value !== null
    ? Array.isArray(value)
      ? `[${value.map((item) => indent + written(item, indent)).join(",")}${indent}]`
      : `{${
        Object.entries(value).map(([name, inner]) =>
          `${indent}${JSON.stringify(name)}:${indent}${written(inner, indent)}`
        )
          .join(",")
      }${indent}}`
    : typeof value === "bigint"
    ? String(value)
    : JSON.stringify(value);
  return text;
}

Deno.test("readJson() keeps every digit of every integer, and reads all else as JSON.parse does", () => {
  fc.assert(
    fc.property(value, fc.constantFrom("", " ", "\n  ", "\t"), (value, indent) => {
      isSame(value, readJson(written(value, indent)) as Json);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("readJson() gives bigints for what a double would round, and for nothing else", () => {
  const read = (text: string) => readJson(text);
  assert.equal(read("9007199254740993"), 9007199254740993n);
  assert.equal(read("-9223372036854775808"), -9223372036854775808n);
  assert.equal(read("18446744073709551616"), 18446744073709551616n);
  assert.equal(read("9007199254740991"), 9007199254740991);
  assert.equal(read("1e21"), 1e21);
  assert.equal(read("12345678901234567.5"), 12345678901234568);
  assert.equal(read("0.12345678901234567890"), 0.12345678901234568);
  assert.deepEqual(read('{"a":[1,9007199254740993],"b":"9007199254740993"}'), {
    a: [1, 9007199254740993n],
    b: "9007199254740993",
  });
});

Deno.test("readJson() does not take a text for a number, whatever the text spells", () => {
  for (
    const text of [
      '["integer:1", 9007199254740993]',
      '["0 integer:1", "integer:", 9007199254740993]',
      '["\\u0069nteger:x", 9007199254740993]',
      '[" 9007199254740993, ", 9007199254740993]',
      '["\\\\", 9007199254740993, "\\"", 9007199254740993]',
      '["a\\\\\\"b: 9007199254740993", 9007199254740993]',
    ]
  ) {
    const marked = JSON.parse(text.replace(/9007199254740993\]/, "0]")) as unknown[];
    const read = readJson(text) as unknown[];
    assert.equal(read.at(-1), 9007199254740993n, text);
    assert.deepEqual(
      read.filter((item) => typeof item === "string"),
      marked.filter((item) => typeof item === "string"),
    );
  }
});

Deno.test("readJson() keeps a member named __proto__ a member", () => {
  const read = readJson('{"__proto__":{"x":9007199254740993},"a":{"__proto__":9007199254740993}}') as Json;
  assert.equal(compactJson(read), '{"__proto__":{"x":9007199254740993},"a":{"__proto__":9007199254740993}}');
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
});

Deno.test("readJson() refuses what is no JSON, and what no double holds", () => {
  for (
    const text of ["", "{", "01", "[1,]", "'a'", "NaN", "1e400", '{"a":-1e999}', `${"9".repeat(400)}`, "1 2"]
  ) {
    assert.equal(readJson(text), undefined, text.slice(0, 20));
  }
});

Deno.test("readJson() ends on whatever nests without end", () => {
  for (const inner of ["", "9007199254740993"]) {
    const text = "[".repeat(100_000) + inner + "]".repeat(100_000);
    const read = readJson(text);
    if (inner !== "") assert.equal(read, undefined);
    // What is too deep to be printed is an error of ours, no overflow.
    else expectError(() => compactJson(read as Json), "INVALID");
  }
});

Deno.test("no text breaks readJson()", async () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('"', "\\", "{", "}", "[", "]", ":", ",", "9007199254740993", "1e999", '"a":', " "),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
      const text = pieces.join("");
      const read = await ours(() => readJson(text));
      const parsed = (() => {
        try {
          return JSON.parse(text);
        } catch {
          return undefined;
        }
      })();
      if (parsed === undefined) assert.equal(read, undefined, text);
    }),
    { numRuns: RUNS },
  );
});
