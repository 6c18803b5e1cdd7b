/** Proves what is kept where of a sign-in, and that one that fails leaves nothing. */

import assert from "node:assert/strict";
import { expectRejection } from "../expect-error.ts";
import { modeOf } from "../scratch.ts";
import { refuseSuccessors } from "../system/refuse-successors.ts";
import { opened, openSandbox } from "./sandbox.ts";

const posix = Deno.build.os !== "windows";

Deno.test("a session's file holds no token in the clear, and is private in a private folder that git ignores", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file, key } = await sandbox.paths(session.name);
  const { credentials } = await opened(sandbox, session.name);
  const text = await Deno.readTextFile(file);
  for (const secret of [credentials.accessToken, credentials.idToken, credentials.refreshToken]) {
    assert.ok(secret !== undefined && !text.includes(secret));
  }
  assert.equal(await Deno.readTextFile(`${sandbox.store.folders.sessions}/.gitignore`), "*\n");
  if (!posix) return;
  for (const path of [file, key]) assert.equal(await modeOf(path), 0o600);
  assert.equal(await modeOf(sandbox.store.folders.sessions), 0o700);
});

Deno.test("a file of a newer schema is overwritten by no sign-in, and no key is left for it", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  const { file } = await sandbox.paths(session.name);
  const newer = JSON.stringify({ ...session, schemaVersion: 2 });
  await Deno.writeTextFile(file, newer);
  const items = [...sandbox.system.items];
  await expectRejection(sandbox.add({ keyStore: "system" }), { code: "STORAGE", message: /newer datumctl/ });
  assert.equal(await Deno.readTextFile(file), newer);
  assert.deepEqual([...sandbox.system.items], items);
});

Deno.test("a name that belongs to another identity is not taken over", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ name: "work" });
  const before = await Deno.readTextFile((await sandbox.paths("work")).file);
  await expectRejection(sandbox.add({ name: "work", subject: "2" }), {
    code: "IDENTITY_MISMATCH",
    message: /"work"/,
  });
  assert.equal(await Deno.readTextFile((await sandbox.paths("work")).file), before);
  assert.equal((await opened(sandbox, "work")).session.user.subject, session.user.subject);
});

Deno.test("the key is made once and kept through a second sign-in", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  const key = sandbox.system.items.get(session.name);
  await sandbox.add({ keyStore: "system" });
  assert.equal(sandbox.system.items.get(session.name), key);
  await opened(sandbox, session.name);
  assert.deepEqual(
    sandbox.system.calls.slice(0, 2),
    ["set", "get"],
    "it is read back before it is relied on",
  );
});

Deno.test("a keyring that gives back another key is passed over, and keeps none of ours", async () => {
  await using sandbox = await openSandbox();
  sandbox.system.forgetful = true;
  await expectRejection(sandbox.add({ keyStore: "system" }), "KEYRING_UNAVAILABLE");
  assert.equal(sandbox.system.items.size, 0);
  assert.deepEqual((await sandbox.store.list()).sessions, []);
});

Deno.test("a sign-in that cannot be written leaves neither key nor file", async () => {
  await using sandbox = await openSandbox();
  const name = "ada@example.com@api.example.com";
  const { file } = await sandbox.paths(name);
  await using _full = await refuseSuccessors(file);
  await expectRejection(sandbox.add({ keyStore: "system" }), "STORAGE");
  assert.equal(sandbox.system.items.size, 0);
  assert.equal(await sandbox.store.read(name), undefined);
});

Deno.test("a session that moves to another store keeps its old key until the new file is in place", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  const { file } = await sandbox.paths(session.name);
  {
    await using _full = await refuseSuccessors(file);
    await expectRejection(sandbox.add({ keyStore: "file" }), "STORAGE");
    await opened(sandbox, session.name);
  }
  await sandbox.add({ keyStore: "file" });
  assert.equal((await opened(sandbox, session.name)).session.keyStore, "file");
  assert.equal(sandbox.system.items.size, 0);
});

Deno.test("ten sign-ins at once into an empty folder are ten sessions", async () => {
  await using sandbox = await openSandbox();
  const all = Array.from({ length: 10 }, (_, at) => String(at));
  await Promise.all(all.map(async (at) => {
    const { session } = await sandbox.add({ email: `user-${at}@example.com`, subject: at });
    await sandbox.store.activate(session.name);
  }));
  assert.equal((await sandbox.store.list()).sessions.length, 10);
  assert.match(await sandbox.store.active() ?? "", /^user-\d@/);
});
