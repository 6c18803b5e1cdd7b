/** The order of an object's names in kubectl's YAML. */

import type { JsonMembers } from "./lossless-json.ts";

/** An object's names in go-yaml's order: numbers in names by value, and letters last. */
export function yamlNames(object: JsonMembers): string[] {
  return Object.keys(object).sort(compareNames);
}

/** Compares two names as {@link yamlNames} orders them. */
function compareNames(a: string, b: string): number {
  if (ONLY_LETTERS.test(a) && ONLY_LETTERS.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  const one = [...a];
  const other = [...b];
  const at = one.findIndex((character, index) => character !== other[index]);
  const [left, right] = [one[at], other[at]];
  if (left === undefined || right === undefined) return one.length - other.length;
  const letter = LETTER.test(left);
  if (letter !== LETTER.test(right)) return letter ? 1 : -1;
  return (letter ? 0 : compareNumbers(one, other, at)) || compareCharacters(left, right);
}

const ONLY_LETTERS = /^[A-Za-z]+$/;
const LETTER = /^\p{L}$/u;

function compareCharacters(a: string, b: string): number {
  return (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);
}

/** Compares the numbers in which two names first differ: by value, then by leading zeros. */
function compareNumbers(one: readonly string[], other: readonly string[], at: number): number {
  const [a, b] = [digitsAt(one, at), digitsAt(other, at)];
  // The digits before are equal. A zero after them counts, unless they are zeros, too.
  const zero = a.startsWith("0") || b.startsWith("0");
  const before = zero && /[1-9]\d*$/.test(one.slice(0, at).join("")) ? "1" : "0";
  const [size, otherSize] = [int64(before + a), int64(before + b)];
  if (size !== otherSize) return size < otherSize ? -1 : 1;
  return a.length - b.length;
}

/** A number as go-yaml parses it: in 64 bits. */
function int64(digits: string): bigint {
  return BigInt.asIntN(64, BigInt(digits));
}

function digitsAt(characters: readonly string[], at: number): string {
  return /^\d*/.exec(characters.slice(at).join(""))?.[0] ?? "";
}
