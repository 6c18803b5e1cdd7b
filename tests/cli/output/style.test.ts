/** Proves where colours and marks are shown, that they change no other character, and that nothing is told by them alone. */

// deno-lint-ignore-file no-control-regex -- escapes are what is looked for

import assert from "node:assert/strict";
import stringWidth from "string-width";
import fc from "../../fast-check.ts";
import {
  formatStyledError,
  PLAIN,
  styledDiff,
  styledKeys,
  styledRemark,
  stylesOf,
  titled,
} from "../../../src/cli/output/style.ts";
import { formatListing, formatObject } from "../../../src/cli/output/table.ts";
import { AppError, ERROR_FORMATS, formatError } from "../../../src/errors.ts";
import { allowsColours, hasMarks } from "../../../src/system/terminal.ts";
import { withoutColours } from "../../without-colours.ts";

const ON = { outIsTerminal: true, errIsTerminal: true, showsColours: true, showsMarks: true };
const { out: STYLE } = stylesOf(ON);

Deno.test("each stream is judged by itself, and without a terminal or with a variable against it all is plain", () => {
  for (const outIsTerminal of [true, false]) {
    for (const errIsTerminal of [true, false]) {
      for (const showsColours of [true, false]) {
        const { out, err } = stylesOf({ outIsTerminal, errIsTerminal, showsColours });
        assert.equal(out.isColoured, outIsTerminal && showsColours);
        assert.equal(err.isColoured, errIsTerminal && showsColours);
        if (!out.isColoured) assert.equal(out, PLAIN);
      }
    }
  }
  assert.equal(stylesOf({ outIsTerminal: true, errIsTerminal: true }).out, PLAIN);
});

Deno.test("NO_COLOR, TERM=dumb and CLICOLOR=0 forbid colours; no variable brings them", () => {
  const allowed = (env: Record<string, string>) => allowsColours((name) => env[name] || undefined);
  for (const env of [{ NO_COLOR: "1" }, { NO_COLOR: "0" }, { TERM: "dumb" }, { CLICOLOR: "0" }]) {
    assert.ok(!allowed(env), JSON.stringify(env));
    assert.ok(!allowed({ ...env, CLICOLOR_FORCE: "1", FORCE_COLOR: "3" }), JSON.stringify(env));
  }
  for (const env of [{}, { NO_COLOR: "" }, { TERM: "xterm" }, { CLICOLOR: "1" }]) {
    assert.ok(allowed(env), JSON.stringify(env));
  }
});

Deno.test("marks are for UTF-8 and the terminals of Windows that show every sign, with colours alone", () => {
  const marked = (env: Record<string, string>, windows = false) =>
    hasMarks((name) => env[name] || undefined, windows);
  for (const env of [{ LANG: "C.UTF-8" }, { LC_ALL: "de_DE.utf8" }, { LC_CTYPE: "UTF-8", LANG: "C" }]) {
    assert.ok(marked(env), JSON.stringify(env));
    assert.ok(!marked(env, true), JSON.stringify(env));
  }
  for (const env of [{}, { LANG: "C" }, { LANG: "en_US.UTF-8", LC_ALL: "C" }, { LANG: "de_DE@euro" }]) {
    assert.ok(!marked(env), JSON.stringify(env));
  }
  assert.ok(marked({ WT_SESSION: "1" }, true) && marked({ TERM_PROGRAM: "vscode" }, true));
  assert.equal(STYLE.successMark, "\u001b[32m✓\u001b[0m ");
  assert.equal(stylesOf({ ...ON, showsMarks: false }).out.successMark, "");
  assert.equal(stylesOf({ ...ON, showsColours: false }).out.successMark, "");
});

