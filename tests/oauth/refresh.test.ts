/** Proves what a refresh asks again, what ends the session, and what must be kept. */

import assert from "node:assert/strict";
import { AppError, type ErrorCode } from "../../src/errors.ts";
import type { HttpContext } from "../../src/http/bounded.ts";
import { fetchSigningKeys } from "../../src/oauth/id-token.ts";
import { type RefreshInput, refreshTokens } from "../../src/oauth/refresh.ts";
import { expectRejection } from "../expect-error.ts";
import { CLIENT, ISSUER, json, NOW, type Route, signingKey, TestIssuer } from "./issuer.ts";

interface Attempt {
  readonly issuer: TestIssuer;
  refresh(more?: Partial<RefreshInput>, http?: Partial<HttpContext>): ReturnType<typeof refreshTokens>;
}

/** A session with cached keys whose issuer answers its refreshes as told; sleeping moves the issuer's clock. */
async function session(...answers: Route[]): Promise<Attempt> {
  const issuer = new TestIssuer();
  const metadata = { ...issuer.discovered };
  const keys = await fetchSigningKeys(issuer.http(), metadata);
  issuer.requests.length = 0;
  issuer.routes["/token"] = answers.length === 0 ? async () => json(await issuer.tokens()) : answers;
  return {
    issuer,
    refresh: (more = {}, http = {}) =>
      refreshTokens(issuer.http(http), {
        metadata,
        keys,
        client: { id: CLIENT },
        refreshToken: "refresh-1",
        expected: { issuer: ISSUER, subject: "user-1" },
        ...issuer.retry,
        ...more,
      }),
  };
}

Deno.test("a refresh with cached keys is one request with the client id in its body", async () => {
  const { issuer, refresh } = await session();
  const refreshed = await refresh();
  assert.ok(refreshed.kind === "tokens");
  assert.equal(refreshed.tokens.refreshToken, "refresh-2");
  assert.equal(refreshed.tokens.claims?.sub, "user-1");
  assert.deepEqual(issuer.paths(), ["/token"]);
  assert.equal(issuer.requests[0]?.headers.get("authorization"), null);
  assert.deepEqual(Object.fromEntries(issuer.requests[0]?.body ?? []), {
    grant_type: "refresh_token",
    refresh_token: "refresh-1",
    client_id: CLIENT,
  });
});

Deno.test("a refresh without a new refresh token keeps the old one", async () => {
  const { issuer, refresh } = await session();
  issuer.routes["/token"] = async () => json(await issuer.tokens({ refresh_token: undefined }));
  const refreshed = await refresh();
  assert.equal(refreshed.kind === "tokens" && refreshed.tokens.refreshToken, "refresh-1");
});

Deno.test("refreshTokens() succeeds without an ID token, and hands none out", async () => {
  const { issuer, refresh } = await session();
  issuer.routes["/token"] = async () => json(await issuer.tokens({ id_token: undefined }));
  const refreshed = await refresh();
  assert.ok(refreshed.kind === "tokens");
  assert.equal(refreshed.tokens.idToken, undefined);
  assert.equal(refreshed.tokens.refreshToken, "refresh-2");
});

const oauthError = (error: string, status = 400, why = "why \u001b[2J"): Route => () =>
  json({ error, error_description: why }, { status });
const ENDS: [string, ErrorCode, Route][] = [
  ["invalid_grant", "SESSION_EXPIRED", oauthError("invalid_grant")],
  ["invalid_grant with status 200", "SESSION_EXPIRED", oauthError("invalid_grant", 200)],
  ["interaction_required", "SESSION_EXPIRED", oauthError("interaction_required")],
  [
    "ZITADEL's invalid_request",
    "SESSION_EXPIRED",
    oauthError("invalid_request", 400, "Errors.OIDCSession.RefreshTokenInvalid"),
  ],
  ["ZITADEL's 404", "SESSION_EXPIRED", oauthError("invalid_request", 404, "Errors.User.NotFound")],
  ["Dex's invalid_request", "SESSION_EXPIRED", oauthError("invalid_request", 400, "Refresh token expired.")],
  ["another invalid_request", "ISSUER_ERROR", oauthError("invalid_request")],
  [
    "an error that is an object",
    "ISSUER_ERROR",
    () => json({ error: { code: "bad", message: "why" } }, { status: 400 }),
  ],
  ["invalid_client", "ISSUER_ERROR", oauthError("invalid_client", 401)],
  ["unauthorized_client", "ISSUER_ERROR", oauthError("unauthorized_client")],
  ["a 403 of JSON", "ISSUER_ERROR", () => json({}, { status: 403 })],
  ["token_type mac", "INVALID_TOKEN", () => json({ access_token: "access-1", token_type: "mac" })],
];
for (const [name, code, route] of ENDS) {
  Deno.test(`refreshTokens() answered with ${name} is ${code}, asked once`, async () => {
    const { issuer, refresh } = await session(route);
    await expectRejection(refresh(), code);
    assert.deepEqual(issuer.paths(), ["/token"]);
  });
}

