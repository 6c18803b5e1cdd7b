/** Proves that replacing a file which is not ours clears away what a killed process left, and nothing else. */

import assert from "node:assert/strict";
import { listFolder } from "../../src/system/files.ts";
import { prepareForeignReplacement } from "../../src/system/foreign-replacement.ts";
import { scratchFolder } from "../scratch.ts";

Deno.test("beside a file that is not ours, what a killed process left is cleared away, and nothing else", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/a.secret`;
  const dead = `${path}.new-${crypto.randomUUID()}`;
  const theirs = [`${path}.new`, `${path}.new-1`, `${it.path}/b.secret.new-${crypto.randomUUID()}`];
  for (const name of [dead, ...theirs]) await Deno.writeTextFile(name, "x");
  const living = await prepareForeignReplacement(path, 10);
  const second = await prepareForeignReplacement(path, 10);
  await assert.rejects(Deno.stat(dead), Deno.errors.NotFound);
  await living.commit("one");
  await second.commit("two");
  assert.equal(await Deno.readTextFile(path), "two");
  const left = (await listFolder(it.path)).map((name) => `${it.path}/${name}`);
  assert.deepEqual(left, [path, ...theirs].sort());
});
