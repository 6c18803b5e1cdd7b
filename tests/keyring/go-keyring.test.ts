/** Proves that what Go programs keep in a keyring is read: from a real one, and from the other systems' stand-ins. */

import assert from "node:assert/strict";
import { goKeyringItem } from "../../src/keyring/go-keyring.ts";
import type { SystemTools } from "../../src/keyring/system.ts";
import { CredentialManagerUnavailable } from "../../src/system/windows-credentials.ts";
import { ProgramNotFound, run, type RunResult } from "../../src/system/processes.ts";
import { absentPrograms, startKeyring } from "./gnome-keyring.ts";

const LIMITS = { timeout: 20_000 };
const never = () => Promise.reject(new Error("not asked"));

Deno.test({
  name: "an item of a real keyring is read by service and user name, and no other",
  ignore: Deno.build.os !== "linux" || absentPrograms().length > 0,
  async fn() {
    const keyring = await startKeyring();
    assert.ok(keyring !== undefined);
    try {
      const parts: SystemTools = {
        os: "linux",
        processes: () => Promise.resolve({ run, childEnvironment: () => keyring.env }),
        credentialManager: never,
      };
      const label = ["store", "--label=Password for 'ada' on 'datumctl-auth'"];
      await run("secret-tool", [...label, "service", "datumctl-auth", "username", "ada"], {
        env: keyring.env,
        timeout: 20_000,
        stdin: '{"token":{}}',
      });
      assert.equal(await goKeyringItem(parts, "datumctl-auth", "ada", LIMITS), '{"token":{}}');
      assert.equal(await goKeyringItem(parts, "datumctl-auth", "grace", LIMITS), undefined);
      await keyring.lock();
      assert.equal(await goKeyringItem(parts, "datumctl-auth", "ada", LIMITS), undefined);
    } finally {
      await keyring.stop();
    }
  },
});

function darwin(result: Partial<RunResult>, calls: (readonly string[])[] = []): SystemTools {
  return {
    os: "darwin",
    processes: () =>
      Promise.resolve({
        run: (_, args) => {
          calls.push(args);
          return Promise.resolve({ code: 0, stdout: "", stderr: "", elapsed: 1, ...result });
        },
        childEnvironment: () => ({}),
      }),
    credentialManager: never,
  };
}

Deno.test("the keychain's three forms of a secret are read", async () => {
  const calls: (readonly string[])[] = [];
  const read = (stdout: string, code = 0) => goKeyringItem(darwin({ stdout, code }, calls), "s", "a", LIMITS);
  assert.equal(await read("go-keyring-base64:eyJ4IjoxfQ==\n"), '{"x":1}');
  assert.equal(await read("go-keyring-encoded:7b7d\n"), "{}");
  assert.equal(await read("plain\n"), "plain");
  assert.equal(await read("go-keyring-base64:%%%\n"), undefined);
  assert.equal(await read("", 44), undefined);
  assert.deepEqual(calls[0], ["find-generic-password", "-s", "s", "-w", "-a", "a"]);
});

Deno.test("the Credential Manager's item is found by its target; without one there is nothing", async () => {
  const asked: string[] = [];
  const parts = (open: SystemTools["credentialManager"]): SystemTools => ({
    os: "windows",
    processes: never,
    credentialManager: open,
  });
  const manager = {
    read: (target: string) => {
      asked.push(target);
      return { target, user: "a", comment: "", blob: new TextEncoder().encode("{}") };
    },
    write: () => {},
    remove: () => false,
  };
  assert.equal(await goKeyringItem(parts(() => Promise.resolve(() => manager)), "s", "a", LIMITS), "{}");
  assert.deepEqual(asked, ["s:a"]);
  const gone = parts(() =>
    Promise.resolve(() => {
      throw new CredentialManagerUnavailable("gone");
    })
  );
  assert.equal(await goKeyringItem(gone, "s", "a", LIMITS), undefined);
});

Deno.test("without the tool there is nothing to read", async () => {
  const parts: SystemTools = {
    os: "linux",
    processes: () =>
      Promise.resolve({
        run: () => Promise.reject(new ProgramNotFound("secret-tool", "not found")),
        childEnvironment: () => ({}),
      }),
    credentialManager: never,
  };
  assert.equal(await goKeyringItem(parts, "s", "a", LIMITS), undefined);
});
