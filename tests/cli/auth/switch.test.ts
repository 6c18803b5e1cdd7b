/** Proves whom `auth switch` makes active: named by e-mail, by session or picked, and never a stranger. */

import assert from "node:assert/strict";
import { ADA, at, GRACE, openSignedIn } from "../world.ts";

Deno.test("auth switch by e-mail in any case, and by the session's name", async () => {
  await using world = await openSignedIn(GRACE);
  assert.equal(
    await world.ok(`auth switch ${ADA.toUpperCase()}`),
    `Switched to ${ADA} at ${world.cloud.apiHost}.\n`,
  );
  assert.equal(await world.sandbox.store.active(), at(world, ADA));
  await world.ok(`auth switch ${at(world, GRACE)}`);
  assert.equal(await world.sandbox.store.active(), at(world, GRACE));
});

Deno.test("auth switch to a session that is picked, and to none that is not", async () => {
  await using world = await openSignedIn(GRACE);
  assert.match(await world.ok("auth switch", { keys: ["a", "d", "a", "\r"] }), /Switched to ada/);
  const left = await world.run("auth switch", { keys: ["\u0003"] });
  assert.equal(left.code, 130);
  assert.equal(await world.sandbox.store.active(), at(world, ADA));
});

Deno.test("auth switch without a terminal names those who can be switched to", async () => {
  await using world = await openSignedIn(GRACE);
  const blind = await world.run("auth switch");
  assert.equal(blind.code, 2);
  assert.match(blind.stderr, /datumctl auth switch ada@example\.com@/);
});

Deno.test("auth switch to a stranger names those who are signed in", async () => {
  await using world = await openSignedIn(GRACE);
  const nobody = await world.run("auth switch nobody@example.com");
  assert.deepEqual([nobody.code, nobody.stdout], [1, ""]);
  assert.match(nobody.stderr, /nobody@example\.com is not signed in here\.\nSigned in: ada@/);
});

Deno.test("an e-mail with several sessions names them, to switch and to log out", async () => {
  await using world = await openSignedIn();
  assert.equal((await world.login(ADA, "--profile work")).code, 0);
  const several = await world.run(`auth switch ${ADA}`);
  assert.equal(several.code, 2);
  assert.ok(several.stderr.includes(`${at(world, ADA)}, work`), several.stderr);
  assert.equal((await world.run(`logout ${ADA}`)).code, 2);
  await world.ok("logout work");
});
