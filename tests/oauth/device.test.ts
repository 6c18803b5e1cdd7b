/** Proves the device flow of RFC 8628: what is shown, how it polls, and how it ends. */

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { AppError, type ErrorCode } from "../../src/errors.ts";
import { beginDevice, type DeviceInput, pollDevice } from "../../src/oauth/device.ts";
import type { IssuerMetadata } from "../../src/oauth/discovery.ts";
import type { Exchange } from "../../src/oauth/http.ts";
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
  const metadata = issuer.metadata as unknown as IssuerMetadata;
  return beginDevice(issuer.exchange(), {
    metadata,
    client: { id: CLIENT },
    scopes: ["openid", "email"],
    ...more,
  });
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(() => undefined, (error) => error);
  assert.ok(error instanceof AppError, `expected an AppError, got ${error}`);
  assert.doesNotMatch(error.message, /GmRhmhcx|\p{Cc}/u);
  return error;
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
  assert.ok(
    !inspect(device).includes(CODE.device_code) && !JSON.stringify(device).includes(CODE.device_code),
  );
  assert.deepEqual(Object.fromEntries(issuer.requests[0]?.body ?? []), {
    client_id: CLIENT,
    scope: "openid email",
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
  ["no verification_uri", "INVALID_TOKEN", { verification_uri: undefined }],
  ["no device_code", "NETWORK", { device_code: undefined }],
  ["no user_code", "NETWORK", { user_code: undefined }],
  ["an unprintable user_code", "NETWORK", { user_code: "\u001b\u0007" }],
  ["expires_in negative", "NETWORK", { expires_in: -1 }],
  ["no expires_in", "NETWORK", { expires_in: undefined }],
  ["interval a text", "NETWORK", { interval: "5" }],
];
for (const [name, code, change] of REFUSED) {
  Deno.test(`a device answer with ${name} is ${code}`, async () => {
    assert.equal((await failure(begin(new TestIssuer(), () => json({ ...CODE, ...change })))).code, code);
  });
}

Deno.test("escape sequences do not reach the shown user code", async () => {
  const device = await begin(new TestIssuer(), () => json({ ...CODE, user_code: "AB\u001b[2JCD" }));
  assert.equal(device.userCode, "AB [2JCD");
});

Deno.test("an issuer without the endpoint is ISSUER_ERROR; an endpoint of one's own is used", async () => {
  const issuer = new TestIssuer();
  delete issuer.metadata.device_authorization_endpoint;
  const error = await failure(begin(issuer));
  assert.equal(error.code, "ISSUER_ERROR");
  assert.match(error.hint ?? "", /--device-authorization-endpoint/);
  assert.equal((await begin(issuer, undefined, { endpoint: `${ISSUER}/device` })).userCode, "WDJB-MJHT");
  assert.equal(
    (await failure(begin(issuer, undefined, { endpoint: "http://issuer.example/" }))).code,
    "USAGE",
  );
});

const pending: Route = () => json({ error: "authorization_pending" }, { status: 400 });
const slowDown: Route = () => json({ error: "slow_down" }, { status: 400 });
const refusal = (error: string): Route => () =>
  json({ error, error_description: "said \u001b[2J" }, { status: 400 });

/** Polls with a sleep that moves the clock; returns the seconds that it slept before each poll. */
async function poll(
  answers: (issuer: TestIssuer) => Route[],
  code: object = CODE,
  more: Partial<Exchange> = {},
) {
  const issuer = new TestIssuer();
  const device = await begin(issuer, () => json(code));
  issuer.requests.length = 0;
  issuer.routes["/token"] = answers(issuer);
  const pauses: number[] = [];
  const sleep = (milliseconds: number) => {
    pauses.push(milliseconds / 1000);
    issuer.time += milliseconds;
    return Promise.resolve();
  };
  const metadata = issuer.metadata as unknown as IssuerMetadata;
  const polled = pollDevice(issuer.exchange(more), { metadata, client: { id: CLIENT }, device, sleep });
  const error = await polled.then(() => undefined, (error) => error);
  return { issuer, pauses, polled, error: error as AppError | undefined };
}

const tokens = (issuer: TestIssuer): Route => async () => json(await issuer.tokens());

Deno.test("polls after the interval until the tokens come, and verifies them", async () => {
  const { issuer, pauses, polled } = await poll((issuer) => [pending, pending, tokens(issuer)], {
    ...CODE,
    interval: 2,
  });
  assert.equal((await polled).tokens.claims.sub, "user-1");
  assert.deepEqual(pauses, [2, 2, 2]);
  assert.deepEqual(Object.fromEntries(issuer.requests[0]?.body ?? []), {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: CODE.device_code,
    client_id: CLIENT,
  });
});

Deno.test("without an interval it is 5 s; slow_down adds 5 s for good", async () => {
  const { pauses, error } = await poll((
    issuer,
  ) => [pending, slowDown, pending, slowDown, pending, tokens(issuer)]);
  assert.equal(error, undefined);
  assert.deepEqual(pauses, [5, 5, 10, 10, 15, 15]);
});

Deno.test("an interval of zero does not hammer the issuer", async () => {
  const { pauses } = await poll((issuer) => [pending, tokens(issuer)], { ...CODE, interval: 0 });
  assert.deepEqual(pauses, [1, 1]);
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
    ["expired_token", "TIMEOUT", /expired before/],
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
  ) => [async () => json(await issuer.tokens({ expires_in: "1" })), pending]);
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

Deno.test("a bound that ends while a person is waited for is TIMEOUT", async () => {
  const issuer = new TestIssuer();
  const device = await begin(issuer);
  const bound = new AbortController();
  const sleep = () => (bound.abort(), Promise.reject(bound.signal.reason));
  const metadata = issuer.metadata as unknown as IssuerMetadata;
  const exchange = issuer.exchange({ signal: bound.signal });
  assert.equal(
    (await failure(pollDevice(exchange, { metadata, client: { id: CLIENT }, device, sleep }))).code,
    "TIMEOUT",
  );
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
