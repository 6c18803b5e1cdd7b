/** Proves every branch of the way to a fresh token against a rotating issuer, with the clock in the test's hands. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { openFailureMemory } from "../../src/sessions/last-failure.ts";
import { freshToken, preferredKind } from "../../src/sessions/fresh-token.ts";
import { makeKeyText, readKeyText, seal } from "../../src/sessions/seal.ts";
import type { SignInCredentials } from "../../src/sessions/credentials.ts";
import { formatSession } from "../../src/sessions/session.ts";
import type { TokenRequest } from "../../src/sessions/token.ts";
import { pause } from "../../src/system/clock.ts";
import { expectRejection } from "../expect-error.ts";
import { assertMissing, namesIn } from "../scratch.ts";
import { SUBJECT } from "./issuer.ts";
import { refuseSuccessors } from "../system/refuse-successors.ts";
import { BOUND, openSandbox, openSignIn, type Sandbox } from "./sandbox.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";

const HOUR = 3600_000;

async function token(sandbox: Sandbox, name: string, request: TokenRequest = {}, more = {}) {
  const session = await sandbox.store.read(name);
  assert.ok(session !== undefined);
  return await freshToken(sandbox.store, session, request, sandbox.bound(more));
}

async function stored(sandbox: Sandbox, name: string): Promise<SignInCredentials> {
  const session = await sandbox.store.read(name);
  assert.ok(session !== undefined);
  return (await openSignIn(sandbox.store, session, BOUND)).credentials;
}

/** What is half-written. */
async function successors({ store }: Sandbox): Promise<string[]> {
  return (await namesIn(store.folders.sessions)).filter((name) => name.includes(".new"));
}

/** A sandbox with one session whose tokens are over, and the text of its file. */
async function expired(options: Parameters<Sandbox["add"]>[0] = {}) {
  const sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add(options);
  const { file } = await sandbox.paths(name);
  sandbox.time += HOUR + 1000;
  const text = await Deno.readTextFile(file);
  return { sandbox, name, file, text, [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose]() };
}

Deno.test("a token with life left costs no request and waits for no lock", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const lock = await sandbox.store.lock(name, 1_000);
  try {
    sandbox.time += HOUR - 121_000;
    assert.equal((await token(sandbox, name, { kind: "access" })).token, "access-0");
    assert.deepEqual(sandbox.issuer.requests, []);
  } finally {
    lock.release();
  }
});

Deno.test("a token with too little life left is refreshed once, kept, and handed out from then on", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR - 120_000;
  const fresh = await token(sandbox, name);
  assert.deepEqual([fresh.token, fresh.kind, fresh.warning], ["access-1", "access", undefined]);
  assert.equal(fresh.expires, sandbox.time + HOUR);
  assert.equal((await stored(sandbox, name)).refreshToken, "refresh-1");
  assert.equal((await token(sandbox, name)).token, "access-1");
  assert.deepEqual(sandbox.issuer.requests, ["/token"], "the issuer's keys were at hand");
  const session = await sandbox.store.read(name);
  assert.equal(session?.tokenExpires, new Date(sandbox.time + HOUR).toISOString());
});

Deno.test("twenty calls at once on an expired token are one refresh, and all get its token", async () => {
  await using it = await expired();
  const tokens = await Promise.all(Array.from({ length: 20 }, () => token(it.sandbox, it.name)));
  assert.deepEqual([...new Set(tokens.map((each) => each.token))], ["access-1"]);
  assert.deepEqual(it.sandbox.issuer.requests, ["/token"]);
});

Deno.test("two forced refreshes at once never spend one refresh token twice", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const tokens = await Promise.all([
    token(sandbox, name, { force: true }),
    token(sandbox, name, { force: true }),
  ]);
  assert.ok(tokens.every((each) => each.token !== "access-0"));
  assert.equal((await stored(sandbox, name)).refreshToken, sandbox.issuer.refreshToken);
});

Deno.test("the refresh goes where the seal says, whatever the file's public fields were made to say", async () => {
  await using it = await expired();
  const evil = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    assert.fail("the refresh token went to another host");
  });
  const url = `http://127.0.0.1:${evil.addr.port}`;
  await Deno.writeTextFile(
    it.file,
    it.text.replaceAll(it.sandbox.issuer.url, url).replaceAll("client-1", "evil"),
  );
  assert.equal((await token(it.sandbox, it.name)).token, "access-1");
  assert.equal(
    (await it.sandbox.store.read(it.name))?.issuer,
    it.sandbox.issuer.url,
    "and mends them",
  );
  await evil.shutdown();
});

