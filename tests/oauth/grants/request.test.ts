/** Proves of every credential of a machine what its refusal is called, what is asked again, and what a token answer must be. */

import { SignJWT } from "jose";
import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { AppError, type ErrorCode } from "../../../src/errors.ts";
import { clientCredentialsToken } from "../../../src/oauth/grants/client-credentials.ts";
import { jwtBearerToken } from "../../../src/oauth/grants/jwt-bearer.ts";
import { expectRejection } from "../../expect-error.ts";
import { changed, hostileValue, ours, RUNS } from "../../fuzz.ts";
import { ISSUER, json, NOW, type Route } from "../issuer.ts";
import { answering, TOKEN_ENDPOINT, TRADES } from "../machine.ts";

const at = (milliseconds: number) => ({ date: new Date(milliseconds).toUTCString() });
const oauthError = (error: string, status = 400, headers: HeadersInit = {}): Route => () =>
  json({ error, error_description: "why \u001b[2J" }, { status, headers });

const REFUSED: [string, ErrorCode, Route][] = [
  ["invalid_client", "SESSION_REJECTED", oauthError("invalid_client", 401)],
  ["invalid_client with 400", "SESSION_REJECTED", oauthError("invalid_client")],
  ["unauthorized_client", "SESSION_REJECTED", oauthError("unauthorized_client")],
  ["invalid_grant", "SESSION_REJECTED", oauthError("invalid_grant")],
  ["access_denied", "SESSION_REJECTED", oauthError("access_denied")],
  [
    "a 401 of plain text",
    "SESSION_REJECTED",
    () => new Response("SECRET", { status: 401, headers: { "content-type": "text/plain" } }),
  ],
  ["an empty 401", "SESSION_REJECTED", () => new Response(null, { status: 401 })],
  ["a 403 of another kind of JSON", "SESSION_REJECTED", () => json({ message: "no" }, { status: 403 })],
  ["invalid_grant with 200", "SESSION_REJECTED", oauthError("invalid_grant", 200)],
  [
    "an error that is an object",
    "SESSION_REJECTED",
    () => json({ error: { code: 401, status: "UNAUTHENTICATED", message: "why" } }, { status: 401 }),
  ],
  [
    "Okta's words",
    "SESSION_REJECTED",
    () => json({ errorCode: "invalid_client", errorSummary: "why" }, { status: 401 }),
  ],
  ["invalid_scope", "ISSUER_ERROR", oauthError("invalid_scope", 404)],
  ["unsupported_grant_type", "ISSUER_ERROR", oauthError("unsupported_grant_type", 405)],
];

