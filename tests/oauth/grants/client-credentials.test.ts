/** Proves the request of a client credentials grant, and how the client authenticates. */

import assert from "node:assert/strict";
import { oauthClient } from "../../../src/oauth/client.ts";
import {
  type ClientCredentialsInput,
  clientCredentialsToken,
} from "../../../src/oauth/grants/client-credentials.ts";
import { expectRejection } from "../../expect-error.ts";
import { json } from "../issuer.ts";
import { answering, TOKEN_ENDPOINT } from "../machine.ts";

async function sent(more: Partial<ClientCredentialsInput> = {}) {
  const issuer = answering("/token", () => json({ access_token: "minted-1" }));
  await clientCredentialsToken(issuer.http(), {
    tokenEndpoint: TOKEN_ENDPOINT,
    client: oauthClient("id-1", "s:e c+r%e-t"),
    ...issuer.retry,
    ...more,
  });
  assert.equal(issuer.requests.length, 1);
  const request = issuer.requests[0] ?? assert.fail();
  return { ...request, body: Object.fromEntries(request.body) };
}

// https://www.rfc-editor.org/rfc/rfc6749#section-4.4.2
Deno.test("the grant is a form post with the client in the Authorization header (RFC 6749, 2.3.1)", async () => {
  const { method, body, headers } = await sent();
  assert.equal(method, "POST");
  assert.deepEqual(body, { grant_type: "client_credentials" });
  assert.match(headers.get("content-type") ?? "", /^application\/x-www-form-urlencoded/);
  assert.equal(headers.get("authorization"), `Basic ${btoa("id-1:s%3Ae+c%2Br%25e-t")}`);
});

Deno.test("a scope is sent when there is one", async () => {
  assert.deepEqual((await sent({ scope: "a b" })).body, { grant_type: "client_credentials", scope: "a b" });
});

const METHODS: [string, string[] | undefined, boolean][] = [
  ["nothing", undefined, false],
  ["both", ["client_secret_post", "client_secret_basic"], false],
  ["others", ["private_key_jwt"], false],
  ["post alone", ["client_secret_post", "private_key_jwt"], true],
];
for (const [what, methods, posted] of METHODS) {
  Deno.test(`where the metadata lists ${what}, the secret goes into the ${posted ? "body" : "header"}`, async () => {
    const { body, headers } = await sent({ methods });
    assert.equal(headers.has("authorization"), !posted);
    assert.equal(body.client_secret, posted ? "s:e c+r%e-t" : undefined);
    assert.equal(body.client_id, posted ? "id-1" : undefined);
  });
}

Deno.test("a refusal names the client, the host and the server's words", async () => {
  const issuer = answering(
    "/token",
    () => json({ error: "invalid_client", error_description: "Invalid client secret" }, { status: 401 }),
  );
  await expectRejection(
    clientCredentialsToken(issuer.http(), {
      tokenEndpoint: TOKEN_ENDPOINT,
      client: oauthClient("id-1", "client-SECRET"),
      ...issuer.retry,
    }),
    {
      message: "Cannot get a token for the client id-1: issuer.example refused the credential " +
        "(status 401, invalid_client: Invalid client secret).",
      exitCode: 4,
    },
  );
});