Deno.test("invalid_grant is SESSION_EXPIRED with the line to run; the file says so, and is else left as it is", async () => {
  await using it = await expired();
  it.sandbox.issuer.refreshToken = "another";
  await expectRejection(token(it.sandbox, it.name), {
    code: "SESSION_EXPIRED",
    message: /invalid_grant/,
    hint: `Sign in again: datumctl login --profile ${it.name}`,
  });
  const { renewalRefused, ...rest } = JSON.parse(await Deno.readTextFile(it.file));
  assert.equal(renewalRefused, new Date(it.sandbox.time).toISOString());
  assert.deepEqual(rest, JSON.parse(it.text));
  assert.deepEqual(it.sandbox.issuer.requests, ["/token"]);
});

Deno.test("an issuer that is down, or a captive portal, is NETWORK after at most three requests; all is kept", async () => {
  const answers: readonly (() => Response)[] = [
    () => new Response("no", { status: 503 }),
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    () => Response.json({ error: "temporarily_unavailable" }, { status: 400 }),
    () => Response.json({ token_type: "Bearer" }),
    () => Response.json({ error: "invalid_grant" }, { status: 408 }),
    () => Response.json({ error: "invalid_request" }, { status: 425 }),
    () => new Response("{", { headers: { "content-type": "application/json" } }),
  ];
  for (const answer of answers) {
    await using it = await expired();
    it.sandbox.issuer.respond = answer;
    await expectRejection(token(it.sandbox, it.name), {
      code: "NETWORK",
      retryable: true,
      message: /Cannot refresh the session "ada@example\.com@api\.example\.com"/,
    });
    assert.ok(it.sandbox.issuer.requests.length <= 3);
    assert.equal(await Deno.readTextFile(it.file), it.text);
    it.sandbox.issuer.respond = undefined;
    assert.equal((await token(it.sandbox, it.name)).token, "access-1", "and the session goes on");
  }
});

Deno.test("a Retry-After beyond the bound is not waited for", async () => {
  await using it = await expired();
  it.sandbox.issuer.respond = () => new Response("no", { status: 429, headers: { "retry-after": "3600" } });
  await expectRejection(token(it.sandbox, it.name), "NETWORK");
  assert.deepEqual(it.sandbox.issuer.requests, ["/token"]);
});

Deno.test("an answer that ends the session is SESSION_EXPIRED in the issuer's own words, and the file says so", async () => {
  for (
    const [status, error, error_description] of [
      [200, "invalid_grant", "spent"],
      [400, "invalid_request", "Errors.OIDCSession.RefreshTokenInvalid"],
      [404, "invalid_request", "Errors.User.NotFound"],
      [400, "invalid_request", "Refresh token expired."],
      [400, "interaction_required", "AADSTS50076: use multi-factor authentication"],
    ] as const
  ) {
    await using it = await expired();
    it.sandbox.issuer.respond = () => Response.json({ error, error_description }, { status });
    const thrown = await expectRejection(token(it.sandbox, it.name), "SESSION_EXPIRED");
    assert.ok(thrown.message.includes(`${error}: ${error_description.replace(/\.$/, "")}`), thrown.message);
    assert.equal(thrown.hint, `Sign in again: datumctl login --profile ${it.name}`);
    const { renewalRefused, ...rest } = JSON.parse(await Deno.readTextFile(it.file));
    assert.ok(renewalRefused);
    assert.deepEqual(rest, JSON.parse(it.text));
    assert.deepEqual(it.sandbox.issuer.requests, ["/token"], "who says so much is there");
  }
});

