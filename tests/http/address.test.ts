/** Proves that a name stays one segment of the path that it is put in. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { pathSegment } from "../../src/http/address.ts";
import { AppError } from "../../src/errors.ts";

Deno.test("pathSegment() refuses what is empty or leads upwards", () => {
  for (const name of ["", ".", ".."]) {
    assert.throws(
      () => pathSegment(name),
      (thrown) => thrown instanceof AppError && thrown.code === "INVALID",
    );
  }
});

Deno.test("any other name is one segment of a URL, whatever it holds", () => {
  const name = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1 }),
    fc.constantFrom("...", "%2e%2e", "%2E", "../x", "a/..", "..\\", "..;", "..?", "..#", ".\t."),
  ).filter((text) => text !== "." && text !== "..");
  fc.assert(fc.property(name, (text) => {
    const { pathname, search, hash } = new URL(
      `https://api.example.com/apis/${pathSegment(text)}/control-plane`,
    );
    assert.deepEqual([search, hash], ["", ""]);
    const [, apis, segment = "", last, ...more] = pathname.split("/");
    assert.deepEqual([apis, decodeURIComponent(segment), last, more], ["apis", text, "control-plane", []]);
  }));
});
