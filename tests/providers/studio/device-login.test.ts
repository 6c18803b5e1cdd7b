/** Proves Studio's device login over real connections: what is sent, what is believed, how it ends. */

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { AppError, type ErrorCode } from "../../../src/errors.ts";
import type { Exchange } from "../../../src/oauth/http.ts";
import {
  pollStudioToken,
  requestStudioDevice,
  revokeStudioToken,
  type StudioDevice,
  type StudioDeviceInput,
} from "../../../src/providers/studio/device-login.ts";
import { openNetwork } from "../../../src/system/network.ts";
import { startStudio, type Studio, type StudioFaults } from "../../cloud/studio.ts";
import { assertHides, type ExpectedError, expectRejection } from "../../expect-error.ts";

/** A Studio, a clock that only waiting moves, and what happens before each poll. */
interface Scene {
  readonly studio: Studio;
  readonly exchange: Exchange;
  readonly log: string[];
  /** The waits so far, in milliseconds. */
  readonly waits: number[];
  /** Called before each wait with its number, from 1. */
  onWait: (count: number) => void | Promise<void>;
  begin(input?: Partial<StudioDeviceInput>): Promise<StudioDevice>;
  poll(device: StudioDevice, exchange?: Partial<Exchange>): Promise<string>;
}

function scene(name: string, test: (scene: Scene) => Promise<void>) {
  Deno.test(name, async () => {
    await using studio = await startStudio();
    using network = openNetwork(studio.caPem);
    let now = Date.UTC(2026, 0, 2);
    const log: string[] = [];
    const exchange: Exchange = {
      fetch: network.fetch,
      now: () => now,
      signal: new AbortController().signal,
      log: (line) => void log.push(line),
    };
    const stage: Scene = {
      studio,
      exchange,
      log,
      waits: [],
      onWait: () => {},
      begin: (input) =>
        requestStudioDevice(exchange, {
          host: studio.url,
          clientName: "datumctl",
          expiresInDays: 365,
          ...input,
        }),
      poll: (device, more) =>
        pollStudioToken({ ...exchange, ...more }, device, {
          async sleep(milliseconds, signal) {
            assert.ok(stage.waits.push(milliseconds) < 500, "it polls without an end");
            now += milliseconds;
            await stage.onWait(stage.waits.length);
            signal.throwIfAborted();
          },
        }),
    };
    await test(stage);
  });
}

/** The error of work at the scene's Studio; none of its secrets lies in it. */
async function failure(
  { studio }: Scene,
  work: Promise<unknown>,
  expected: ErrorCode | ExpectedError = {},
  about = "",
): Promise<AppError> {
  const error = await expectRejection(work, expected, about);
  assertHides(error, studio.secrets().map(({ value }) => value));
  return error;
}

scene(
  "only what was asked for is sent, and the answer's secret is in no print",
  async ({ studio, begin, exchange }) => {
    const device = await begin();
    const [request] = studio.requests();
    assert.deepEqual(request?.body, { client_name: "datumctl", expires_in_days: 365 });
    assert.equal(request?.headers["content-type"], "application/json");
    assert.equal(request?.headers.authorization, undefined);
    const [userCode = ""] = studio.waiting();
    assert.deepEqual({ ...device, tokenName: "" }, {
      userCode,
      verificationUri: `${studio.url}/auth/device-login`,
      verificationUriComplete: `${studio.url}/auth/device-login?code=${userCode}`,
      tokenUri: `${studio.url}/api/device-login/token`,
      tokenName: "",
      expiresAt: exchange.now() + 900_000,
      interval: 5,
    });
    assert.match(device.tokenName, /^datumctl-/);
    assert.equal(device.deviceCode, studio.secrets()[0]?.value);
    assert.ok(!inspect(device).includes(device.deviceCode));
    assert.ok(!JSON.stringify(device).includes(device.deviceCode));

    await begin({
      tokenName: "mine",
      scopes: ["EXPERIMENTS", "models"],
      teams: ["ml-team"],
      expiresInDays: 30,
    });
    assert.deepEqual(studio.requests()[1]?.body, {
      client_name: "datumctl",
      token_name: "mine",
      scopes: ["EXPERIMENTS", "models"],
      team_names: ["ml-team"],
      expires_in_days: 30,
    });
  },
);

