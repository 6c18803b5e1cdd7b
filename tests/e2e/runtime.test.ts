/** Proves which runtime the binary under test stands on, and that it says so. */

import assert from "node:assert/strict";
import { binaryUnderTest } from "./world.ts";

Deno.test("the binary stands on the version of Deno that the tests run on, and tells a trial build", async () => {
  const run = async (...args: string[]) =>
    new TextDecoder().decode(
      (await new Deno.Command(await binaryUnderTest(), { args, stdin: "null", clearEnv: true }).output())
        .stdout,
    );
  const { version, runtime, trial } = JSON.parse(await run("version", "-o", "json"));
  assert.equal(runtime, `deno ${Deno.version.deno}`);
  assert.match(
    await run("version"),
    new RegExp(`^Version: +${version}${trial ? " \\(trial build\\)" : ""}\n`),
  );
  assert.equal((await run("--version")).trim(), trial ? `${version} (trial build)` : version);
});

Deno.test("the README, CI and the tests name one version of Deno", async () => {
  const root = new URL("../../", import.meta.url);
  for (const file of ["README.md", ".ci/run", ".github/workflows/ci.yml"]) {
    const named = new Set((await Deno.readTextFile(new URL(file, root))).match(/deno@[\d.]+\d/g));
    assert.deepEqual([file, ...named], [file, `deno@${Deno.version.deno}`]);
  }
});
