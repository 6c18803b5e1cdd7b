/** Proves that a picture of a terminal shows each character in its column, in the colour that it has there. */

import assert from "node:assert/strict";
import { readRuns, terminalSvg } from "../../scripts/picture/terminal-svg.ts";
import { ROOT } from "../../scripts/compile.ts";

Deno.test("text is told apart by its looks, with the column that each begins in", () => {
  assert.deepEqual(readRuns("\u001b[1mName\u001b[0m  ok\r\n\u001b[1;31merror:\u001b[0m x\n", 80), [
    [{ column: 0, text: "Name", look: ["bold"] }, { column: 4, text: "  ok", look: [] }],
    [{ column: 0, text: "error:", look: ["bold", "red"] }, { column: 6, text: " x", look: [] }],
  ]);
});

Deno.test("a long line goes on below, in the same look", () => {
  assert.deepEqual(readRuns("\u001b[36mabcde\u001b[0m", 3), [
    [{ column: 0, text: "abc", look: ["cyan"] }],
    [{ column: 0, text: "de", look: ["cyan"] }],
  ]);
});

Deno.test("what would be drawn otherwise than a terminal shows it is refused", () => {
  for (const text of ["\u001b[2K", "\u001b[35mviolet", "\u001b]0;title\u0007"]) {
    assert.throws(() => readRuns(text, 80), text);
  }
});

Deno.test("a picture holds the text, escaped, and both themes where it follows the viewer", () => {
  const svg = (theme: "light" | "dark" | "auto") =>
    terminalSvg("\u001b[32ma <b>\u001b[0m", { columns: 20, label: 'A "label"', theme });
  assert.match(svg("dark"), /<text x="20\.0" y="66" textLength="42\.0" class="green">a &lt;b&gt;<\/text>/);
  assert.match(svg("light"), /aria-label="A &quot;label&quot;"/);
  assert.doesNotMatch(svg("light"), /prefers-color-scheme/);
  assert.match(svg("auto"), /prefers-color-scheme: dark/);
});

Deno.test("the README's picture is drawn by this program, of commands that it names", async () => {
  const svg = await Deno.readTextFile(`${ROOT}docs/terminal.svg`);
  assert.match(svg, /prefers-color-scheme: dark/);
  for (
    const words of [
      "datumctl login",
      "datumctl auth update-kubeconfig --project web",
      "kubectl get namespaces",
    ]
  ) {
    assert.ok(svg.includes(`class="bold">${words}</text>`), words);
  }
});
