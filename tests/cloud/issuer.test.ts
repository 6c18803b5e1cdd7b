/** Tests the issuer with an independent client: flows, rotation, revocation, and each of its lies. */

import assert from "node:assert/strict";
import { createRemoteJWKSet, customFetch, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";

import { approveDeviceByHttp } from "./browser.ts";
import { startCloud } from "./cloud.ts";
import type { Cloud, CloudOptions, ForgeryName } from "./cloud.ts";
import { ESCAPES, FORGERIES } from "./forgeries.ts";
import { makeRelyingParty } from "./relying-party.ts";
import type { RelyingParty } from "./relying-party.ts";

function test(
  name: string,
  run: (cloud: Cloud, client: RelyingParty) => Promise<void>,
  options?: CloudOptions,
): void {
  Deno.test(name, async () => {
    await using cloud = await startCloud({ dialect: "standard", ...options });
    using client = await makeRelyingParty(cloud);
    await run(cloud, client);
  });
}

/** Rejects with the OAuth error code. */
async function refuses(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error: oauth.ResponseBodyError) => {
    assert.equal(error.error, code);
    return true;
  });
}

test("a reused refresh token is refused and takes the whole grant with it", async (_cloud, client) => {
  const first = await client.signIn("ada@example.com");
  const second = await client.refresh(String(first.refresh_token));
  assert.notEqual(second.refresh_token, first.refresh_token);
  await refuses(client.refresh(String(first.refresh_token)), "invalid_grant");
  await refuses(client.refresh(String(second.refresh_token)), "invalid_grant");
  assert.equal((await client.userInfo(second.access_token)).status, 401);
});

test("of twenty refreshes with one token at once exactly one succeeds", async (cloud, client) => {
  const { refresh_token } = await client.signIn("ada@example.com");
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => client.refresh(String(refresh_token))),
  );
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  assert.equal(cloud.counts()["token:refresh_token"], 20);
});

test("without rotation a refresh token stays good", async (_cloud, client) => {
  const first = await client.signIn("ada@example.com");
  const second = await client.refresh(String(first.refresh_token));
  assert.equal(second.refresh_token ?? first.refresh_token, first.refresh_token);
  await client.refresh(String(first.refresh_token));
}, { rotation: false });

test("a sign-in without PKCE is refused", async (_cloud, client) => {
  await assert.rejects(
    client.signIn("ada@example.com", { code_challenge: "", code_challenge_method: "" }),
    (error: oauth.AuthorizationResponseError) => error.error === "invalid_request",
  );
});

test("an unregistered redirect URI ends at the issuer's own page", async (_cloud, client) => {
  await assert.rejects(
    client.signIn("ada@example.com", { redirect_uri: "http://127.0.0.1:49152/elsewhere" }),
    /invalid_redirect_uri/,
  );
});

test(
  "a code flow gives an ID token with identity, nonce and at_hash, verifiable by the JWKS",
  async (cloud, client) => {
    const tokens = await client.signIn("zoe@example.com");
    assert.equal(tokens.token_type, "bearer");
    assert.equal(tokens.expires_in, 3600);
    const keys = createRemoteJWKSet(new URL(String(client.server.jwks_uri)), {
      [customFetch]: (url, init) => client.fetch(url, init as RequestInit),
    });
    const { payload } = await jwtVerify(String(tokens.id_token), keys, {
      issuer: cloud.issuer,
      audience: cloud.clientId,
    });
    assert.equal(payload.email, "zoe@example.com");
    assert.equal(payload.email_verified, true);
    assert.equal(payload.name, "Zoë Ångström");
    const digest = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(tokens.access_token)),
    );
    assert.equal(payload.at_hash, digest.slice(0, 16).toBase64({ alphabet: "base64url", omitPadding: true }));
    const { claims } = await client.userInfo(tokens.access_token);
    assert.equal(claims.email, "zoe@example.com");
    assert.equal(claims.sub, payload.sub);
  },
);

test(
  "the life of tokens can be changed, and a refresh brings a new ID token of that life",
  async (cloud, client) => {
    const first = await client.signIn("ada@example.com");
    cloud.setTokenLife(7);
    const second = await client.refresh(String(first.refresh_token));
    assert.equal(second.expires_in, 7);
    const claims = decodeJwt(String(second.id_token));
    assert.equal(Number(claims.exp) - Number(claims.iat), 7);
    assert.equal(claims.sub, decodeJwt(String(first.id_token)).sub);
  },
);

test("where consent must be asked, offline_access needs prompt=consent", async (_cloud, client) => {
  assert.equal((await client.signIn("ada@example.com")).refresh_token, undefined);
  assert.ok((await client.signIn("ada@example.com", { prompt: "consent" })).refresh_token);
}, { offlineAccess: "consent" });

test("a revoked refresh token is refused, with its access token", async (cloud, client) => {
  const tokens = await client.signIn("ada@example.com");
  await client.revoke(String(tokens.refresh_token));
  await client.revoke("a-token-nobody-knows");
  await refuses(client.refresh(String(tokens.refresh_token)), "invalid_grant");
  assert.equal((await client.userInfo(tokens.access_token)).status, 401);
  assert.equal(cloud.counts().revocation, 2);
});

test("revokeAll ends the sign-ins of one user only", async (cloud, client) => {
  const ada = await client.signIn("ada@example.com");
  const grace = await client.signIn("grace@example.com");
  cloud.revokeAll("ada@example.com");
  await refuses(client.refresh(String(ada.refresh_token)), "invalid_grant");
  await client.refresh(String(grace.refresh_token));
});

