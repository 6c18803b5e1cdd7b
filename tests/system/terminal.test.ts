/** Proves how keys are told apart and that no word is lost on the way out. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { splitKeys, writeAll } from "../../src/system/terminal.ts";

Deno.test("an escape sequence is one key, everything else a key per character", () => {
  assert.deepEqual(splitKeys("a\u001b[A\u001bOB\u001b[1;5Cö\u{1f600}\r\u0003"), [
    ..."a",
    "\u001b[A",
    "\u001bOB",
    "\u001b[1;5C",
    "ö",
    "\u{1f600}",
    "\r",
    "\u0003",
  ]);
  assert.deepEqual(splitKeys("\u001b"), ["\u001b"]);
  assert.deepEqual(splitKeys(""), []);
});

Deno.test("keys put together again are what was read", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(splitKeys(text).join(""), text);
  }));
});

Deno.test("a target that takes a few bytes at a time gets them all", () => {
  const taken: number[] = [];
  const target = {
    writeSync(bytes: Uint8Array) {
      const part = bytes.subarray(0, 3);
      taken.push(...part);
      return part.length;
    },
  };
  writeAll(target, "häppchenweise");
  assert.equal(new TextDecoder().decode(new Uint8Array(taken)), "häppchenweise");
});

Deno.test("a reader that went away is no error; anything else is", () => {
  writeAll({
    writeSync: () => {
      throw new Deno.errors.BrokenPipe();
    },
  }, "x");
  assert.throws(() =>
    writeAll({
      writeSync: () => {
        throw new Error("disk");
      },
    }, "x"), /disk/);
});
