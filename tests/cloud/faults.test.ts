/** Tests that each fault is what its name says, seen from a client, and that it ends when it should. */

import assert from "node:assert/strict";
import { decodeJwt } from "jose";

import { startCloud } from "./cloud.ts";
import type { Cloud } from "./cloud.ts";
import { failsWith, makeRelyingParty } from "./relying-party.ts";
import type { RelyingParty } from "./relying-party.ts";

function test(name: string, run: (cloud: Cloud, client: RelyingParty) => Promise<void>): void {
  Deno.test(name, async () => {
    await using cloud = await startCloud({ dialect: "standard" });
    using client = await makeRelyingParty(cloud);
    await run(cloud, client);
  });
}

/** A raw refresh, so that the answer can be looked at whatever it is. */
function refreshRaw(
  cloud: Cloud,
  client: RelyingParty,
  token: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  return client.fetch(String(client.server.token_endpoint), {
    method: "POST",
    redirect: "manual",
    signal: signal ?? null,
    body: new URLSearchParams({
      grant_type: "refresh_token",
      client_id: cloud.clientId,
      refresh_token: String(token),
    }),
  });
}

test(
  "an issuer that is down refuses connections while the API answers, and comes back on its port",
  async (cloud, client) => {
    await cloud.setFaults({ down: ["issuer"] });
    await assert.rejects(client.fetch(cloud.issuer), failsWith(/refused/));
    await readAll(await client.fetch(`https://${cloud.apiHost}/version`));
    await cloud.setFaults({ down: ["api"] });
    await assert.rejects(client.fetch(`https://${cloud.apiHost}/version`), failsWith(/refused|closed/));
    await client.signIn("ada@example.com");
    await cloud.setFaults({});
    await readAll(await client.fetch(`https://${cloud.apiHost}/version`));
  },
);

test(
  "503 with Retry-After meets as many token requests as said, is counted, and spends no token",
  async (cloud, client) => {
    const { refresh_token } = await client.signIn("ada@example.com");
    await cloud.setFaults({ token: { status: 503, retryAfter: 7, times: 1 } });
    const refused = await refreshRaw(cloud, client, refresh_token);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "7");
    await readAll(refused);
    assert.equal(cloud.counts()["token:refresh_token"], 1);
    await client.refresh(String(refresh_token));
    assert.equal(cloud.counts()["token:refresh_token"], 2);
  },
);

test(
  "a fault of one endpoint leaves the others alone; one of the issuer meets all of them",
  async (cloud, client) => {
    const { access_token } = await client.signIn("ada@example.com");
    await cloud.setFaults({ token: { status: 500 } });
    assert.equal((await client.userInfo(access_token)).status, 200);
    await cloud.setFaults({ issuer: { status: 500, json: {} }, userinfo: {} });
    assert.equal((await client.userInfo(access_token)).status, 200);
    const discovery = await client.fetch(`${cloud.issuer}/.well-known/openid-configuration`);
    assert.equal(discovery.status, 500);
    await readAll(discovery);
  },
);

test(
  "a captive portal, a huge answer, an empty one, a redirect and an OAuth error come as they are set",
  async (cloud, client) => {
    await cloud.setFaults({ token: { body: "html" } });
    const portal = await refreshRaw(cloud, client, "any");
    assert.equal(portal.status, 200);
    assert.equal(portal.headers.get("content-type"), "text/html");
    assert.match(await portal.text(), /Wi-Fi/);

    for (const body of ["huge", "packed"] as const) {
      await cloud.setFaults({ token: { body } });
      const { padding } = await (await refreshRaw(cloud, client, "any")).json();
      assert.ok(padding.length >= 50_000_000);
    }
    assert.ok((cloud.counts().sent ?? 0) > 50_000_000);

    await cloud.setFaults({ token: { body: "empty" } });
    assert.equal(await (await refreshRaw(cloud, client, "any")).text(), "");

    await cloud.setFaults({ token: { redirectTo: "https://stranger.example/" } });
    const moved = await refreshRaw(cloud, client, "any");
    assert.equal(moved.headers.get("location"), "https://stranger.example/");
    await readAll(moved);

    await cloud.setFaults({ token: { status: 400, json: { error: "slow_down" } } });
    await assert.rejects(
      client.pollDevice("any"),
      (error: { error?: string }) => error.error === "slow_down",
    );
  },
);

test("a half-closed answer breaks off, and the refresh token is still good", async (cloud, client) => {
  const { refresh_token } = await client.signIn("ada@example.com");
  await cloud.setFaults({ token: { halfClosed: true, times: 1 } });
  await assert.rejects(async () => {
    const response = await refreshRaw(cloud, client, refresh_token);
    assert.equal(response.status, 200);
    await response.text();
  }, TypeError);
  await client.refresh(String(refresh_token));
});

