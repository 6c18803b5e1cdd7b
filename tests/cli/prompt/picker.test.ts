/** Proves the picker without a terminal: what it shows at any width, and what each key does. */

import assert from "node:assert/strict";
import stringWidth from "string-width";
import fc from "../../fast-check.ts";
import { onKey, openPicker, pick, type Picker, pickOrLeave, render } from "../../../src/cli/prompt/picker.ts";
import { expectRejection } from "../../expect-error.ts";
import { openSandbox } from "../../sessions/sandbox.ts";
import { recordingHost } from "../run-line.ts";

const UP = "\u001b[A";
const DOWN = "\u001b[B";
const LABELS = ["ada@example.com", "grace@example.com", "zoë@example.com"];

/** The picker after some keys; each must leave it open. */
function press(picker: Picker, ...keys: string[]): Picker {
  return keys.reduce((before, key) => {
    const picked = onKey(before, key);
    assert.equal(picked.kind, "open", JSON.stringify(key));
    return picked.kind === "open" ? picked.state : before;
  }, picker);
}

const chosen = (picker: Picker) => onKey(picker, "\r");

Deno.test("arrows, Ctrl-N and Ctrl-P, and Tab move the cursor around the ends; Enter chooses", () => {
  const picker = openPicker("Who?", LABELS);
  assert.deepEqual(chosen(picker), { kind: "answered", answer: 0 });
  assert.deepEqual(chosen(press(picker, DOWN)), { kind: "answered", answer: 1 });
  assert.deepEqual(chosen(press(picker, UP)), { kind: "answered", answer: 2 });
  assert.deepEqual(chosen(press(picker, DOWN, DOWN, DOWN)), { kind: "answered", answer: 0 });
  assert.deepEqual(chosen(press(picker, "\u001bOB", "\t", "\u000e", "\u0010", "\u001bOA")), {
    kind: "answered",
    answer: 1,
  });
  assert.deepEqual(onKey(picker, "\n"), { kind: "answered", answer: 0 });
});

Deno.test("typing narrows, in any letter case; Backspace widens; the choice is of the whole list", () => {
  const picker = openPicker("Who?", LABELS);
  assert.deepEqual(chosen(press(picker, ..."GRA")), { kind: "answered", answer: 1 });
  assert.deepEqual(chosen(press(picker, "ë")), { kind: "answered", answer: 2 });
  assert.deepEqual(
    chosen(press(picker, DOWN, ..."example")),
    { kind: "answered", answer: 0 },
    "the cursor starts anew",
  );
  const none = press(picker, ..."nobody");
  assert.equal(chosen(none).kind, "open", "there is nothing to choose");
  assert.deepEqual(press(none, DOWN, UP).cursor, 0);
  assert.equal(press(none, ..."\u007f\u007f\b\b\u007f\u007f\u007f").filter, "");
  assert.equal(press(picker, "\u{1f600}", "\u007f").filter, "", "one key for one character");
  assert.equal(press(picker, " ").filter, " ");
});

Deno.test("Escape, Ctrl-C and Ctrl-D leave; other keys of a terminal change nothing", () => {
  const picker = openPicker("Who?", LABELS);
  for (const key of ["\u001b", "\u0003", "\u0004"]) {
    assert.deepEqual(onKey(picker, key), { kind: "cancelled" });
  }
  for (const key of ["\u001b[C", "\u001b[3~", "\u0001", "\u0000", "\u202e", ""]) {
    assert.equal(press(picker, key).filter, "");
  }
});

Deno.test("what is shown: the question, a cursor, eight rows at most and how many more there are", () => {
  const many = openPicker("Who?", Array.from({ length: 20 }, (_, at) => `user-${at}`));
  const lines = render(many, 80);
  assert.equal(lines[0], "Who? ");
  assert.deepEqual(lines.slice(1, 3), ["> user-0", "  user-1"]);
  assert.equal(lines.length, 10);
  assert.match(lines[9] ?? "", /12 more/);
  const last = render(press(many, UP), 80);
  assert.ok(last.includes("> user-19"), "the cursor stays in view");
  assert.match(render(press(many, ..."zz"), 80).join("\n"), /nothing matches/);
});

