/** Proves that changes of a session's public fields are neither lost nor bring one back. */

import assert from "node:assert/strict";
import { BOUND, openSandbox } from "./sandbox.ts";

Deno.test("an update of a session that was removed meanwhile writes nothing back", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file } = await sandbox.paths(session.name);
  await sandbox.store.remove(session, BOUND);
  await sandbox.store.update(session.name, (now) => ({ ...now, kubectlToken: "id" }));
  await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
});

Deno.test("updates of one session at the same time lose nothing", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  await Promise.all([
    sandbox.store.update(name, (now) => ({ ...now, kubectlToken: "id" })),
    sandbox.store.update(name, (now) => ({ ...now, inUse: { project: "p" } })),
    sandbox.store.update(name, (now) => ({ ...now, tokenExpires: "b" })),
  ]);
  const session = await sandbox.store.read(name);
  assert.equal(session?.kubectlToken, "id");
  assert.equal(session?.inUse?.project, "p");
  assert.equal(session?.tokenExpires, "b");
});
