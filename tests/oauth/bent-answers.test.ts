/** Proves of every answer of an issuer that no member of it, bent in any way, brings forth a fault of our own. */

import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/errors.ts";
import { printableValue } from "../../src/text.ts";
import { beginDevice, type DeviceCode, pollDevice } from "../../src/oauth/device.ts";
import { discoverIssuer } from "../../src/oauth/discovery.ts";
import { fetchSigningKeys, verifyIdToken } from "../../src/oauth/id-token.ts";
import { refreshTokens } from "../../src/oauth/refresh.ts";
import { revokeTokens } from "../../src/oauth/revoke.ts";
import { fetchUserInfo } from "../../src/oauth/userinfo.ts";
import { ABSENT, BENDS, bentAnswers, bentText, DEEP } from "../bent.ts";
import { assertAppError, expectRejection } from "../expect-error.ts";
import { CLIENT, ISSUER, NOW, TestIssuer } from "./issuer.ts";
import { answering, TRADES } from "./machine.ts";

const send = (text: string, status = 200) =>
  new Response(text, { status, headers: { "content-type": "application/json" } });

/** The code that it ends with; undefined for a good end. Never a fault of our own, never an unprintable word. */
async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  const thrown = await work.then(() => undefined, (error) => error);
  if (thrown === undefined) return undefined;
  assertAppError(thrown);
  return thrown.code;
}

/** The codes that are clear about an answer: the issuer's fault, or what it refuses. */
const CLEAR: readonly (ErrorCode | undefined)[] = [undefined, "NETWORK", "ISSUER_ERROR", "INVALID_TOKEN"];

Deno.test("the discovery document", async () => {
  for (const { what, text } of bentAnswers(new TestIssuer().metadata)) {
    const issuer = new TestIssuer();
    issuer.routes["/.well-known/openid-configuration"] = () => send(text);
    assert.ok(CLEAR.includes(await codeOf(discoverIssuer(issuer.http(), ISSUER))), what);
  }
});

Deno.test("the keys", async () => {
  const [jwk] = new TestIssuer().published;
  for (const { what, text } of bentAnswers({ keys: [jwk] })) {
    const issuer = new TestIssuer();
    issuer.routes["/keys"] = () => send(text);
    assert.ok(CLEAR.includes(await codeOf(fetchSigningKeys(issuer.http(), issuer.discovered))), what);
  }
  const idToken = await new TestIssuer().idToken();
  for (const { what, text } of bentAnswers({ ...jwk })) {
    const issuer = new TestIssuer();
    issuer.routes["/keys"] = () => send(`{"keys":[${text}]}`);
    const checks = { metadata: issuer.discovered, clientId: CLIENT, accessToken: "a" };
    assert.ok(CLEAR.includes(await codeOf(verifyIdToken(issuer.http(), idToken, checks))), what);
  }
});

const DEVICE = {
  device_code: "SECRET",
  user_code: "A-B",
  verification_uri: ISSUER,
  verification_url: ISSUER,
  verification_uri_complete: ISSUER,
  expires_in: 60,
  interval: 5,
  error: "invalid_client",
  error_description: "why",
};

Deno.test("the answer with a device code, good or an error", async () => {
  const { error: _, error_description: __, ...good } = DEVICE;
  for (const [answer, status] of [[good, 200], [DEVICE, 200], [DEVICE, 400]] as const) {
    for (const { what, text } of bentAnswers(answer)) {
      const issuer = new TestIssuer();
      issuer.routes["/device"] = () => send(text, status);
      const begun = beginDevice(issuer.http(), {
        metadata: issuer.discovered,
        client: { id: CLIENT },
        scopes: ["openid"],
      });
      assert.ok(CLEAR.includes(await codeOf(begun)), `${status} ${what}`);
    }
  }
});

const TOKENS = {
  access_token: "access-1",
  token_type: "Bearer",
  expires_in: 3600,
  refresh_token: "refresh-2",
  scope: "openid",
  error: "",
  error_description: "",
};
const ERROR = {
  error: "invalid_grant",
  error_description: "Refresh token expired.",
  error_uri: ISSUER,
  errorCode: "E1",
  errorSummary: "why",
  message: "why",
  status: 7,
};

/** Every bent token answer and every bent error, the latter with several statuses. */
async function* tokenAnswers(issuer: TestIssuer) {
  const good = { ...TOKENS, id_token: await issuer.idToken() };
  for (const bent of bentAnswers(good)) yield { ...bent, status: 200 };
  for (const status of [200, 400, 401, 403, 404, 418]) {
    for (const bent of bentAnswers(ERROR)) yield { ...bent, status };
  }
}

Deno.test("the answer to a refresh, good or an error", async () => {
  for await (const { what, text, status } of tokenAnswers(new TestIssuer())) {
    const issuer = new TestIssuer();
    issuer.routes["/token"] = () => send(text, status);
    const refreshed = refreshTokens(issuer.http(), {
      metadata: issuer.discovered,
      client: { id: CLIENT },
      refreshToken: "SECRET",
      expected: { issuer: ISSUER, subject: "user-1" },
      sleep: () => Promise.resolve(),
      random: () => 0,
    });
    const code = await codeOf(refreshed);
    assert.ok([...CLEAR, "SESSION_EXPIRED"].includes(code), `${status} ${what}: ${code}`);
    const result = await refreshed.catch(() => undefined);
    if (result?.kind === "unusable") assertAppError(result.error);
  }
});