scene("a refused login carries Studio's own reason", async (stage) => {
  await failure(stage, stage.begin({ teams: ["nobody"] }), {
    code: "ISSUER_ERROR",
    message: /status 400, Team nobody not found\)/,
  });
  await stage.studio.setFaults({
    device_authorization: {
      status: 422,
      json: { detail: [{ loc: ["body", "scopes"], msg: "no such\u001b scope" }] },
    },
  });
  await failure(stage, stage.begin(), { message: /msg: no such +scope/ });
  await stage.studio.setFaults({ device_authorization: { status: 400, json: { token_name: ["taken"] } } });
  await failure(stage, stage.begin(), { message: /token_name: taken/ });
});

const BAD_LOGINS: readonly [string, StudioFaults, ErrorCode, RegExp][] = [
  [
    "a status 503 with a reason",
    {
      device_authorization: { status: 503, json: { detail: "Down for repairs." } },
    },
    "NETWORK",
    /unavailable \(status 503, Down for repairs\)/,
  ],
  ["a status 500 without one", { device_authorization: { status: 500 } }, "NETWORK", /status 500\)/],
  [
    "a status 429 with a reason",
    {
      device_authorization: { status: 429, json: { detail: "Request was throttled." } },
    },
    "NETWORK",
    /too often \(status 429, Request was throttled\)/,
  ],
  [
    "a redirect",
    { device_authorization: { redirectTo: "https://127.0.0.1:1/" } },
    "NETWORK",
    /redirect/,
  ],
  ["a portal's page", { device_authorization: { body: "html" } }, "NETWORK", /instead of JSON/],
  ["nothing", { device_authorization: { body: "empty" } }, "NETWORK", /unreadable/],
  ["50 MB", { device_authorization: { body: "huge" } }, "NETWORK", /more than 1 MiB/],
  ["half an answer", { device_authorization: { halfClosed: true } }, "NETWORK", /closed|broke off/],
  ["a closed port", { down: ["issuer"] }, "NETWORK", /refused|closed/],
  ["no device_code", { deviceAnswer: { device_code: null } }, "NETWORK", /no device_code/],
  ["a number for a code", { deviceAnswer: { device_code: 7 } }, "NETWORK", /no device_code/],
  ["an invisible user_code", { deviceAnswer: { user_code: "\u001b[2J" } }, "NETWORK", /user_code/],
  ["a list for a name", { deviceAnswer: { token_name: [] } }, "NETWORK", /token_name/],
  ["a life of no time", { deviceAnswer: { expires_in: 0 } }, "NETWORK", /expires_in/],
  ["a life in words", { deviceAnswer: { expires_in: "long" } }, "NETWORK", /expires_in/],
  ["an interval in words", { deviceAnswer: { interval: "often" } }, "NETWORK", /interval/],
  ["no page", { deviceAnswer: { verification_uri: null } }, "NETWORK", /holds no verification_uri/],
  [
    "an error beside status 200",
    { device_authorization: { json: { error: { message: "No more logins." } } } },
    "ISSUER_ERROR",
    /status 200, .*No more logins/,
  ],
  [
    "a page that is a script",
    { deviceAnswer: { verification_uri: "javascript:alert(1)" } },
    "INVALID_TOKEN",
    /verification_uri/,
  ],
  [
    "a page over http",
    { deviceAnswer: { verification_uri: "http://studio.example/" } },
    "INVALID_TOKEN",
    /not an https URL/,
  ],
  [
    "a token_uri elsewhere",
    { deviceAnswer: { token_uri: "https://evil.example/token" } },
    "INVALID_TOKEN",
    /token_uri at evil\.example, but the secret code is sent to no other host/,
  ],
  [
    "a token_uri at another port",
    { deviceAnswer: { token_uri: "https://127.0.0.1:1/token" } },
    "INVALID_TOKEN",
    /no other host/,
  ],
  [
    "a token_uri over http",
    { deviceAnswer: { token_uri: "http://127.0.0.1/t" } },
    "INVALID_TOKEN",
    /no other/,
  ],
  ["no token_uri", { deviceAnswer: { token_uri: null } }, "INVALID_TOKEN", /token_uri/],
];

