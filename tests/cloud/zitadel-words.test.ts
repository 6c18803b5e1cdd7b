/** Tests that the cloud refuses in ZITADEL's words unless told otherwise, and wants a scope where ZITADEL does. */

import assert from "node:assert/strict";
import { importPKCS8, SignJWT } from "jose";

import { startCloud } from "./cloud.ts";
import type { Cloud } from "./cloud.ts";
import { makeRelyingParty } from "./relying-party.ts";
import type { ServiceAccountKeyFile } from "./service-accounts.ts";

type Refused = readonly [status: number, error: unknown, description: unknown];

async function posted(cloud: Cloud, form: Readonly<Record<string, string>>): Promise<Refused> {
  using http = Deno.createHttpClient({ caCerts: [cloud.caPem] });
  const response = await fetch(`${cloud.issuer}/oauth/v2/token`, {
    method: "POST",
    body: new URLSearchParams(form),
    client: http,
  });
  const { error, error_description } = await response.json();
  return [response.status, error, error_description];
}

async function bearer(cloud: Cloud, file: ServiceAccountKeyFile, more: Readonly<Record<string, string>>) {
  const now = Math.floor(Date.now() / 1000);
  const { client_id: iss, private_key_id: kid } = file;
  const assertion = await new SignJWT({ iss, sub: iss, aud: cloud.issuer, iat: now, exp: now + 60, jti: "1" })
    .setProtectedHeader({ alg: "RS256", kid }).sign(await importPKCS8(file.private_key, "RS256"));
  return { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion, ...more };
}

Deno.test("a refresh token that is over is invalid_request, told by ZITADEL's code", async () => {
  await using cloud = await startCloud();
  using client = await makeRelyingParty(cloud);
  const { refresh_token } = await client.signIn("ada@example.com");
  cloud.revokeAll("ada@example.com");
  const form = {
    grant_type: "refresh_token",
    client_id: cloud.clientId,
    refresh_token: String(refresh_token),
  };
  assert.deepEqual(await posted(cloud, form), [
    400,
    "invalid_request",
    "Errors.OIDCSession.RefreshTokenInvalid",
  ]);
  // What is no error of its own stays as it is.
  assert.equal((await posted(cloud, { ...form, client_id: "nobody" }))[1], "invalid_client");
  assert.equal((await posted(cloud, { ...form, grant_type: "nothing" }))[1], "unsupported_grant_type");
});

const OPENID = { scope: "openid" };

Deno.test("a request without a scope is refused", async () => {
  await using cloud = await startCloud();
  const file = await cloud.addServiceAccount();
  const [status, error, description] = await posted(cloud, await bearer(cloud, file, {}));
  assert.deepEqual([status, error], [400, "invalid_request"]);
  assert.match(String(description), /^The scope of your request is missing/);
});

Deno.test("a fault of the server's is a 500", async () => {
  await using cloud = await startCloud();
  const wrong = { ...await cloud.addServiceAccount(), client_id: "somebody-else" };
  assert.deepEqual(await posted(cloud, await bearer(cloud, wrong, OPENID)), [
    500,
    "server_error",
    "Errors.Internal",
  ]);
});

Deno.test("a removed key is a 404", async () => {
  await using cloud = await startCloud();
  const file = await cloud.addServiceAccount();
  cloud.removeServiceAccountKey(file.client_id);
  assert.deepEqual(await posted(cloud, await bearer(cloud, file, OPENID)), [
    404,
    "invalid_request",
    "Errors.AuthNKey.NotFound",
  ]);
});

Deno.test("a deleted account is a 404", async () => {
  await using cloud = await startCloud();
  const other = await cloud.addServiceAccount();
  cloud.revokeServiceAccount(other.client_id);
  assert.deepEqual(await posted(cloud, await bearer(cloud, other, OPENID)), [
    404,
    "invalid_request",
    "Errors.User.NotFound",
  ]);
});