const CLIENT_DISABLED = /^The client, or its realm, may be disabled at the issuer: ask whoever runs it\.$/;
const SECRET_LINE = /secret .*: datumctl login --profile \S+ --client-secret-file FILE$/;
const BOTH = /^Check the client id and scopes .* sign in again: datumctl login --profile \S+$/;
for (
  const [what, status, answer, confidential, hint] of [
    ["invalid_client of a client with a secret", 401, { error: "invalid_client" }, true, SECRET_LINE],
    [
      "invalid_client that asks for a secret",
      401,
      { error: "invalid_client", error_description: "client_secret is missing" },
      false,
      SECRET_LINE,
    ],
    ["a 401 of a client with a secret", 401, {}, true, SECRET_LINE],
    ["unauthorized_client of a public client", 400, { error: "unauthorized_client" }, false, CLIENT_DISABLED],
    [
      "Keycloak's disabled realm",
      403,
      { error: "access_denied", error_description: "Realm not enabled" },
      true,
      CLIENT_DISABLED,
    ],
    ["invalid_scope", 400, { error: "invalid_scope" }, false, BOTH],
    ["any other error", 400, { error: "invalid_request" }, false, BOTH],
    ["an error that is an object", 418, { error: { code: 7, message: "no" } }, true, BOTH],
    ["a 403 without words", 403, {}, false, BOTH],
  ] as const
) {
  Deno.test(`${what} is ISSUER_ERROR, the session is kept, and the hint fits`, async () => {
    await using it = await expired({
      session: { provider: OIDC, confidential: confidential || undefined },
      credentials: { clientSecret: confidential ? "client-secret" : undefined },
    });
    it.sandbox.issuer.respond = () => Response.json(answer, { status });
    await expectRejection(token(it.sandbox, it.name, { kind: "access" }), { code: "ISSUER_ERROR", hint });
    assert.equal(await Deno.readTextFile(it.file), it.text);
    it.sandbox.issuer.respond = undefined;
    assert.equal((await token(it.sandbox, it.name, { kind: "access" })).token, "access-1");
  });
}

Deno.test("an issuer that does not answer is given up at the bound, and only then", async () => {
  await using it = await expired();
  const stop = Promise.withResolvers<Response>();
  it.sandbox.issuer.respond = () => stop.promise;
  const began = performance.now();
  const error = await expectRejection(
    token(it.sandbox, it.name, {}, { deadline: performance.now() + 400 }),
    "NETWORK",
  );
  assert.ok(performance.now() - began >= 390);
  assert.match(error.message, /did not answer in time/);
  stop.resolve(new Response());
});

Deno.test("in an outage a token that is still good is handed out, with a word about it", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR - 60_000;
  sandbox.issuer.respond = () => new Response("no", { status: 503 });
  const kept = await token(sandbox, name);
  assert.equal(kept.token, "access-0");
  assert.match(kept.warning ?? "", /stored token is used/);
  await expectRejection(token(sandbox, name, { minimumLife: 300_000 }), "NETWORK");
  await expectRejection(token(sandbox, name, { force: true }), "NETWORK");
  sandbox.time += 56_000;
  await expectRejection(token(sandbox, name), "NETWORK");
});

Deno.test("a lock that another process keeps is BUSY at the bound, unless the stored token is still good", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const lock = await sandbox.store.lock(name, 1_000);
  try {
    sandbox.time += HOUR - 60_000;
    const soon = () => ({ deadline: performance.now() + 60 });
    assert.equal((await token(sandbox, name, {}, soon())).token, "access-0");
    sandbox.time += 60_000;
    await expectRejection(token(sandbox, name, {}, soon()), "BUSY");
    assert.deepEqual(sandbox.issuer.requests, []);
  } finally {
    lock.release();
  }
});

Deno.test("those who waited for a refresh that failed share its failure and ask nothing more", async () => {
  await using it = await expired();
  it.sandbox.issuer.respond = () => Response.json({ error: "invalid_client" }, { status: 401 });
  const paths = await it.sandbox.paths(it.name);
  const calls = Array.from({ length: 8 }, () =>
    expectRejection(
      token(it.sandbox, it.name, {}, {
        failures: openFailureMemory(paths.failure, it.sandbox.store.host.now),
      }),
      "ISSUER_ERROR",
    ));
  await Promise.all(calls);
  assert.deepEqual(it.sandbox.issuer.requests, ["/token"]);
});

Deno.test("a full disk shows before the refresh token is spent", async () => {
  await using it = await expired();
  await using _full = await refuseSuccessors(it.file);
  await expectRejection(token(it.sandbox, it.name), "STORAGE");
  assert.deepEqual(it.sandbox.issuer.requests, []);
  assert.equal(it.sandbox.issuer.refreshToken, "refresh-0");
});

Deno.test("when keeping fails after all, the token is handed out and the next sign-in announced", async () => {
  await using it = await expired();
  it.sandbox.issuer.respond = async () => {
    await Deno.remove(it.file);
    await Deno.mkdir(`${it.file}/inside`, { recursive: true });
    return undefined;
  };
  const fresh = await token(it.sandbox, it.name);
  assert.equal(fresh.token, "access-1");
  assert.match(fresh.warning ?? "", /could not be kept.*datumctl login --profile ada@example\.com/);
  assert.deepEqual(await successors(it.sandbox), []);
});