Deno.test("no line is as wide as the terminal, at 40 columns, with wide characters and every filter", () => {
  const picker = openPicker("Switch to which user?", [
    "ada@a-very-long-host-name.example.com  api.a-very-long-host-name.example.com",
    "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
    "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
  ]);
  for (const line of render(picker, 40)) assert.ok(stringWidth(line) < 40, `${stringWidth(line)}: ${line}`);
  assert.match(render(picker, 40)[1] ?? "", /…$/);
  const labels = fc.array(fc.string({ unit: "grapheme", maxLength: 120 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      labels,
      fc.integer({ min: 10, max: 120 }),
      fc.string({ unit: "grapheme" }),
      (all, columns, typed) => {
        const open = press(openPicker("Who?", all), ...[...typed].filter((key) => key >= " "));
        for (const line of render(open, columns)) {
          assert.ok(stringWidth(line) < columns, `${stringWidth(line)} of ${columns}: ${line}`);
          // deno-lint-ignore no-control-regex
          assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
        }
      },
    ),
  );
});

Deno.test("names stand in a column; a long one is cut in its middle, so that something beside it can be read", () => {
  const picker = openPicker("Which?", [
    ["acme", "Acme Corporation"],
    ["a-very-long-organization/service-042", "報告書システム 漢字漢字"],
    ["bare", ""],
  ]);
  assert.deepEqual(render(picker, 80).slice(1), [
    "> acme                                  Acme Corporation",
    "  a-very-long-organization/service-042  報告書システム 漢字漢字",
    "  bare",
  ]);
  assert.deepEqual(render(picker, 40).slice(1), [
    "> acme                 Acme Corporation",
    "  a-very-lo…rvice-042  報告書システム …",
    "  bare",
  ]);
});

Deno.test("what was typed is seen to its end; each word of it narrows, in any order, with marks or without", () => {
  const picker = openPicker("Which?", [
    ["acme/web", "Web shop"],
    ["acme/data", "Zoë's Lager"],
    ["initech/web", "Café"],
  ]);
  const found = (text: string) => {
    const step = chosen(press(picker, ...text));
    return step.kind === "answered" ? step.answer : undefined;
  };
  assert.equal(found("shop acme"), 0);
  assert.equal(found("web ini"), 2);
  assert.equal(found("zoe"), 1);
  assert.equal(found("cafe\u0301"), 2);
  assert.equal(found("ac  da "), 1);
  assert.equal(found("data web"), undefined);
  const typed = press(picker, ..."abcdefghijklmnopqrstuvwxyz");
  assert.equal(render(typed, 24)[0], "Which? …lmnopqrstuvwxyz");
  assert.equal(press(typed, "\u0015").filter, "");
});

Deno.test("Page Up and Page Down go by what is seen, Home and End to the ends, in the ways of all terminals", () => {
  const many = openPicker("Who?", Array.from({ length: 20 }, (_, at) => `user-${at}`));
  const at = (...keys: string[]) => press(many, ...keys).cursor;
  assert.deepEqual([at("\u001b[6~"), at("\u001b[6~", "\u001b[6~", "\u001b[6~")], [8, 19]);
  assert.deepEqual([at("\u001b[F", "\u001b[5~"), at("\u001b[6~", "\u001b[5~", "\u001b[5~")], [11, 0]);
  for (const end of ["\u001b[F", "\u001bOF", "\u001b[4~"]) assert.equal(at(end), 19);
  for (const home of ["\u001b[H", "\u001bOH", "\u001b[1~"]) assert.equal(at("\u001b[F", home), 0);
  const none = press(many, ..."zz", "\u001b[6~", "\u001b[F", "\u001b[5~");
  assert.equal(none.cursor, 0);
});

Deno.test("a choice that can wait is left by Escape and at the end of keys, interrupted by Ctrl-C", async () => {
  await using sandbox = await openSandbox();
  const ask = (keys: string[]) => {
    const { terminal, interrupted } = recordingHost([], { store: sandbox.store, keys });
    return pickOrLeave(terminal, interrupted, "Which?", LABELS);
  };
  assert.equal(await ask([DOWN, "\r"]), 1);
  for (const keys of [["\u001b"], [DOWN, "\u0004"], []]) assert.equal(await ask(keys), undefined);
  await expectRejection(ask(["\u0003"]), { code: "INTERRUPTED", exitCode: 130 });
});

Deno.test("any keys in any order keep the picker whole", () => {
  const key = fc.oneof(fc.constantFrom(UP, DOWN, "\u007f", "\t", "a", "@", " "), fc.string({ maxLength: 1 }));
  fc.assert(fc.property(fc.array(key), (keys) => {
    let picker = openPicker("Who?", LABELS);
    for (const each of keys) {
      const picked = onKey(picker, each);
      if (picked.kind === "answered") assert.ok(LABELS[picked.answer] !== undefined);
      if (picked.kind !== "open") return;
      picker = picked.state;
      assert.ok(picker.cursor >= 0 && picker.cursor < 3);
    }
  }));
});

Deno.test("a person picks; one who leaves interrupts; where nobody can be asked the flag is named", async () => {
  await using sandbox = await openSandbox();
  const ask = (keys?: string[]) => {
    const context = recordingHost([], {
      store: sandbox.store,
      keys,
    });
    const picked = pick(context.terminal, context.interrupted, "Who?", LABELS, "Name the user.");
    return { picked, written: context.written };
  };
  const { picked, written } = ask([DOWN, "\r"]);
  assert.equal(await picked, 1);
  assert.equal(written.out, "");
  for (const keys of [["\u0003"], ["\u001b"], []]) {
    await expectRejection(ask(keys).picked, { code: "INTERRUPTED", exitCode: 130 });
  }
  const unasked = ask();
  await expectRejection(unasked.picked, { code: "USAGE", hint: "Name the user." });
  assert.equal(unasked.written.err, "");
});
