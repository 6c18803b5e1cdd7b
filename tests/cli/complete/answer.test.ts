/** Proves what the scripts of shells are told, and that no name of a server breaks a line of it. */

import assert from "node:assert/strict";
import { answerText } from "../../../src/cli/complete/answer.ts";
import { readLine, SHELLS } from "../../../src/cli/complete/shell-line.ts";
import { shellValue, valuesOf } from "../../../src/cli/complete/values.ts";
import { completionContext } from "../../../src/cli/complete/context.ts";
import { positionAt } from "../../../src/cli/complete/position.ts";
import { commandWords } from "../../../src/cli/complete/words.ts";

const NAMES = ["good", "a\nb", "a\tb", "a\u001b[2Jb", "a\u202eb", "a\u200bb", "a\u0000b", ""];

for (const shell of SHELLS) {
  Deno.test(`${shell} is told no name that is not one plain line`, () => {
    const candidates = NAMES.map((word) => ({ word, about: `about\t\n\u001b[2J${word}` }));
    const text = answerText({ type: "words", candidates }, readLine("d ", shell), shell, "");
    const lines = text.split("\n");
    assert.equal(lines.length, 3, text);
    assert.deepEqual([lines[0], lines[2]], ["words", ""]);
    assert.match(lines[1] ?? "", /^(?:\.\t)?good(?:\t|$)/);
    // deno-lint-ignore no-control-regex -- none may be in it
    assert.doesNotMatch(text, /[\u0000\u001b\u202e\u200b]/);
  });
}

Deno.test("one word of which more follows is told as such, and several are not", () => {
  const line = readLine("d ", "bash");
  const open = { word: "TYPE/", open: true } as const;
  const told = (candidates: readonly { readonly word: string; readonly open?: true }[]) =>
    answerText({ type: "words", candidates }, line, "bash", "").split("\n")[0];
  assert.equal(told([open]), "open");
  assert.equal(told([open, { word: "TYPO" }]), "words");
  assert.equal(told([{ word: "x" }]), "words");
});

Deno.test("a shell is told to complete files, with what stands before them, or another program's line", () => {
  const line = readLine("d exec -- ku 'g", "fish");
  assert.equal(
    answerText({ type: "shell", value: { kind: "file", head: "--filename=" } }, line, "fish", ""),
    "file 11\n",
  );
  assert.equal(
    answerText({ type: "shell", value: { kind: "line", head: "" } }, line, "fish", ""),
    "line\nku 'g\n",
  );
  assert.deepEqual(shellValue(["github", "file:"], "file:/t"), { kind: "file", head: "file:" });
  assert.equal(shellValue(["github", "file:"], "fi"), undefined);
});

Deno.test("values that are known beforehand, in lists too, and words of help", async () => {
  const program = await commandWords();
  const given = positionAt(program, ["help", "auth"], "").given;
  const context = completionContext(given, new AbortController().signal, 1000);
  const words = async (kind: Parameters<typeof valuesOf>[0], text: string) =>
    (await valuesOf(kind, { context, given, text, program })).map(({ word }) => word);
  assert.deepEqual(await words(["json", "jsonpath=", "yaml"], "json"), ["json", "jsonpath="]);
  assert.deepEqual(await words(["jsonpath="], "jsonpath="), [], "nothing can be added");
  assert.deepEqual(await words({ list: ["get", "list", "watch"] }, "get,"), ["get,list", "get,watch"]);
  assert.deepEqual(await words("words", "sw"), ["switch"]);
  assert.deepEqual(await words("nothing", ""), []);
});