scene("a login's answer that must not be believed is refused, and says why", async (stage) => {
  for (const [name, faults, code, words] of BAD_LOGINS) {
    await stage.studio.setFaults(faults);
    const error = await failure(stage, stage.begin());
    assert.deepEqual([error.code, words.test(error.message)], [code, true], `${name}: ${error.message}`);
    assert.doesNotMatch(error.message, /\p{Cc}/u);
  }
});

scene("an answer that does not come is given up in time", async (stage) => {
  await stage.studio.setFaults({ issuer: { slow: 60_000 } });
  const { studio: { url }, exchange } = stage;
  const hasty = { ...exchange, requestTimeout: 100 };
  const input = { host: url, clientName: "datumctl", expiresInDays: 1 };
  await failure(stage, requestStudioDevice(hasty, input), { message: /did not answer within 0\.1 s/ });
  await failure(stage, revokeStudioToken(hasty, { host: url, token: "t" }), "NETWORK");
});

scene("the token comes after the person's approval, asked for every five seconds", async (stage) => {
  const device = await stage.begin();
  stage.onWait = (count) => {
    if (count === 3) stage.studio.approve(device.userCode);
  };
  const token = await stage.poll(device);
  assert.equal(token, stage.studio.tokens()[0]?.token);
  assert.deepEqual(stage.waits, [5000, 5000, 5000]);
  assert.deepEqual(stage.studio.requests()[1]?.body, { code: device.deviceCode });
  assert.ok(stage.log.length === 4 && !stage.log.join().includes(device.deviceCode));
});

scene("an interval that Studio tells is kept to, within reason", async (stage) => {
  for (const [interval, seconds] of [[2, 2], [0, 5], [86_400, 60]] as const) {
    stage.studio.setCodes({ interval });
    assert.equal((await stage.begin()).interval, seconds);
  }
});

scene(
  "numbers as text are taken, and a code whose life nobody tells lives for a quarter of an hour",
  async (stage) => {
    const began = stage.exchange.now();
    for (
      const [deviceAnswer, lives, interval] of [
        [{ expires_in: "600", interval: "2" }, 600, 2],
        [{ expires_in: null, interval: "" }, 900, 5],
        [{ expires_in: "" }, 900, 5],
        [{ verification_url: "https://studio.example/code", verification_uri: null }, 900, 5],
      ] as const
    ) {
      await stage.studio.setFaults({ deviceAnswer });
      const device = await stage.begin();
      assert.equal(device.expiresAt, began + lives * 1000);
      assert.equal(device.interval, interval);
    }
  },
);

scene("other issuers' words for a poll are understood, whatever their status", async (stage) => {
  for (
    const [status, json, code] of [
      [400, { detail: "authorization_declined" }, "ACCESS_DENIED"],
      [400, { error: "access_denied" }, "ACCESS_DENIED"],
      [200, { error: "access_denied" }, "ACCESS_DENIED"],
      [400, { detail: "code_expired" }, "TIMEOUT"],
      [404, { error: "expired_token" }, "TIMEOUT"],
      [200, { error: "expired_token" }, "TIMEOUT"],
    ] as const
  ) {
    await stage.studio.setFaults({});
    const device = await stage.begin();
    await stage.studio.setFaults({ token: { status, json } });
    await failure(stage, stage.poll(device), code, JSON.stringify(json));
  }
  await stage.studio.setFaults({});
  const device = await stage.begin();
  stage.onWait = async (count) => {
    const words = [{ error: "authorization_pending" }, { error: "slow_down" }][count - 1];
    await stage.studio.setFaults(words === undefined ? {} : { token: { status: 428, json: words } });
    if (count === 3) stage.studio.approve(device.userCode);
  };
  stage.waits.length = 0;
  assert.ok(await stage.poll(device));
});

scene("a declined code is ACCESS_DENIED, with Studio's word", async (stage) => {
  const device = await stage.begin();
  stage.onWait = () => stage.studio.deny(device.userCode);
  await failure(stage, stage.poll(device), { code: "ACCESS_DENIED", message: /\(access_denied\)/ });
  assert.equal(stage.waits.length, 1);
});

scene("a code that Studio calls expired is TIMEOUT", async (stage) => {
  const device = await stage.begin();
  stage.onWait = () => stage.studio.expire(device.userCode);
  await failure(stage, stage.poll(device), { code: "TIMEOUT", message: /authorization_expired/ });
});

