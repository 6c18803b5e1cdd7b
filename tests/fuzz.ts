/** What fuzz tests share: how many cases, hostile values and damaged documents. */

import assert from "node:assert/strict";
import fc from "./fast-check.ts";
import { assertAppError } from "./expect-error.ts";

/** The cases for each target, 300 unless `DATUMCTL_FUZZ_RUNS` says. */
export const RUNS = Number(Deno.env.get("DATUMCTL_FUZZ_RUNS") ?? 300);

/** Planted in the input, and looked for in what comes out. */
export const SECRET = "SECRET";

const LONGEST = 2_000;

/** What the work came to; undefined when it ended with an error that {@link assertAppError} lets pass, in bounded time. */
export async function ours<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  const began = performance.now();
  try {
    return await work();
  } catch (thrown) {
    assertAppError(thrown);
    return undefined;
  } finally {
    const took = performance.now() - began;
    assert.ok(took < LONGEST, `it took ${took} ms`);
  }
}

/** Text as nobody should write it. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "",
    "Bearer",
    "https://x.example/\u001b[2J",
    "javascript:1",
    "\u001b]8;;https://evil.example\u0007here\u001b]8;;\u0007",
    "\u202egnp.exe\u2066",
    "__proto__",
    "constructor",
    "../../etc/passwd",
    "\ud800",
    "9".repeat(400),
    "{",
  ),
);

/** Anything that JSON has, and what it has not. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.jsonValue() as fc.Arbitrary<unknown>,
  fc.double(),
  fc.integer(),
  fc.constantFrom(undefined, null, -1, 1e300, 8.64e15 + 1, 2 ** 53, [], {}),
);

/** A good object with up to three members changed to something else. */
export function changed(good: Readonly<Record<string, unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const change = fc.dictionary(fc.constantFrom(...Object.keys(good)), hostileValue, { maxKeys: 3 });
  return change.map((some) => ({ ...good, ...some }));
}

/** A text with parts cut out, doubled or changed; sometimes nothing of it is left. */
export function damaged(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const cuts = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(20), hostileText), {
    minLength: 1,
    maxLength: 3,
  });
  const cut = fc.tuple(text, cuts).map(([whole, places]) =>
    places.reduce((text, [share, length, put]) => {
      const at = Math.floor(share * text.length);
      return text.slice(0, at) + put + text.slice(at + length);
    }, whole)
  );
  return fc.oneof({ weight: 4, arbitrary: cut }, hostileText, fc.json());
}

/** The text of {@link changed}, or that text {@link damaged}. */
export function changedText(good: Readonly<Record<string, unknown>>): fc.Arbitrary<string> {
  const text = changed(good).map((value) => JSON.stringify(value));
  return fc.oneof({ weight: 2, arbitrary: text }, damaged(text));
}
