/** Proves that of two sign-ins at one Studio no token is left that nobody knows of, and that a late failure stops no cleaning up. */

import assert from "node:assert/strict";
import { assertMissing } from "../../scratch.ts";
import { openStudioWorld, type StudioWorld } from "../studio-world.ts";
import type { Ran } from "../run-line.ts";

/** Begins a sign-in that waits for its person; the returned function confirms it. */
async function begin(world: StudioWorld, flags: readonly string[]): Promise<() => Promise<Ran>> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const running = world.login(flags, { onCode: resolve });
  const code = await Promise.race([promise, running.then(({ stderr }) => assert.fail(stderr))]);
  return () => {
    world.studio.approve(code);
    return running;
  };
}

const names = ({ studio }: StudioWorld) => studio.tokens().map(({ name }) => name).sort();

for (const [what, late] of [["another name", "two"], ["the same name", "one"]] as const) {
  Deno.test(`who confirms second, under ${what}, is refused, and gets no token`, async () => {
    await using world = await openStudioWorld();
    const confirm = await begin(world, ["--name", late, "--export-datachain"]);
    assert.equal((await world.login(["--name", "one"])).code, 0);
    const first = world.studio.tokens()[0]?.token;
    const { code, stdout, stderr } = await confirm();
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, /already signed in at \S+, with the token "one".*meantime.*\n.*--force/);
    assert.match(stderr, new RegExp(`token "${late}" that was just created is revoked`));
    assert.deepEqual(world.studio.tokens().map(({ token }) => token), [first]);
    assert.equal(await world.ok(["auth", "token"]), `${first}\n`);
    await assertMissing(`${world.home}/.config/datachain/config`);
  });

  Deno.test(`who confirms second with --force, under ${what}, ends the newcomer as well`, async () => {
    await using world = await openStudioWorld();
    assert.equal((await world.login(["--name", "old"])).code, 0);
    const confirm = await begin(world, ["--name", late, "--force"]);
    assert.equal((await world.login(["--name", "one", "--force"])).code, 0);
    const first = world.studio.tokens()[0]?.token;
    const { code, stderr } = await confirm();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /The token "one" that was here before is revoked/);
    assert.deepEqual(names(world), [late]);
    assert.notEqual(world.studio.tokens()[0]?.token, first);
    assert.equal(await world.ok(["auth", "token"]), `${world.studio.tokens()[0]?.token}\n`);
    assert.equal((await world.store.list()).sessions.length, 1);
  });
}

Deno.test("a sign-in of somebody who has logged out meanwhile goes on", async () => {
  await using world = await openStudioWorld();
  assert.equal((await world.login(["--name", "old"])).code, 0);
  const confirm = await begin(world, ["--name", "new", "--force"]);
  await world.ok(["logout"]);
  const { code, stderr } = await confirm();
  assert.equal(code, 0, stderr);
  assert.deepEqual(names(world), ["new"]);
});

Deno.test("many sign-ins at once leave one session and one token", async () => {
  await using world = await openStudioWorld();
  const confirms = await Promise.all(["a", "b", "c", "d"].map((name) => begin(world, ["--name", name])));
  const ran = await Promise.all(confirms.map((confirm) => confirm()));
  assert.deepEqual(ran.map(({ code }) => code).sort(), [0, 2, 2, 2]);
  assert.equal(names(world).length, 1);
  assert.equal((await world.store.list()).sessions.length, 1);
});

Deno.test("a token that can be neither kept nor revoked is told of, with -q too", async () => {
  await using world = await openStudioWorld();
  const confirm = await begin(world, ["--name", "two", "-q"]);
  assert.equal((await world.login(["--name", "one"])).code, 0);
  await world.studio.setFaults({ revocation: { status: 500 } });
  const { code, stderr } = await confirm();
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /warning: The token "two" that was just created is still valid at \S+ until 20\S+Z: .*500/,
  );
});

Deno.test("where the session cannot be made the active one, the rest is done, and the failure told last", async () => {
  await using world = await openStudioWorld();
  const { studio, store, host, home } = world;
  assert.equal((await world.login(["--name", "one"])).code, 0);
  const lock = `${store.folders.config}/config.json.lock`;
  await Deno.remove(lock);
  await Deno.mkdir(lock);
  const { code, stdout, stderr } = await world.login(["--name", "two", "--force", "--export-datachain"]);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /with the token "two", and wrote it to/);
  assert.match(stderr, /The token "one" that was here before is revoked/);
  assert.match(
    stderr,
    /"two@\S+" is signed in and stored, but it could not be made the active one.*\n.*auth switch/,
  );
  assert.deepEqual(names(world), ["two"]);
  assert.deepEqual((await store.list()).sessions.map(({ name }) => name), [`two@${host}`]);
  const config = `${home}/.config/datachain/config`;
  assert.ok((await Deno.readTextFile(config)).includes(studio.tokens()[0]?.token ?? "?"));

  const both = await world.login(["--name", "three", "--force", "--export-datachain"], {
    onCode(code) {
      Deno.writeTextFileSync(config, "[broken");
      studio.approve(code);
    },
  });
  assert.equal(both.code, 1);
  assert.match(both.stderr, /warning: .*not exported: .*not valid TOML/);
  assert.match(both.stderr, /error: .*could not be made the active one/);
  assert.deepEqual(names(world), ["three"]);
  await Deno.stat((await store.paths(`three@${host}`)).file);
});
