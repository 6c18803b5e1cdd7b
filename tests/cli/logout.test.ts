/** Proves what a logout ends and says, whom it means, and what is told when a part of it fails. */

import assert from "node:assert/strict";
import { onlyPrintedError } from "../expect-error.ts";
import { assertMissing } from "../scratch.ts";
import { runLine } from "./run-line.ts";
import { AppError } from "../../src/errors.ts";
import { ADA, at, GRACE, openSignedIn, openWorld, type World } from "./world.ts";

const stored = async ({ sandbox }: World, name: string) => await sandbox.store.read(name) !== undefined;

Deno.test("logout revokes at the issuer and leaves nothing here", async () => {
  await using world = await openSignedIn(GRACE);
  const { cloud } = world;
  cloud.resetCounts();
  assert.match(
    await world.ok(`logout ${ADA}`),
    /^Revoked at the issuer and removed here: ada@example\.com/,
  );
  assert.equal(cloud.counts().revocation, 1, "the refresh token, and the access token with it");
  assert.equal(await stored(world, at(world, ADA)), false);
  const gone = await world.run(`auth get-token --session ${at(world, ADA)}`);
  assert.equal(gone.code, 4);
  assert.match(gone.stderr, /datumctl login --profile ada/);
});

Deno.test("logout --all ends every session, and nobody is left to log out", async () => {
  await using world = await openSignedIn(GRACE);
  await world.ok("logout --all");
  assert.equal(await world.ok("auth list -o json"), "[]\n");
  assert.equal(await world.ok("logout --all"), "Nobody was signed in.\n");
  assert.equal((await world.run("logout")).code, 4);
  assert.equal((await world.run("logout --all ada")).code, 2);
});

Deno.test("logout --kubeconfig takes the session's entries along", async () => {
  await using world = await openSignedIn();
  const { kubeconfig } = world;
  await world.ok("auth update-kubeconfig --project web");
  assert.ok((await Deno.readTextFile(kubeconfig)).includes(`datum-${at(world, ADA)}`));
  await world.ok(`logout --kubeconfig ${kubeconfig}`);
  const after = await Deno.readTextFile(kubeconfig);
  assert.ok(!after.includes(`datum-${at(world, ADA)}`), after);
});

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

Deno.test("logout with the issuer out of reach removes here and exits 6, unless it is to keep", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await world.cloud.setFaults({ down: ["issuer"] });
  const kept = await world.run("logout --keep");
  assert.equal(kept.code, 6, kept.stderr);
  assert.match(kept.stderr, /stays signed in/);
  assert.ok(await world.sandbox.store.read(at(world, ADA)) !== undefined);
  const gone = await world.run("logout");
  assert.equal(gone.code, 6);
  assert.match(gone.stdout, /^Removed here: ada/);
  assert.match(
    gone.stderr,
    /still valid at 127\.0\.0\.1:\d+ until it expires or is revoked there \(its access token: 20\S+Z\): /,
  );
  assert.equal(await world.sandbox.store.read(at(world, ADA)), undefined);
});

Deno.test("logout with the keyring locked removes the file, names the item, and tells what is still valid", async () => {
  await using world = await openWorld();
  await world.login(ADA, "--keyring system");
  world.sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  assert.equal((await world.run("logout --keep")).code, 4, "kept: it could not be revoked");
  world.sandbox.system.failing = "delete";
  await world.cloud.setFaults({ down: ["issuer"] });
  const { code, stderr } = await world.run("logout -q");
  assert.equal(code, 6, "the grant that lives on weighs most");
  assert.match(
    stderr,
    /^error: ada@example\.com is still valid at .*: .* ada@example\.com is signed out here, but/,
  );
  assert.match(stderr, /item "ada@example\.com@.*" \(service datumctl\) was left behind/);
  assert.equal(await world.sandbox.store.read(at(world, ADA)), undefined);
});
