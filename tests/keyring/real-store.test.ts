/**
 * Proves the store of the very system that the tests run on. It writes to the keyring of whoever runs it, so it waits
 * to be asked: DATUMCTL_TEST_REAL_KEYRING=1.
 */

import assert from "node:assert/strict";
import { systemStore } from "../../src/keyring/system.ts";
import { childEnvironment, run } from "../../src/system/processes.ts";
import { openCredentialManager } from "../../src/system/windows-credentials.ts";

const asked = Deno.env.get("DATUMCTL_TEST_REAL_KEYRING") === "1";
const bound = { timeout: 60_000 };

Deno.test({
  name: "this system's own store keeps, replaces and removes a secret",
  ignore: !asked,
  async fn() {
    const store = systemStore({
      os: Deno.build.os,
      bus: Deno.env.get("DBUS_SESSION_BUS_ADDRESS"),
      processes: () => Promise.resolve({ run, childEnvironment }),
      credentialManager: () => Promise.resolve(openCredentialManager),
    });
    const account = `datumctl-test-${crypto.randomUUID()}@api.example.com`;
    try {
      assert.equal(await store.get(account, bound), undefined);
      for (const secret of ["a".repeat(43), "b_-".repeat(14)]) {
        await store.set(account, secret, bound);
        assert.equal(await store.get(account, bound), secret);
      }
      assert.equal(
        await store.get(account.toUpperCase(), bound),
        undefined,
        "accounts keep their letter case",
      );
    } finally {
      assert.equal(await store.delete(account, bound), true);
    }
    assert.equal(await store.get(account, bound), undefined);
    assert.equal(await store.delete(account, bound), false);
  },
});
