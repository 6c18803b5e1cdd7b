/** Proves which URLs may be asked, and that a name stays one segment of the path that it is put in. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { endpointUrl, pathSegment } from "../../src/http/address.ts";
import { expectError } from "../expect-error.ts";

for (
  const [text, why] of [
    ["http://issuer.example/", "is not an https URL"],
    ["http://127.0.0.1.evil.example/", "is not an https URL"],
    ["http://localhost.evil.example/", "is not an https URL"],
    ["http://[::2]/", "is not an https URL"],
    ["ftp://127.0.0.1/", "is not an https URL"],
    ["javascript:alert(1)", "is not an https URL"],
    ["https://ada:pw@issuer.example/", "holds a user name or password"],
    ["https://issuer.example/#x", "holds a fragment"],
    ["https://issuer.example/\u001b[2J", "holds unprintable characters"],
    ["nonsense", "is not a URL"],
    [7, "is not a string"],
  ] as const
) {
  Deno.test(`endpointUrl() refuses ${JSON.stringify(text)}: it ${why}`, () =>
    assert.equal(endpointUrl(text), why));
}

for (
  const text of [
    "https://issuer.example/a?b=c",
    "http://127.0.0.1:9/",
    "http://127.9.8.7/",
    "http://[::1]:8/",
    "http://localhost/",
  ]
) {
  Deno.test(`endpointUrl() takes ${text}`, () => assert.ok(endpointUrl(text) instanceof URL));
}

Deno.test("pathSegment() refuses what is empty or leads upwards", () => {
  for (const name of ["", ".", ".."]) {
    expectError(() => pathSegment(name), "INVALID");
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
