/** Proves that a token which `login --force` replaced is ended, at once or by the next command. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import { openStudioWorld, type StudioWorld } from "../studio-world.ts";

const LOGOUT = "/api/device-logout";

const names = ({ studio }: StudioWorld) => studio.tokens().map(({ name }) => name).sort();

/** How often Studio was asked to revoke something since the last reset. */
const revocations = ({ studio }: StudioWorld) =>
  studio.requests().filter(({ path }) => path === LOGOUT).length;

/** A world where a token was replaced and could not be revoked. */
async function replaced(name: string): Promise<StudioWorld> {
  const world = await openStudioWorld();
  assert.equal((await world.login(["--name", "first"])).code, 0);
  await world.studio.setFaults({ revocation: { status: 500 } });
  const { code, stderr } = await world.login(["--name", name, "--force"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /The token "first" that was here before is still valid at \S+ until 20\S+Z: .*500/);
  assert.equal(world.studio.tokens().length, 2);
  await world.studio.setFaults({});
  world.studio.resetRequests();
  return world;
}

for (const name of ["first", "second"]) {
  Deno.test(`Ctrl-C while the old token is revoked says that it is valid; logout ends both: ${name}`, async () => {
    await using world = await openStudioWorld();
    assert.equal((await world.login(["--name", "first"])).code, 0);
    await world.studio.setFaults({ revocation: { slow: 60_000 } });
    const stop = new AbortController();
    const { code, stdout, stderr } = await world.login(["--name", name, "--force"], {
      interrupted: stop.signal,
      onStderr(soFar) {
        // What is told last before the revocation.
        if (soFar.includes("Next: ")) stop.abort(new AppError("INTERRUPTED", "Stopped by Ctrl-C."));
      },
    });
    assert.equal(code, 130, stderr);
    assert.match(stdout, new RegExp(`^Signed in at \\S+ with the token "${name}"`));
    assert.match(
      stderr,
      /warning: The token "first" that was here before is still valid at \S+ until 20\S+Z: .*with the new one: datumctl logout;/,
    );
    assert.equal(world.studio.tokens().length, 2);
    await world.studio.setFaults({});
    await world.ok(["logout", "--all"]);
    assert.deepEqual(names(world), []);
  });

  Deno.test(`a token whose revocation failed is revoked by the next logout: ${name}`, async () => {
    await using world = await replaced(name);
    const { code, stdout, stderr } = await world.run(["logout"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^Revoked and removed here: ${name}@`));
    assert.match(stderr, /The token "first" that was here before is revoked, too/);
    assert.deepEqual(names(world), []);
  });

  Deno.test(`a token whose revocation failed is revoked by the next login: ${name}`, async () => {
    await using world = await replaced(name);
    const { code, stderr } = await world.login(["--name", "third", "--force"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /The token "first" that was here before is revoked/);
    assert.deepEqual(names(world), ["third"]);
    world.studio.resetRequests();
    const logout = await world.run(["logout"]);
    assert.doesNotMatch(logout.stderr, /first/);
    assert.equal(revocations(world), 1, "what is revoked is not kept");
  });
}

Deno.test("a token that was revoked at once is kept no longer", async () => {
  await using world = await openStudioWorld();
  assert.equal((await world.login(["--name", "first"])).code, 0);
  assert.equal((await world.login(["--name", "second", "--force"])).code, 0);
  assert.deepEqual(names(world), ["second"]);
  world.studio.resetRequests();
  await world.ok(["logout"]);
  assert.equal(revocations(world), 1);
});

Deno.test("a logout that cannot revoke the older token says so; with --keep it revokes neither", async () => {
  await using world = await replaced("second");
  await world.studio.setFaults({ revocation: { status: 503, times: 1 } });
  const kept = await world.run(["logout", "--keep"]);
  assert.equal(kept.code, 6, kept.stderr);
  assert.match(kept.stderr, /stays signed in/);
  assert.deepEqual(names(world), ["first", "second"]);

  await world.studio.setFaults({ revocation: { status: 503, times: 1 } });
  const { code, stdout, stderr } = await world.run(["logout"]);
  assert.equal(code, 6);
  assert.match(stdout, /^Revoked and removed here: second@/);
  assert.match(stderr, /The token "first", which was here before, is still valid at \S+ until 20\S+Z: .*503/);
  assert.deepEqual(names(world), ["first"]);
});

Deno.test("an older token that has ended is kept no longer, whether it could be revoked or not", async () => {
  await using world = await openStudioWorld();
  assert.equal((await world.login(["--name", "first", "--expires-in", "1"])).code, 0);
  await world.studio.setFaults({ revocation: { status: 500 } });
  assert.equal((await world.login(["--name", "second", "--force"])).code, 0);
  world.sandbox.time += 2 * 86_400_000;
  const third = await world.login(["--name", "third", "--force"]);
  assert.doesNotMatch(third.stderr, /first/);
  assert.match(third.stderr, /"second" that was here before is still valid/);
});
