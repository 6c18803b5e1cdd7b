/** Proves the main job with the compiled binary: sign in, list, switch, hand out tokens, sign out. */

import assert from "node:assert/strict";
import { openWorld } from "./world.ts";

Deno.test("login, list, whoami, switch and logout tell one story", async () => {
  await using world = await openWorld();
  assert.ok(world !== undefined);
  const first = await world.login("ada@example.com");
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^Signed in as ada@example\.com at /);
  const second = await world.login("grace@example.com", ["--no-browser"]);
  assert.equal(second.code, 0, second.stderr);

  const listed = JSON.parse(await world.ok(["auth", "list", "-o", "json"]));
  assert.deepEqual(
    listed.map(({ email, active }: { email: string; active: boolean }) => [email, active]),
    [["ada@example.com", false], ["grace@example.com", true]],
  );
  await world.ok(["auth", "switch", "ada@example.com"]);
  assert.equal(JSON.parse(await world.ok(["whoami", "-o", "json"])).user, "ada@example.com");

  const token = (await world.ok(["auth", "get-token"])).trimEnd();
  const before = world.cloud.counts();
  assert.equal((await world.ok(["auth", "get-token"])).trimEnd(), token, "a fresh token is handed out again");
  assert.deepEqual(world.cloud.counts(), before, "and costs no request");

  await world.ok(["logout", "--all"]);
  assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n");
  const after = await world.datumctl(["auth", "get-token"]);
  assert.equal(after.code, 4);
  assert.match(after.stderr, /datumctl login/);
});
