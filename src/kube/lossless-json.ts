/** JSON as data in which every integer keeps its digits, and reading it from a text. */

/** A JSON value. An integer that a double cannot hold exactly is a bigint; every other number is a number. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | JsonMembers;

/** A JSON object, as data. */
export interface JsonMembers {
  readonly [name: string]: Json;
}

/** The deepest nesting to read or print; no object of an API server comes near it. */
export const DEEPEST = 1_000;

/** True for a JSON object. */
export function isMembers(value: Json | undefined): value is JsonMembers {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for a JSON array; `Array.isArray` does not narrow a readonly one. */
export function isItems(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value of an object's own member; inherited names such as `constructor` are undefined. */
export function memberOf(object: JsonMembers, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets a member of any name; a plain assignment of `__proto__` would set the prototype. */
export function setMember(object: { [name: string]: Json }, name: string, value: Json): void {
  if (name !== "__proto__") object[name] = value;
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** A number that a double may not hold, because of its length or exponent. Strings can contain one, too. */
const LONG_NUMBER = /(?<!["\w.-])-?\d(?:[\d.eE+-]{15,}|[\d.]*[eE]\+?\d{3,})/g;

/**
 * The value of a JSON text; undefined when the text is no JSON, contains a number beyond a double's range, or nests
 * too deep.
 *
 * `JSON.parse` reads it. First, long integers are turned into strings with a marker that the text does not contain:
 * a reviver, which gets a number's source text, makes reading ten times as slow.
 */
export function readJson(text: string): Json | undefined {
  try {
    const marked = markLongIntegers(text);
    if (marked === undefined) return JSON.parse(text);
    return withBigints(JSON.parse(marked.text), marked.marker, 0);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function markLongIntegers(text: string): { readonly text: string; readonly marker: string } | undefined {
  const parts: string[] = [];
  const strings = new StringFinder(text);
  let done = 0;
  for (const { 0: number, index } of text.matchAll(LONG_NUMBER)) {
    if (strings.has(index)) continue;
    if (!Number.isFinite(Number(number))) throw new RangeError("a number beyond a double's range");
    if (!INTEGER.test(number) || Number.isSafeInteger(Number(number))) continue;
    parts.push(text.slice(done, index), number);
    done = index + number.length;
  }
  if (parts.length === 0) return undefined;
  const marker = markerNotIn(text);
  const marked = parts.map((part, at) => at % 2 === 0 ? part : `"${marker}${part}"`).join("");
  return { text: marked + text.slice(done), marker };
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/;

function markerNotIn(text: string): string {
  let marker = "integer:";
  for (let number = 0; text.includes(marker); number += 1) marker = `integer ${number}:`;
  return marker;
}

/** Tells for one position after another whether it is inside a string of a JSON text. */
class StringFinder {
  readonly #text: string;
  #from = -1;
  #to = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** True when the position, which never goes back, is inside a string. */
  has(position: number): boolean {
    while (this.#to <= position) {
      const quote = this.#text.indexOf('"', this.#to);
      this.#from = quote < 0 ? this.#text.length : quote;
      this.#to = quote < 0 ? Infinity : closingQuote(this.#text, quote + 1) + 1;
    }
    return this.#from < position;
  }
}

/** The position of the quote that closes a JSON string whose content starts at `from`; without one, the text's end. */
export function closingQuote(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (before >= from && text.charCodeAt(before) === 0x5c) before -= 1;
    // Backslashes escape each other in pairs; a remaining one escapes the quote.
    if ((quote - before) % 2 === 1) return quote;
  }
  return text.length;
}

/** Replaces marked strings by bigints in place: copying all objects would cost more than reading. */
function withBigints(value: Json, marker: string, depth: number): Json {
  if (typeof value === "string") return value.startsWith(marker) ? integerOf(value, marker) : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEEPEST) throw new RangeError("nested too deep");
  if (isItems(value)) {
    const items = value as Json[];
    items.forEach((item, index) => {
      if (typeof item !== "number") items[index] = withBigints(item, marker, depth + 1);
    });
    return value;
  }
  const members = value as { [name: string]: Json };
  for (const name of Object.keys(members)) {
    const inner = members[name] as Json;
    const unmarked = withBigints(inner, marker, depth + 1);
    if (unmarked !== inner) setMember(members, name, unmarked);
  }
  return value;
}

// A string can start with the marker if the text spells it with escapes; it stays a string unless digits follow.
function integerOf(value: string, marker: string): Json {
  const digits = value.slice(marker.length);
  return INTEGER.test(digits) ? BigInt(digits) : value;
}
