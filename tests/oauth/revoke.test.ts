/** Which tokens are revoked and what counts as done, RFC 7009; and the question for the person behind a token. */

import assert from "node:assert/strict";
import { revokeTokens } from "../../src/oauth/revoke.ts";
import { fetchUserInfo } from "../../src/oauth/userinfo.ts";
import { expectRejection } from "../expect-error.ts";
import { CLIENT, json, type Route, TestIssuer } from "./issuer.ts";

const ACCESS = { accessToken: "access-1" };
const BOTH = { refreshToken: "refresh-1", ...ACCESS };

function revoke(issuer: TestIssuer, answers: Route[], tokens: Partial<typeof BOTH> = BOTH) {
  issuer.routes["/revoke"] = answers;
  const metadata = issuer.discovered;
  return revokeTokens(issuer.http(), { metadata, client: { id: CLIENT }, ...tokens });
}

const done: Route = () => new Response(null, { status: 200 });
const tokensOf = (issuer: TestIssuer) => issuer.requests.map(({ body }) => body.get("token"));

Deno.test("the refresh token is revoked, with the client id in the body; its access token goes with it", async () => {
  const issuer = new TestIssuer();
  assert.deepEqual(await revoke(issuer, [done]), { kind: "revoked", accessTokenStays: false });
  assert.deepEqual(tokensOf(issuer), ["refresh-1"]);
  assert.equal(issuer.requests[0]?.headers.get("authorization"), null);
  assert.deepEqual(Object.fromEntries(issuer.requests[0]?.body ?? []), {
    token: "refresh-1",
    token_type_hint: "refresh_token",
    client_id: CLIENT,
  });
});

Deno.test("an issuer without the endpoint is told apart, and not asked", async () => {
  const issuer = new TestIssuer();
  delete issuer.metadata.revocation_endpoint;
  assert.deepEqual(await revoke(issuer, [done]), { kind: "no-endpoint" });
  assert.equal(issuer.requests.length, 0);
});

for (
  const [name, code, route] of [
    ["a 503", "NETWORK", () => json({}, { status: 503 })],
    [
      "a captive portal's page",
      "NETWORK",
      () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    ],
    ["a refusal", "ISSUER_ERROR", () => json({ error: "invalid_client" }, { status: 401 })],
    [
      "no way to revoke refresh tokens",
      "ISSUER_ERROR",
      () => json({ error: "unsupported_token_type" }, { status: 400 }),
    ],
  ] as const
) {
  Deno.test(`${name} for the refresh token is ${code}, and the access token is tried all the same`, async () => {
    const issuer = new TestIssuer();
    const revoked = revoke(issuer, [route, done]);
    await expectRejection(revoked, code);
    assert.deepEqual(tokensOf(issuer), ["refresh-1", "access-1"]);
  });
}

Deno.test("without a refresh token the access token is revoked", async () => {
  const issuer = new TestIssuer();
  assert.deepEqual(await revoke(issuer, [done], ACCESS), { kind: "revoked", accessTokenStays: false });
  assert.deepEqual(tokensOf(issuer), ["access-1"]);
});

Deno.test("an access token that the issuer cannot revoke is said to stay", async () => {
  const unsupported: Route = () => json({ error: "unsupported_token_type" }, { status: 400 });
  assert.deepEqual(await revoke(new TestIssuer(), [unsupported], ACCESS), {
    kind: "revoked",
    accessTokenStays: true,
  });
});

function userInfo(route: Route) {
  const issuer = new TestIssuer();
  issuer.routes["/userinfo"] = route;
  const metadata = issuer.discovered;
  return fetchUserInfo(issuer.http(), { metadata, accessToken: "access-1", subject: "user-1" });
}

Deno.test("userinfo brings the claims of the same subject; another's are refused", async () => {
  const claims = { sub: "user-1", email: "ada@example.com" };
  assert.deepEqual(
    await userInfo((request) =>
      json(request.headers.get("authorization") === "Bearer access-1" ? claims : {})
    ),
    { kind: "claims", claims },
  );
  const other = userInfo(() => json({ ...claims, sub: "user-2" }));
  await expectRejection(other, "INVALID_TOKEN");
});

Deno.test("userinfo's 401 means the token is no longer good; a 503 means nothing", async () => {
  assert.deepEqual(await userInfo(() => new Response(null, { status: 401 })), { kind: "rejected" });
  const down = userInfo(() => json({}, { status: 503 }));
  await expectRejection(down, "NETWORK");
});
