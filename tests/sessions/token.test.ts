/** Proves the arithmetic of token lives: what counts as fresh, and that no expiry is told later than the real one. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "../fast-check.ts";
import { EXEC_API_VERSIONS, formatExecCredential } from "../../src/plugin/exec-credential.ts";
import type { Credentials } from "../../src/sessions/credentials.ts";
import {
  defaultMinimumLife,
  isFresh,
  reportedExpiry,
  type TimedToken,
  timedToken,
  timeLeft,
} from "../../src/sessions/token.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function jwt(claims: unknown): string {
  const part = (value: unknown) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
}

function credentials(more: Partial<Credentials>): Credentials {
  return { accessToken: "opaque", received: NOW, ...more } as Credentials;
}

const lives = fc.record({
  issued: fc.integer({ min: 0, max: 2 ** 42 }),
  life: fc.integer({ min: -1000, max: 400 * 24 * 3600_000 }),
}).map(({ issued, life }): TimedToken => ({ token: "t", kind: "access", issued, expires: issued + life }));

Deno.test("the reported expiry is never after the real one, and at most a minute or a sixth before it", () => {
  fc.assert(fc.property(lives, (token) => {
    const early = token.expires - reportedExpiry(token);
    const life = Math.max(0, token.expires - token.issued);
    assert.ok(early >= 0);
    assert.ok(Math.abs(early - Math.min(60_000, life / 6)) < 0.01);
  }));
});

Deno.test("a token that is handed out by default is not over by what is reported of it", () => {
  fc.assert(fc.property(lives, fc.double({ min: 0, max: 1, noNaN: true }), (token, share) => {
    const now = token.issued + Math.max(0, token.expires - token.issued) * share;
    if (isFresh(token, {}, now)) assert.ok(reportedExpiry(token) > now);
  }));
});

Deno.test("the default for --min-ttl is two minutes, or a third of a short life; a fresh token always has it", () => {
  const token = (life: number): TimedToken => ({ token: "t", kind: "id", issued: NOW, expires: NOW + life });
  assert.equal(defaultMinimumLife(token(3600_000)), 120_000);
  assert.equal(defaultMinimumLife(token(360_000)), 120_000);
  assert.equal(defaultMinimumLife(token(90_000)), 30_000);
  assert.equal(defaultMinimumLife(token(3)), 1);
  assert.equal(defaultMinimumLife(token(-5)), 0);
  fc.assert(fc.property(lives, (each) => {
    if (each.expires > each.issued) {
      assert.ok(isFresh(each, {}, each.issued), "else every call would refresh");
    }
  }));
});

Deno.test("freshness ends exactly where the minimum life is left, and an explicit one replaces the default", () => {
  const token: TimedToken = { token: "t", kind: "id", issued: NOW, expires: NOW + 3600_000 };
  assert.equal(isFresh(token, {}, token.expires - 120_001), true);
  assert.equal(isFresh(token, {}, token.expires - 120_000), false);
  assert.equal(isFresh(token, { minimumLife: 0 }, token.expires - 1), true);
  assert.equal(isFresh(token, { minimumLife: 0 }, token.expires), false);
  assert.equal(isFresh(token, { minimumLife: 3600_000 }, NOW), false);
});

Deno.test("an access token lives by expires_in, else by its own exp, else five minutes", () => {
  const exp = NOW / 1000 + 600;
  assert.equal(
    timedToken(credentials({ accessTokenExpires: NOW + 5, accessToken: jwt({ exp }) }), "access")?.expires,
    NOW + 5,
  );
  const own = timedToken(credentials({ accessToken: jwt({ exp, iat: NOW / 1000 - 60 }) }), "access");
  assert.equal(own?.expires, NOW + 600_000);
  assert.equal(own?.issued, NOW - 60_000);
  assert.equal(timedToken(credentials({ accessToken: jwt({ exp }) }), "access")?.issued, NOW);
  for (const token of ["opaque", "a.b.c", jwt("{"), jwt(null), jwt([]), jwt({}), jwt({ exp: "1" })]) {
    assert.equal(timedToken(credentials({ accessToken: token }), "access")?.expires, NOW + 300_000, token);
  }
});

Deno.test("an ID token lives by its own exp, whatever the access token's life; a session may have none", () => {
  const idToken = jwt({ exp: NOW / 1000 + 60, iat: NOW / 1000 });
  const token = timedToken(credentials({ idToken, accessTokenExpires: NOW + 3600_000 }), "id");
  assert.deepEqual(token, { token: idToken, kind: "id", issued: NOW, expires: NOW + 60_000 });
  assert.equal(timedToken(credentials({}), "id"), undefined);
});

Deno.test("whatever a token says of its times, what is printed is RFC 3339 and not after the real end", () => {
  const times = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e20, -1e20, 253402300800, 8.64e12, 0));
  fc.assert(fc.property(times, fc.option(times), (exp, iat) => {
    const claims = JSON.stringify({ exp: 1, iat: 2 })
      .replace("1", JSON.stringify(exp) === "null" ? "1e999" : String(exp))
      .replace("2", String(iat ?? 0));
    const token = timedToken(credentials({ idToken: jwt(claims) }), "id");
    assert.ok(token !== undefined);
    const { status } = JSON.parse(formatExecCredential(EXEC_API_VERSIONS[0], token));
    assert.match(status.expirationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Date.parse(status.expirationTimestamp) <= Math.max(token.expires, 0));
  }));
});

Deno.test("the time left is at least one millisecond and at most what is given", () => {
  assert.equal(timeLeft(performance.now() - 5), 1);
  assert.equal(timeLeft(performance.now() + 10_000, 50), 50);
  assert.ok(timeLeft(performance.now() + 10_000) <= 10_000);
});