Deno.test("the answer to a poll, good or an error", async () => {
  const device = Object.defineProperties({
    userCode: "A",
    verificationUri: ISSUER,
    expiresAt: NOW + 60_000,
    interval: 5,
  }, {
    deviceCode: { value: "SECRET" },
    codeVerifier: { value: "SECRET-verifier" },
  }) as unknown as DeviceCode;
  for await (const { what, text, status } of tokenAnswers(new TestIssuer())) {
    const issuer = new TestIssuer();
    issuer.routes["/token"] = () => send(text, status);
    const polled = pollDevice(issuer.http(), {
      metadata: issuer.discovered,
      client: { id: CLIENT },
      device,
      sleep: issuer.sleep,
    });
    const code = await codeOf(polled);
    assert.ok([...CLEAR, "TIMEOUT", "ACCESS_DENIED"].includes(code), `${status} ${what}: ${code}`);
  }
});

for (const { name, path, good, ask } of TRADES) {
  Deno.test(`the answer to ${name}, good or an error`, async () => {
    const answers = [
      ...bentAnswers({ ...good("minted-1"), token_type: "Bearer" }),
    ].map((bent) => ({ ...bent, status: 200 }));
    for (const status of [200, 400, 401, 404, 422]) {
      for (const bent of bentAnswers(ERROR)) answers.push({ ...bent, status });
    }
    for (const { what, text, status } of answers) {
      const code = await codeOf(ask(answering(path, () => send(text, status))));
      assert.ok([...CLEAR, "SESSION_REJECTED"].includes(code), `${status} ${what}: ${code}`);
    }
  });
}

Deno.test("what the issuer says of a person, good or an error", async () => {
  const good = { sub: "user-1", email: "ada@example.com", name: "Ada", error: "" };
  for (const [answer, statuses] of [[good, [200]], [ERROR, [200, 400, 401, 403, 404]]] as const) {
    for (const status of statuses) {
      for (const { what, text } of bentAnswers(answer)) {
        const issuer = new TestIssuer();
        issuer.routes["/userinfo"] = () => send(text, status);
        const asked = fetchUserInfo(issuer.http(), {
          metadata: issuer.discovered,
          accessToken: "SECRET",
          subject: "user-1",
        });
        assert.ok(CLEAR.includes(await codeOf(asked)), `${status} ${what}`);
      }
    }
  }
});

Deno.test("a sub that is a number is told as that, at userinfo too", async () => {
  for (
    const [sub, words] of [[4711, /sub that is not a text/], [ABSENT, /does not say about whom/], [
      "x",
      /another subject/,
    ]] as const
  ) {
    const issuer = new TestIssuer();
    issuer.routes["/userinfo"] = () => send(bentText({ sub: "" }, "sub", sub));
    const asked = fetchUserInfo(issuer.http(), {
      metadata: issuer.discovered,
      accessToken: "a",
      subject: "user-1",
    });
    await expectRejection(asked, { message: words });
  }
});

Deno.test("invalid_token is a token that is no longer good, whatever the status", async () => {
  for (const status of [200, 400, 401, 403]) {
    const issuer = new TestIssuer();
    issuer.routes["/userinfo"] = () => send('{"error":"invalid_token"}', status);
    const asked = fetchUserInfo(issuer.http(), {
      metadata: issuer.discovered,
      accessToken: "a",
      subject: "user-1",
    });
    assert.equal((await asked).kind, "rejected");
  }
});

Deno.test("the answer to a revocation", async () => {
  for (const status of [200, 400, 401, 404]) {
    for (const { what, text } of bentAnswers(ERROR)) {
      const issuer = new TestIssuer();
      issuer.routes["/revoke"] = () => send(text, status);
      const revoked = revokeTokens(issuer.http(), {
        metadata: issuer.discovered,
        client: { id: CLIENT },
        refreshToken: "SECRET",
      });
      assert.ok(CLEAR.includes(await codeOf(revoked)), `${status} ${what}`);
    }
  }
});

/** A signed ID token with claims as they are written. */
async function signed(issuer: TestIssuer, claims: string): Promise<string> {
  const bytes = new TextEncoder();
  const part = (text: string) => bytes.encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
  const input = `${part(JSON.stringify({ alg: "RS256", kid: "shared" }))}.${part(claims)}`;
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", issuer.key.privateKey, bytes.encode(input));
  return `${input}.${new Uint8Array(signature).toBase64({ alphabet: "base64url", omitPadding: true })}`;
}

Deno.test("the claims of an ID token, and what a program prints of them", async () => {
  const claims = {
    ...new TestIssuer().claims(),
    nbf: 0,
    azp: CLIENT,
    nonce: "n",
    at_hash: "x",
    email: "ada@example.com",
    name: "Ada",
    groups: ["a"],
  };
  for (const { what, text } of bentAnswers(claims)) {
    const issuer = new TestIssuer();
    const checks = { metadata: issuer.discovered, clientId: CLIENT, accessToken: "a" };
    const verified = verifyIdToken(issuer.http(), await signed(issuer, text), checks);
    assert.ok(CLEAR.includes(await codeOf(verified)), what);
  }
  const { at_hash: _, ...rest } = claims;
  for (const [bend, value] of BENDS) {
    const issuer = new TestIssuer();
    const idToken = await signed(issuer, bentText(rest, "groups", value));
    const { claims: passed } = await verifyIdToken(issuer.http(), idToken, {
      metadata: issuer.discovered,
      clientId: CLIENT,
      accessToken: "a",
    });
    const printed = JSON.stringify(printableValue(passed), undefined, 2);
    assert.ok(!printed.includes("\\u001b"), bend);
    if (value === DEEP) assert.match(printed, /"…"/);
  }
});
