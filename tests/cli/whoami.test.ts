/** Proves what `whoami` tells of the session that counts. */

import assert from "node:assert/strict";
import { ADA, at, GRACE, openSignedIn } from "./world.ts";

Deno.test("whoami is told offline, with where the identity came from", async () => {
  await using world = await openSignedIn(GRACE);
  const before = world.cloud.counts();
  assert.match(
    await world.ok("whoami"),
    /^User: +grace@example\.com\n[^]*Chosen by: +the active session\n/,
  );
  assert.equal(JSON.parse(await world.ok(`whoami -o json --profile ${at(world, ADA)}`)).source, "--profile");
  const env = { DATUMCTL_PROFILE: at(world, ADA) };
  const variable = JSON.parse(await world.ok("whoami -o json", { env }));
  assert.deepEqual([variable.user, variable.source, variable.storage], [ADA, "DATUMCTL_PROFILE", "file"]);
  assert.deepEqual(world.cloud.counts(), before);
});
