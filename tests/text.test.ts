/** Proves that a quoted word comes out of a real shell as itself, whole, and that it runs nothing. */

import assert from "node:assert/strict";
import { printableLines, shellLine, shellQuote, shellWord } from "../src/text.ts";

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
