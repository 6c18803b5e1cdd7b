/** Proves that the totals at a run's end are those of the run. */

import assert from "node:assert/strict";
import { countTests, runTests, sum, totalsLine } from "../../scripts/test.ts";

async function totalsOf(source: string) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.test.ts`, source);
    return totalsLine(await runTests(["--no-config", `${folder}/a.test.ts`], {}, "null"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("runTests() counts tests, not their steps, and those that were left out", async () => {
  assert.equal(
    await totalsOf(`
      Deno.test("good", async (t) => { await t.step("one", () => {}); await t.step("two", () => {}); });
      Deno.test("bad step", async (t) => { await t.step("one", () => { throw new Error("</testcase>"); }); });
      Deno.test("a > b", () => {});
      Deno.test({ name: "left out", ignore: true, fn() {} });`),
    "2 passed, 1 failed, 1 skipped",
  );
});

Deno.test("runTests() counts what fails outside every test as one failed", async () => {
  assert.equal(
    await totalsOf(`import "./none.ts"; Deno.test("good", () => {});`),
    "0 passed, 1 failed, 0 skipped",
  );
  assert.equal(await totalsOf(`throw new Error("at once");`), "0 passed, 1 failed, 0 skipped");
});

Deno.test("countTests() counts nothing in an empty report", () => {
  assert.deepEqual(countTests(""), sum([]));
});
