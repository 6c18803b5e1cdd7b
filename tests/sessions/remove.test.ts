/** Proves that a removal leaves nothing, whatever fails on the way. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { expectRejection } from "../expect-error.ts";
import { namesIn } from "../scratch.ts";
import { BOUND, openSandbox } from "./sandbox.ts";

Deno.test("a removed session leaves no file, key, failure, half-written file or name behind", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  await sandbox.store.activate(session.name);
  const { file, key, failure: remembered, deliveries } = await sandbox.paths(session.name);
  const elsewhere = (await sandbox.paths("gone")).failure;
  const halves = [file, key, remembered, elsewhere, deliveries].map((path) =>
    `${path}.new-${crypto.randomUUID()}`
  );
  for (const path of [...halves, remembered, deliveries, elsewhere]) {
    await Deno.writeTextFile(path, session.name);
  }
  assert.equal((await sandbox.store.remove(session, BOUND)).leftBehind, undefined);
  const left = await namesIn(sandbox.store.folders.sessions);
  assert.deepEqual(left.filter((name) => !name.endsWith(".lock")), [".gitignore"]);
  for (const name of left) {
    assert.doesNotMatch(await Deno.readTextFile(`${sandbox.store.folders.sessions}/${name}`), /ada/);
  }
  assert.doesNotMatch(await Deno.readTextFile(`${sandbox.folder}/config.json`), /ada/);
});

Deno.test("with the keyring locked the file goes all the same, and the item is told as left behind", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  await sandbox.store.activate(session.name);
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  const { leftBehind } = await sandbox.store.remove(session, BOUND);
  assert.equal(leftBehind?.code, "KEYRING_LOCKED");
  assert.equal(await sandbox.store.read(session.name), undefined);
  assert.equal(await sandbox.store.active(), undefined);
});

Deno.test("a damaged config.json keeps no key from its removal", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  await Deno.writeTextFile(`${sandbox.folder}/config.json`, "{");
  await expectRejection(sandbox.store.remove(session, BOUND), "STORAGE");
  assert.equal(sandbox.system.items.size, 0);
});
