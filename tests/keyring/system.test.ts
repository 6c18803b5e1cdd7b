/** Proves that each system gets its own secret store, opened no sooner than it is needed. */

import assert from "node:assert/strict";
import { systemStore } from "../../src/keyring/system.ts";
import type { Run } from "../../src/system/processes.ts";

Deno.test("systemStore() asks the tool of each system, with no more than that tool's variables", async () => {
  for (
    const [os, tool] of [["linux", "secret-tool"], ["freebsd", "secret-tool"], [
      "darwin",
      "/usr/bin/security",
    ]] as const
  ) {
    const asked: string[] = [];
    let variables: readonly string[] = [];
    const run: Run = (command, _args, { env }) => {
      asked.push(command);
      assert.deepEqual(env["HOME"], "/home/ada");
      return Promise.resolve({ code: 0, stdout: "secret", stderr: "", elapsed: 1 });
    };
    const store = systemStore({
      os,
      bus: undefined,
      processes: () =>
        Promise.resolve({
          run,
          childEnvironment(names) {
            variables = names;
            return { HOME: "/home/ada" };
          },
        }),
      credentialManager: () => assert.fail("not on Windows"),
    });
    assert.equal(await store.get("ada", { timeout: 1000 }), "secret");
    assert.deepEqual(asked, [tool]);
    assert(!variables.some((name) => /^(LD|DYLD)_|TOKEN|SECRET/.test(name)));
  }
});

Deno.test("systemStore() opens the Credential Manager on Windows, once and not before it is needed", async () => {
  let opened = 0;
  const store = systemStore({
    os: "windows",
    bus: undefined,
    processes: () => assert.fail("no child is run on Windows"),
    credentialManager: () =>
      Promise.resolve(() => {
        opened++;
        return { read: () => undefined, write: () => {}, remove: () => false };
      }),
  });
  assert.equal(opened, 0);
  assert.equal(await store.get("ada", { timeout: 1000 }), undefined);
  assert.equal(await store.delete("ada", { timeout: 1000 }), false);
  assert.equal(opened, 1);
});
