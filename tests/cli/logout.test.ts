/** Proves what a logout says when a part of it fails, and whom it means, from source. */

import assert from "node:assert/strict";
import { onlyPrintedError } from "../expect-error.ts";
import { assertMissing } from "../scratch.ts";
import { runLine } from "./run-line.ts";
import { ADA, at, GRACE, openWorld, type World } from "./world.ts";

const stored = async ({ sandbox }: World, name: string) => await sandbox.store.read(name) !== undefined;

Deno.test("a kubeconfig that cannot be read hides neither that the session went nor that its grant lives on", async () => {
  await using world = await openWorld();
  await Deno.writeTextFile(world.kubeconfig, "users: [\n");
  const words = `logout --kubeconfig ${world.kubeconfig} --error-format json`;

  await world.login(ADA);
  const broken = await world.run(words);
  assert.equal(broken.code, 1);
  assert.equal(broken.stdout, `Revoked at the issuer and removed here: ${ADA} at ${world.cloud.apiHost}.\n`);
  onlyPrintedError(broken, "KUBECONFIG");

  await world.login(ADA);
  await world.cloud.setFaults({ revocation: { status: 503 } });
  const both = await world.run(words);
  assert.equal(both.code, 6);
  assert.match(both.stdout, /^Removed here: ada/);
  onlyPrintedError(both, {
    code: "NETWORK",
    retryable: false,
    message: /ada@example\.com is still valid at .*503.*kubeconfig/s,
  });
  assert.equal(await stored(world, at(world, ADA)), false);
});

Deno.test("a refused revocation keeps its own code; no failure after the removal can be tried again", async () => {
  await using world = await openWorld();
  for (
    const [fault, code, exit] of [
      [{ status: 400, json: { error: "invalid_client" } }, "ISSUER_ERROR", 1],
      [{ status: 503 }, "NETWORK", 6],
    ] as const
  ) {
    await world.login(ADA);
    await world.cloud.setFaults({ revocation: fault });
    const kept = await world.run("logout --keep --error-format json");
    onlyPrintedError(kept, { exitCode: exit, retryable: exit === 6 });
    const gone = await world.run("logout --error-format json");
    onlyPrintedError(gone, { code, exitCode: exit, retryable: false, message: /still valid at/ });
    assert.equal(await stored(world, at(world, ADA)), false);
    await world.cloud.setFaults({});
  }
});

Deno.test("logout --all names every session that lives on, with -q too", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await world.login(GRACE);
  await world.cloud.setFaults({ down: ["issuer"] });
  const ran = await world.run("logout --all -q --error-format json");
  assert.equal(ran.stdout.match(/^Removed here: /gm)?.length, 2);
  onlyPrintedError(ran, {
    exitCode: 6,
    message: /ada@example\.com is still valid.* grace@example\.com is still valid/,
  });
});

Deno.test("--profile and DATUMCTL_PROFILE say exactly which session a logout or switch means", async () => {
  await using world = await openWorld();
  for (const name of ["one", "two"]) await world.sandbox.add({ name });
  await world.sandbox.add({ name: "grace", subject: "2", email: GRACE });
  const env = { DATUMCTL_PROFILE: "two" };
  const active = async () => await world.sandbox.store.active();

  await world.ok("auth switch", { env });
  assert.equal(await active(), "two");
  await world.ok("auth switch --profile one", { env });
  assert.equal(await active(), "one", "the flag beats the variable");
  await world.ok(`auth switch ${ADA} --profile two`);
  assert.equal(await active(), "two", "which of a person's sessions");
  await world.ok("auth switch grace", { env });
  assert.equal(await active(), "grace", "a user beats the variable");

  for (const command of ["logout", "auth switch"]) {
    for (
      const [words, variables, code, says] of [
        [`--profile ${ADA}`, {}, 4, /no session ada@example\.com here/],
        ["", { DATUMCTL_PROFILE: "nobody" }, 4, /no session nobody here.*grace, one, two/],
        [
          `${GRACE} --profile one`,
          {},
          2,
          /--profile names the session "one", which does not belong to grace@example\.com/,
        ],
        ["two --profile one", {}, 2, /"one", which does not belong to two/],
        ["nobody", {}, 1, /nobody is not signed in here/],
      ] as const
    ) {
      const ran = await world.run(`${command} ${words}`, { env: variables });
      assert.deepEqual([ran.code, ran.stdout], [code, ""], `${command} ${words}: ${ran.stderr}`);
      assert.match(ran.stderr, says);
    }
  }
  assert.equal(await active(), "grace");
  await world.run("logout", { env });
  assert.deepEqual(await Promise.all(["one", "two", "grace"].map((name) => stored(world, name))), [
    true,
    false,
    true,
  ]);
});

Deno.test("an empty user is wrong usage, for a logout and for a switch", async () => {
  await using world = await openWorld();
  await world.sandbox.add({ name: "one" });
  for (const command of [["logout", ""], ["auth", "switch", ""]]) {
    const { code, stderr } = await runLine(command, { store: world.sandbox.store });
    assert.equal(code, 2);
    assert.match(stderr, /^error: The user's name is empty\.\n/);
  }
  assert.equal(await stored(world, "one"), true);
});

Deno.test("a kubeconfig that is not there is named by the logout, and neither it nor its folder is made", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const folder = `${world.sandbox.folder}/no/such`;
  const { code, stderr } = await world.run(`logout --kubeconfig ${folder}/config`);
  assert.equal(code, 0);
  assert.match(stderr, /There is no kubeconfig .*\/no\/such\/config: no entry was removed/);
  await assertMissing(`${world.sandbox.folder}/no`);
});