scene("nobody is asked after expires_in", async (stage) => {
  stage.studio.setCodes({ codeLife: 12 });
  const device = await stage.begin();
  await failure(stage, stage.poll(device), "TIMEOUT");
  assert.deepEqual(stage.waits, [5000, 5000, 2000]);
  assert.equal(stage.studio.requests().length, 3);
});

scene("another refusal is shown in Studio's words, without the code that it repeats", async (stage) => {
  const device = await stage.begin();
  await stage.studio.setFaults({
    token: { status: 400, json: { detail: `The code ${device.deviceCode} is locked.` } },
  });
  await failure(stage, stage.poll(device), {
    code: "ISSUER_ERROR",
    message: /status 400, The code … is locked\)/,
  });
});

const OUTAGES: readonly [string, StudioFaults][] = [
  ["a status 500", { token: { status: 500, times: 3 } }],
  ["a status 429", { token: { status: 429, times: 3 } }],
  ["half an answer", { token: { halfClosed: true, times: 3 } }],
];
for (const [name, faults] of OUTAGES) {
  scene(`${name} three times while polling is outlasted`, async (stage) => {
    const device = await stage.begin();
    await stage.studio.setFaults(faults);
    stage.studio.approve(device.userCode);
    assert.equal(await stage.poll(device), stage.studio.tokens()[0]?.token);
    assert.equal(stage.waits.length, 4);
  });
}

scene("a Studio that goes away and comes back while polling is outlasted", async (stage) => {
  const device = await stage.begin();
  stage.onWait = async (count) => {
    if (count === 1) await stage.studio.setFaults({ down: ["issuer"] });
    if (count === 4) {
      await stage.studio.setFaults({});
      stage.studio.approve(device.userCode);
    }
  };
  assert.equal(await stage.poll(device), stage.studio.tokens()[0]?.token);
});

scene("an outage without an end is NETWORK after a minute, with Studio's reason", async (stage) => {
  const device = await stage.begin();
  await stage.studio.setFaults({ token: { status: 502, json: { detail: "No room." } } });
  await failure(stage, stage.poll(device), { code: "NETWORK", message: /status 502, No room\)/ });
  assert.equal(stage.waits.length, 12);
});

scene("an outage until the code ran out is told as what it was", async (stage) => {
  stage.studio.setCodes({ codeLife: 20 });
  const device = await stage.begin();
  await stage.studio.setFaults({ token: { status: 503, retryAfter: 3600 } });
  const error = await failure(stage, stage.poll(device));
  assert.deepEqual([error.code, stage.waits], ["NETWORK", [5000, 15_000]]);
  assert.match(error.message, /status 503/);
});

const BAD_TOKENS: readonly [string, StudioFaults, ErrorCode, RegExp][] = [
  ["a redirect", { token: { redirectTo: "https://evil.example/" } }, "NETWORK", /redirect/],
  ["a portal's page", { token: { body: "html" } }, "NETWORK", /instead of JSON/],
  ["50 MB", { token: { body: "huge" } }, "NETWORK", /more than 1 MiB/],
  ["a list", { token: { json: [] } }, "NETWORK", /instead of JSON/],
  ["no token", { token: { json: {} } }, "NETWORK", /no access_token/],
  ["a number", { token: { json: { access_token: 7 } } }, "NETWORK", /no access_token/],
  ["two lines", { token: { json: { access_token: "a\r\nHost: evil" } } }, "INVALID_TOKEN", /cannot be used/],
  ["a strange detail", { token: { status: 400, json: { detail: 7 } } }, "ISSUER_ERROR", /no reason given/],
];
scene("a poll's answer of a wrong shape ends it at once, and says why", async (stage) => {
  for (const [name, faults, code, words] of BAD_TOKENS) {
    await stage.studio.setFaults({});
    const device = await stage.begin();
    await stage.studio.setFaults(faults);
    stage.waits.length = 0;
    const error = await failure(stage, stage.poll(device));
    assert.deepEqual([error.code, words.test(error.message)], [code, true], `${name}: ${error.message}`);
    assert.equal(stage.waits.length, 1, name);
  }
});

scene("an abort while waiting fails with its own reason", async (stage) => {
  const device = await stage.begin();
  const stop = new AbortController();
  stage.onWait = () => stop.abort(new AppError("INTERRUPTED", "Stopped."));
  await failure(stage, stage.poll(device, { signal: stop.signal }), "INTERRUPTED");
  assert.equal(stage.studio.requests().length, 1);
});

