/** Proves that printed text steers no terminal, and that a quoted word comes out of a real shell whole and runs nothing. */

import assert from "node:assert/strict";
import fc from "./fast-check.ts";
import { printable, printableLines, printableValue, shellLine, shellQuote, shellWord } from "../src/text.ts";

// deno-lint-ignore no-control-regex
const STEERS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

const HOSTILE = [
  "k; touch pwned #",
  "$(touch pwned)",
  "`touch pwned`",
  "it's",
  "'; touch pwned; '",
  "a b",
  "*",
  "~",
  "=ls",
  "!!",
  '"',
  "\\",
  "",
  " a ",
  "ü-ß",
  "x".repeat(4_000),
];

Deno.test("what is printed steers no terminal, reorders no text, and is cut between characters", () => {
  assert.equal(printable("\u001b[31mred\u0007 a\r\nb\u202ec\u009bd "), "[31mred  a  b c d");
  assert.equal(printable("Zoë \u{1f600} \u4e2d"), "Zoë \u{1f600} \u4e2d");
  assert.equal(printable("x".repeat(301)), `${"x".repeat(300)}…`);
  assert.equal(printable(`${"x".repeat(299)}\u{1f600}y`), `${"x".repeat(299)}…`);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.doesNotMatch(printable(text, Infinity), STEERS);
    assert.equal(printable(printable(text)), printable(text));
  }));
});

for (
  const code of [
    ...[0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180e, 0x200b, 0x200d, 0x2060, 0x2800, 0x3164, 0xfe0f],
    ...[0xfeff, 0xffa0, 0xfff9, 0x1bca0, 0x1d173, 0xe0001, 0xe0041, 0xe007f, 0xe0100],
  ]
) {
  Deno.test(`U+${code.toString(16).toUpperCase().padStart(4, "0")}, which nobody sees, is seen as a space`, () => {
    assert.equal(printable(`a${String.fromCodePoint(code)}b`), "a b");
  });
}

Deno.test("what can be seen stays, in any script", () => {
  const text =
    "Zoë Straße naïve \u0301e \u4e2d\u6587 \ud55c\uae00 \u0639\u0631\u0628\u064a \u0928\u092e\u0938\u094d\u0924\u0947 \u{1f600}\u{1f1e9}\u{1f1ea} \u2026 \u2192 \u28ff";
  assert.equal(printable(text), text);
});

Deno.test("a value for programs keeps its shape and loses what steers a terminal, names of members too", () => {
  assert.deepEqual(
    printableValue({ "a\u0007": ["x\u202e", 1, null, true, { b: "\u009bok" }], __proto__x: "y".repeat(500) }),
    { a: ["x", 1, null, true, { b: "ok" }], __proto__x: "y".repeat(500) },
  );
  assert.equal(printableValue(undefined), undefined);
  const deep = JSON.parse(`${"[".repeat(200_000)}1${"]".repeat(200_000)}`);
  assert.equal(JSON.stringify(printableValue(deep)), `${"[".repeat(100)}"…"${"]".repeat(100)}`);
});

Deno.test("words without a special character are shown bare", () => {
  for (
    const word of ["ada@example.com", "--issuer", "https://a.example/b-c_d", "a,b", "x=1", "50%", "C:/x"]
  ) {
    assert.equal(shellWord(word), word);
  }
});

Deno.test("control and bidirectional characters become spaces, inside the quotes", () => {
  assert.equal(shellWord("a\nb"), "'a b'");
  assert.equal(shellWord("a\u001b[31mb\u202ec"), "'a [31mb c'");
});

Deno.test("a shell reads every word as it was, and runs none of them", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const words = async (line: string) => {
      const args = ["-c", `printf '%s\\0' ${line}`];
      const { stdout } = await new Deno.Command("sh", { args, cwd: folder }).output();
      return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
    };
    assert.deepEqual(await words(shellLine(HOSTILE)), HOSTILE);
    assert.deepEqual(await words(shellQuote("a\nb\u200d'c")), ["a\nb\u200d'c"]);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("printableLines() leaves lines and tabs, and nothing else that steers a terminal", () => {
  assert.equal(printableLines("a\tb\n  c\n"), "a\tb\n  c\n");
  assert.equal(printableLines("\u001b[2J\r\nb\u009b\u0000\n\u202e\u200b\u2028c\v\f"), " [2J \nb  \n   c  ");
});
