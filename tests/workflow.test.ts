/** Proves that the workflow files are ones that a runner would take, and that nobody could turn them against us. */

import assert from "node:assert/strict";
import { actionlint, zizmor } from "./linters.ts";
import { filesBelow, inScratch } from "./scratch.ts";

const FOLDER = new URL("../.github/workflows/", import.meta.url);

/** A workflow with one fault for each linter: an unknown context, and a text of a stranger in a line of shell. */
const FAULTY = `
on: issues
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo \${{ github.nonsense }} \${{ github.event.issue.title }}
`;

for (const [name, linter] of [["actionlint", await actionlint()], ["zizmor", await zizmor()]] as const) {
  Deno.test({
    name: `${name} finds nothing in a workflow or the action, and finds a fault where there is one`,
    ignore: linter === undefined,
    fn: () =>
      inScratch(async (folder) => {
        assert.ok(linter !== undefined);
        const files = (await filesBelow(FOLDER.pathname)).filter((file) => file.endsWith(".yml"));
        assert.ok(files.length >= 2);
        // actionlint judges workflows alone.
        const action = name === "zizmor"
          ? [new URL("../packaging/action/action.yml", import.meta.url).pathname]
          : [];
        const { code, output } = await linter(...files, ...action);
        assert.equal(code, 0, output);

        await Deno.writeTextFile(`${folder}/faulty.yml`, FAULTY);
        const faulty = await linter(`${folder}/faulty.yml`);
        assert.notEqual(faulty.code, 0);
        assert.match(faulty.output, name === "zizmor" ? /template-injection/ : /nonsense/);
      }),
  });
}

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
  for (
    const name of [
      "deno",
      ...["linux-x64-glibc", "linux-arm64-glibc", "darwin-x64", "darwin-arm64", "win32-x64"].map((system) =>
        `@deno/${system}`
      ),
    ]
  ) {
    assert.match(pinned, new RegExp(`^${name}@${Deno.version.deno} sha512-[A-Za-z0-9+/]{86}==$`, "m"));
  }
});
