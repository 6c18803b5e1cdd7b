/** Proves that command lines are taken apart as shells do, and that words are written so that shells read them back. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { endForBash, readLine, type Shell, wordForPowerShell } from "../../../src/cli/complete/shell-line.ts";

/** COMP_WORDBREAKS as bash has it. */
const BREAKS = " \t\n\"'><=;|&(:@";

/** A line with the words before the cursor's, and that word. */
type Reading = readonly [line: string, words: readonly string[], current: string, shell?: Shell];

const READINGS: readonly Reading[] = [
  ["datumctl", [], ""],
  ["datumctl ", [], ""],
  ["datumctl au", [], "au"],
  ["  datumctl  auth   sw", ["auth"], "sw"],
  ["A=1 B='x y' datumctl auth sw", ["auth"], "sw"],
  ["/opt/datumctl auth ", ["auth"], ""],
  ["d 'au''th' \"sw\"it", ["auth"], "swit"],
  ["d a\\ b c\\", ["a b"], "c\\"],
  ["d 'open quote with \\ and \"", [], 'open quote with \\ and "'],
  ['d "a\\"b\\$c\\x', [], 'a"b$c\\x'],
  ["d $(touch x) `y", ["$(touch", "x)"], "`y"],
  ["d auth \\\n sw", ["auth"], "sw"],
  ["d get > file -o ", ["get", "-o"], ""],
  ["d get 2>err x", ["get"], "x"],
  ["d ''", [], ""],
  ["d get ü 日", ["get", "ü"], "日"],
  ["d 'it\\'s", [], "it's", "fish"],
  ["d 'it''s", [], "it's", "powershell"],
  ["d a` b", [], "a b", "powershell"],
  ["d C:\\x", [], "C:\\x", "powershell"],
];

for (const [line, words, current, shell = "bash"] of READINGS) {
  Deno.test(`${shell} reads ${JSON.stringify(line)}`, () => {
    const read = readLine(line, shell);
    assert.deepEqual([read.words, read.current.text], [words, current]);
  });
}

Deno.test("what stands behind -- is handed on as it was typed", () => {
  assert.equal(readLine("d exec --x -- ku 'a b' \"c", "bash").behindDashes, "ku 'a b' \"c");
  assert.equal(readLine("d exec --", "bash").behindDashes, undefined);
});

Deno.test("the file of a redirection is told from a word", () => {
  assert.equal(readLine("d get > zo", "bash").current.redirected, true);
  assert.equal(readLine("d get > zone x", "bash").current.redirected, false);
});

const ENDS: readonly (readonly [line: string, value: string, end: string | undefined])[] = [
  ["d ada@ex", "ada@example.com@h:1", "@example.com@h:1"],
  ["d ada@example.com@h:", "ada@example.com@h:1", "1"],
  ["d --session=a", "--session=ada", "ada"],
  ["d a", "a b", "a\\ b"],
  ["d 'a", "a b'c", "a b'\\''c"],
  ['d "a', 'a "$x`', 'a \\"\\$x\\`'],
  ['d "a', "a!", undefined],
  ["d ", "~root", "\\~root"],
  ["d ", "#a", "\\#a"],
  ["d m", "münchen", "münchen"],
  ["d x='a", "x=a b", "a b"],
  ['d "a"b', "ab c", "ab\\ c"],
];

for (const [line, value, end] of ENDS) {
  Deno.test(`bash replaces the end of ${JSON.stringify(line)} for ${JSON.stringify(value)}`, () => {
    assert.equal(endForBash(readLine(line, "bash").current, BREAKS, value), end);
  });
}

/** Texts of what shells find special, and of letters. */
const VALUES = fc.string({ unit: fc.constantFrom(..." $()`'\"\\;|&<>*?[]{}~#!@:=%^-_aZ9ü日") });

Deno.test("bash itself reads back every word that is written for it, and runs nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(VALUES, { minLength: 20, maxLength: 20 }), async (values) => {
      const { current } = readLine("d ", "bash");
      const words = values.filter((value) => value !== "").map((value) =>
        endForBash(current, "", value) ?? ""
      );
      const script = `set -- ${words.join(" ")}\nprintf '%s\\0' "$@"`;
      const { stdout, stderr } = await new Deno.Command("bash", { args: ["--norc", "-c", script] }).output();
      assert.equal(new TextDecoder().decode(stderr), "");
      assert.deepEqual(
        new TextDecoder().decode(stdout).split("\0").slice(0, -1),
        values.filter((value) => value !== ""),
      );
    }),
    { numRuns: 15 },
  );
});

Deno.test("what is written for a shell is read back by our own reader", () => {
  fc.assert(fc.property(VALUES, (value) => {
    fc.pre(value !== "");
    const bash = endForBash(readLine("d ", "bash").current, "", value) ?? "";
    assert.equal(readLine(`d ${bash}`, "bash").current.text, value);
    assert.equal(readLine(`d ${wordForPowerShell(value)}`, "powershell").current.text, value);
  }));
});
