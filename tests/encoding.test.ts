/** Proves the text encodings against RFC 4648's own vectors and against another implementation. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "./fast-check.ts";
import { fromBase64Url, toBase32, toBase64Url } from "../src/encoding.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

// https://www.rfc-editor.org/rfc/rfc4648#section-10, without padding; base32 in lower case.
const VECTORS: readonly (readonly [text: string, base64: string, base32: string])[] = [
  ["", "", ""],
  ["f", "Zg", "my"],
  ["fo", "Zm8", "mzxq"],
  ["foo", "Zm9v", "mzxw6"],
  ["foob", "Zm9vYg", "mzxw6yq"],
  ["fooba", "Zm9vYmE", "mzxw6ytb"],
  ["foobar", "Zm9vYmFy", "mzxw6ytboi"],
];

Deno.test("base64url and base32 are RFC 4648's", () => {
  for (const [text, base64, base32] of VECTORS) {
    assert.equal(toBase64Url(bytes(text)), base64);
    assert.deepEqual(fromBase64Url(base64), bytes(text));
    assert.equal(toBase32(bytes(text)), base32);
  }
  assert.equal(toBase64Url(new Uint8Array([0xfb, 0xff, 0xbf])), "-_-_");
});

Deno.test("base64url of any bytes is Node's, and comes back", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
    const text = toBase64Url(data);
    assert.equal(text, Buffer.from(data).toString("base64url"));
    assert.deepEqual(fromBase64Url(text), new Uint8Array(data));
  }));
  const large = crypto.getRandomValues(new Uint8Array(60_000));
  assert.deepEqual(fromBase64Url(toBase64Url(large)), large);
});

Deno.test("base32 of any bytes has a character for every five bits, of 32 that survive a lower-casing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
    const text = toBase32(data);
    assert.equal(text.length, Math.ceil(data.length * 8 / 5));
    assert.match(text, /^[a-z2-7]*$/);
  }));
});

Deno.test("what is not unpadded base64url is none: padding, spaces, the other alphabet, a lone character", () => {
  for (const text of ["Zg==", "Z g", "Zm8\n", " Zm8", "+/+/", "Z", "Zm9vY", "Zm9v.", "ä", "Zg\u0000"]) {
    assert.equal(fromBase64Url(text), undefined, JSON.stringify(text));
  }
  fc.assert(fc.property(fc.string(), (text) => {
    const decoded = fromBase64Url(text);
    if (decoded !== undefined) assert.match(text, /^[A-Za-z0-9_-]*$/);
  }));
});
