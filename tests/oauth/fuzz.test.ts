/** Proves, with generated input, that whatever an issuer or a browser sends ends in a result or one of our errors. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { beginAuthorization, readCallback } from "../../src/oauth/authorization-code.ts";
import { beginDevice } from "../../src/oauth/device.ts";
import { discoverIssuer } from "../../src/oauth/discovery.ts";
import { verifyIdToken } from "../../src/oauth/id-token.ts";
import { loopbackRedirect } from "../../src/oauth/redirect-uri.ts";
import { refreshTokens } from "../../src/oauth/refresh.ts";
import { fetchUserInfo } from "../../src/oauth/userinfo.ts";
import { changed, damaged, hostileText as text, hostileValue as value, ours, RUNS } from "../fuzz.ts";
import { CLIENT, ISSUER, json, TestIssuer } from "./issuer.ts";

const response = (body: fc.Arbitrary<unknown>): fc.Arbitrary<() => Response> =>
  fc.record({
    body: fc.oneof({ weight: 8, arbitrary: body }, value),
    status: fc.oneof(
      { weight: 4, arbitrary: fc.constant(200) },
      fc.constantFrom(201, 204, 302, 400, 401, 403, 404, 429, 500),
    ),
    type: fc.oneof(
      { weight: 8, arbitrary: fc.constant("application/json") },
      fc.constantFrom("text/html", "application/jwt", ""),
    ),
    date: fc.oneof(fc.constant("Fri, 02 Jan 2026 03:04:05 GMT"), fc.constantFrom("soon", "", "0")),
  }).map(({ body, status, type, date }) => () =>
    status === 204
      ? new Response(null, { status })
      : json(body ?? null, { status, headers: { "content-type": type, date, "retry-after": date } })
  );

Deno.test("no discovery document breaks the client", async () => {
  const good = new TestIssuer().metadata;
  await fc.assert(
    fc.asyncProperty(response(changed(good)), async (answer) => {
      const issuer = new TestIssuer();
      issuer.routes["/.well-known/openid-configuration"] = answer;
      await ours(() => discoverIssuer(issuer.http(), ISSUER));
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no token answer breaks the client", async () => {
  const good = await new TestIssuer().tokens({ access_token: "SECRET", refresh_token: "SECRET" }) as Record<
    string,
    unknown
  >;
  const bad = { error: "invalid_grant", error_description: "why" };
  await fc.assert(
    fc.asyncProperty(response(fc.oneof(changed(good), changed(bad))), async (answer) => {
      const issuer = new TestIssuer();
      issuer.routes["/token"] = answer;
      await ours(() =>
        refreshTokens(issuer.http(), {
          metadata: issuer.discovered,
          client: { id: CLIENT },
          refreshToken: "SECRET",
          expected: { issuer: ISSUER, subject: "user-1" },
          sleep: () => Promise.resolve(),
          random: () => 0,
        })
      );
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no claims, header or key set break the verification, and none but the good ones pass it", async () => {
  const key = new TestIssuer().key;
  await fc.assert(
    fc.asyncProperty(
      changed({
        iss: ISSUER,
        sub: "user-1",
        aud: CLIENT,
        exp: 1767323345,
        iat: 1767323045,
        nbf: 0,
        azp: CLIENT,
      }),
      changed({ alg: "RS256", kid: "shared", typ: "JWT" }),
      changed(key.jwk as Record<string, unknown>),
      async (claims, header, jwk) => {
        const issuer = new TestIssuer();
        issuer.published = [jwk];
        const part = (json: unknown) => base64Url(new TextEncoder().encode(JSON.stringify(json)));
        const signed = `${part(header)}.${part(claims)}`;
        const signature = await crypto.subtle.sign(
          "RSASSA-PKCS1-v1_5",
          key.privateKey,
          new TextEncoder().encode(signed),
        );
        const token = `${signed}.${base64Url(new Uint8Array(signature))}`;
        const metadata = issuer.discovered;
        const verified = verifyIdToken(issuer.http(), token, {
          metadata,
          clientId: CLIENT,
          accessToken: "SECRET",
        });
        await ours(() => verified);
        const { claims: passed, untimely } = await verified.catch(() => ({
          claims: undefined,
          untimely: undefined,
        }));
        if (passed === undefined || untimely !== undefined) return;
        assert.equal(passed.iss, ISSUER);
        assert.ok([passed.aud].flat().includes(CLIENT));
        assert.equal(header.alg, "RS256");
      },
    ),
    { numRuns: RUNS },
  );
});

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

Deno.test("no device answer breaks the client, and none makes it show an address that is not https", async () => {
  const good = {
    device_code: "SECRET",
    user_code: "A-B",
    verification_uri: ISSUER,
    verification_uri_complete: ISSUER,
    expires_in: 60,
    interval: 5,
  };
  await fc.assert(
    fc.asyncProperty(response(changed(good)), async (answer) => {
      const issuer = new TestIssuer();
      issuer.routes["/device"] = answer;
      const metadata = issuer.discovered;
      const begun = beginDevice(issuer.http(), { metadata, client: { id: CLIENT }, scopes: ["openid"] });
      await ours(() => begun);
      const device = await begun.catch(() => undefined);
      if (device === undefined) return;
      assert.match(device.verificationUri, /^https:\/\//i);
      assert.doesNotMatch(`${device.userCode}${device.verificationUri}`, /\p{Cc}/u);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no userinfo answer breaks the client, and none about somebody else is taken", async () => {
  const good = { sub: "user-1", email: "ada@example.com", name: "Ada" };
  await fc.assert(
    fc.asyncProperty(response(changed(good)), async (answer) => {
      const issuer = new TestIssuer();
      issuer.routes["/userinfo"] = answer;
      const metadata = issuer.discovered;
      const info = await ours(() =>
        fetchUserInfo(issuer.http(), { metadata, accessToken: "SECRET", subject: "user-1" })
      );
      if (info?.kind === "claims") assert.equal(info.claims.sub, "user-1");
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no redirect URI is taken that could be listened on elsewhere than on loopback", async () => {
  const good = fc.constantFrom("http://127.0.0.1:8000/callback", "http://localhost/", "http://[::1]:0/a?b");
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged(good), good), async (uri) => {
      const redirect = await ours(() => loopbackRedirect(uri));
      if (redirect === undefined) return;
      assert.match(redirect.hostname, /^(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/);
      const { hostname } = new URL(redirect.withPort(1));
      assert.equal(hostname, redirect.hostname);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no callback request breaks the attempt, and none passes without the state", async () => {
  const metadata = new TestIssuer().discovered;
  const redirectUri = "http://127.0.0.1:51000/callback";
  const authorization = await beginAuthorization({
    metadata,
    client: { id: CLIENT },
    redirectUri,
    scopes: ["openid"],
  });
  const name = fc.constantFrom(
    "state",
    "iss",
    "code",
    "error",
    "error_description",
    "response",
    "id_token",
    "token",
    "x",
  );
  const word = fc.oneof(text, fc.constantFrom(authorization.state, ISSUER, "SECRET"));
  await fc.assert(
    fc.property(
      fc.array(fc.tuple(name, word), { maxLength: 6 }),
      fc.constantFrom("GET", "POST", "HEAD", "PUT"),
      fc.constantFrom("/callback", "/", "//callback", "/callback/..", "/CALLBACK"),
      fc.constantFrom("127.0.0.1:51000", "evil.example", "", "127.0.0.1"),
      (params, method, path, host) => {
        const url = `http://127.0.0.1:51000${path}?${new URLSearchParams(params)}`;
        const callback = readCallback(
          authorization,
          metadata,
          new Request(url, { method, headers: { host } }),
        );
        if (callback.kind === "ignored") return;
        assert.deepEqual(params.filter(([name]) => name === "state"), [["state", authorization.state]]);
        assert.deepEqual([method, path, host], ["GET", "/callback", "127.0.0.1:51000"]);
        if (callback.kind === "refused") assert.doesNotMatch(callback.error.message, /\p{Cc}|SECRET/u);
        else assert.deepEqual(params.filter(([name]) => name === "iss"), [["iss", ISSUER]]);
      },
    ),
    { numRuns: RUNS * 4 },
  );
});
