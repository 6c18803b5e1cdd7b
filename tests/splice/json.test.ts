/** Proves that an edit of a JSON file changes what it names and no other byte, and that what cannot be edited is refused. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { editJsonTexts, JsonFault, readJsonObject, sameToGo } from "../../src/splice/json.ts";
import { RUNS } from "../fuzz.ts";

const edit = (text: string, edits: Readonly<Record<string, string | undefined>>) =>
  editJsonTexts(text, "credHelpers", new Map(Object.entries(edits)));
const add = (text: string) => edit(text, { "a.example": "x" });

/** A file, and what it is with `"a.example": "x"` in its credHelpers. */
const ADDED: readonly (readonly [what: string, before: string, after: string])[] = [
  ["no text at all", "", '{\n\t"credHelpers": {\n\t\t"a.example": "x"\n\t}\n}\n'],
  ["blanks", " \r\n", '{\r\n\t"credHelpers": {\r\n\t\t"a.example": "x"\r\n\t}\r\n}\r\n'],
  ["an empty object", "{}", '{\n\t"credHelpers": {\n\t\t"a.example": "x"\n\t}\n}'],
  [
    "what docker writes: tabs, no final newline",
    '{\n\t"auths": {},\n\t"credsStore": "desktop"\n}',
    '{\n\t"auths": {},\n\t"credsStore": "desktop",\n\t"credHelpers": {\n\t\t"a.example": "x"\n\t}\n}',
  ],
  [
    "two blanks, CRLF, and a final one",
    '{\r\n  "b": 1,\r\n  "a": [ 1 ,2]\r\n}\r\n',
    '{\r\n  "b": 1,\r\n  "a": [ 1 ,2],\r\n  "credHelpers": {\r\n    "a.example": "x"\r\n  }\r\n}\r\n',
  ],
  ["one line", '{"b":1,"a":2}', '{"b":1,"a":2,"credHelpers":{"a.example":"x"}}'],
  ["one line with blanks", '{ "b": 1 }', '{ "b": 1, "credHelpers": { "a.example": "x" } }'],
  [
    "a blank before the colon, members at the margin",
    '{\n"b" : 1\n}\n',
    '{\n"b" : 1,\n"credHelpers" : {\n"a.example" : "x"\n}\n}\n',
  ],
  [
    "helpers of others",
    '{\n    "credHelpers": {\n        "z.example": "ecr-login"\n    },\n    "b": 1e400\n}\n',
    '{\n    "credHelpers": {\n        "z.example": "ecr-login",\n        "a.example": "x"\n    },\n    "b": 1e400\n}\n',
  ],
  [
    "no helpers yet",
    '{\n\t"credHelpers": {},\n\t"b": "\\u00e9\\/"\n}',
    '{\n\t"credHelpers": {\n\t\t"a.example": "x"\n\t},\n\t"b": "\\u00e9\\/"\n}',
  ],
  ["null", '{"credHelpers":null}', '{"credHelpers":{"a.example":"x"}}'],
  ["another helper", '{"credHelpers": {"a.example" :  "gcr"}}', '{"credHelpers": {"a.example" :  "x"}}'],
  [
    "this helper, escaped",
    '{"credHelpers": {"a.example": "\\u0078"}}',
    '{"credHelpers": {"a.example": "\\u0078"}}',
  ],
  ["the name in other letters", '{"CREDHELPERS": {}}', '{"CREDHELPERS": {"a.example": "x"}}'],
  [
    "a member that looks like it, deeper",
    '{"a": {"credHelpers": 1}}',
    '{"a": {"credHelpers": 1}, "credHelpers": {"a.example": "x"}}',
  ],
  ["brackets and quotes in texts", '{"a": "}{\\"]["}', '{"a": "}{\\"][", "credHelpers": {"a.example": "x"}}'],
];

for (const [what, before, after] of ADDED) {
  Deno.test(`a text is added to ${what}`, () => {
    assert.equal(add(before), after);
    assert.equal(add(after), after, "a second time nothing changes");
  });
}

