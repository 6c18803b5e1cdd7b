/** Proves how a client shows who it is, and that its secret is in nothing that is printed. */

import assert from "node:assert/strict";
import { beginDevice } from "../../src/oauth/device.ts";
import { oauthClient } from "../../src/oauth/client.ts";
import { refreshTokens } from "../../src/oauth/refresh.ts";
import { revokeTokens } from "../../src/oauth/revoke.ts";
import { CLIENT, ISSUER, json, TestIssuer } from "./issuer.ts";

const SECRET = "s:3 cret+%&=ü-_.~*";

function issuerWith(methods?: string[]): TestIssuer {
  const issuer = new TestIssuer();
  if (methods !== undefined) issuer.metadata.token_endpoint_auth_methods_supported = methods;
  issuer.routes["/token"] = async () => json(await issuer.tokens());
  issuer.routes["/revoke"] = () => new Response(null, { status: 200 });
  issuer.routes["/device"] = () =>
    json({ device_code: "d", user_code: "u", verification_uri: `${ISSUER}/device`, expires_in: 60 });
  return issuer;
}

/** Every request that a client authenticates in, but for the code's exchange and the polling, which are the same. */
async function requests(issuer: TestIssuer, secret: string | undefined) {
  const metadata = issuer.discovered;
  const client = oauthClient(CLIENT, secret);
  const http = issuer.http();
  await refreshTokens(http, {
    metadata,
    client,
    refreshToken: "refresh-1",
    expected: { issuer: ISSUER, subject: "user-1" },
    sleep: () => Promise.resolve(),
    random: () => 0,
  });
  await revokeTokens(http, { metadata, client, refreshToken: "refresh-2" });
  await beginDevice(http, { metadata, client, scopes: ["openid"] });
  return issuer.requests.filter(({ method }) => method === "POST");
}

Deno.test("a public client sends its id in the body and no other proof, whatever the issuer lists", async () => {
  for (const methods of [undefined, ["client_secret_basic", "client_secret_post"]]) {
    for (const { headers, body } of await requests(issuerWith(methods), undefined)) {
      assert.equal(body.get("client_id"), CLIENT);
      assert.equal(body.has("client_secret"), false);
      assert.equal(headers.has("authorization"), false);
    }
  }
});

Deno.test("a confidential client uses Basic, also where both are listed or nothing is", async () => {
  const lists = [undefined, ["client_secret_post", "client_secret_basic"], ["private_key_jwt"]];
  for (const methods of lists) {
    const seen = await requests(issuerWith(methods), SECRET);
    assert.equal(seen.length, 3);
    for (const { headers, body } of seen) {
      assert.equal(body.has("client_secret"), false);
      const [scheme, credentials = ""] = (headers.get("authorization") ?? "").split(" ");
      assert.equal(scheme, "Basic");
      const [id = "", secret = "", ...rest] = atob(credentials).split(":");
      assert.equal(rest.length, 0, "a colon is encoded");
      // https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1: both are encoded as forms are.
      const decoded = new URLSearchParams(`id=${id}&secret=${secret}`);
      assert.deepEqual([decoded.get("id"), decoded.get("secret")], [CLIENT, SECRET]);
      assert.ok(id === CLIENT && secret.endsWith("-_.%7E*"), "what a form leaves as it is, stays as it is");
    }
  }
});

Deno.test("a confidential client posts its secret where only that is listed", async () => {
  for (const { headers, body } of await requests(issuerWith(["client_secret_post"]), SECRET)) {
    assert.deepEqual([body.get("client_id"), body.get("client_secret")], [CLIENT, SECRET]);
    assert.equal(headers.has("authorization"), false);
  }
});

Deno.test("a client's secret is not in its JSON, nor in what is logged", async () => {
  const client = oauthClient(CLIENT, SECRET);
  assert.equal(client.secret, SECRET);
  assert.equal(JSON.stringify({ ...client }), `{"id":"${CLIENT}"}`);
  assert.doesNotMatch(Deno.inspect(client), /cret/);
  const issuer = issuerWith(["client_secret_post"]);
  await requests(issuer, SECRET);
  assert.doesNotMatch(issuer.log.join("\n"), /cret/);
});
