/** Proves how `auth list` shows the sessions that are stored, damaged ones among them. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { ADA, at, GRACE, openSignedIn, openWorld } from "../world.ts";

Deno.test("auth list as JSON tells all of a session", async () => {
  await using world = await openSignedIn(GRACE);
  const { cloud } = world;
  assert.deepEqual(JSON.parse(await world.ok("auth list -o json"))[0], {
    name: at(world, ADA),
    email: ADA,
    subject: cloud.users[0]?.sub,
    provider: "datum",
    kind: "user",
    issuer: cloud.issuer,
    apiHost: cloud.apiHost,
    active: false,
    storage: "file",
    expires: null,
  });
});

Deno.test("auth list in every other format", async () => {
  await using world = await openSignedIn(GRACE);
  assert.deepEqual(parse(await world.ok("auth ls -o yaml")), JSON.parse(await world.ok("auth list -o json")));
  assert.equal(await world.ok("auth list -o name"), `${at(world, ADA)}\n${at(world, GRACE)}\n`);
  const table = await world.ok("auth list");
  assert.match(table, /^Name +Email +Status\n/);
  assert.match(table, /Grace Hopper +grace@example\.com +Active\n/);
  assert.match(
    await world.ok("auth list -o wide"),
    /Session +Kind +Host +Stored in +Expires\n.*key file +renews itself/,
  );
});

Deno.test("a damaged or newer session file is told of and hides no other", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const folder = world.sandbox.store.folders.sessions;
  await Deno.writeTextFile(`${folder}/aaaaaaaaaaaaaaaa.json`, "{");
  await Deno.writeTextFile(`${folder}/bbbbbbbbbbbbbbbb.json`, '{"schemaVersion":9}');
  const { code, stdout, stderr } = await world.run("auth list -o name");
  assert.deepEqual([code, stdout], [0, `${at(world, ADA)}\n`]);
  assert.match(stderr, /warning: .*aaaaaaaaaaaaaaaa\.json is not a session file/);
  assert.match(stderr, /warning: .*bbbbbbbbbbbbbbbb\.json was written by a newer datumctl/);
  assert.equal((await world.run("auth list -q")).stderr, "");
  await world.ok("logout --all");
  assert.equal(await Deno.readTextFile(`${folder}/bbbbbbbbbbbbbbbb.json`), '{"schemaVersion":9}');
});

Deno.test("names that would steer a terminal are printed without that, in every format", async () => {
  await using world = await openWorld();
  await world.sandbox.add({
    name: "x",
    session: { user: { subject: "1", email: "a\u001b[2J\u202e@b", name: "N\u009b" } },
  });
  for (
    const words of [
      "auth list",
      "auth list -o wide",
      "auth list -o json",
      "auth list -o yaml",
      "whoami --profile x",
      "whoami --profile x -o json",
      "auth switch x",
    ]
  ) {
    const { code, stdout, stderr } = await world.run(words);
    assert.equal(code, 0, stderr);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout + stderr, /[\u001b\u202e\u009b]/, words);
  }
});