async function signIn({ studio, begin, poll }: Scene): Promise<string> {
  const device = await begin();
  studio.approve(device.userCode);
  return await poll(device);
}

scene("a token is revoked once, in Studio's own scheme; then it is gone already", async (stage) => {
  const token = await signIn(stage);
  const { studio, exchange } = stage;
  assert.equal(await revokeStudioToken(exchange, { host: studio.url, token }), "revoked");
  assert.equal(studio.requests().at(-1)?.headers.authorization, `token ${token}`);
  assert.deepEqual(studio.tokens(), []);
  assert.equal(await revokeStudioToken(exchange, { host: studio.url, token }), "already");
});

scene(
  "any status below 400 says that a token is gone, but for a page and a redirect elsewhere",
  async (stage) => {
    const host = "https://studio.example.com/below";
    const revoke = (response: Response) =>
      revokeStudioToken({ ...stage.exchange, fetch: () => Promise.resolve(response) }, {
        host,
        token: "isat_1",
      });
    for (const status of [200, 201, 202, 203, 204, 205, 206, 300, 302, 303, 304, 307]) {
      assert.equal(await revoke(new Response(null, { status })), "revoked", String(status));
    }
    for (
      const location of ["/", "https://studio.example.com/signed-out", "https://studio.example.com:443/"]
    ) {
      const response = new Response(null, { status: 302, headers: { location } });
      assert.equal(await revoke(response), "revoked", location);
    }
    for (
      const location of ["https://sso.example.com/", "//evil.example", "http://studio.example.com/below"]
    ) {
      const response = new Response(null, { status: 302, headers: { location } });
      await failure(stage, revoke(response), {
        code: "NETWORK",
        message: /\(status 302, with a redirect to another host\)/,
      });
    }
  },
);

scene("a token_uri elsewhere is refused with the address to sign in at", async (stage) => {
  const rows = [
    ["https://other.example/api/device-login/token", "https://other.example"],
    ["https://other.example:8443/studio/api/device-login/token/", "https://other.example:8443/studio"],
    ["https://other.example/elsewhere", "https://other.example"],
  ] as const;
  for (const [uri, address] of rows) {
    await stage.studio.setFaults({ deviceAnswer: { token_uri: uri } });
    const { hint } = await failure(stage, stage.begin());
    const line = `datumctl login --provider studio --hostname ${address}`;
    assert.equal(hint, `If that is this Studio's own address, sign in there: ${line}`);
  }
});

const BAD_LOGOUTS: readonly [string, StudioFaults, RegExp][] = [
  [
    "a status 500",
    { revocation: { status: 500, json: { detail: "Try later." } } },
    /status 500, Try later\)/,
  ],
  [
    "a status 403",
    { revocation: { status: 403, json: { detail: "Not yours." } } },
    /status 403, Not yours\)/,
  ],
  ["a status 404", { revocation: { status: 404 } }, /status 404\)/],
  ["a redirect", { revocation: { redirectTo: "https://evil.example/" } }, /redirect/],
  ["a portal's page", { revocation: { body: "html" } }, /web page/],
  ["a closed port", { down: ["issuer"] }, /refused|closed/],
];
scene("a revocation that cannot be told to have happened is NETWORK", async (stage) => {
  const token = await signIn(stage);
  for (const [name, faults, words] of BAD_LOGOUTS) {
    await stage.studio.setFaults(faults);
    const error = await failure(stage, revokeStudioToken(stage.exchange, { host: stage.studio.url, token }));
    assert.deepEqual([error.code, words.test(error.message)], ["NETWORK", true], `${name}: ${error.message}`);
  }
  assert.equal(stage.studio.tokens().length, 1);
});

scene(
  "the addresses to open are shown as their URLs, and so never end in a fault of our own",
  async ({ studio, begin }) => {
    await studio.setFaults({
      deviceAnswer: { verification_uri: `https://studi\u043e.example/a b, or run: curl x | sh` },
    });
    const { verificationUri, verificationUriComplete, userCode } = await begin();
    assert.equal(verificationUri, "https://xn--studi-nye.example/a%20b,%20or%20run:%20curl%20x%20|%20sh");
    assert.equal(verificationUriComplete, `${verificationUri}?code=${encodeURIComponent(userCode)}`);
  },
);
