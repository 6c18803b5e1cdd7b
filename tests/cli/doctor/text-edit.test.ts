/** Proves the shell line that changes a text file: what a shell makes of it is the text that was meant. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { editLine } from "../../../src/cli/doctor/text-edit.ts";
import { scratchFolder } from "../../scratch.ts";

async function typed(before: string, after: string, name = "it's a file"): Promise<string | undefined> {
  await using scratch = await scratchFolder();
  const path = `${scratch.path}/${name}`;
  const line = editLine(path, before, after);
  if (line === undefined) return undefined;
  await Deno.writeTextFile(path, before, { mode: 0o640 });
  const { success, stderr } = await new Deno.Command("/bin/sh", { args: ["-c", line] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.equal(await Deno.readTextFile(`${path}.aside`), before);
  assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o640);
  return await Deno.readTextFile(path);
}

Deno.test("editLine() adds, replaces and removes lines, at the beginning, in the middle and at the end", async () => {
  const pairs = [
    ["a\nb\n", "a\nb\nc\n"],
    ["a\nb\n", "x\na\nb\n"],
    ["a\nb\nc\n", "a\nc\n"],
    ["a\nb\nc\n", 'a\nit\'s $HOME `x` \\n %s "b"\nc\n'],
    ["a", "a\nb\n"],
    ["", "a\n"],
    ["a\na\na\n", "a\n"],
    ["-n\n", "-n\n-e\n"],
  ];
  for (const [before = "", after = ""] of pairs) assert.equal(await typed(before, after), after, after);
});

Deno.test("editLine() makes no line for carriage returns, control characters and long changes", async () => {
  for (const after of ["a\r\n", "\u001b[2J\n", "a", "x\n".repeat(41)]) {
    assert.equal(await typed("", after), undefined, JSON.stringify(after));
  }
});

Deno.test("editLine() turns any text of lines into any other", async () => {
  const text = fc.array(fc.constantFrom("a", "b", "", "- name: x", "'"), { maxLength: 6 })
    .map((lines) => lines.map((line) => `${line}\n`).join(""));
  await fc.assert(
    fc.asyncProperty(
      text,
      text.filter((after) => after !== ""),
      fc.boolean(),
      async (before, after, ended) => {
        const from = ended ? before : before.replace(/\n$/, "");
        // What stays of an unended line stays without its end.
        assert.equal((await typed(from, after))?.replace(/\n$/, ""), after.replace(/\n$/, ""));
      },
    ),
    { numRuns: 60 },
  );
});
