/** Proves, with `jose` as the judge, what a service account signs, and the request of a JWT bearer grant. */

import { exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import { oauthClient } from "../../../src/oauth/client.ts";
import { type JwtBearerInput, jwtBearerToken, signAssertion } from "../../../src/oauth/grants/jwt-bearer.ts";
import { parseServiceAccountKey } from "../../../src/oauth/grants/service-account-key.ts";
import { expectRejection } from "../../expect-error.ts";
import { json, NOW } from "../issuer.ts";
import { answering, TOKEN_ENDPOINT } from "../machine.ts";

const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
const key = await parseServiceAccountKey(
  JSON.stringify({
    type: "datum_service_account",
    client_id: "client-1",
    private_key_id: "key-1",
    private_key: await exportPKCS8(privateKey),
  }),
  "key.json",
);
const AUDIENCE = "https://auth.example";

Deno.test("an assertion is RS256, names the key, says who asks whom, and lives a minute", async () => {
  const assertion = await signAssertion(key, { audience: AUDIENCE, now: NOW + 999 });
  const { protectedHeader, payload } = await jwtVerify(assertion, publicKey, {
    algorithms: ["RS256"],
    audience: AUDIENCE,
    issuer: "client-1",
    subject: "client-1",
    currentDate: new Date(NOW),
    maxTokenAge: 60,
  });
  assert.deepEqual(protectedHeader, { alg: "RS256", typ: "JWT", kid: "key-1" });
  const { jti, ...claims } = payload;
  assert.deepEqual(claims, {
    iss: "client-1",
    sub: "client-1",
    aud: AUDIENCE,
    iat: NOW / 1000,
    exp: NOW / 1000 + 60,
  });
  assert.match(jti ?? "", /^[\w-]{22,}$/);
});

Deno.test("an assertion is over after its minute, and no other key's", async () => {
  const assertion = await signAssertion(key, { audience: AUDIENCE, now: NOW });
  await assert.rejects(jwtVerify(assertion, publicKey, { currentDate: new Date(NOW + 61_000) }), /exp/);
  const other = await generateKeyPair("RS256");
  await assert.rejects(jwtVerify(assertion, other.publicKey, { currentDate: new Date(NOW) }), /signature/);
});

function asked(more: Partial<JwtBearerInput> = {}) {
  const issuer = answering(
    "/token",
    () => json({}, { status: 503 }),
    () => json({ error: "server_error" }, { status: 400 }),
    () => json({ access_token: "minted-1", token_type: "Bearer", expires_in: 60 }),
  );
  const minted = jwtBearerToken(issuer.http(), {
    tokenEndpoint: TOKEN_ENDPOINT,
    assertion: () => signAssertion(key, { audience: AUDIENCE, now: issuer.time }),
    ...issuer.retry,
    ...more,
  });
  return { issuer, minted };
}

// https://www.rfc-editor.org/rfc/rfc7523#section-2.1
Deno.test("each request of the grant carries an assertion of its own, and the scope as it is", async () => {
  const scope = "openid urn:zitadel:iam:org:project:id:1:aud";
  const { issuer, minted } = asked({ scope });
  assert.equal((await minted).accessToken, "minted-1");
  const seen = new Set<unknown>();
  for (const { body, headers } of issuer.requests) {
    const { assertion, ...rest } = Object.fromEntries(body);
    assert.deepEqual(rest, { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", scope });
    assert.equal(headers.has("authorization"), false);
    const { payload } = await jwtVerify(assertion ?? "", publicKey, { currentDate: new Date(issuer.time) });
    seen.add(payload.jti);
  }
  assert.equal(seen.size, 3);
});

Deno.test("a client that is given is sent along, with its secret", async () => {
  const { issuer, minted } = asked({ client: oauthClient("cli") });
  await minted;
  assert.equal(issuer.requests[0]?.body.get("client_id"), "cli");
  const confidential = asked({ client: oauthClient("cli", "client-SECRET") });
  await confidential.minted;
  assert.equal(
    confidential.issuer.requests[0]?.headers.get("authorization"),
    `Basic ${btoa("cli:client-SECRET")}`,
  );
});

Deno.test("an assertion that cannot be had is what the grant fails with, without a request", async () => {
  const { issuer, minted } = asked({ assertion: () => Promise.reject(new AppError("STORAGE", "No file.")) });
  await expectRejection(minted, "STORAGE");
  assert.equal(issuer.requests.length, 0);
});

Deno.test("parameters of a person's own go along with every request, and replace none", async () => {
  const parameters = { tokenParams: { tenant: "b", assertion: "x" }, resources: ["urn:a", "urn:b"] };
  const { issuer, minted } = asked({ parameters });
  await minted;
  for (const { body } of issuer.requests) {
    assert.deepEqual([body.getAll("tenant"), body.getAll("resource")], [["b"], ["urn:a", "urn:b"]]);
    assert.match(body.getAll("assertion").join(), /^[\w-]+\.[\w-]+\.[\w-]+$/);
  }
});
