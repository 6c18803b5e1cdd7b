/** Proves that the address that a browser is started with leads to the issuer once, and says nothing to anybody else. */

import assert from "node:assert/strict";
import { oneTimeAddress } from "../../src/oauth/one-time-address.ts";

const ORIGIN = "http://127.0.0.1:43210";
const TARGET = "https://issuer.example/authorize?state=SECRET&nonce=SECRET&code_challenge=SECRET";

Deno.test("the first request is led to the issuer, every later one gets a page, and one warning is given", async () => {
  let warnings = 0;
  const { url, handle } = oneTimeAddress(ORIGIN, TARGET, () => warnings++);
  assert.match(url, /^http:\/\/127\.0\.0\.1:43210\/[\w-]{43}$/);
  const first = await handle(new Request(url));
  assert.equal(first?.status, 302);
  assert.equal(first?.headers.get("location"), TARGET);
  assert.equal(first?.headers.get("cache-control"), "no-store");
  assert.equal(first?.headers.get("referrer-policy"), "no-referrer");
  assert.equal(warnings, 0);
  for (let count = 0; count < 3; count++) {
    const later = await handle(new Request(url));
    assert.equal(later?.status, 410);
    const page = await later?.text() ?? "";
    assert.match(page, /This address was opened before/);
    assert.doesNotMatch(page + later?.headers.get("location"), /SECRET|issuer\.example/);
    assert.equal(warnings, 1);
  }
});

Deno.test("another method, another host or another path does not use it up", async () => {
  let warnings = 0;
  const { url, handle } = oneTimeAddress(ORIGIN, TARGET, () => warnings++);
  const { pathname } = new URL(url);
  for (const method of ["HEAD", "POST", "OPTIONS"]) {
    assert.equal((await handle(new Request(url, { method })))?.status, 405);
  }
  for (const origin of ["http://localhost:43210", "http://rebound.example", "http://127.0.0.1:1"]) {
    assert.equal((await handle(new Request(`${origin}${pathname}`)))?.status, 421);
  }
  for (const path of ["/", `${pathname}/`, `${pathname}x`, "/callback", pathname.toUpperCase()]) {
    assert.equal(handle(new Request(`${ORIGIN}${path}`)), undefined);
  }
  assert.equal((await handle(new Request(url)))?.status, 302);
  assert.equal(warnings, 0);
});

Deno.test("each attempt has an address of its own", () => {
  const urls = Array.from({ length: 50 }, () => oneTimeAddress(ORIGIN, TARGET, () => {}).url);
  assert.equal(new Set(urls).size, 50);
});
