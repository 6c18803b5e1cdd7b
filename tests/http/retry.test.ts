/** Proves which answers of a server say when to ask again, and when that is. */

import assert from "node:assert/strict";
import { retryAfter } from "../../src/http/retry.ts";

const NOW = Date.UTC(2026, 0, 1);

for (
  const [header, wait] of [
    [undefined, undefined],
    ["", undefined],
    ["soon", undefined],
    ["-1", 0],
    ["0", 0],
    [" 7 ", 7_000],
    ["Thu, 01 Jan 2026 00:00:05 GMT", 5_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
  ] as const
) {
  Deno.test(`Retry-After: ${header ?? "none"} is ${wait === undefined ? "no wait that is known" : `${wait} ms`}`, () =>
    assert.equal(retryAfter(new Headers(header === undefined ? {} : { "retry-after": header }), NOW), wait));
}
