/** Proves the trading of machines' credentials against a cloud and a Cloudfleet on this machine, over TLS. */

import { decodeJwt } from "jose";
import assert from "node:assert/strict";
import { oauthClient } from "../../src/oauth/client.ts";
import { clientCredentialsToken } from "../../src/oauth/grants/client-credentials.ts";
import { discoverIssuer } from "../../src/oauth/discovery.ts";
import type { Exchange } from "../../src/oauth/http.ts";
import { jwtBearerToken, signAssertion } from "../../src/oauth/grants/jwt-bearer.ts";
import { exchangePersonalAccessToken } from "../../src/oauth/grants/personal-access-token.ts";
import { parseServiceAccountKey } from "../../src/oauth/grants/service-account-key.ts";
import { exchangeToken } from "../../src/oauth/grants/token-exchange.ts";
import { githubToken, readWorkloadToken } from "../../src/oauth/grants/workload.ts";
import { type Cloud, startCloud } from "../cloud/cloud.ts";
import { type Cloudfleet, startCloudfleet } from "../cloud/cloudfleet.ts";
import { expectRejection } from "../expect-error.ts";

const retry = { sleep: () => Promise.resolve(), random: () => 0 };

/** Runs with one started cloud, an exchange that trusts it, and a look whether nothing secret was said. */
function test<C extends Cloud | Cloudfleet>(
  name: string,
  start: () => Promise<C>,
  run: (cloud: C, exchange: Exchange, code: (promise: Promise<unknown>) => Promise<string>) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const cloud = await start();
    using client = Deno.createHttpClient({ caCerts: [cloud.caPem] });
    const said: string[] = [];
    const exchange: Exchange = {
      fetch: (input, init) => fetch(input, { ...init, client }),
      now: Date.now,
      signal: new AbortController().signal,
      log: (line) => said.push(line),
    };
    const code = async (promise: Promise<unknown>) => {
      const error = await expectRejection(promise);
      said.push(`${error.message} ${error.hint}`);
      return error.code;
    };
    try {
      await run(cloud, exchange, code);
      for (const { value } of cloud.secrets()) assert.ok(!said.join("\n").includes(value));
      assert.ok(said.length > 0);
    } finally {
      await cloud.close();
    }
  });
}

test(
  "an API token is traded at a Keycloak, in the header or the body",
  startCloudfleet,
  async (fleet, exchange, code) => {
    const { id, secret } = fleet.administrator;
    const mint = async (secretOf = secret) => {
      const metadata = await discoverIssuer(exchange, fleet.issuer);
      return await clientCredentialsToken(exchange, {
        tokenEndpoint: metadata.token_endpoint,
        methods: metadata.token_endpoint_auth_methods_supported,
        client: oauthClient(id, secretOf),
        ...retry,
      });
    };
    for (const accepted of ["both", "post"] as const) {
      fleet.setClientAuthentication(accepted);
      const { accessToken, receivedAt, expiresAt = 0 } = await mint();
      assert.equal(decodeJwt(accessToken).client_id, id);
      assert.equal(expiresAt - receivedAt, 300_000);
    }
    assert.equal(await code(mint("wrong-secret")), "SESSION_REJECTED");
    await fleet.setFaults({ clockOffset: 600 });
    assert.equal(await code(mint()), "CLOCK_SKEW");
  },
);

test(
  "a service account's key is traded, PKCS#1 and PKCS#8, until it is revoked",
  startCloud,
  async (cloud, exchange, code) => {
    for (const pem of ["pkcs1", "pkcs8"] as const) {
      const file = await cloud.addServiceAccount({ pem });
      const key = await parseServiceAccountKey(JSON.stringify(file), "key.json");
      const mint = () =>
        jwtBearerToken(exchange, {
          tokenEndpoint: `${cloud.issuer}/oauth/v2/token`,
          assertion: () => signAssertion(key, { audience: cloud.issuer, now: exchange.now() }),
          scope: key.scope,
          ...retry,
        });
      assert.ok((await mint()).expiresAt);
      await cloud.setFaults({ clockOffset: 600 });
      assert.equal(await code(mint()), "CLOCK_SKEW");
      await cloud.setFaults({});
      cloud.revokeServiceAccount(file.client_id);
      assert.equal(await code(mint()), "SESSION_REJECTED");
    }
  },
);

test(
  "a personal access token is exchanged for a JWT or an opaque token, until it is revoked",
  startCloud,
  async (cloud, exchange, code) => {
    const token = cloud.addPersonalAccessToken();
    const mint = () => exchangePersonalAccessToken(exchange, { apiHost: cloud.apiHost, token, ...retry });
    cloud.setTokenLife(900);
    const jwt = await mint();
    assert.equal(jwt.expiresAt, (decodeJwt(jwt.accessToken).exp ?? 0) * 1000);
    cloud.setMachines({ accessTokens: "opaque" });
    const opaque = await mint();
    assert.equal(opaque.expiresAt, opaque.receivedAt + 3600_000);
    cloud.revokePersonalAccessToken(token);
    assert.equal(await code(mint()), "SESSION_REJECTED");
  },
);

test(
  "a job at GitHub gets its token and exchanges it, by both grants",
  startCloud,
  async (cloud, exchange, code) => {
    const { requestUrl, requestToken } = cloud.ciIssuers.github;
    const job = (audience: string, token = requestToken) =>
      githubToken(exchange, { requestUrl, requestToken: token, audience, ...retry });
    const { clientId, clientSecret } = cloud.workloadClient;
    const input = {
      tokenEndpoint: `${cloud.issuer}/oauth/v2/token`,
      client: oauthClient(clientId, clientSecret),
      ...retry,
    };
    const own = await job(cloud.issuer);
    const subjectToken = own.token;
    const { expiresAt = 0, receivedAt } = await readWorkloadToken(own, {
      audience: cloud.issuer,
      now: exchange.now(),
      serverTime: () => assert.fail("asked"),
    });
    assert.ok(Math.abs(expiresAt - receivedAt - 300_000) < 60_000);
    assert.ok((await exchangeToken(exchange, { ...input, subjectToken })).expiresAt);
    const assertion = () => Promise.resolve(subjectToken);
    assert.ok((await jwtBearerToken(exchange, { ...input, assertion })).expiresAt);

    assert.equal(await code(job(cloud.issuer, "wrong-token")), "SESSION_REJECTED");
    const client = oauthClient(clientId, "wrong-secret");
    assert.equal(await code(exchangeToken(exchange, { ...input, client, subjectToken })), "SESSION_REJECTED");
    const { token: foreign } = await job("https://elsewhere.example");
    // RFC 8693, 2.2.2 calls a bad subject token invalid_request, as everything else that is wrong with a request.
    assert.equal(await code(exchangeToken(exchange, { ...input, subjectToken: foreign })), "ISSUER_ERROR");
    cloud.setMachines({ workloadGrants: [] });
    assert.equal(await code(exchangeToken(exchange, { ...input, subjectToken })), "ISSUER_ERROR");
  },
);