Deno.test("looks are the terminal's own attributes and sixteen colours, a line each, and empty for no text", () => {
  const { title, command, good, bad, gone, careful, aside } = STYLE;
  for (const paint of [title, command, good, bad, gone, careful, aside]) {
    assert.match(paint("x"), /^\u001b\[(?:1|2|1;31|3[1236])mx\u001b\[0m$/u);
    assert.equal(paint("a\nb\n"), `${paint("a")}\n${paint("b")}\n`);
    assert.equal(paint(""), "");
  }
});

const LOOKS: readonly (readonly [string, (text: string) => string])[] = [
  ["a remark", (text) => styledRemark(text, STYLE)],
  ["a diff", (text) => styledDiff(text, STYLE)],
  ["keys", (text) => styledKeys(text, STYLE)],
  ["a table", (text) => titled(text, STYLE)],
  [
    "an error",
    (text) => formatStyledError(new AppError("USAGE", text, { hint: text }), "human", STYLE).slice(0, -1),
  ],
];

Deno.test("without its escapes every look is the text that it was", () => {
  const words = fc.constantFrom(
    ...["+", "-", " ", "@@ -1,2 +1 @@", "--- a", "+++ b", "\n", "\r", "\\ No newline", "Name:", "  x"],
    ...["warning:", "error:", ": datumctl login", ": kubectl get x. More", "漢", "\t", "a"],
  );
  fc.assert(fc.property(fc.array(words).map((parts) => parts.join("")), (text) => {
    for (const [what, look] of LOOKS) {
      const expected = what === "an error"
        ? formatError(new AppError("USAGE", text, { hint: text }), "human").slice(0, -1)
        : text;
      assert.equal(withoutColours(look(text)), expected, what);
    }
  }));
});

Deno.test("an error's label is red, its hint stands back but for the command; for programs nothing has a look", () => {
  const error = new AppError("NOT_SIGNED_IN", "No session.", {
    hint: "Sign in: datumctl login. See what there is.\nOr: kubectl config view",
  });
  assert.equal(
    formatStyledError(error, "human", STYLE),
    "\u001b[1;31merror:\u001b[0m No session.\n" +
      "\u001b[2mSign in: \u001b[0m\u001b[36mdatumctl login\u001b[0m\u001b[2m. See what there is.\u001b[0m\n" +
      "\u001b[2mOr: \u001b[0m\u001b[36mkubectl config view\u001b[0m\n",
  );
  for (const format of ERROR_FORMATS) {
    assert.equal(formatStyledError(error, format, PLAIN), formatError(error, format));
    if (format !== "human") assert.equal(formatStyledError(error, format, STYLE), formatError(error, format));
  }
});

Deno.test("remarks: the label, the command to type, and what stands alone on its line", () => {
  const shown = (text: string) => styledRemark(text, STYLE);
  assert.equal(shown("warning: It ends."), "\u001b[33mwarning:\u001b[0m It ends.");
  assert.equal(shown("error: It is over."), "\u001b[1;31merror:\u001b[0m It is over.");
  assert.equal(shown("Next: datumctl whoami"), "Next: \u001b[36mdatumctl whoami\u001b[0m");
  assert.equal(shown("Open:\n\n  https://a.example\n"), "Open:\n\n  \u001b[1mhttps://a.example\u001b[0m\n");
  assert.equal(shown("no warning: of datumctl"), "no warning: of datumctl");
});

Deno.test("millions of blanks are looked at once each, and an error's escapes are not the terminal's", () => {
  const blanks = " ".repeat(3_000_000);
  assert.equal(styledRemark(blanks, STYLE), blanks);
  assert.equal(styledRemark(`${blanks}x y`, STYLE), `${blanks}x y`);
  const error = new AppError("USAGE", "a\u001b[2J\u202eb", { hint: "c\u0007" });
  for (const style of [STYLE, PLAIN]) {
    assert.equal(withoutColours(formatStyledError(error, "human", style)), "error: a [2J b\nc \n");
  }
});

Deno.test("a removed line that looks like a file's head is a removed line", () => {
  const diff = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n--- x\n+++ y\n same\n--- c\n+++ d\n@@ -0,0 +1 @@\n+z\n";
  assert.deepEqual(
    styledDiff(diff, STYLE).split("\n").map((line) => /^\u001b\[(\d+)m/u.exec(line)?.[1]),
    ["1", "1", "36", "31", "32", undefined, "1", "1", "36", "32", undefined],
  );
});

interface Row {
  readonly name: string;
  readonly active: boolean;
}

Deno.test("a table keeps its columns with colours on, and its active row says so in a column as well", async () => {
  const rows: readonly Row[] = [{ name: "漢字 \u001b[31mred", active: false }, { name: "ada", active: true }];
  const listing = {
    rows,
    columns: [
      { title: "Name", text: ({ name }: Row) => name },
      { title: "Status", text: ({ active }: Row) => active ? "Active" : "" },
    ],
    name: ({ name }: Row) => name,
    object: (row: Row) => row,
    isActive: ({ active }: Row) => active,
  };
  const plain = await formatListing(listing, "table");
  const coloured = await formatListing(listing, "table", STYLE);
  assert.equal(withoutColours(coloured), plain);
  const lines = coloured.split("\n");
  assert.match(lines[0] ?? "", /^\u001b\[1mName +Status\u001b\[0m$/u);
  assert.doesNotMatch(lines[1] ?? "", /\u001b/u, "the server's own escape is gone, and no look was added");
  assert.match(lines[2] ?? "", /^\u001b\[32mada +Active\u001b\[0m$/u);
  const at = (word: string, line = "") => stringWidth(line.slice(0, line.indexOf(word)));
  assert.equal(at("Status", lines[0]), at("Active", lines[2]));
  for (const format of ["json", "yaml", "name"] as const) {
    assert.equal(await formatListing(listing, format, STYLE), await formatListing(listing, format));
    assert.equal(
      await formatObject([["Name", "ada"]], { name: "ada" }, "ada", format, STYLE),
      await formatObject([["Name", "ada"]], { name: "ada" }, "ada", format),
    );
  }
  assert.equal(
    await formatObject([["User", "ada: x"]], {}, "", "table", STYLE),
    "\u001b[1mUser:\u001b[0m   ada: x\n",
  );
});
