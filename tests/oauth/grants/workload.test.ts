/** Proves the asking of GitHub for a job's token, and the checks of a CI system's token. */

import { SignJWT } from "jose";
import assert from "node:assert/strict";
import type { ErrorCode } from "../../../src/errors.ts";
import { githubToken, readWorkloadToken } from "../../../src/oauth/grants/workload.ts";
import { type ExpectedError, expectRejection } from "../../expect-error.ts";
import { json, NOW } from "../issuer.ts";
import { answering } from "../machine.ts";

const REQUEST = "https://token.example/x/idtoken?api-version=2.0&a=b%20c";

function github(requestUrl: string, { audience = "cloud", requestToken = "request-SECRET" } = {}) {
  const issuer = answering("", () => json({}));
  const answer = () => json({ value: "a.b.c", count: 3 });
  for (const url of [requestUrl, `${requestUrl}&audience=cloud`]) issuer.routes[url] = answer;
  const input = { requestUrl, requestToken, audience, ...issuer.retry };
  return { issuer, token: githubToken(issuer.http(), input) };
}

Deno.test("GitHub is asked with the job's request token, and the audience beside what its URL holds", async () => {
  const { issuer, token } = github(REQUEST);
  assert.deepEqual(await token, { token: "a.b.c", server: undefined });
  const { method, path, headers } = issuer.requests[0] ?? assert.fail();
  assert.deepEqual([method, path], ["GET", `${REQUEST}&audience=cloud`]);
  assert.equal(headers.get("authorization"), "Bearer request-SECRET");
  assert.deepEqual(issuer.log, ["GET token.example/x/idtoken 200 in 0 ms"]);
});

Deno.test("an audience cannot add to the query, and a URL without one gets one", async () => {
  const { issuer, token } = github("http://127.0.0.1:8080/idtoken", {
    audience: "https://a/?b&audience=c#d",
  });
  await expectRejection(token); // that path is not answered
  assert.deepEqual(issuer.paths(), [
    "http://127.0.0.1:8080/idtoken?audience=https%3A%2F%2Fa%2F%3Fb%26audience%3Dc%23d",
  ]);
});

for (
  const url of [
    "",
    "http://token.example/",
    "file:///etc/passwd",
    "https://u:p@token.example/",
    "https://a/#b",
  ]
) {
  Deno.test(`the request URL ${JSON.stringify(url)} is never asked`, async () => {
    const { issuer, token } = github(url);
    await expectRejection(token, { code: "USAGE", message: /ACTIONS_ID_TOKEN_REQUEST_URL/ });
    assert.equal(issuer.requests.length, 0);
  });
}

Deno.test("a request token that is no header's is never sent", async () => {
  for (const requestToken of ["", "a\r\nx: SECRET", "a SECRET"]) {
    const { issuer, token } = github(REQUEST, { requestToken });
    await expectRejection(token, "USAGE");
    assert.equal(issuer.requests.length, 0);
  }
});

function jwt(more: Record<string, unknown> = {}): Promise<string> {
  const claims = { aud: "cloud", sub: "repo:a/b", iat: NOW / 1000, exp: NOW / 1000 + 300, ...more };
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new Uint8Array(32));
}

/** The error of a token in a file or variable; `date` is what whom it is for names, when it names any. */
async function refusal(token: string, expected: ErrorCode | ExpectedError, date?: number) {
  let asked = 0;
  const serverTime = () => {
    asked++;
    return Promise.resolve(date === undefined ? undefined : { host: "api.example", date });
  };
  const error = await expectRejection(
    readWorkloadToken({ token }, { audience: "cloud", now: NOW, serverTime }),
    expected,
  );
  assert.equal(asked, error.code === "INVALID_TOKEN" ? 0 : 1, "asked where it can help, and once");
  return error;
}

/** A good one; nobody is asked for the time. */
const read = (token: string) =>
  readWorkloadToken({ token }, { audience: "cloud", now: NOW, serverTime: () => assert.fail("asked") });

Deno.test("a good token passes with its own end, the line that a file ends with cut off", async () => {
  const token = await jwt();
  const expected = { accessToken: token, receivedAt: NOW, expiresAt: NOW + 300_000 };
  assert.deepEqual(await read(`${token}\n`), expected);
  const listed = await jwt({ aud: ["other", "cloud"], exp: undefined });
  assert.deepEqual(await read(listed), { accessToken: listed, receivedAt: NOW, expiresAt: undefined });
});

