/** A session whose token has run out, in a world of the compiled binary. */

import assert from "node:assert/strict";
import { until } from "../until.ts";
import type { World } from "./world.ts";

/** The path of the world's one session file. */
export async function sessionFile(world: World): Promise<string> {
  const found = (await world.files()).find((path) => /\/sessions\/[a-z2-7]{16}\.json$/.test(path));
  assert.ok(found !== undefined, "no session is stored");
  return found;
}

/** Signs Ada in with tokens that live for a second, does what is to be done with them, and waits that second out. */
export async function expireSession(world: World, meanwhile?: () => Promise<unknown>): Promise<void> {
  world.cloud.setTokenLife(1);
  const { code, stderr } = await world.login("ada@example.com");
  assert.equal(code, 0, stderr);
  world.cloud.setTokenLife(3600);
  await meanwhile?.();
  const { tokenExpires } = JSON.parse(await Deno.readTextFile(await sessionFile(world)));
  await until(() => Date.now() > Date.parse(tokenExpires));
  world.cloud.resetCounts();
}
