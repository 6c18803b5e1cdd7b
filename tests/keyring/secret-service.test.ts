/** Proves the direct reading of open items against a real gnome-keyring, and against a bus that misbehaves. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { linuxStore } from "../../src/keyring/linux.ts";
import { readOpenItem } from "../../src/keyring/secret-service.ts";
import type { SecretStore } from "../../src/keyring/store.ts";
import { systemStore } from "../../src/keyring/system.ts";
import { run } from "../../src/system/processes.ts";
import { expectRejection } from "../expect-error.ts";
import { inScratch } from "../scratch.ts";
import { type Keyring, startKeyring } from "./gnome-keyring.ts";

const bound = { timeout: 15_000 };
const ACCOUNT = "ada@example.com@api.datum.net";
const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

const itemOf = (account: string) => ({ service: "datumctl", account });

async function withKeyring(
  test: (parts: { tool: SecretStore; keyring: Keyring; bus: string }) => Promise<void>,
): Promise<void> {
  const keyring = await startKeyring();
  if (keyring === undefined) return;
  try {
    const bus = keyring.env["DBUS_SESSION_BUS_ADDRESS"] ?? "";
    await test({ tool: linuxStore(run, keyring.env), keyring, bus });
  } finally {
    await keyring.stop();
  }
}

Deno.test("an open item is read as secret-tool stored it; another account's, or none, is not", async () => {
  await withKeyring(async ({ tool, bus }) => {
    for (const account of [ACCOUNT, "ada in /home/ada/a project", "b".repeat(200)]) {
      assert.equal(await readOpenItem(bus, itemOf(account), bound), undefined);
      await tool.set(account, `${SECRET}${account.length}`, bound);
      assert.equal(await readOpenItem(bus, itemOf(account), bound), `${SECRET}${account.length}`);
    }
    await tool.delete(ACCOUNT, bound);
    assert.equal(await readOpenItem(bus, itemOf(ACCOUNT), bound), undefined);
  });
});

Deno.test("the system's store reads an open item without a child, and asks the tool why there is none", async () => {
  await withKeyring(async ({ tool, keyring, bus }) => {
    await tool.set(ACCOUNT, SECRET, bound);
    const calls: string[] = [];
    const store = systemStore({
      os: "linux",
      bus,
      processes: () =>
        Promise.resolve({
          run: (command, args, options) => {
            calls.push(String(args[0]));
            return run(command, args, options);
          },
          childEnvironment: () => keyring.env,
        }),
      credentialManager: () => assert.fail("not on Windows"),
    });
    assert.equal(await store.get(ACCOUNT, bound), SECRET);
    assert.deepEqual(calls, []);
    assert.equal(await store.get("nobody", bound), undefined);
    assert.deepEqual(calls, ["lookup", "search"]);
    await keyring.lock();
    await expectRejection(store.get(ACCOUNT, bound), { code: "KEYRING_LOCKED", says: /is locked/ });
  });
});

Deno.test("a locked item, no service, no bus and an address of another kind are left to the tool", async () => {
  await withKeyring(async ({ tool, keyring, bus }) => {
    await tool.set(ACCOUNT, SECRET, bound);
    await keyring.lock();
    assert.equal(await readOpenItem(bus, itemOf(ACCOUNT), bound), undefined);
    await keyring.stopDaemon();
    assert.equal(await readOpenItem(bus, itemOf(ACCOUNT), bound), undefined);
  });
  for (const bus of [undefined, "unix:path=/nonexistent", "unix:abstract=/tmp/x", "tcp:host=localhost", ""]) {
    assert.equal(await readOpenItem(bus, itemOf(ACCOUNT), bound), undefined, String(bus));
  }
});

/** A bus that answers every connection with these bytes, and then ends it or says nothing more. */
async function withBus(
  answer: () => Uint8Array,
  ends: boolean,
  test: (bus: string) => Promise<void>,
): Promise<void> {
  await inScratch(async (folder) => {
    const path = `${folder}/bus`;
    using listener = Deno.listen({ transport: "unix", path });
    const open: Deno.Conn[] = [];
    const serving = (async () => {
      for await (const connection of listener) {
        open.push(connection);
        await connection.read(new Uint8Array(4096)).catch(() => {});
        await connection.write(answer()).catch(() => {});
        if (ends) connection.close();
      }
    })();
    await test(`unix:path=${path}`);
    listener.close();
    if (!ends) open.forEach((connection) => connection.close());
    await serving;
  });
}

Deno.test("a bus that says nothing more is KEYRING_TIMEOUT, and a signal ends the wait", async () => {
  await withBus(() => new TextEncoder().encode("OK 1234\r\n"), false, async (bus) => {
    await expectRejection(readOpenItem(bus, itemOf(ACCOUNT), { timeout: 50 }), {
      code: "KEYRING_TIMEOUT",
      says: /did not answer within 50 ms/,
    });
    const reason = new Error("Ctrl-C");
    await assert.rejects(
      readOpenItem(bus, itemOf(ACCOUNT), { ...bound, signal: AbortSignal.abort(reason) }),
      reason,
    );
    const controller = new AbortController();
    const asked = readOpenItem(bus, itemOf(ACCOUNT), { ...bound, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(asked, reason);
  });
});

Deno.test("a bus that never stops sending is left, with or without messages", async () => {
  // A signal of no fields: what a bus sends to those who ask for nothing.
  const signal = [108, 4, 1, 1, ...[0, 0, 0, 0], ...[1, 0, 0, 0], ...[0, 0, 0, 0]];
  for (const sent of [signal, [65]]) {
    await inScratch(async (folder) => {
      const path = `${folder}/bus`;
      using listener = Deno.listen({ transport: "unix", path });
      const many = Uint8Array.from({ length: 1024 * sent.length }, (_, at) => sent[at % sent.length] ?? 0);
      const serving = (async () => {
        using connection = await listener.accept();
        await connection.write(new TextEncoder().encode(sent === signal ? "OK 1234\r\n" : ""));
        let written = 0;
        try {
          for (; written < 64 * 1024 * 1024;) written += await connection.write(many);
        } catch {
          // It was left.
        }
        return written;
      })();
      assert.equal(await readOpenItem(`unix:path=${path}`, itemOf(ACCOUNT), bound), undefined);
      assert.ok(await serving < 8 * 1024 * 1024);
    });
  }
});

Deno.test("whatever a bus answers, nothing is thrown and no secret is made of it", async () => {
  const greeted = [...new TextEncoder().encode("OK 1234\r\n")];
  const header = (type: number, body: number, fields: number) => [
    108,
    type,
    0,
    1,
    ...[body, 0, 0, 0],
    ...[9, 0, 0, 0],
    ...[fields & 255, fields >> 8, 0, 0],
  ];
  const answers = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => [...bytes]),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => [...greeted, ...bytes]),
    fc.tuple(fc.integer({ min: 0, max: 5 }), fc.nat(255), fc.nat(65_535), fc.uint8Array({ maxLength: 400 }))
      .map(([type, body, fields, bytes]) => [...greeted, ...header(type, body, fields), ...bytes]),
  );
  let answer: readonly number[] = [];
  await withBus(() => Uint8Array.from(answer), true, async (bus) => {
    await fc.assert(
      fc.asyncProperty(answers, async (bytes) => {
        answer = bytes;
        assert.equal(await readOpenItem(bus, itemOf(ACCOUNT), bound), undefined);
      }),
      { numRuns: 150 },
    );
  });
});