test("a lost answer has spent the refresh token", async (cloud, client) => {
  const { refresh_token } = await client.signIn("ada@example.com");
  await cloud.setFaults({ token: { lostAnswer: true, times: 1 } });
  await assert.rejects(refreshRaw(cloud, client, refresh_token), TypeError);
  await assert.rejects(
    client.refresh(String(refresh_token)),
    (error: { error?: string }) => error.error === "invalid_grant",
  );
});

test("a slow issuer lets a client time out, and does not hold up the close", async (cloud, client) => {
  await cloud.setFaults({ token: { slow: 3_600_000 } });
  await assert.rejects(refreshRaw(cloud, client, "any", AbortSignal.timeout(100)), { name: "TimeoutError" });
  await cloud.setFaults({ token: { slow: 100 } });
  const before = performance.now();
  await readAll(await refreshRaw(cloud, client, "any"));
  assert.ok(performance.now() - before >= 99);
});

for (const [body, most] of [["endless", Infinity], ["drip", 10]] as const) {
  test(
    `an answer that is ${body} goes on until the client has enough, and then no more`,
    async (cloud, client) => {
      await cloud.setFaults({ token: { body } });
      const reader = (await refreshRaw(cloud, client, "any")).body?.getReader();
      for (let parts = 0; parts < 5; parts++) {
        const { value, done } = await reader?.read() ?? {};
        assert.equal(done, false);
        assert.ok((value?.length ?? 0) <= Math.max(most, 13));
      }
      await reader?.cancel();
      if (body === "drip") return;
      const until = performance.now() + 10_000;
      let sent = -1;
      while (sent !== cloud.counts().sent) {
        assert.ok(performance.now() < until, "it goes on");
        sent = cloud.counts().sent ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assert.ok(sent < 50_000_000, `${sent} bytes were sent to a client that read five parts`);
    },
  );
}

test("a refresh that is answered with 500 has spent its token all the same", async (cloud, client) => {
  const { refresh_token } = await client.signIn("ada@example.com");
  await cloud.setFaults({ token: { thenStatus: 500, times: 1 } });
  const answer = await refreshRaw(cloud, client, refresh_token);
  assert.equal(answer.status, 500);
  assert.equal(await answer.text(), "fault\n");
  await assert.rejects(
    client.refresh(String(refresh_token)),
    (error: { error?: string }) => error.error === "invalid_grant",
  );
});

test("a clock that is off shows in the Date header and in the ID token", async (cloud, client) => {
  const { refresh_token } = await client.signIn("ada@example.com");
  await cloud.setFaults({ clockOffset: -600 });
  const response = await client.fetch(`${cloud.issuer}/.well-known/openid-configuration`);
  assert.ok(Math.abs(Date.parse(String(response.headers.get("date"))) - Date.now() + 600_000) < 10_000);
  await readAll(response);
  const claims = decodeJwt(await idTokenOf(await refreshRaw(cloud, client, refresh_token)));
  assert.ok(Math.abs(Number(claims.iat) + 600 - Date.now() / 1000) < 10);
});

test(
  "members laid over the discovery document and the token answer replace or remove what was there",
  async (cloud, client) => {
    const { refresh_token } = await client.signIn("ada@example.com");
    await cloud.setFaults({
      discoveryAnswer: { issuer: "https://stranger.example", device_authorization_endpoint: null },
      tokenAnswer: { id_token: null, expires_in: "soon" },
    });
    const discovery = await (await client.fetch(`${cloud.issuer}/.well-known/openid-configuration`)).json();
    assert.equal(discovery.issuer, "https://stranger.example");
    assert.equal("device_authorization_endpoint" in discovery, false);
    assert.ok(discovery.scopes_supported.includes("offline_access"));
    const tokens = await (await refreshRaw(cloud, client, refresh_token)).json();
    assert.equal(tokens.expires_in, "soon");
    assert.equal("id_token" in tokens, false);
    assert.equal(typeof tokens.refresh_token, "string");
  },
);

test(
  "faults of the API meet the control planes: a 429, a half-closed answer, a captive portal",
  async (cloud, client) => {
    const url = `https://${cloud.apiHost}/version`;
    await cloud.setFaults({ api: { status: 429, retryAfter: 1, times: 1 } });
    const refused = await client.fetch(url);
    assert.equal(refused.status, 429);
    await readAll(refused);
    await cloud.setFaults({ api: { halfClosed: true } });
    await assert.rejects(async () => await (await client.fetch(url)).text(), TypeError);
    await cloud.setFaults({ api: { body: "html" } });
    assert.match(await (await client.fetch(url)).text(), /Wi-Fi/);
  },
);

async function readAll(response: Response): Promise<void> {
  await response.body?.cancel();
}

async function idTokenOf(response: Response): Promise<string> {
  return String((await response.json()).id_token);
}
