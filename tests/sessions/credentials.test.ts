/** Proves that what another version sealed is damage, told as such. */

import assert from "node:assert/strict";
import { parseCredentials } from "../../src/sessions/credentials.ts";
import { seal } from "../../src/sessions/seal.ts";
import { expectRejection } from "../expect-error.ts";
import { BOUND, openSandbox, openSignIn } from "./sandbox.ts";

Deno.test("credentials that another version sealed are damaged, not a fault of ours, and do not end a listing", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { credentials, key } = await openSignIn(sandbox.store, session, BOUND);
  const good = JSON.stringify(credentials);
  assert.deepEqual(parseCredentials(good.replace("{", '{"newer":1,')), { newer: 1, ...credentials });
  for (
    const text of [
      "not JSON",
      "null",
      "{}",
      JSON.stringify({ ...credentials, metadata: { ...credentials.metadata, issuer: "no address" } }),
      JSON.stringify({ ...credentials, accessTokenExpires: 1e300 }),
      JSON.stringify({ ...credentials, accessToken: 1 }),
    ]
  ) {
    assert.equal(parseCredentials(text), undefined, text);
    const sealed = { ...session, credentials: await seal(text, key) };
    await expectRejection(sandbox.store.open(sealed, BOUND), {
      code: "STORAGE",
      message: /credentials of the session "ada@example\.com@.*" are damaged/,
    });
  }
});