const PASSES: [string, Route][] = [
  ["a 503", () => json({}, { status: 503 })],
  ["a 500 that says invalid_client", oauthError("invalid_client", 500)],
  ["a 408", () => json({}, { status: 408 })],
  ["a 425", () => json({}, { status: 425 })],
  ["a 429", () => json({}, { status: 429 })],
  ["a 429 that says invalid_client", oauthError("invalid_client", 429)],
  ["temporarily_unavailable", oauthError("temporarily_unavailable")],
  ["server_error", oauthError("server_error")],
  ["HTML with 200", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  [
    "HTML with 403",
    () => new Response("<html>", { status: 403, headers: { "content-type": "text/html" } }),
  ],
  ["a captive portal's redirect", () => Response.redirect("https://portal.example/", 302)],
  ["no connection", () => Promise.reject(new AppError("NETWORK", "issuer.example cannot be reached."))],
  ["an answer without a token", () => json({})],
];

for (const { name, path, secret, timeBound, good, ask } of TRADES) {
  for (const [what, code, route] of REFUSED) {
    Deno.test(`${name}: ${what} is ${code}, asked once`, async () => {
      const issuer = answering(path, route);
      const error = await expectRejection(ask(issuer), code);
      assert.equal(issuer.requests.length, 1);
      assert.match(error.message, new RegExp(new URL(path, ISSUER).host));
    });
  }

  for (const [what, route] of PASSES) {
    Deno.test(`${name}: ${what} is NETWORK after three requests, and survived when it passes`, async () => {
      const issuer = answering(path, route);
      await expectRejection(ask(issuer), "NETWORK");
      assert.equal(issuer.requests.length, 3);
      const other = answering(path, route, () => json(good("minted-1")));
      assert.equal((await ask(other)).accessToken, "minted-1");
      assert.equal(other.requests.length, 2);
    });
  }

  Deno.test(`${name}: refused by a server whose clock is not ours is ${timeBound ? "" : "not "}CLOCK_SKEW`, async () => {
    const issuer = answering(path, oauthError("invalid_grant", 401, at(NOW + 600_000)));
    const error = await expectRejection(ask(issuer), timeBound ? "CLOCK_SKEW" : "SESSION_REJECTED");
    if (!timeBound) return;
    assert.match(error.message, /2026-01-02T03:04:05Z.*2026-01-02T03:14:05Z/);
    assert.match(error.message, /invalid_grant: why/);
  });

  Deno.test(`${name}: refused by a server whose clock is ours is not CLOCK_SKEW`, async () => {
    const issuer = answering(path, oauthError("invalid_grant", 401, at(NOW - 59_000)));
    await expectRejection(ask(issuer), "SESSION_REJECTED");
  });

  Deno.test(`${name}: what a server repeats of it is in no message, and no line of the log has any`, async () => {
    const issuer = answering(
      path,
      () => json({ error: "invalid_client", error_description: `bad ${secret}!` }, { status: 401 }),
    );
    await expectRejection(ask(issuer), { message: /bad …!/ });
    assert.equal(issuer.log.length, 1);
    assert.doesNotMatch(issuer.log.join(), /SECRET|\?/);
  });

  Deno.test(`${name}: a token with a line break is refused`, async () => {
    const issuer = answering(path, () => json(good("a\r\nb")));
    await expectRejection(ask(issuer), "NETWORK");
  });

  Deno.test(`${name}: any answer gives a token or an AppError`, async () => {
    const bad = { error: "invalid_grant", error_description: "why", message: "why" };
    const body = fc.oneof(
      { weight: 8, arbitrary: fc.oneof(changed(good("SECRET")), changed(bad)) },
      hostileValue,
    );
    const status = fc.oneof(fc.constant(200), fc.constantFrom(201, 400, 401, 403, 404, 422, 429, 500));
    const type = fc.oneof(
      { weight: 8, arbitrary: fc.constant("application/json") },
      fc.constantFrom("text/html", "text/plain", "application/jwt", ""),
    );
    const date = fc.constantFrom(
      "soon",
      "",
      "0",
      "Fri, 02 Jan 2026 03:04:05 GMT",
      "Fri, 02 Jan 2026 04:04:05 GMT",
    );
    await fc.assert(
      fc.asyncProperty(body, status, type, date, async (body, status, type, date) => {
        const headers = { "content-type": type, date };
        const minted = await ours(() => ask(answering(path, () => json(body ?? null, { status, headers }))));
        if (minted !== undefined) assert.match(minted.accessToken, /^[\x21-\x7e]+$/);
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });
}

/** A client's token, with the answer given. */
function mint(body: Record<string, unknown>, headers: HeadersInit = {}) {
  const issuer = answering("/token", () => json(body, { headers }));
  return clientCredentialsToken(issuer.http(), {
    tokenEndpoint: TOKEN_ENDPOINT,
    client: { id: "id-1" },
    ...issuer.retry,
  });
}

function jwt(claims: Record<string, unknown>): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new Uint8Array(32));
}

const SECONDS = NOW / 1000;

Deno.test("a token of another type is INVALID_TOKEN", async () => {
  await expectRejection(mint({ access_token: "a", token_type: "DPoP" }), "INVALID_TOKEN");
});

Deno.test("a token of no type is a bearer token, as one of that type in any letter case", async () => {
  assert.equal((await mint({ access_token: "a" })).accessToken, "a");
  assert.equal((await mint({ access_token: "a", token_type: "bEARER" })).accessToken, "a");
});

for (const life of [0, -1, "0", "-1", "soon", "1e3", [300], true]) {
  Deno.test(`expires_in ${JSON.stringify(life)} makes the answer malformed`, async () => {
    await expectRejection(mint({ access_token: "a", expires_in: life }), "NETWORK");
  });
}

Deno.test("a token ends by expires_in, else by exp, else nobody knows; and never after ten years", async () => {
  const token = await jwt({ exp: SECONDS + 900 });
  const years = 10 * 365 * 24 * 3600_000;
  assert.deepEqual(await mint({ access_token: token, expires_in: 300 }), {
    accessToken: token,
    receivedAt: NOW,
    expiresAt: NOW + 300_000,
  });
  assert.equal((await mint({ access_token: token })).expiresAt, NOW + 900_000);
  const opaque = { accessToken: "opaque", receivedAt: NOW, expiresAt: undefined };
  assert.deepEqual(await mint({ access_token: "opaque" }), opaque);
  assert.equal((await mint({ access_token: "a", expires_in: "300" })).expiresAt, NOW + 300_000);
  assert.equal((await mint({ access_token: token, expires_in: null })).expiresAt, NOW + 900_000);
  assert.equal((await mint({ access_token: token, expires_in: "" })).expiresAt, NOW + 900_000);
  assert.equal((await mint({ access_token: "a", expires_in: 1e300 })).expiresAt, NOW + years);
  assert.equal((await mint({ access_token: await jwt({ exp: 1e12 }) })).expiresAt, NOW + years);
  assert.equal((await mint({ access_token: await jwt({ exp: "soon" }) })).expiresAt, undefined);
});

const UNTIMELY: [string, Record<string, unknown>, number][] = [
  ["ended", { exp: SECONDS - 61 }, NOW - 700_000],
  ["is of the future", { iat: SECONDS + 61, exp: SECONDS + 900 }, NOW + 700_000],
  ["begins in the future", { nbf: SECONDS + 61, exp: SECONDS + 900 }, NOW + 700_000],
];
for (const [what, claims, date] of UNTIMELY) {
  Deno.test(`a JWT that ${what} is CLOCK_SKEW with both times when the server's clock is another`, async () => {
    const error = await expectRejection(
      mint({ access_token: await jwt(claims), expires_in: 300 }, at(date)),
      "CLOCK_SKEW",
    );
    assert.ok(error.message.includes("2026-01-02T03:04:05Z"), error.message);
    assert.ok(error.message.includes(new Date(date).toISOString().slice(0, 19)), error.message);
  });
}

Deno.test("a JWT that ended is INVALID_TOKEN when the clocks agree, or the server names no time", async () => {
  const access_token = await jwt({ exp: SECONDS - 61 });
  await expectRejection(mint({ access_token, expires_in: 300 }, at(NOW)), "INVALID_TOKEN");
  await expectRejection(mint({ access_token }), "INVALID_TOKEN");
});

Deno.test("a JWT from the near future, or with times that are none, is for the server to judge", async () => {
  for (const claims of [{ iat: SECONDS + 59 }, { iat: "x", nbf: {}, exp: null }, { iat: SECONDS + 3600 }]) {
    const access_token = await jwt(claims);
    assert.equal((await mint({ access_token, expires_in: 300 }, at(NOW))).accessToken, access_token);
  }
});

Deno.test("a slow server is asked again, for nothing is used up, until the bound of the whole", async () => {
  const issuer = answering("/token", () => new Promise<Response>(() => {}));
  const ask = (more: object) => TRADES[0]?.ask(issuer, more) ?? assert.fail();
  await expectRejection(ask({ requestTimeout: 10 }), "NETWORK");
  assert.equal(issuer.requests.length, 3);
  const ended = AbortSignal.abort(new AppError("INTERRUPTED", "Stopped."));
  await expectRejection(ask({ signal: ended }), "INTERRUPTED");
});

Deno.test("Retry-After within the deadline is waited for, beyond it given up at once", async () => {
  for (const [seconds, requests] of [[5, 2], [20, 1]] as const) {
    const busy: Route = () => json({}, { status: 503, headers: { "retry-after": String(seconds) } });
    const issuer = answering("/token", busy, () => json({ access_token: "a" }));
    await TRADES[0]?.ask(issuer, { deadline: NOW + 10_000 }).catch((error) =>
      assert.equal(error.code, "NETWORK")
    );
    assert.equal(issuer.requests.length, requests);
  }
});

Deno.test("an assertion that a server fails over with 500 while its clock is another is CLOCK_SKEW", async () => {
  const issuer = answering("/token", () => json({}, { status: 500, headers: at(NOW + 600_000) }));
  await expectRejection(TRADES[1]?.ask(issuer) ?? assert.fail(), "CLOCK_SKEW");
  const down = answering("/token", () => json({}, { status: 503, headers: at(NOW + 600_000) }));
  await expectRejection(TRADES[1]?.ask(down) ?? assert.fail(), "NETWORK");
});

Deno.test("a token endpoint that is no https URL is never asked", async () => {
  for (const tokenEndpoint of ["http://issuer.example/token", "not a url", "https://u:p@issuer.example/"]) {
    const issuer = answering("/token", () => json({ access_token: "a" }));
    await expectRejection(
      jwtBearerToken(issuer.http(), {
        tokenEndpoint,
        assertion: () => Promise.resolve("assertion-SECRET"),
        ...issuer.retry,
      }),
      "ISSUER_ERROR",
    );
    assert.equal(issuer.requests.length, 0);
  }
});
