/** Tests how machines sign in to the cloud: what each endpoint answers, and that it refuses what the real one does. */

import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { createRemoteJWKSet, customFetch, decodeJwt, importPKCS8, jwtVerify, SignJWT } from "jose";
import type { JWTHeaderParameters } from "jose";

import { asJson } from "../as-json.ts";
import { connectCloud } from "./admin.ts";
import { startCloud } from "./cloud.ts";
import type { Cloud } from "./cloud.ts";
import { failsWith } from "./relying-party.ts";
import type { ServiceAccountKeyFile } from "./service-accounts.ts";

type Json = Record<string, unknown>;

/** An answer, read. */
interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

/** What a machine sends. */
interface Machine {
  readonly cloud: Cloud;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  get(url: string, authorization?: string): Promise<Answer>;
  /** Posts to the token endpoint. */
  post(form: Readonly<Record<string, string>>, authorization?: string): Promise<Answer>;
  /** The user name and id that the control planes know a token by; nothing when they refuse it. */
  whoIs(token: unknown): Promise<{ username: string; uid: string } | undefined>;
}

function test(name: string, run: (machine: Machine) => Promise<void>): void {
  Deno.test(name, async () => {
    // In OAuth's own words, which say what is wrong; ZITADEL's do not.
    await using cloud = await startCloud({ dialect: "standard" });
    using http = Deno.createHttpClient({ caCerts: [cloud.caPem] });
    const send = (url: string, init: RequestInit = {}) => fetch(url, { ...init, client: http });
    const ask = async (url: string, init: RequestInit): Promise<Answer> => {
      const response = await send(url, init);
      return { status: response.status, body: await response.json(), headers: response.headers };
    };
    const authorized = (authorization: string | undefined): Record<string, string> =>
      authorization === undefined ? {} : { authorization };
    await run({
      cloud,
      fetch: send,
      get: (url, authorization) => ask(url, { headers: authorized(authorization) }),
      post: (form, authorization) =>
        ask(`${cloud.issuer}/oauth/v2/token`, {
          method: "POST",
          headers: authorized(authorization),
          body: new URLSearchParams(form),
        }),
      whoIs: async (token) => {
        const review = await ask(
          `https://${cloud.apiHost}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
          {
            method: "POST",
            headers: { "authorization": `Bearer ${token}`, "content-type": "application/json" },
            body: JSON.stringify({
              apiVersion: "authentication.k8s.io/v1",
              kind: "SelfSubjectReview",
              metadata: {},
            }),
          },
        );
        return review.status === 401
          ? undefined
          : (review.body.status as { userInfo: { username: string; uid: string } }).userInfo;
      },
    });
  });
}

const exchangeUrl = (cloud: Cloud) => `https://${cloud.apiHost}/datum-os/oauth/token/exchange`;

// Personal access tokens --------------------------------------------------------------------------------------------

test("the exchange refuses a missing, foreign, unknown or revoked token with a message", async ({ cloud, get }) => {
  const token = cloud.addPersonalAccessToken();
  const url = exchangeUrl(cloud);
  for (const authorization of [undefined, `Basic ${btoa(token)}`, token, "Bearer ", "Bearer dtmp_made-up"]) {
    const { status, body } = await get(url, authorization);
    assert.equal(status, 401, String(authorization));
    assert.deepEqual(Object.keys(body), ["message"]);
  }
  assert.equal((await get(url, `Bearer ${token}`)).status, 200);
  cloud.revokePersonalAccessToken(token);
  assert.equal((await get(url, `Bearer ${token}`)).status, 401);
  assert.throws(() => cloud.revokePersonalAccessToken(token));
  assert.throws(() => cloud.addPersonalAccessToken({ email: "nobody@example.com" }), /nobody@example\.com/);
  assert.equal(cloud.counts().pat_exchange, 7);
  assert.equal(cloud.counts().api, 0);
});

test("a personal access token is exchanged for a JWT of its user, or an opaque token", async (machine) => {
  const { cloud, get, whoIs } = machine;
  const personal = cloud.addPersonalAccessToken({ email: "grace@example.com" });
  const organization = cloud.addPersonalAccessToken({ kind: "organization" });
  assert.match(personal, /^dtmp_/);
  assert.match(organization, /^dtma_/);
  cloud.setTokenLife(900);

  const { body } = await get(exchangeUrl(cloud), `Bearer ${personal}`);
  assert.deepEqual(Object.keys(body), ["access_token", "token_type"]);
  const { exp = 0, iat = 0 } = decodeJwt(String(body.access_token));
  assert.equal(exp - iat, 900);
  assert.equal((await whoIs(body.access_token))?.username, "grace@example.com");

  cloud.setMachines({ accessTokens: "opaque" });
  const opaque = (await get(exchangeUrl(cloud), `Bearer ${organization}`)).body.access_token;
  assert.doesNotMatch(String(opaque), /\./);
  assert.equal((await whoIs(opaque))?.username, "ada@example.com");

  cloud.revokeAccessTokens("ada@example.com");
  assert.equal(await whoIs(opaque), undefined);
  assert.equal((await whoIs(body.access_token))?.username, "grace@example.com");
  const secrets = cloud.secrets().map(({ value }) => value);
  for (const secret of [personal, organization, body.access_token, opaque]) {
    assert.ok(secrets.includes(String(secret)));
  }
});

test("an exchanged token is refused when its life is over", async ({ cloud, get, whoIs }) => {
  cloud.setTokenLife(0);
  const token = cloud.addPersonalAccessToken();
  const { body } = await get(exchangeUrl(cloud), `Bearer ${token}`);
  assert.equal(await whoIs(body.access_token), undefined);
});

test("the exchange fails by its own faults and the API's, not by the issuer's, whose clock it has", async ({ cloud, get, fetch }) => {
  const authorization = `Bearer ${cloud.addPersonalAccessToken()}`;
  await cloud.setFaults({ pat_exchange: { status: 503, retryAfter: 3, times: 1 } });
  const refused = await fetch(exchangeUrl(cloud), { headers: { authorization } });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get("retry-after"), "3");
  await refused.body?.cancel();
  assert.equal((await get(exchangeUrl(cloud), authorization)).status, 200);
  await cloud.setFaults({ api: { json: { message: "no" }, status: 403 } });
  assert.equal((await get(exchangeUrl(cloud), authorization)).status, 403);
  await cloud.setFaults({ issuer: { status: 500 }, clockOffset: -600 });
  const { headers, status } = await get(exchangeUrl(cloud), authorization);
  assert.equal(status, 200);
  assertOff(headers, -600);
});

// Service accounts --------------------------------------------------------------------------------------------------

/** An assertion as the contract wants it but for what is changed. */
async function assertion(
  cloud: Cloud,
  file: ServiceAccountKeyFile,
  claims: Readonly<Record<string, unknown>> = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const honest = {
    iss: file.client_id,
    sub: file.client_id,
    aud: cloud.issuer,
    iat: now,
    exp: now + 60,
    jti: crypto.randomUUID(),
  };
  // jose takes PKCS#8 alone.
  const key = await importPKCS8(
    String(createPrivateKey(file.private_key).export({ type: "pkcs8", format: "pem" })),
    header.alg ?? "RS256",
  );
  return new SignJWT({ ...honest, ...claims })
    .setProtectedHeader({ alg: "RS256", kid: file.private_key_id, ...header })
    .sign(key);
}

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

function bearerForm(assertion: string, scope?: string): Record<string, string> {
  const form: Record<string, string> = { grant_type: JWT_BEARER, assertion };
  if (scope !== undefined) form.scope = scope;
  return form;
}

test("an assertion that is not as it should be is invalid_grant, and says why", async ({ cloud, post }) => {
  const [file, other] = [await cloud.addServiceAccount(), await cloud.addServiceAccount()];
  const now = Math.floor(Date.now() / 1000);
  const used = await assertion(cloud, file);
  assert.equal((await post(bearerForm(used, file.scope))).status, 200);
  const cases: [string | Promise<string>, RegExp][] = [
    [assertion(cloud, file, {}, { alg: "PS256" }), /algorithm/],
    [assertion(cloud, file, {}, { kid: "unknown" }), /NotFound/],
    [assertion(cloud, { ...file, private_key: other.private_key }), /invalid signature/],
    [assertion(cloud, file, { iss: other.client_id }), /issuer does not match/],
    [assertion(cloud, file, { sub: other.client_id }), /subject/],
    [assertion(cloud, file, { aud: `${cloud.issuer}/` }), /audience/],
    [assertion(cloud, file, { iat: now - 120, exp: now - 60 }), /expired/],
    [assertion(cloud, file, { iat: now + 60, exp: now + 120 }), /future/],
    [assertion(cloud, file, { exp: now + 3600 }), /longer/],
    [assertion(cloud, file, { jti: undefined }), /jti/],
    [used, /used before/],
    ["not.a-jwt", /./],
  ];
  for (const [wrong, reason] of cases) {
    const { status, body } = await post(bearerForm(await wrong, file.scope));
    assert.equal(status, 400);
    assert.equal(body.error, "invalid_grant");
    assert.match(String(body.error_description), reason);
  }
  assert.equal((await post({ grant_type: JWT_BEARER })).body.error, "invalid_request");
  assert.equal(cloud.counts()["token:jwt-bearer"], cases.length + 2);
});

for (const pem of ["pkcs1", "pkcs8"] as const) {
  test(`a service account with a ${pem} key gets an access token of its own and nothing more`, async (machine) => {
    const { cloud, get, post, whoIs } = machine;
    const file = await cloud.addServiceAccount({ pem });
    assert.match(
      file.private_key,
      pem === "pkcs1" ? /^-----BEGIN RSA PRIVATE KEY-----\n/ : /^-----BEGIN PRIVATE KEY/,
    );
    const signed = await assertion(cloud, file);
    const { status, body, headers } = await post(bearerForm(signed, file.scope));
    assert.equal(status, 200);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.deepEqual(Object.keys(body), ["access_token", "token_type", "expires_in"]);
    assert.equal(body.expires_in, 3600);
    assert.deepEqual(await whoIs(body.access_token).then((who) => [who?.username, who?.uid]), [
      file.client_email,
      file.client_id,
    ]);
    const user =
      `https://${cloud.apiHost}/apis/iam.miloapis.com/v1alpha1/users/${file.client_id}/control-plane`;
    const memberships = await get(
      `${user}/apis/resourcemanager.miloapis.com/v1alpha1/organizationmemberships`,
      `Bearer ${body.access_token}`,
    );
    assert.equal((memberships.body.items as unknown[]).length, 2);
    const kinds = cloud.secrets().filter(({ value }) => value === signed || file.private_key.includes(value));
    assert.deepEqual(kinds.map(({ kind }) => kind).sort(), ["assertion", "private_key"]);
    assert.ok(kinds.every(({ value }) => value.length >= 64));
  });
}

test("without the audience scope a token is genuine and no control plane takes it", async ({ cloud, post, whoIs }) => {
  const file = await cloud.addServiceAccount({ scope: null, email: null, clientId: "bot" });
  assert.deepEqual(Object.keys(asJson(file)), ["type", "client_id", "private_key_id", "private_key"]);
  for (const scope of [undefined, "openid", "urn:zitadel:iam:org:project:id:1:aud"]) {
    const { status, body } = await post(bearerForm(await assertion(cloud, file), scope));
    assert.equal(status, 200);
    assert.equal(await whoIs(body.access_token), undefined);
  }
  const { body } = await post(bearerForm(await assertion(cloud, file), `openid ${cloud.audienceScope}`));
  assert.equal((await whoIs(body.access_token))?.username, "bot");
});

test("a deleted service account is invalid_grant, and its tokens are gone", async ({ cloud, post, whoIs }) => {
  const file = await cloud.addServiceAccount();
  const { body } = await post(bearerForm(await assertion(cloud, file), file.scope));
  assert.ok(await whoIs(body.access_token));
  cloud.revokeServiceAccount(file.client_id);
  assert.equal(await whoIs(body.access_token), undefined);
  assert.equal(
    (await post(bearerForm(await assertion(cloud, file), file.scope))).body.error,
    "invalid_grant",
  );
  assert.throws(() => cloud.revokeServiceAccount(file.client_id), /No service account/);
});

test("a clock that is ten minutes off refuses an assertion either way, and the Date header tells", async (machine) => {
  const { cloud, post } = machine;
  const file = await cloud.addServiceAccount();
  for (const [clockOffset, reason] of [[600, /expired/], [-600, /future/]] as const) {
    await cloud.setFaults({ clockOffset });
    const { body, headers } = await post(bearerForm(await assertion(cloud, file), file.scope));
    assert.equal(body.error, "invalid_grant");
    assert.match(String(body.error_description), reason);
    assertOff(headers, clockOffset);
  }
});

test("faults and members laid over the token answer meet machines too", async ({ cloud, post, fetch }) => {
  const file = await cloud.addServiceAccount();
  await cloud.setFaults({ token: { status: 503, times: 1 }, tokenAnswer: { expires_in: null } });
  const refused = await fetch(`${cloud.issuer}/oauth/v2/token`, {
    method: "POST",
    body: new URLSearchParams(bearerForm("any")),
  });
  assert.equal(refused.status, 503);
  await refused.body?.cancel();
  assert.equal(cloud.counts()["token:jwt-bearer"], 1);
  const { body } = await post(bearerForm(await assertion(cloud, file), file.scope));
  assert.deepEqual(Object.keys(body), ["access_token", "token_type"]);
  await cloud.setFaults({ token: { lostAnswer: true } });
  await assert.rejects(post(bearerForm(await assertion(cloud, file), file.scope)));
});

// CI jobs -----------------------------------------------------------------------------------------------------------

test("GitHub's service refuses a wrong token, a missing audience and a second question mark", async (machine) => {
  const { cloud, get } = machine;
  const { requestUrl, requestToken } = cloud.ciIssuers.github;
  const bearer = `Bearer ${requestToken}`;
  assert.equal((await get(`${requestUrl}&audience=a`)).status, 401);
  assert.equal((await get(`${requestUrl}&audience=a`, "Bearer wrong")).status, 401);
  for (const query of ["", "&audience=", "?audience=a"]) {
    assert.equal((await get(`${requestUrl}${query}`, bearer)).status, 400, query);
  }
  assert.equal(cloud.counts().ci_token, 5);
  await cloud.setFaults({ ci_token: { status: 500, json: {}, times: 1 }, issuer: { status: 503 } });
  assert.equal((await get(`${requestUrl}&audience=a`, bearer)).status, 500);
  assert.equal((await get(`${requestUrl}&audience=a`, bearer)).status, 200);
  await cloud.setFaults({ down: ["ci"] });
  await assert.rejects(get(`${requestUrl}&audience=a`, bearer), failsWith(/refused|closed/));
  await cloud.setFaults({});
  assert.equal((await get(`${requestUrl}&audience=a`, bearer)).status, 200);
});

test("both CI systems sign what their published keys verify", async ({ cloud, get, fetch }) => {
  const { github, gitlab } = cloud.ciIssuers;
  const answer = await get(
    `${github.requestUrl}&audience=https%3A%2F%2Fa.example`,
    `Bearer ${github.requestToken}`,
  );
  assert.deepEqual(Object.keys(answer.body).sort(), ["count", "value"]);
  const tokens = [
    [github.issuer, String(answer.body.value), "repo:acme/shop:ref:refs/heads/main"],
    [
      gitlab.issuer,
      await gitlab.idToken("https://a.example"),
      "project_path:acme/shop:ref_type:branch:ref:main",
    ],
  ] as const;
  for (const [issuer, token, subject] of tokens) {
    const { body } = await get(`${issuer}/.well-known/openid-configuration`);
    assert.equal(body.issuer, issuer);
    const keys = createRemoteJWKSet(new URL(String(body.jwks_uri)), {
      [customFetch]: (url, init) => fetch(url, init as RequestInit),
    });
    const { payload } = await jwtVerify(token, keys, { issuer, audience: "https://a.example", subject });
    assert.equal(Number(payload.exp) - Number(payload.iat), 300);
    assert.ok(cloud.secrets().some(({ value }) => value === token));
  }
});

test("control planes take a CI job's own token only for an audience of theirs", async ({ cloud, whoIs }) => {
  const { gitlab } = cloud.ciIssuers;
  const token = await gitlab.idToken("https://api.example");
  assert.equal(await whoIs(token), undefined);
  cloud.setControlPlanes({ workloadAudiences: ["https://api.example"] });
  assert.equal(
    (await whoIs(token))?.username,
    `${gitlab.issuer}#project_path:acme/shop:ref_type:branch:ref:main`,
  );
  assert.equal(await whoIs(await gitlab.idToken("https://other.example")), undefined);
  assert.equal(await whoIs(await gitlab.idToken("https://api.example", { life: -1 })), undefined);
  assert.equal(
    await whoIs(await gitlab.idToken("https://api.example", { claims: { iss: "https://x.example" } })),
    undefined,
  );
  assert.equal(await whoIs(forged(token)), undefined);
  assert.equal(
    (await whoIs(await cloud.ciIssuers.gitlab.idToken("https://api.example")))?.uid.includes("#"),
    true,
  );
});

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const TYPE = "urn:ietf:params:oauth:token-type:";

function exchangeForm(
  cloud: Cloud,
  token: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    grant_type: TOKEN_EXCHANGE,
    client_id: cloud.clientId,
    subject_token: token,
    subject_token_type: `${TYPE}jwt`,
    ...more,
  };
}

test("a token exchange refuses a wrong client, type, target and every bad subject token", async ({ cloud, post }) => {
  const { gitlab } = cloud.ciIssuers;
  const good = await gitlab.idToken(cloud.issuer);
  const { clientId: client_id, clientSecret } = cloud.workloadClient;
  const cases: [Record<string, string>, string, number?][] = [
    [{ client_id: "unknown" }, "invalid_client", 401],
    [{ client_id }, "invalid_client", 401],
    [{ client_id, client_secret: `${clientSecret}x` }, "invalid_client", 401],
    [{ subject_token: "" }, "invalid_request"],
    [{ subject_token_type: `${TYPE}saml2` }, "invalid_request"],
    [{ requested_token_type: `${TYPE}refresh_token` }, "invalid_request"],
    [{ audience: "https://elsewhere.example" }, "invalid_target"],
    [{ subject_token: await gitlab.idToken("https://elsewhere.example") }, "invalid_request"],
    [{ subject_token: await gitlab.idToken(cloud.issuer, { life: -1 }) }, "invalid_request"],
    [
      { subject_token: await gitlab.idToken(cloud.issuer, { claims: { iss: "https://stranger.example" } }) },
      "invalid_request",
    ],
    [
      {
        subject_token: await gitlab.idToken(cloud.issuer, { claims: { iss: cloud.ciIssuers.github.issuer } }),
      },
      "invalid_request",
    ],
    [{ subject_token: forged(good) }, "invalid_request"],
  ];
  for (const [change, error, status = 400] of cases) {
    const answer = await post(exchangeForm(cloud, good, change));
    assert.deepEqual([answer.status, answer.body.error], [status, error], JSON.stringify(change));
    assert.equal(typeof answer.body.error_description, "string");
  }
});

test("a CI job's token is exchanged by a public client, and by a confidential one in both ways", async (machine) => {
  const { cloud, get, post, whoIs } = machine;
  const { requestUrl, requestToken, issuer } = cloud.ciIssuers.github;
  const { body: { value } } = await get(
    `${requestUrl}&audience=${encodeURIComponent(cloud.issuer)}`,
    `Bearer ${requestToken}`,
  );
  const { clientId: client_id, clientSecret: client_secret } = cloud.workloadClient;
  const { client_id: _, ...anonymous } = exchangeForm(cloud, String(value));
  const answers = [
    await post(exchangeForm(cloud, String(value), { audience: `https://${cloud.apiHost}` })),
    await post(exchangeForm(cloud, String(value), { client_id, client_secret })),
    await post(anonymous, `Basic ${btoa(`${client_id}:${client_secret}`)}`),
  ];
  for (const { status, body } of answers) {
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body), ["access_token", "token_type", "expires_in", "issued_token_type"]);
    assert.equal(body.issued_token_type, `${TYPE}access_token`);
    assert.equal((await whoIs(body.access_token))?.username, `${issuer}#repo:acme/shop:ref:refs/heads/main`);
  }
  assert.equal(cloud.counts()["token:token-exchange"], 3);
  assert.ok(cloud.secrets().some(({ kind, value }) => kind === "client_secret" && value === client_secret));
});

test("a CI job's token is an assertion for a registered client, and invalid_grant when bad", async (machine) => {
  const { cloud, post, whoIs } = machine;
  const { gitlab } = cloud.ciIssuers;
  const form = async (token: Promise<string>) => ({ ...bearerForm(await token), client_id: cloud.clientId });
  const { body } = await post(await form(gitlab.idToken(cloud.issuer)));
  assert.ok((await whoIs(body.access_token))?.username.startsWith(`${gitlab.issuer}#`));
  for (
    const bad of [
      gitlab.idToken("https://elsewhere.example"),
      gitlab.idToken(cloud.issuer, { life: -1 }),
      gitlab.idToken(cloud.issuer, { claims: { iss: "https://stranger.example" } }),
      gitlab.idToken(cloud.issuer).then(forged),
    ]
  ) assert.equal((await post(await form(bad))).body.error, "invalid_grant");
  assert.equal((await post(bearerForm(await gitlab.idToken(cloud.issuer)))).body.error, "invalid_client");
});

test("the metadata lists the grants that are on, and the others are refused", async ({ cloud, get, post }) => {
  const listed = async () => {
    const { body } = await get(`${cloud.issuer}/.well-known/openid-configuration`);
    return (body.grant_types_supported as string[]).filter((type) => /jwt-bearer|token-exchange/.test(type));
  };
  const token = await cloud.ciIssuers.gitlab.idToken(cloud.issuer);
  const errors = async () => [
    (await post(exchangeForm(cloud, token))).body.error,
    (await post({ ...bearerForm(token), client_id: cloud.clientId })).body.error,
  ];
  const off = "unsupported_grant_type";
  assert.deepEqual(await listed(), [TOKEN_EXCHANGE, JWT_BEARER]);
  assert.deepEqual(await errors(), [undefined, undefined]);
  cloud.setMachines({ workloadGrants: ["token-exchange"] });
  assert.deepEqual([await listed(), await errors()], [[TOKEN_EXCHANGE], [undefined, off]]);
  cloud.setMachines({ workloadGrants: ["jwt-bearer"] });
  assert.deepEqual([await listed(), await errors()], [[JWT_BEARER], [off, undefined]]);
  cloud.setMachines({ workloadGrants: [] });
  assert.deepEqual([await listed(), await errors()], [[], [off, off]]);
  const file = await cloud.addServiceAccount();
  assert.equal((await post(bearerForm(await assertion(cloud, file), file.scope))).status, 200);
});

test("another process gives machines their credentials through the control address", async (machine) => {
  const { cloud, get, post, whoIs } = machine;
  const remote = await connectCloud(cloud.admin);
  assert.deepEqual(remote.ciIssuers.github, cloud.ciIssuers.github);
  assert.deepEqual(remote.workloadClient, cloud.workloadClient);
  const token = await remote.addPersonalAccessToken({ email: "zoe@example.com" });
  const { body } = await get(exchangeUrl(cloud), `Bearer ${token}`);
  assert.equal((await whoIs(body.access_token))?.username, "zoe@example.com");
  await remote.revokePersonalAccessToken(token);
  assert.equal((await get(exchangeUrl(cloud), `Bearer ${token}`)).status, 401);
  const file = await remote.addServiceAccount({ clientId: "bot" });
  assert.equal((await post(bearerForm(await assertion(cloud, file), remote.audienceScope))).status, 200);
  await remote.revokeServiceAccount("bot");
  assert.equal((await post(bearerForm(await assertion(cloud, file)))).status, 400);
  await remote.setMachines({ ciTokenLife: 30 });
  const { exp = 0, iat = 0 } = decodeJwt(await remote.ciIssuers.gitlab.idToken("a"));
  assert.equal(exp - iat, 30);
});

/** The token with another subject under the old signature. */
function forged(token: string): string {
  const [header, , signature] = token.split(".");
  const claims = new TextEncoder().encode(
    JSON.stringify({ ...decodeJwt(token), sub: "repo:evil/shop:ref:x" }),
  );
  return `${header}.${claims.toBase64({ alphabet: "base64url", omitPadding: true })}.${signature}`;
}

/** The `Date` header is so many seconds from the true time, give or take a slow machine's half minute. */
function assertOff(headers: Headers, seconds: number): void {
  const off = (Date.parse(headers.get("date") ?? "") - Date.now()) / 1000;
  assert.ok(Math.abs(off - seconds) < 30, `off by ${off} s`);
}
