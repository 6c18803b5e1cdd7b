/** Proves what becomes of a token that comes back to the process that had it. */

import assert from "node:assert/strict";
import { SUBJECT } from "../sessions/issuer.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { exec, getToken, V1 } from "./call.ts";

/** A sandbox whose session's token can be asked about, and calls of one parent that comes back for it. */
async function askable(sandbox: Sandbox) {
  const { issuer } = sandbox;
  const metadata = { ...issuer.metadata, userinfo_endpoint: `${issuer.url}/userinfo` };
  const { session: { name } } = await sandbox.add({ credentials: { metadata } });
  return {
    name,
    asked: () => issuer.requests.filter((path) => path === "/userinfo").length,
    call: (parent = 4711) => getToken(sandbox, { session: name, output: V1 }, exec(), { parent }),
  };
}

Deno.test("the issuer's answer on a token serves every process for 5 s, its silence for a minute", async () => {
  const answers = [
    [() => Response.json({ sub: SUBJECT }), 5_000],
    [() => new Response(null, { status: 500 }), 60_000],
  ] as const;
  for (const [answer, serves] of answers) {
    await using sandbox = await openSandbox();
    const { call, asked } = await askable(sandbox);
    sandbox.issuer.userinfo = answer;
    for (const parent of [1, 1, 1, 2, 2]) assert.equal((await call(parent)).code, 0);
    assert.equal(asked(), 1);
    sandbox.time += serves - 1;
    await call(1);
    assert.equal(asked(), 1);
    sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
    sandbox.time += 1;
    const { stdout } = await call(1);
    assert.equal(asked(), 2);
    assert.equal(JSON.parse(stdout).status.token, "access-1", "revoked meanwhile, it is found so now");
  }
});

Deno.test("a token revoked 6 s after the issuer called it good is replaced at the next call", async () => {
  await using sandbox = await openSandbox();
  const { call, asked } = await askable(sandbox);
  sandbox.issuer.userinfo = () => Response.json({ sub: SUBJECT });
  const token = async () => JSON.parse((await call()).stdout).status.token;
  assert.equal(await token(), "access-0");
  assert.equal(await token(), "access-0");
  assert.equal(asked(), 1);
  sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
  sandbox.time += 6_000;
  assert.equal(await token(), "access-1");
});

Deno.test("a refused token of a session that is not renewed is SESSION_EXPIRED, not handed out again", async () => {
  await using sandbox = await openSandbox();
  const { name, call } = await askable(sandbox);
  sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
  sandbox.issuer.refreshToken = "another";
  assert.equal((await call()).code, 0, "the first is under no suspicion");
  const { code, stdout, stderr } = await call();
  assert.equal(code, 4);
  assert.equal(JSON.parse(stdout).reason, "SESSION_EXPIRED");
  assert.match(stderr, /^error: The session .*\nSign in again: datumctl login --profile .*\n$/);
  assert.equal(
    (await sandbox.store.read(name))?.renewalRefused,
    new Date(sandbox.time).toISOString(),
  );

  // An issuer that cannot be asked for another is an outage.
  await sandbox.add({
    credentials: {
      metadata: { ...sandbox.issuer.metadata, userinfo_endpoint: `${sandbox.issuer.url}/userinfo` },
    },
  });
  assert.equal((await sandbox.store.read(name))?.renewalRefused, undefined, "a sign-in clears it");
  sandbox.issuer.respond = () => new Response(null, { status: 503 });
  assert.deepEqual([(await call()).code, (await call()).code], [0, 0]);
});