const PASSES: [string, Route][] = [
  ["temporarily_unavailable", oauthError("temporarily_unavailable")],
  ["server_error", oauthError("server_error")],
  ["a 500 that says invalid_grant", oauthError("invalid_grant", 500)],
  ["a 408", () => json({}, { status: 408 })],
  ["a 425 that says invalid_grant", oauthError("invalid_grant", 425)],
  ["a 429", () => json({}, { status: 429 })],
  [
    "a 429 in ZITADEL's words",
    oauthError("invalid_request", 429, "Errors.OIDCSession.RefreshTokenInvalid"),
  ],
  ["HTML with 200", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  [
    "HTML with 400 that says invalid_grant",
    () =>
      new Response('{"error":"invalid_grant"}', { status: 400, headers: { "content-type": "text/html" } }),
  ],
  ["a captive portal's redirect", () => Response.redirect("https://portal.example/", 302)],
  ["no connection", () => Promise.reject(new AppError("NETWORK", "issuer.example cannot be reached."))],
  ["expires_in a word", () => json({ access_token: "access-1", token_type: "Bearer", expires_in: "soon" })],
];
for (const [name, route] of PASSES) {
  Deno.test(`refreshTokens() answered with ${name} for ever is NETWORK after three requests`, async () => {
    const { issuer, refresh } = await session(route);
    await expectRejection(refresh(), "NETWORK");
    assert.equal(issuer.requests.length, 3);
    assert.deepEqual(issuer.pauses, [150, 600]);
  });

  Deno.test(`refreshTokens() succeeds on the second request after ${name}`, async () => {
    const attempt = await session(route, async () => json(await attempt.issuer.tokens()));
    assert.equal((await attempt.refresh()).kind, "tokens");
    assert.equal(attempt.issuer.requests.length, 2);
  });
}

for (
  const [name, change, code] of [
    ["a negative expires_in", { expires_in: -1 }, "NETWORK"],
    ["no access token", { access_token: undefined }, "NETWORK"],
    ["an ID token that is a number", { id_token: 7 }, "NETWORK"],
    ["token_type mac", { token_type: "mac" }, "INVALID_TOKEN"],
  ] as const
) {
  Deno.test(`${name} beside a new refresh token is asked for once, and that token is the one to keep`, async () => {
    const { issuer, refresh } = await session(async () => json(await issuer.tokens(change)));
    const refreshed = await refresh();
    assert.ok(refreshed.kind === "unusable");
    assert.equal(refreshed.error.code, code);
    assert.equal(refreshed.refreshToken, "refresh-2");
    assert.equal(issuer.requests.length, 1);
    // At an issuer that does not rotate nothing is spent.
    const same = await session(async () =>
      json(await issuer.tokens({ ...change, refresh_token: "refresh-1" }))
    );
    await expectRejection(same.refresh(), code);
  });
}

Deno.test("what an issuer repeats of the refresh token with status 200 is in no message", async () => {
  const { refresh } = await session(oauthError("invalid_grant", 200, "The token refresh-1 is spent"));
  await expectRejection(refresh(), { message: /The token … is spent/ });
});

Deno.test("a slow answer is not asked for again: it may have rotated the token", async () => {
  const { issuer, refresh } = await session(() => new Promise<Response>(() => {}));
  await expectRejection(refresh({}, { requestTimeout: 20 }), "NETWORK");
  assert.equal(issuer.requests.length, 1);
});

Deno.test("Retry-After within the deadline is waited for, beyond it given up at once", async () => {
  const busy: Route = () => json({}, { status: 503, headers: { "retry-after": "4" } });
  const within = await session(busy);
  await expectRejection(within.refresh({}, { deadline: NOW + 10_000 }));
  assert.deepEqual(within.issuer.pauses, [4000, 4000]);
  const beyond = await session(busy);
  await expectRejection(beyond.refresh({}, { deadline: NOW + 3000 }), "NETWORK");
  assert.deepEqual(beyond.issuer.pauses, []);
  assert.equal(beyond.issuer.requests.length, 1);
});

Deno.test("a bound that ends during a pause ends the refresh with NETWORK", async () => {
  const { issuer, refresh } = await session(() => json({}, { status: 503 }));
  const bound = new AbortController();
  const sleep = () => (bound.abort(), Promise.reject(bound.signal.reason));
  await expectRejection(refresh({ sleep }, { signal: bound.signal }), "NETWORK");
  assert.equal(issuer.requests.length, 1);
});

Deno.test("another subject, issuer or signature is INVALID_TOKEN and hands nothing out", async () => {
  for (const claims of [{ sub: "user-2" }, { iss: "https://evil.example" }, { aud: "client-2" }]) {
    const { issuer, refresh } = await session();
    issuer.routes["/token"] = async () => json(await issuer.tokens({}, claims));
    await expectRejection(refresh(), "INVALID_TOKEN");
  }
  const { issuer, refresh } = await session();
  const forged = await issuer.idToken({}, await signingKey("RS256", "shared"));
  issuer.routes["/token"] = async () => json(await issuer.tokens({ id_token: forged }));
  await expectRejection(refresh(), "INVALID_TOKEN");
});

Deno.test("a wrong clock is CLOCK_SKEW, and the rotated refresh token is kept", async () => {
  const { issuer, refresh } = await session();
  issuer.routes["/token"] = async () =>
    json(await issuer.tokens({}, { iat: NOW / 1000 + 600 }), {
      headers: { date: new Date(NOW + 600_000).toUTCString() },
    });
  const refreshed = await refresh();
  assert.ok(refreshed.kind === "unusable");
  assert.equal(refreshed.error.code, "CLOCK_SKEW");
  assert.equal(refreshed.refreshToken, "refresh-2");
});

Deno.test("a wrong clock with a bad signature keeps nothing", async () => {
  const { issuer, refresh } = await session();
  const forged = await issuer.idToken({ iat: NOW / 1000 + 600 }, await signingKey("RS256", "shared"));
  issuer.routes["/token"] = async () =>
    json(await issuer.tokens({ id_token: forged }), {
      headers: { date: new Date(NOW + 600_000).toUTCString() },
    });
  await expectRejection(refresh(), "INVALID_TOKEN");
});

/** The issuer signs with a new key from now on. */
async function rotate({ issuer }: Attempt): Promise<void> {
  const key = await signingKey("RS256", "new");
  issuer.published = [key.jwk];
  const id_token = await issuer.idToken({}, key);
  issuer.routes["/token"] = async () => json(await issuer.tokens({ id_token }));
}

Deno.test("keys that rotated are fetched and returned", async () => {
  const good = await session();
  await rotate(good);
  const refreshed = await good.refresh();
  assert.equal(refreshed.kind === "tokens" && (refreshed.keys?.keys[0] as { kid?: string }).kid, "new");
  assert.deepEqual(good.issuer.paths(), ["/token", "/keys"]);
});

Deno.test("keys that cannot be had keep the rotated refresh token", async () => {
  const bad = await session();
  await rotate(bad);
  bad.issuer.routes["/keys"] = () => json({}, { status: 503 });
  const unusable = await bad.refresh();
  assert.ok(unusable.kind === "unusable");
  assert.equal(unusable.error.code, "NETWORK");
  assert.equal(unusable.refreshToken, "refresh-2");
});

Deno.test("a token endpoint that has moved is found by discovery; the new metadata is returned", async () => {
  const { issuer, refresh } = await session(() => new Response("gone", { status: 410 }));
  issuer.metadata.token_endpoint = `${ISSUER}/v2/token`;
  issuer.routes["/v2/token"] = async () => json(await issuer.tokens());
  const refreshed = await refresh();
  assert.equal(refreshed.kind === "tokens" && refreshed.metadata.token_endpoint, `${ISSUER}/v2/token`);
  assert.deepEqual(issuer.paths(), ["/token", "/.well-known/openid-configuration", "/v2/token"]);
});

Deno.test("a token endpoint that is gone and has not moved fails after one look", async () => {
  const { issuer, refresh } = await session(() => json({}, { status: 404 }));
  await expectRejection(refresh(), "ISSUER_ERROR");
  assert.deepEqual(issuer.paths(), ["/token", "/.well-known/openid-configuration"]);
});
