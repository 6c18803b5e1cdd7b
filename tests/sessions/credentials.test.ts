/** Proves that what is sealed keeps its form on disk, and that other forms are reported as damage. */

import assert from "node:assert/strict";
import { formatCredentials, parseCredentials } from "../../src/sessions/credentials.ts";
import type { SourceCredentials } from "../../src/sessions/source-credentials.ts";
import { seal } from "../../src/sessions/seal.ts";
import { expectRejection } from "../expect-error.ts";
import { SESSION } from "./plain-session.ts";
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

Deno.test("where tokens come from is sealed as `recipe`, as every version did, and read again", () => {
  const { provider, kind } = SESSION;
  const address = { issuer: SESSION.issuer, apiHost: SESSION.apiHost, clientId: "1", subject: "42" };
  const source = { kind: "workload", source: { kind: "variable", name: "JOB" }, audience: "a" } as const;
  const credentials: SourceCredentials = { ...address, tokenSource: source };
  const text = formatCredentials(credentials, SESSION);
  const fields = JSON.parse(JSON.stringify({ provider, kind }));
  assert.deepEqual(JSON.parse(text), { ...address, recipe: source, fields });
  assert.deepEqual(parseCredentials(text), { ...credentials, fields });
});