Deno.test("a session that is deleted while the issuer answers stays deleted", async () => {
  await using it = await expired();
  it.sandbox.issuer.respond = async () => {
    await Deno.remove(it.file);
    return undefined;
  };
  assert.equal((await token(it.sandbox, it.name)).token, "access-1");
  await assertMissing(it.file);
  assert.deepEqual(await successors(it.sandbox), []);
});

Deno.test("a session that is signed out while somebody waits for it is NOT_SIGNED_IN, and nothing is asked", async () => {
  await using it = await expired({ keyStore: "system" });
  it.sandbox.system.calls.length = 0;
  const session = await it.sandbox.store.read(it.name);
  assert.ok(session !== undefined);
  const lock = await it.sandbox.store.lock(it.name, 1_000);
  const waiting = expectRejection(token(it.sandbox, it.name), "NOT_SIGNED_IN");
  while (!it.sandbox.system.calls.includes("get")) await pause(1);
  await it.sandbox.store.remove(session, BOUND);
  lock.release();
  await waiting;
  assert.deepEqual(it.sandbox.issuer.requests, []);
});

Deno.test("a session that was signed in to again, with a new key, while somebody waited gives the new token", async () => {
  await using it = await expired({ keyStore: "system" });
  const lock = await it.sandbox.store.lock(it.name, 1_000);
  it.sandbox.system.calls.length = 0;
  const waiting = token(it.sandbox, it.name);
  while (!it.sandbox.system.calls.includes("get")) await pause(1);
  const session = await it.sandbox.store.read(it.name);
  const before = await stored(it.sandbox, it.name);
  const text = makeKeyText();
  const key = await readKeyText(text);
  assert.ok(session !== undefined && key !== undefined);
  const after = { ...before, accessToken: "access-9", accessTokenExpires: it.sandbox.time + HOUR };
  it.sandbox.system.items.set(it.name, text);
  const sealed = { ...session, credentials: await seal(JSON.stringify(after), key) };
  await Deno.writeTextFile(it.file, formatSession(sealed));
  lock.release();
  assert.equal((await waiting).token, "access-9");
  assert.deepEqual(it.sandbox.issuer.requests, []);
});

Deno.test("a forged or foreign answer stores nothing and hands out nothing: INVALID_TOKEN", async () => {
  for (
    const forge of [
      (sandbox: Sandbox) => sandbox.issuer.forged = true,
      (sandbox: Sandbox) => sandbox.issuer.claims = { sub: "somebody-else" },
      (sandbox: Sandbox) => sandbox.issuer.claims = { iss: "https://evil.example" },
      (sandbox: Sandbox) => sandbox.issuer.claims = { aud: "another-client" },
    ]
  ) {
    await using it = await expired();
    forge(it.sandbox);
    await expectRejection(token(it.sandbox, it.name), { code: "INVALID_TOKEN", exitCode: 1 });
    assert.equal(await Deno.readTextFile(it.file), it.text);
  }
});

Deno.test("a clock that is off is CLOCK_SKEW, and keeps the rotated refresh token", async () => {
  await using it = await expired();
  it.sandbox.issuer.ahead = 2 * HOUR;
  await expectRejection(token(it.sandbox, it.name), { code: "CLOCK_SKEW", exitCode: 1 });
  const kept = await stored(it.sandbox, it.name);
  assert.deepEqual([kept.refreshToken, kept.accessToken], ["refresh-1", "access-0"]);
  it.sandbox.issuer.ahead = 0;
  assert.equal((await token(it.sandbox, it.name)).token, "access-2");
});

Deno.test("without ID tokens on refresh the old one serves until it ends; then NO_ID_TOKEN, asked once", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const idToken = (await stored(sandbox, name)).idToken;
  sandbox.issuer.idTokens = false;
  sandbox.time += HOUR - 60_000;
  assert.equal((await token(sandbox, name, { kind: "id" })).token, idToken);
  assert.equal((await stored(sandbox, name)).refreshToken, "refresh-1", "the rotated one is kept");
  assert.equal((await token(sandbox, name, { kind: "id" })).token, idToken);
  sandbox.time += 60_000;
  for (let call = 0; call < 3; call++) {
    await expectRejection(token(sandbox, name, { kind: "id" }), {
      code: "NO_ID_TOKEN",
      exitCode: 4,
      hint: /--token access.*datumctl login --profile/,
    });
  }
  assert.deepEqual(sandbox.issuer.requests, ["/token"], "remembered: nothing is refreshed in vain");
  assert.equal(
    (await token(sandbox, name, { kind: "access" })).token,
    "access-1",
    "the access token goes on",
  );
  sandbox.issuer.idTokens = true;
  assert.equal(
    (await token(sandbox, name, { kind: "id", force: true })).kind,
    "id",
    "and a forced refresh looks again",
  );
  assert.equal((await stored(sandbox, name)).noIdTokenOnRefresh, undefined);
});

