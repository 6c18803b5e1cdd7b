/** Proves the checks of a discovery document and the choice of scopes. */

import assert from "node:assert/strict";
import { discoverIssuer, requestedScopes } from "../../src/oauth/discovery.ts";
import { expectError, expectRejection } from "../expect-error.ts";
import { ISSUER, json, TestIssuer } from "./issuer.ts";

const DOCUMENT = "/.well-known/openid-configuration";

const discover = (issuer: TestIssuer, url = ISSUER) => discoverIssuer(issuer.http(), url);

for (
  const [name, change, expected] of [
    ["another issuer", { issuer: "https://evil.example" }, /names "https:\/\/evil\.example", not/],
    ["the issuer with a slash more", { issuer: `${ISSUER}/` }, /names "/],
    ["no issuer", { issuer: undefined }, /names no issuer/],
    ["an issuer with escape sequences", { issuer: "\u001b[31mred" }, /names "\[31mred"/],
    [
      "an http token endpoint",
      { token_endpoint: "http://issuer.example/token" },
      /token_endpoint that is not an https URL/,
    ],
    [
      "an http revocation endpoint",
      { revocation_endpoint: "http://issuer.example/r" },
      /revocation_endpoint that is not/,
    ],
    [
      "a javascript authorization endpoint",
      { authorization_endpoint: "javascript:alert(1)" },
      /authorization_endpoint that/,
    ],
    ["no jwks_uri", { jwks_uri: undefined }, /names no jwks_uri/],
    ["a number for an endpoint", { token_endpoint: 7 }, /token_endpoint that is not a string/],
    ["scopes that are no list", { scopes_supported: "openid" }, /scopes_supported that is not a list/],
  ] as const
) {
  Deno.test(`a discovery document with ${name} is refused`, async () => {
    const issuer = new TestIssuer();
    issuer.metadata = { ...issuer.metadata, ...change };
    const error = await expectRejection(discover(issuer), {
      code: "ISSUER_ERROR",
      message: /issuer\.example/,
    });
    assert.match(error.message, expected);
    assert.deepEqual(issuer.paths(), [DOCUMENT]);
  });
}

/** The hint for an issuer whose document names another. */
async function hintFor(named: string): Promise<string> {
  const issuer = new TestIssuer();
  issuer.metadata = { ...issuer.metadata, issuer: named };
  return (await expectRejection(discover(issuer))).hint ?? "";
}

Deno.test("an issuer that states itself otherwise at the same place is named in the hint", async () => {
  // Auth0's issuers end with a slash.
  assert.match(await hintFor(`${ISSUER}/`), /--issuer https:\/\/issuer\.example\/tenant\/$/);
  assert.match(await hintFor("https://issuer.example/v2"), /--issuer https:\/\/issuer\.example\/v2$/);
});

Deno.test("an issuer that states itself elsewhere is not named in the hint", async () => {
  for (
    const named of [
      // Microsoft Entra's place for any tenant.
      "https://issuer.example/{tenantid}/v2.0",
      "https://evil.example/tenant",
      "http://issuer.example/tenant",
      "https://issuer.example/?a",
    ]
  ) {
    assert.doesNotMatch(await hintFor(named), /--issuer/);
  }
});

Deno.test("a host without a discovery document is ISSUER_ERROR, even when it says so in HTML", async () => {
  const issuer = new TestIssuer();
  issuer.routes[DOCUMENT] = () =>
    new Response("<html>", { status: 404, headers: { "content-type": "text/html" } });
  await expectRejection(discover(issuer), { code: "ISSUER_ERROR", message: /has none \(status 404\)/ });
});

for (
  const [name, route] of [
    ["redirecting", () => Response.redirect("https://evil.example/", 302)],
    ["huge", () => json({ filler: "x".repeat(2 * 1024 * 1024) })],
    ["HTML", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["unavailable", () => json({}, { status: 503 })],
  ] as const
) {
  Deno.test(`a ${name} discovery document is NETWORK`, async () => {
    const issuer = new TestIssuer();
    issuer.routes[DOCUMENT] = route;
    await expectRejection(discover(issuer), "NETWORK");
  });
}

for (
  const url of [
    "http://issuer.example",
    "https://issuer.example/?a=b",
    "https://issuer.example/#a",
    "issuer.example",
  ]
) {
  Deno.test(`the issuer ${url} is USAGE and asks nobody`, async () => {
    const issuer = new TestIssuer();
    await expectRejection(discover(issuer, url), "USAGE");
    assert.equal(issuer.requests.length, 0);
  });
}

Deno.test("what is kept of the metadata is JSON and holds the used members alone", async () => {
  const issuer = new TestIssuer();
  issuer.metadata = {
    ...issuer.metadata,
    claims_supported: ["sub"],
    registration_endpoint: "http://x.example",
  };
  const metadata = await discoverIssuer(issuer.http(), ISSUER);
  const { claims_supported: _c, registration_endpoint: _r, ...kept } = issuer.metadata;
  assert.deepEqual(JSON.parse(JSON.stringify(metadata)), kept);
});

Deno.test("an issuer with a closing slash is asked at the right path and compared byte for byte", async () => {
  const issuer = new TestIssuer();
  issuer.metadata = { ...issuer.metadata, issuer: `${ISSUER}/` };
  assert.equal((await discoverIssuer(issuer.http(), `${ISSUER}/`)).issuer, `${ISSUER}/`);
  assert.deepEqual(issuer.paths(), [DOCUMENT]);
});

Deno.test("requestedScopes() leaves offline_access out only where the issuer lists its scopes without it", () => {
  const all = ["openid", "profile", "email", "offline_access"];
  assert.deepEqual(requestedScopes({}), all);
  assert.deepEqual(requestedScopes({ scopes_supported: all }), all);
  assert.deepEqual(requestedScopes({ scopes_supported: ["openid"] }), ["openid", "profile", "email"]);
});

Deno.test("requestedScopes() takes a wish as it is, but for openid", () => {
  assert.deepEqual(requestedScopes({ scopes_supported: [] }, ["groups", "offline_access", "groups"]), [
    "openid",
    "groups",
    "offline_access",
  ]);
  expectError(() => requestedScopes({}, ['a"b']), "USAGE");
});
