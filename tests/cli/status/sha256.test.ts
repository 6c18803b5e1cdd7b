/** Proves that the digest of a name is SHA-256, by the runtime's own. */

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { sha256AtOnce } from "../../../src/cli/status/sha256.ts";
import { sha256 } from "../../../src/encoding.ts";

Deno.test("the digest is the runtime's own, whatever the text and its length", async () => {
  // The vectors of FIPS 180-4's examples, and every length around the ends of blocks.
  const vectors = ["", "abc", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "ж\u{1f600}"];
  for (let length = 0; length < 200; length++) vectors.push("a".repeat(length));
  for (const text of vectors) assert.deepEqual(sha256AtOnce(text), await sha256(text), text);
  await fc.assert(fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 300 }), async (text) => {
    assert.deepEqual(sha256AtOnce(text), await sha256(text));
  }));
});