test("revokeAccessTokens leaves refresh tokens good", async (cloud, client) => {
  const tokens = await client.signIn("ada@example.com");
  cloud.revokeAccessTokens();
  assert.equal((await client.userInfo(tokens.access_token)).status, 401);
  const fresh = await client.refresh(String(tokens.refresh_token));
  assert.equal((await client.userInfo(fresh.access_token)).status, 200);
});

test("a device code is pending until it is approved, and then gives all tokens", async (_cloud, client) => {
  const device = await client.startDevice();
  assert.equal(device.interval, 1);
  await refuses(client.pollDevice(device.device_code), "authorization_pending");
  await approveDeviceByHttp(_cloud, String(device.verification_uri_complete), "grace@example.com");
  const tokens = await client.pollDevice(device.device_code);
  assert.equal(decodeJwt(String(tokens.id_token)).email, "grace@example.com");
  assert.ok(tokens.refresh_token);
});

test("a cancelled device code is denied", async (cloud, client) => {
  const device = await client.startDevice();
  await approveDeviceByHttp(cloud, String(device.verification_uri_complete), "ada@example.com", {
    cancel: true,
  });
  await refuses(client.pollDevice(device.device_code), "access_denied");
});

test("a wrong device code is refused on its page", async (cloud, client) => {
  const wrong = `${cloud.issuer}/device?user_code=AAAA-AAAA`;
  await assert.rejects(approveDeviceByHttp(cloud, wrong, "ada@example.com"), /cannot be used/);
  assert.ok(client.server.device_authorization_endpoint);
});

test(
  "after rotateKeys the JWKS has another key, and new ID tokens are signed with it",
  async (cloud, client) => {
    const jwks = async () => (await (await client.fetch(String(client.server.jwks_uri))).json()).keys;
    const [before] = await jwks();
    await cloud.rotateKeys();
    const [after, ...more] = await jwks();
    assert.notEqual(after.kid, before.kid);
    assert.deepEqual(more, []);
    await client.signIn("ada@example.com");
  },
);

/** Which check of an honest client each forgery fails; `null`: none of oauth4webapi's own. */
const SEEN_BY: Record<ForgeryName, RegExp | null> = {
  "redirect-iss": /"iss"/,
  "redirect-iss-missing": /"iss" \(issuer\) missing/,
  "redirect-state": /"state"/,
  "redirect-state-reused": /"state"/,
  "redirect-code-reused": /invalid_grant/,
  "redirect-escapes": /response/,
  "iss": /"iss"/,
  "aud": /"aud"/,
  "aud-several": /"aud"/,
  "azp": null,
  "nonce": /"nonce"/,
  "nonce-missing": /"nonce"/,
  "sub": null,
  "sub-missing": /"sub"/,
  "sub-number": /"sub"/,
  "deep": null,
  "expired": /"exp"/,
  "from-the-future": null,
  "exp-missing": /"exp"/,
  "iat-missing": /"iat"/,
  "nbf": /"nbf"/,
  "profile-missing": null,
  "escapes": null,
  "iss-escapes": /"iss"/,
  "at-hash": null,
  "signature": /signature/,
  "unknown-key": /key/,
  "alg-none": /alg|signature/,
  "alg-hmac": /alg|signature/,
  "alg-hmac-public-key": /alg|signature/,
  "alg-escapes": /alg|signature/,
  "rotated-key": /no applicable keys/,
  "kid-missing": null,
  "not-a-jwt": /JWT|parse/i,
};

for (const name of Object.keys(FORGERIES) as ForgeryName[]) {
  test(`the forgery "${name}" reaches the client`, async (cloud, client) => {
    const honest = await client.signIn("ada@example.com");
    await cloud.setFaults({ forgery: name });
    const seenBy = SEEN_BY[name];
    if (seenBy !== null) {
      await assert.rejects(client.signIn("ada@example.com"), (error: Error) => {
        const { message = "", error: code = "" } = (error.cause ?? {}) as {
          message?: string;
          error?: string;
        };
        assert.match(`${error.message} ${message} ${code}`, seenBy);
        return true;
      });
    } else if (name === "sub") {
      const forged = await client.refresh(String(honest.refresh_token));
      assert.notEqual(decodeJwt(String(forged.id_token)).sub, decodeJwt(String(honest.id_token)).sub);
    } else {
      const idToken = String((await client.signIn("ada@example.com")).id_token);
      const claims = decodeJwt(idToken);
      if (name === "profile-missing") assert.equal(claims.email, undefined);
      if (name === "escapes") assert.equal(claims.name, ESCAPES);
      if (name === "kid-missing") assert.equal(decodeProtectedHeader(idToken).kid, undefined);
      if (name === "deep") assert.ok(JSON.stringify(claims.email) && Array.isArray(claims.deep));
      if (name === "azp") assert.equal(claims.azp, "another-client");
      if (name === "at-hash") assert.equal(claims.at_hash, "AAAAAAAAAAAAAAAAAAAAAA");
      if (name === "from-the-future") assert.ok(Number(claims.iat) > Date.now() / 1000 + 3600);
    }
    await cloud.setFaults({});
    using later = await makeRelyingParty(cloud); // that has seen no key yet
    await later.signIn("ada@example.com");
  });
}
