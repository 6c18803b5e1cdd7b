/** Proves that a unified diff is what `diff` and `patch` take it for, and as short. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { unifiedDiff } from "../../src/kubeconfig/diff.ts";
import { scratchFolder } from "../scratch.ts";

const names = { before: "a", after: "b" };

async function patched(before: string, diff: string): Promise<string> {
  await using folder = await scratchFolder();
  await Deno.writeTextFile(`${folder.path}/file`, before);
  await Deno.writeTextFile(`${folder.path}/diff`, diff);
  const { success, stdout, stderr } = await new Deno.Command("patch", {
    args: ["--binary", "--fuzz=0", "--quiet", "file", "diff"],
    cwd: folder.path,
  }).output();
  assert.ok(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
  return await Deno.readTextFile(`${folder.path}/file`).catch(() => "");
}

Deno.test("unifiedDiff() of equal texts is empty", () => {
  assert.equal(unifiedDiff("a\nb", "a\nb", names), "");
});

Deno.test("unifiedDiff() says when the last line has no line break", () => {
  assert.equal(
    unifiedDiff("a\nb", "a\nb\n", names),
    "--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n",
  );
});

Deno.test("unifiedDiff() of a new file counts from line 0", () => {
  assert.equal(
    unifiedDiff("", "a\nb\n", { before: "/dev/null", after: "b" }),
    "--- /dev/null\n+++ b\n@@ -0,0 +1,2 @@\n+a\n+b\n",
  );
});

Deno.test("unifiedDiff() keeps changes that are far apart in hunks of their own", () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\n`);
  const after = lines.with(2, "changed\n").toSpliced(25, 1);
  const diff = unifiedDiff(lines.join(""), after.join(""), names);
  assert.deepEqual(diff.match(/^@@.*$/gm), ["@@ -1,6 +1,6 @@", "@@ -23,7 +23,6 @@"]);
});

Deno.test("unifiedDiff() is as short as diff's and patch makes the one text of the other", async () => {
  const line = fc.constantFrom("a", "b", "c", "", "d\r");
  const text = fc.tuple(fc.array(line, { maxLength: 25 }), fc.boolean())
    .map(([lines, closed]) => lines.join("\n") + (closed && lines.length > 0 ? "\n" : ""));
  await fc.assert(
    fc.asyncProperty(text, text, async (before, after) => {
      fc.pre(before !== after && before !== "" && after !== "");
      const diff = unifiedDiff(before, after, names);
      assert.equal(await patched(before, diff), after);
      assert.equal(changedLines(diff), await changedLinesOfDiff(before, after));
    }),
    { numRuns: 60 },
  );
});

Deno.test("unifiedDiff() of wholly different long texts ends soon and is right", async () => {
  const before = Array.from({ length: 4_000 }, (_, index) => `old ${index}\n`).join("");
  const after = Array.from({ length: 4_000 }, (_, index) => `new ${index}\n`).join("");
  assert.equal(await patched(before, unifiedDiff(before, after, names)), after);
});

function changedLines(diff: string): number {
  return diff.split("\n").slice(2).filter((line) => /^[-+]/.test(line)).length;
}

async function changedLinesOfDiff(before: string, after: string): Promise<number> {
  await using folder = await scratchFolder();
  await Deno.writeTextFile(`${folder.path}/a`, before);
  await Deno.writeTextFile(`${folder.path}/b`, after);
  const { stdout } = await new Deno.Command("diff", { args: ["--minimal", "-u", "a", "b"], cwd: folder.path })
    .output();
  return changedLines(new TextDecoder().decode(stdout));
}
