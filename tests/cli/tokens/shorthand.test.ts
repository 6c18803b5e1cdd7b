/** Proves how shorthand is read, against the documentation's examples and against objects written in it. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { parseShorthand, type ShorthandValue } from "../../../src/cli/tokens/shorthand.ts";
import { allowError, expectError } from "../../expect-error.ts";

const read = (text: string) => JSON.parse(JSON.stringify(parseShorthand(text)));

const REFUSED: readonly (readonly [text: string, words: RegExp])[] = [
  ["", /a key that is empty/],
  ["name", /a key without a colon/],
  [".: x", /a key that is empty/],
  ["name: x,", /a key that is empty/],
  ["name: x, , role: y", /a key that is empty|a key without a colon/],
  ["a..b: x", /a key that is empty/],
  ["tags[]: x", /a list/],
  ["a{b: 1", /an unclosed brace/],
  ["a: 1}", /an unmatched closing brace/],
  ["a: 1, a.b: 2", /a, which holds a value already/],
];

for (const [text, words] of REFUSED) {
  Deno.test(`shorthand "${text}" is refused`, () => {
    expectError(() => parseShorthand(text), { code: "USAGE", message: words });
  });
}

const READ: readonly (readonly [text: string, value: unknown])[] = [
  [".name: HUMAN_FRIENDLY_NAME, .role: User", { name: "HUMAN_FRIENDLY_NAME", role: "User" }],
  ["hello: world, question: how are you?", { hello: "world", question: "how are you?" }],
  ["empty: null, bool: true, num: 1.5, string: hello", {
    empty: null,
    bool: true,
    num: 1.5,
    string: "hello",
  }],
  ["empty:~ null, bool:~ true, num:~ 1.5, blank:~", { empty: "null", bool: "true", num: "1.5", blank: "" }],
  ["foo: ~/Documents, bar:~~/Documents", { foo: "~/Documents", bar: "~/Documents" }],
  ["foo.bar.baz: 1", { foo: { bar: { baz: 1 } } }],
  ["foo.bar: 1, .baz: 2", { foo: { bar: 1, baz: 2 } }],
  ["foo.bar: 1, baz: 2", { foo: { bar: 1 }, baz: 2 }],
  ["foo.bar{id: 1, count.clicks: 5}", { foo: { bar: { id: 1, count: { clicks: 5 } } } }],
  ["foo.bar{id: 1}, role: User", { foo: { bar: { id: 1 } }, role: "User" }],
  ["a: 1, a: 2", { a: 2 }],
  ["url: https://example.com:8443/x", { url: "https://example.com:8443/x" }],
  ["name:User", { name: "User" }],
  ["id: 12345678901234567890", { id: "12345678901234567890" }],
];

for (const [text, value] of READ) {
  Deno.test(`shorthand "${text}" is read`, () => assert.deepEqual(read(text), value));
}

Deno.test("a key of shorthand is never more than a key", () => {
  const value = parseShorthand("__proto__.polluted: yes, constructor: x");
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

const key = fc.stringMatching(/^[a-z_][a-z0-9_ ]{0,8}[a-z0-9_]$/);
const text = fc.stringMatching(/^[!-+\--z|~]([ -+\--z|~]{0,12}[!-+\--z|~])?$/);
const leaf = fc.oneof(text, fc.boolean(), fc.constant(null), fc.integer(), fc.constantFrom(0.5, -3.25));
const object = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small" }, leaf, tie("object")),
  object: fc.dictionary(key, tie("value"), { minKeys: 1, maxKeys: 4 }),
})).object as fc.Arbitrary<Record<string, ShorthandValue>>;

/** An object as shorthand: texts are forced where they could be read as something else. */
function written(value: Readonly<Record<string, ShorthandValue>>): string {
  return Object.entries(value).map(([key, member]) => {
    if (typeof member === "object" && member !== null) return `${key}{${written(member)}}`;
    return typeof member === "string" ? `${key}:~ ${member}` : `${key}: ${member}`;
  }).join(", ");
}

Deno.test("an object written in shorthand is read as it was", () => {
  fc.assert(
    fc.property(object, (value) => assert.deepEqual(read(written(value)), JSON.parse(JSON.stringify(value)))),
  );
});

Deno.test("any text is read or refused as wrong usage", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."ab.:{},~ 1[]\\\n") }), (text) => {
    allowError(() => parseShorthand(text), "USAGE");
  }));
});