Deno.test("what was added is taken away again, to the byte", () => {
  for (const [what, before, after] of ADDED) {
    if (/helpers yet|null|another|this helper|letters|all|blanks$|empty/.test(what)) continue;
    assert.equal(edit(after, { "a.example": undefined }), before, what);
  }
});

Deno.test("a text is removed with the comma that it needs, and the object with its last text", () => {
  const text = '{\n  "credHelpers": {\n    "a": "1",\n    "b": "2",\n    "c": "3"\n  },\n  "z": 0\n}\n';
  const without = (key: string) => edit(text, { [key]: undefined });
  assert.equal(without("a"), text.replace('"a": "1",\n    ', ""));
  assert.equal(without("b"), text.replace(',\n    "b": "2"', ""));
  assert.equal(without("c"), text.replace(',\n    "c": "3"', ""));
  assert.equal(without("d"), text);
  assert.equal(edit(text, { a: undefined, b: undefined, c: undefined }), '{\n  "z": 0\n}\n');
  assert.equal(edit('{"credHelpers":{"a":"1"}}', { a: undefined }), "{}");
  for (const text of ["", "{}", '{"credHelpers":null}', '{"credHelpers":{}}']) {
    assert.equal(edit(text, { a: undefined }), text);
  }
});

Deno.test("what cannot be edited is refused, and the reason quotes no value", () => {
  const secret = "c2VjcmV0LXNlY3JldA";
  for (
    const text of [
      `{"auths": "${secret}"`,
      `{"auths": "${secret}",}`,
      `{'auths': '${secret}'}`,
      `{"auths": "${secret}"} // a comment`,
      `{"auths": "${secret}"}{}`,
      `\ufeff{"auths": "${secret}"}`,
      `{"auths": 1, "auths": "${secret}"}`,
      `{"a": {"b": [{"c": "${secret}", "\\u0063": 2}]}}`,
      `{"credHelpers": {}, "credhelpers": {"a": "${secret}"}}`,
      `{"credHelpers": "${secret}"}`,
      `{"credHelpers": ["${secret}"]}`,
      `["${secret}"]`,
      `"${secret}"`,
      "null",
      `{"a": ${"[".repeat(101)}${"]".repeat(101)}}`,
    ]
  ) {
    assert.throws(() => add(text), (thrown) => {
      assert.ok(thrown instanceof JsonFault, String(thrown));
      assert.ok(!thrown.message.includes(secret), thrown.message);
      return true;
    }, text);
  }
});

Deno.test("names that are one to Go are one here: letter case, the long s, the sign of Kelvin", () => {
  assert.equal(edit('{"credHelper\u017f":{"b":"y"}}', { b: undefined }), "{}");
  assert.throws(() => add('{"credHelper\u017f":{},"credHelpers":{}}'), {
    message: /one name to other programs/,
  });
  assert.equal(sameToGo("\u212aey\u017f", "keys"), true);
  assert.equal(sameToGo("m\u00dc", "m\u00fc"), true);
  assert.equal(sameToGo("key", "keys"), false);
});

Deno.test("any object keeps its other members and every byte of them", () => {
  const key = fc.string({ unit: "grapheme", maxLength: 8 }).filter((key) =>
    key.toLowerCase() !== "credhelpers"
  );
  const object = fc.dictionary(key, fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true });
  const helpers = fc.option(fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }), {
    nil: undefined,
  });
  fc.assert(
    fc.property(
      object,
      helpers,
      fc.constantFrom(undefined, 1, 2, "\t"),
      fc.string(),
      (others, helpers, indent, name) => {
        const value = helpers === undefined ? others : { ...others, credHelpers: helpers };
        const text = JSON.stringify(value, undefined, indent);
        const after = edit(text, { [name]: "x" });
        const expected = { ...others, credHelpers: { ...helpers, [name]: "x" } };
        assert.deepEqual(readJsonObject(after), JSON.parse(JSON.stringify(expected)));
        if (helpers === undefined || (!Object.hasOwn(helpers, name) && Object.keys(helpers).length > 0)) {
          if (Object.keys(others).length > 0 || helpers !== undefined) {
            assert.equal(edit(after, { [name]: undefined }), text);
          }
        }
      },
    ),
    { numRuns: RUNS },
  );
});
