/** Proves that JSON is printed as kubectl prints it. */

import assert from "node:assert/strict";
import { compactJson, jsonText } from "../../src/kube/json-text.ts";

Deno.test("JSON has Go's escapes, and names in the order of their bytes", () => {
  const value = {
    "<&>": '\u2028\u2029\u007f\u0001\b\f\n\r\t"\\/😀\ud800',
    "\uffff": 1,
    "😀": 2,
    "10": 1,
    "9": 2,
  };
  assert.equal(
    compactJson(value),
    '{"10":1,"9":2,"\\u003c\\u0026\\u003e":"\\u2028\\u2029\u007f\\u0001\\b\\f\\n\\r\\t\\"\\\\/😀\ufffd","\uffff":1,"😀":2}',
  );
  assert.equal(
    jsonText({ a: [], b: {}, c: [{ d: 1 }] }),
    [
      "{",
      '    "a": [],',
      '    "b": {},',
      '    "c": [',
      "        {",
      '            "d": 1',
      "        }",
      "    ]",
      "}",
    ].join("\n"),
  );
});
