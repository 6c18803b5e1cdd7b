/** Proves what a session file must hold, and how damage is told. */

import assert from "node:assert/strict";
import { formatSession } from "../../src/sessions/session-file.ts";
import { openSandbox } from "./sandbox.ts";

Deno.test("formatSession() ends with one newline, so that an editor changes nothing", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  assert.match(formatSession(session), /\}\n$/);
});
