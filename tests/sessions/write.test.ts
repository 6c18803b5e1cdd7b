/** Proves that changes of a session's public fields are neither lost nor bring one back. */

import assert from "node:assert/strict";
import { readSession } from "../../src/sessions/read.ts";
import { removeSession } from "../../src/sessions/remove.ts";
import { updateSession } from "../../src/sessions/write.ts";
import { BOUND, openSandbox } from "./sandbox.ts";

Deno.test("an update of a session that was removed meanwhile writes nothing back", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file } = await sandbox.paths(session.name);
  await removeSession(sandbox.store, session, BOUND);
  await updateSession(sandbox.store, session.name, (now) => ({ ...now, kubectlToken: "id" }));
  await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
});

Deno.test("updates of one session at the same time lose nothing", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  await Promise.all([
    updateSession(sandbox.store, name, (now) => ({ ...now, kubectlToken: "id" })),
    updateSession(sandbox.store, name, (now) => ({ ...now, inUse: { project: "p" } })),
    updateSession(sandbox.store, name, (now) => ({ ...now, tokenExpires: "b" })),
  ]);
  const session = await readSession(sandbox.store, name);
  assert.equal(session?.kubectlToken, "id");
  assert.equal(session?.inUse?.project, "p");
  assert.equal(session?.tokenExpires, "b");
});
