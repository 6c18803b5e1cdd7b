/** Proves which session a call means, and what is said where there is none. */

import assert from "node:assert/strict";
import { chooseSession } from "../../src/sessions/choose.ts";
import { expectRejection } from "../expect-error.ts";
import { openSandbox } from "./sandbox.ts";

Deno.test("which session: the flag, else the variable, else the active one; else who there is", async () => {
  await using sandbox = await openSandbox();
  const { store } = sandbox;
  await expectRejection(chooseSession(store, {}), { code: "NOT_SIGNED_IN", hint: "Sign in: datumctl login" });
  await sandbox.add({ name: "a" });
  await sandbox.add({ name: "b", subject: "2" });
  await expectRejection(chooseSession(store, {}), { code: "NOT_SIGNED_IN", message: /Stored here: a, b\./ });
  await store.activate("b");
  const chosen = async (choice: Parameters<typeof chooseSession>[1]) => {
    const { session: { name }, source } = await chooseSession(store, choice);
    return [name, source];
  };
  assert.deepEqual(await chosen({}), ["b", "the active session"]);
  assert.deepEqual(await chosen({ variable: { name: "DATUMCTL_PROFILE", session: "a" } }), [
    "a",
    "DATUMCTL_PROFILE",
  ]);
  assert.deepEqual(await chosen({ flag: "b", variable: { name: "DATUMCTL_PROFILE", session: "a" } }), [
    "b",
    "--profile",
  ]);
  await expectRejection(chooseSession(store, { flag: "c" }), {
    code: "NOT_SIGNED_IN",
    message: /no session c here\. Stored here: a, b\./,
    hint: /datumctl login --profile c/,
  });
  for (const flag of ["../x", "\u001b[31m", "a b", ""]) {
    const error = await expectRejection(chooseSession(store, { flag }), "NOT_SIGNED_IN");
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(`${error.message}${error.hint}`, /\.\.\/x|\u001b|a b/);
  }
  await store.activate("gone");
  await expectRejection(chooseSession(store, {}), "NOT_SIGNED_IN");
});
