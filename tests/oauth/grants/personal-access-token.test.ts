/** Proves what a personal access token is, how it is exchanged, and how long what it brings lives. */

import { SignJWT } from "jose";
import assert from "node:assert/strict";
import {
  exchangePersonalAccessToken,
  isPersonalAccessToken,
} from "../../../src/oauth/grants/personal-access-token.ts";
import { expectRejection } from "../../expect-error.ts";
import { json, NOW, type Route } from "../issuer.ts";
import { answering, PAT } from "../machine.ts";

const ENDPOINT = "https://api.example:8443/datum-os/oauth/token/exchange";

function exchanging(route: Route, { apiHost = "api.example:8443", token = PAT } = {}) {
  const issuer = answering(ENDPOINT, route);
  return {
    issuer,
    minted: exchangePersonalAccessToken(issuer.http(), { apiHost, token, ...issuer.retry }),
  };
}

const NONE = [
  "",
  "dtmp_",
  "dtmx_1",
  "xdtmp_1",
  "dtmp_1 ",
  "dtmp_1\n",
  "dtma_ü",
  "Bearer dtmp_1",
  `dtmp_${"x".repeat(9999)}`,
];
for (const text of NONE) {
  Deno.test(`${JSON.stringify(text.slice(0, 20))} is no personal access token and is never sent`, async () => {
    assert.equal(isPersonalAccessToken(text), false);
    const { issuer, minted } = exchanging(() => json({}), { token: text });
    await expectRejection(minted, "USAGE");
    assert.equal(issuer.requests.length, 0);
  });
}

Deno.test("isPersonalAccessToken() takes the prefixes of a person's and of an organization's token", () => {
  assert.ok(isPersonalAccessToken("dtmp_aB3-._~+/="));
  assert.ok(isPersonalAccessToken("dtma_1"));
});

for (
  const apiHost of ["", "api.example/x", "a@api.example", "api.example?x", "api.example#", "a b", "a\\b"]
) {
  Deno.test(`the host ${JSON.stringify(apiHost)} is never sent a token`, async () => {
    const { issuer, minted } = exchanging(() => json({}), { apiHost });
    await expectRejection(minted, "USAGE");
    assert.equal(issuer.requests.length, 0);
  });
}

Deno.test("the exchange is a GET with the token as bearer; an opaque answer lives an hour", async () => {
  const { issuer, minted } = exchanging(() => json({ access_token: "minted-1", token_type: "Bearer" }));
  assert.deepEqual(await minted, { accessToken: "minted-1", receivedAt: NOW, expiresAt: NOW + 3600_000 });
  const { method, path, headers } = issuer.requests[0] ?? assert.fail();
  assert.deepEqual([method, path, headers.get("authorization")], ["GET", ENDPOINT, `Bearer ${PAT}`]);
  assert.deepEqual(issuer.log, ["GET api.example:8443/datum-os/oauth/token/exchange 200 in 0 ms"]);
});

Deno.test("a JWT lives as long as it says", async () => {
  const access_token = await new SignJWT({ exp: NOW / 1000 + 600 }).setProtectedHeader({ alg: "HS256" })
    .sign(new Uint8Array(32));
  const { minted } = exchanging(() => json({ access_token, token_type: "Bearer" }));
  assert.equal((await minted).expiresAt, NOW + 600_000);
});

for (const status of [400, 401, 403, 422]) {
  Deno.test(`a ${status} with a message refuses the token, in the server's words and without the token`, async () => {
    const { minted } = exchanging(() => json({ message: `token ${PAT} was revoked.\u0007` }, { status }));
    await expectRejection(minted, {
      code: "SESSION_REJECTED",
      message: `Cannot exchange the personal access token: api.example:8443 refused the credential ` +
        `(status ${status}, token … was revoked).`,
    });
  });
}

Deno.test("a host without such an endpoint is ISSUER_ERROR, not a refused token", async () => {
  const { minted } = exchanging(() => json({ message: "Not Found" }, { status: 404 }));
  await expectRejection(minted, { code: "ISSUER_ERROR", message: /Not Found/ });
});
