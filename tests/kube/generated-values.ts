/** Generated objects, with the texts, names and numbers that printers and readers differ about. */

import fc from "../fast-check.ts";
import type { Json } from "../../src/kube/lossless-json.ts";

/** Pieces that mean something in YAML 1.1, look as if they did, or must be escaped somewhere. */
const PIECES = [
  ...[
    "a",
    "word",
    "longwordlongwordlongwordlongword",
    "http://a.b/c?d=e&f=g",
    "/",
    "$",
    "<b>&",
    "é",
    "日本",
    "😀",
  ],
  ...["yes", "no", "on", "y", "N", "true", "False", "null", "~", "=", "<<", ".inf", ".nan", ".", ".."],
  ...[
    "0",
    "12",
    "007",
    "0x1F",
    "0o7",
    "0b1",
    "1_0",
    "1e3",
    ".5",
    "+1",
    "-",
    "--",
    "---",
    "...",
    "9223372036854775808",
  ],
  ...[
    "12:30",
    "1:60",
    "2001-01-01",
    "2001-13-01",
    "2001-12-14T21:59:43Z",
    "2001-12-14 21:59:43",
    "T00:00:00Z",
  ],
  ...[
    ":",
    "::",
    ": ",
    "a:",
    " #",
    "#",
    "?",
    "? ",
    "- ",
    "!",
    "&",
    "*",
    "@",
    "`",
    "%",
    "|",
    ">",
    "[",
    "]",
    "{",
    "}",
  ],
  ...[
    ",",
    "'",
    '"',
    "\\",
    "\n",
    "\n\n",
    " ",
    "  ",
    "\t",
    "\r",
    "\u00a0",
    "\u0001",
    "\u001b",
  ],
  "word word word word word word word word word word word word word word word word word",
  "x y  z   ",
];

/** Texts with a meaning, alone and together. */
export const telling: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", ...PIECES),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join("")),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join(" ")),
);

/**
 * Names that have one order only, for go-yaml's is none for some, such as `1`, `01` and `0x`; and none of a merge. None
 * has a backslash: V8 15.0 takes the escape that begins a name for such a name of an object that it saw before, so that
 * `JSON.parse('{"b":1,"\\t":1}')` is `{"b":1,"\\":1}` after an object `{"b":1,"\\":1}`.
 */
const name = fc.oneof(
  telling.filter((text) => !/[\d\\]|^<<$/.test(text)),
  fc.constantFrom(
    "a1",
    "a2",
    "a10",
    "b-1",
    "b_1",
    "b.1",
    "b/1",
    "A",
    "Z",
    "é",
    "f:a",
    "f:",
    'k:{"x":1}',
    "k".repeat(140),
  ),
);

const scalar: fc.Arbitrary<Json> = fc.oneof(
  { arbitrary: telling, weight: 5 },
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    1e21,
    1234567.25,
    1e-7,
    100000,
    9007199254740993n,
    {},
    [],
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((integer) =>
    Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number === 0 ? 0.5 : number),
);

/** Members of any depth. */
export const members: fc.Arbitrary<Readonly<Record<string, Json>>> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value.map((spec) => ({ spec }));

/** As many generated objects as asked for, always the same. */
export function sampleObjects(count: number): Json[] {
  return fc.sample(members, { numRuns: count, seed: 20_240_101 }).map((members, index) => ({
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name: `w${index}` },
    ...members,
  }));
}