Deno.test("an ID token that is over already is not handed out after a refresh without one", async () => {
  await using it = await expired();
  it.sandbox.issuer.idTokens = false;
  await expectRejection(token(it.sandbox, it.name, { kind: "id" }), "NO_ID_TOKEN");
  assert.equal((await stored(it.sandbox, it.name)).refreshToken, "refresh-1");
});

Deno.test("a session without a refresh token lasts as long as its token, not a minute less", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add({ credentials: { refreshToken: undefined } });
  sandbox.time += HOUR - 1_000;
  const last = await token(sandbox, name);
  assert.deepEqual([last.token, last.warning], ["access-0", undefined]);
  assert.match((await token(sandbox, name, { minimumLife: 60_000 })).warning ?? "", /--min-ttl/);
  sandbox.time += 1_000;
  await expectRejection(token(sandbox, name), {
    code: "SESSION_EXPIRED",
    message: /without a refresh token/,
    hint: /datumctl login --profile/,
  });
  assert.deepEqual(sandbox.issuer.requests, []);
});

Deno.test("a --min-ttl that the issuer's tokens cannot reach costs one refresh and a warning", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const fresh = await token(sandbox, name, { minimumLife: 2 * HOUR });
  assert.equal(fresh.token, "access-1");
  assert.match(fresh.warning ?? "", /--min-ttl/);
  assert.deepEqual(sandbox.issuer.requests, ["/token"]);
});

Deno.test("tokens of a few seconds are cached, too", async () => {
  await using sandbox = await openSandbox();
  sandbox.issuer.accessLife = 6;
  const { session: { name } } = await sandbox.add();
  sandbox.time += 3_999;
  assert.equal((await token(sandbox, name)).token, "access-0");
  sandbox.time += 1;
  assert.equal((await token(sandbox, name)).token, "access-1");
});

Deno.test("a token without expires_in counts five minutes from its receipt", async () => {
  await using sandbox = await openSandbox();
  sandbox.issuer.accessLife = undefined;
  const { session: { name } } = await sandbox.add();
  sandbox.time += 200_000 - 1;
  assert.equal((await token(sandbox, name)).token, "access-0");
  sandbox.time += 2;
  assert.equal((await token(sandbox, name)).token, "access-1");
});

Deno.test("a clock that went back an hour refreshes nothing", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time -= HOUR;
  assert.equal((await token(sandbox, name)).token, "access-0");
  assert.deepEqual(sandbox.issuer.requests, []);
});

Deno.test("a locked keyring or a lost key is told as such, without a request", async () => {
  await using it = await expired({ keyStore: "system" });
  it.sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  await expectRejection(token(it.sandbox, it.name), "KEYRING_LOCKED");
  it.sandbox.system.failure = undefined;
  it.sandbox.system.items.clear();
  await expectRejection(token(it.sandbox, it.name), "KEYRING_ITEM_MISSING");
  assert.deepEqual(it.sandbox.issuer.requests, []);
  assert.equal(await Deno.readTextFile(it.file), it.text);
});

Deno.test("a refresh never touches the keyring but to read the key", async () => {
  await using it = await expired({ keyStore: "system" });
  it.sandbox.system.calls.length = 0;
  await token(it.sandbox, it.name);
  assert.deepEqual(it.sandbox.system.calls, ["get"]);
});

Deno.test("which token kubectl gets: what was learned, else the provider's default", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  assert.equal(session.user.subject, SUBJECT);
  assert.equal(preferredKind(session), "access");
  assert.equal(preferredKind({ ...session, kubectlToken: "id" }), "id");
  assert.equal(preferredKind({ ...session, provider: OIDC }), "id");
  assert.equal(preferredKind({ ...session, provider: OIDC, kubectlToken: "access" }), "access");
  const { session: chosen } = await sandbox.add({ session: { kubectlToken: "id" } });
  assert.equal((await token(sandbox, chosen.name)).kind, "id");
});
