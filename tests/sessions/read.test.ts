/** Proves that a damaged or loose file is told and hides no other, and that a held lock is waited for. */

import assert from "node:assert/strict";
import { SessionStore } from "../../src/sessions/store.ts";
import { expectRejection } from "../expect-error.ts";
import { edit, opened, openSandbox } from "./sandbox.ts";
import { testHost } from "../host.ts";
import { CLOUDS } from "../clouds.ts";

const posix = Deno.build.os !== "windows";

Deno.test("a session's file copied over another's acts in nobody's name", async () => {
  await using sandbox = await openSandbox();
  const ada = (await sandbox.add()).session;
  const grace = (await sandbox.add({ email: "grace@example.com", subject: "2" })).session;
  const paths = await sandbox.paths(ada.name);
  await Deno.copyFile((await sandbox.paths(grace.name)).file, paths.file);
  await expectRejection(sandbox.store.read(ada.name), {
    code: "STORAGE",
    message: /another session, "grace@example\.com@/,
  });
  const listed = await sandbox.store.list();
  assert.deepEqual(listed.sessions.map(({ name }) => name), [grace.name]);
  assert.equal(listed.damaged.length, 1);

  await edit(paths.file, (value) => ({ ...value, name: ada.name }));
  await expectRejection(opened(sandbox, ada.name), "KEYRING_ITEM_MISSING");

  // With the key copied, too, it is grace's in all but its label: no name of ada's gets at her tokens.
  await Deno.copyFile((await sandbox.paths(grace.name)).key, paths.key);
  assert.equal((await opened(sandbox, ada.name)).session.user.subject, "2");
});

Deno.test("one damaged, newer, huge or strange file hides no other", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const folder = sandbox.store.folders.sessions;
  await Deno.writeTextFile(`${folder}/aaaaaaaaaaaaaaaa.json`, "{");
  await Deno.writeTextFile(`${folder}/bbbbbbbbbbbbbbbb.json`, JSON.stringify({ schemaVersion: 2 }));
  await Deno.mkdir(`${folder}/cccccccccccccccc.json`);
  const huge = await Deno.open(`${folder}/dddddddddddddddd.json`, { create: true, write: true });
  await huge.truncate(17 * 1024 * 1024);
  huge.close();
  await Deno.writeTextFile(`${folder}/notes.json`, "{");
  const { sessions, damaged } = await sandbox.store.list();
  assert.deepEqual(sessions.map(({ name }) => name), [session.name]);
  assert.deepEqual(damaged.map(({ code }) => code), ["STORAGE", "STORAGE", "STORAGE", "STORAGE"]);
});

Deno.test("loose permissions of our files are taken away, and that is said", { ignore: !posix }, async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  await sandbox.store.activate(session.name);
  const { file, key } = await sandbox.paths(session.name);
  const config = `${sandbox.folder}/config.json`;
  const folder = sandbox.store.folders.sessions;
  for (const path of [file, key, config]) await Deno.chmod(path, 0o644);
  await Deno.chmod(folder, 0o755);
  await opened(sandbox, session.name);
  await sandbox.store.active();
  await sandbox.store.list();
  for (const path of [file, key, config, folder]) {
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o077, 0, path);
    assert.equal(
      sandbox.notices.filter((line) => line.includes(`${path} `) || line.includes(`${path};`)).length,
      1,
      path,
    );
  }
  await Deno.chmod(folder, 0o755);
  const notices: string[] = [];
  const again = new SessionStore(
    testHost({ DATUMCTL_CONFIG_DIR: sandbox.folder }, { notice: (line) => void notices.push(line) }),
    CLOUDS,
  );
  await again.list();
  assert.equal(notices.length, 1, "the folder alone is mended without a key file, too");
  await Deno.chmod(folder, 0o755);
  await again.list();
  assert.equal(notices.length, 1, "one process says the same thing once");
});

Deno.test("a held lock is BUSY after the wait, and names the session", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const lock = await sandbox.store.lock(name, 1_000);
  try {
    await expectRejection(sandbox.store.lock(name, 60), {
      code: "BUSY",
      message: /ada@example\.com/,
      retryable: true,
    });
  } finally {
    lock.release();
  }
  (await sandbox.store.lock(name, 60)).release();
});
