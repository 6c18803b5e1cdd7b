/** Proves the request of a token exchange. */

import assert from "node:assert/strict";
import { oauthClient } from "../../../src/oauth/client.ts";
import { exchangeToken, type TokenExchangeInput } from "../../../src/oauth/grants/token-exchange.ts";
import { expectRejection } from "../../expect-error.ts";
import { json, NOW } from "../issuer.ts";
import { answering, TOKEN_ENDPOINT } from "../machine.ts";

function exchanging(answer: Record<string, unknown>, more: Partial<TokenExchangeInput> = {}) {
  const issuer = answering("/token", () => json(answer));
  const minted = exchangeToken(issuer.http(), {
    tokenEndpoint: TOKEN_ENDPOINT,
    client: oauthClient("id-1"),
    subjectToken: "subject-SECRET",
    ...issuer.retry,
    ...more,
  });
  return { issuer, minted };
}

// https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1
const GOOD = {
  access_token: "minted-1",
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
  token_type: "Bearer",
  expires_in: 60,
};

Deno.test("a public client exchanges a JWT for an access token, as RFC 8693, 2.1 has it", async () => {
  const { issuer, minted } = exchanging(GOOD, { scope: "a b" });
  assert.deepEqual(await minted, { accessToken: "minted-1", receivedAt: NOW, expiresAt: NOW + 60_000 });
  const { method, body, headers } = issuer.requests[0] ?? assert.fail();
  assert.equal(method, "POST");
  assert.equal(headers.has("authorization"), false);
  assert.deepEqual(Object.fromEntries(body), {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    client_id: "id-1",
    subject_token: "subject-SECRET",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    scope: "a b",
  });
});

Deno.test("no scope is sent when there is none; a confidential client proves itself", async () => {
  const { issuer, minted } = exchanging(GOOD, { client: oauthClient("id-1", "client-SECRET") });
  await minted;
  const { body, headers } = issuer.requests[0] ?? assert.fail();
  assert.deepEqual([...body.keys()].sort(), [
    "grant_type",
    "requested_token_type",
    "subject_token",
    "subject_token_type",
  ]);
  assert.equal(headers.get("authorization"), `Basic ${btoa("id-1:client-SECRET")}`);
});

Deno.test("an issued token that is none to bear (token_type N_A) is INVALID_TOKEN", async () => {
  const { minted } = exchanging({ ...GOOD, token_type: "N_A" });
  await expectRejection(minted, "INVALID_TOKEN");
});

Deno.test("parameters of a person's own go along, and take the place of none that is set here", async () => {
  const parameters = { tokenParams: { audience: "b", scope: "x" }, resources: ["urn:a", "urn:b"] };
  const { issuer, minted } = exchanging(GOOD, { scope: "a", parameters });
  await minted;
  const { body } = issuer.requests[0] ?? assert.fail();
  assert.deepEqual([body.getAll("audience"), body.getAll("scope"), body.getAll("resource")], [
    ["b"],
    ["a"],
    ["urn:a", "urn:b"],
  ]);
});
