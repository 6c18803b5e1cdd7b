/** Proves what is read of a JWT that nobody verifies, and what is taken for none. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "../fast-check.ts";
import { timeOf, unverifiedClaims } from "../../src/oauth/jwt.ts";

const part = (value: string | Uint8Array) => Buffer.from(value).toString("base64url");
const HEADER = part('{"alg":"RS256"}');
const jwt = (claims: string | Uint8Array, header = HEADER) => `${header}.${part(claims)}.c2ln`;

Deno.test("a JWT's claims are read, in any script", () => {
  assert.deepEqual(unverifiedClaims(jwt('{"sub":"ö","aud":["a","b"]}')), { sub: "ö", aud: ["a", "b"] });
});

const NONE: [string, string][] = [
  ["an empty text", ""],
  ["an opaque token", "opaque"],
  ["two parts", jwt("{}").replace(/\.[^.]+$/, "")],
  ["the five parts of an encrypted one", `${jwt("{}")}.a.b`],
  ["a header that is no JSON", jwt("{}", "abc")],
  ["a header that is a list", jwt("{}", part("[]"))],
  ["a header that is not base64url", jwt("{}", "{}")],
  ["claims that are no JSON", jwt("{")],
  ["claims that are a list", jwt("[]")],
  ["claims that are null", jwt("null")],
  ["claims that are not UTF-8", jwt(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))],
];
for (const [what, text] of NONE) {
  Deno.test(`unverifiedClaims() of ${what} is undefined`, () =>
    assert.equal(unverifiedClaims(text), undefined));
}

Deno.test("whatever a token is, it has claims or none, and reading it never fails", () => {
  const parts = fc.oneof(fc.string(), fc.json().map(part), fc.uint8Array().map(part), fc.constant(HEADER));
  fc.assert(fc.property(fc.array(parts, { maxLength: 5 }), (parts) => {
    const claims = unverifiedClaims(parts.join("."));
    assert.ok(claims === undefined || (typeof claims === "object" && !Array.isArray(claims)));
  }));
});

Deno.test("a claim is a time when it is a number that a date can follow", () => {
  assert.equal(timeOf(1.5), 1500);
  for (const claim of ["1", null, undefined, 1e300, Infinity]) assert.equal(timeOf(claim), undefined);
});