const token = await jwt();
const NO_JWTS: [string, string][] = [
  ["nothing", " \n"],
  ["a text", "SECRET"],
  ["two parts", token.split(".").slice(0, 2).join(".")],
  ["four parts", `${token}.x`],
  ["no signature", token.replace(/[^.]+$/, "")],
  ["a line break inside", token.replace(".", ".\n")],
  ["a header that is no JSON", token.replace(/^[^.]+/, "SECRET")],
  ["claims that are a list", token.replace(/\.[^.]+\./, `.${btoa("[]").replace("==", "")}.`)],
  ["too long a token", `${token}${"x".repeat(70_000)}`],
];
for (const [what, text] of NO_JWTS) {
  Deno.test(`${what} in the place of a token is INVALID_TOKEN, without a piece of it in the message`, async () => {
    await refusal(text, "INVALID_TOKEN");
  });
}

Deno.test("another audience is INVALID_TOKEN that names both", async () => {
  await refusal(await jwt({ aud: ["https://one.example", "two\u001b[2J"] }), {
    code: "INVALID_TOKEN",
    message: /"https:\/\/one\.example", "two.*", not "cloud"/,
  });
  await refusal(await jwt({ aud: undefined }), { message: /names no audience, not "cloud"/ });
  await refusal(await jwt({ aud: { cloud: true } }), { message: /names no audience/ });
});

Deno.test("a token that ended is SESSION_REJECTED and says when", async () => {
  await refusal(await jwt({ exp: NOW / 1000 - 3600, iat: NOW / 1000 - 7200 }), {
    code: "SESSION_REJECTED",
    message: /expired at 2026-01-02T02:04:05Z, and it is 2026-01-02T03:04:05Z/,
  });
  await refusal(await jwt({ exp: NOW / 1000 }), "SESSION_REJECTED");
});

Deno.test("a token from the future is CLOCK_SKEW with both times; a minute of difference is borne", async () => {
  for (const claims of [{ iat: NOW / 1000 + 61 }, { nbf: NOW / 1000 + 61 }]) {
    await refusal(await jwt(claims), {
      code: "CLOCK_SKEW",
      message: /2026-01-02T03:04:05Z.*2026-01-02T03:05:06Z/,
    });
  }
  assert.equal((await read(await jwt({ iat: NOW / 1000 + 60 }))).expiresAt, NOW + 300_000);
});

/** A token of five minutes that the server's clock has in its middle, as it looks to one that is ten minutes off. */
const fast = { iat: NOW / 1000 - 750, exp: NOW / 1000 - 450 };
const slow = { iat: NOW / 1000 + 450, exp: NOW / 1000 + 750 };

Deno.test("whom the token is for tells a wrong clock, fast or slow, from a token that is not good", async () => {
  for (
    const [life, date, there] of [[fast, NOW - 600_000, "02:54:05"], [
      slow,
      NOW + 600_000,
      "03:14:05",
    ]] as const
  ) {
    const { message } = await refusal(await jwt(life), "CLOCK_SKEW", date);
    assert.ok(
      message.startsWith(
        `The clocks disagree: it is 2026-01-02T03:04:05Z on this machine and 2026-01-02T${there}Z at api.example`,
      ),
      message,
    );
  }
});

Deno.test("where both clocks agree, a token that ended or has not begun is SESSION_REJECTED", async () => {
  for (const date of [NOW, NOW - 60_000, NOW + 60_000]) {
    await refusal(await jwt(fast), { message: /^The workload's token expired at 2026-/ }, date);
    await refusal(await jwt(slow), {
      code: "SESSION_REJECTED",
      message: /begins at 2026-01-02T03:11:35Z, and it is 2026-01-02T03:04:05Z now/,
      hint: /clock of the CI system/,
    }, date);
  }
});

Deno.test("a token that is not good by the server's clock either is SESSION_REJECTED, however wrong ours is", async () => {
  for (
    const [life, date] of [[fast, NOW + 600_000], [fast, NOW - 1_200_000], [slow, NOW + 1_200_000]] as const
  ) {
    await refusal(await jwt(life), "SESSION_REJECTED", date);
  }
});

Deno.test("GitHub's own clock counts, and nobody else is asked", async () => {
  const checks = { audience: "cloud", now: NOW, serverTime: () => assert.fail("asked") };
  const server = { host: "token.example", date: NOW - 600_000 };
  await expectRejection(readWorkloadToken({ token: await jwt(fast), server }, checks), {
    code: "CLOCK_SKEW",
    message: /2026-01-02T02:54:05Z at token\.example/,
  });
});

Deno.test("an end that is no time is INVALID_TOKEN", async () => {
  for (const exp of ["soon", null, 1e300]) {
    await refusal(await jwt({ exp }), "INVALID_TOKEN");
  }
});
