/** Proves that a run that goes on for long has the session's newest token, and nobody else's. */

import assert from "node:assert/strict";
import { freshTokens } from "../../src/providers/context.ts";
import { expectRejection } from "../expect-error.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";

async function tokensOf({ store }: Sandbox, name: string) {
  const ignore = () => {};
  const out = {
    ...{ line: ignore, success: ignore, text: ignore, info: ignore, important: ignore },
    ...{ warn: assert.fail, debug: undefined },
  };
  const tokens = freshTokens({
    store,
    now: store.host.now,
    out,
    terminal: { canAsk: false },
    interrupted: new AbortController().signal,
    requestTimeout: 30_000,
  }, await store.read(name) ?? assert.fail());
  return async (force: boolean) => (await tokens(force)).token;
}

Deno.test("a refused token is renewed, however often others were renewed before it", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const token = await tokensOf(sandbox, name);
  const seen = [await token(false)];
  for (let count = 1; count <= 4; count++) {
    seen.push(await token(true));
    assert.equal(await token(false), seen.at(-1));
  }
  assert.equal(new Set(seen).size, 5);
  // What another process has got meanwhile serves, too.
  const other = await tokensOf(sandbox, name);
  await other(false);
  const theirs = await other(true);
  assert.equal(await token(true), theirs);
  assert.ok(![theirs, ...seen].includes(await token(true)));
});

Deno.test("somebody who signs in under the session's name is not acted as", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const token = await tokensOf(sandbox, name);
  const before = await token(false);
  await Deno.remove((await sandbox.paths(name)).file);
  await sandbox.add({ name, subject: "somebody-else" });
  assert.equal(await token(false), before);
  await expectRejection(token(true), { code: "NOT_SIGNED_IN", message: /somebody else's in the meantime/ });
  assert.equal(await token(false), before);
});
