/** Proves that changes of a session's public fields and of config.json lose nothing, and how damage is reported. */

import assert from "node:assert/strict";
import { SessionStore } from "../../src/sessions/store.ts";
import { expectRejection } from "../expect-error.ts";
import { testHost } from "../host.ts";
import { CLOUDS } from "../clouds.ts";
import type { SessionChange } from "../../src/sessions/write.ts";
import { assertMissing } from "../scratch.ts";
import { BOUND, openSandbox } from "./sandbox.ts";

Deno.test("an update of a session that was removed meanwhile writes nothing back", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file } = await sandbox.paths(session.name);
  await sandbox.store.remove(session, BOUND);
  await sandbox.store.update(session.name, () => ({ kubectlToken: "id" }));
  await assertMissing(file);
});

// @ts-expect-error: the name belongs to the file, and what is sealed wins when the session is opened.
const _refused: SessionChange = () => ({ name: "other", apiHost: "api.example.com" });

Deno.test("updates of one session at the same time lose nothing", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  await Promise.all([
    sandbox.store.update(name, () => ({ kubectlToken: "id" })),
    sandbox.store.update(name, () => ({ inUse: { project: "p" } })),
    sandbox.store.update(name, () => ({ tokenExpires: "b" })),
  ]);
  const session = await sandbox.store.read(name);
  assert.equal(session?.kubectlToken, "id");
  assert.equal(session?.inUse?.project, "p");
  assert.equal(session?.tokenExpires, "b");
});

// ---- config.json ----

Deno.test("config.json keeps members that are not known here", async () => {
  await using sandbox = await openSandbox();
  const path = `${sandbox.folder}/config.json`;
  await Deno.writeTextFile(path, '{"schemaVersion":1,"later":{"a":[1]}}');
  await sandbox.store.activate("x");
  assert.deepEqual(JSON.parse(await Deno.readTextFile(path)), {
    schemaVersion: 1,
    later: { a: [1] },
    activeSession: "x",
  });
});

Deno.test("a damaged or newer config.json is told with its path and stays as it is", async () => {
  await using sandbox = await openSandbox();
  const path = `${sandbox.folder}/config.json`;
  for (
    const text of [
      "",
      "{",
      "[]",
      "null",
      '{"schemaVersion":2}',
      '{"schemaVersion":"\u202e\u009b"}',
      '{"schemaVersion":1,"activeSession":7}',
    ]
  ) {
    await Deno.writeTextFile(path, text);
    const error = await expectRejection(sandbox.store.active(), "STORAGE");
    assert.ok(error.message.startsWith(path), error.message);
    assert.doesNotMatch(error.message, /[\u202e\u009b]/);
    await expectRejection(sandbox.store.activate("x"), "STORAGE");
    assert.equal(await Deno.readTextFile(path), text);
  }
});

Deno.test("a folder that cannot be is a STORAGE error that names it", async () => {
  await using sandbox = await openSandbox();
  await Deno.writeTextFile(`${sandbox.folder}/file`, "");
  const store = new SessionStore(testHost({ DATUMCTL_CONFIG_DIR: `${sandbox.folder}/file/x` }), CLOUDS);
  await expectRejection(store.activate("x"), { code: "STORAGE", message: /file\/x/ });
  assert.deepEqual((await store.list()).sessions, []);
});
