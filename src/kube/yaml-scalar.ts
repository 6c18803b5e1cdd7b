/** The meaning of a YAML 1.1 scalar, as go-yaml understands it: `yes` is true, `0777` is 511, `12:30` is text. */

/** The meaning of a scalar. A date is a text, but the printer quotes it. */
export type ScalarMeaning =
  | { readonly kind: "null"; readonly value: null }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "integer"; readonly value: number | bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "date" | "text"; readonly value: string };

const WORDS = new Map<string, ScalarMeaning>([
  ...["", "~", "null"].flatMap(spellings).map((word) => [word, { kind: "null", value: null }] as const),
  ...["y", "yes", "on", "true"].flatMap(spellings).map((word) =>
    [word, { kind: "boolean", value: true }] as const
  ),
  ...["n", "no", "off", "false"].flatMap(spellings).map((word) =>
    [word, { kind: "boolean", value: false }] as const
  ),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, { kind: "float", value: NaN }] as const),
  ...["", "+", "-"].flatMap((sign) =>
    [".inf", ".Inf", ".INF"].map((word) =>
      [sign + word, { kind: "float", value: sign === "-" ? -Infinity : Infinity }] as const
    )
  ),
]);

/** A word in lower case, capitalized, and in upper case. */
function spellings(word: string): string[] {
  return [word, word.slice(0, 1).toUpperCase() + word.slice(1), word.toUpperCase()];
}

const INTEGER = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;

const TAG = "tag:yaml.org,2002:";

/**
 * The meaning of a scalar.
 *
 * @param tag the resolved tag, such as `tag:yaml.org,2002:int`; an application's own tag makes a text.
 * @returns undefined when the text does not fit the tag.
 */
export function scalarMeaning(text: string, isPlain: boolean, tag?: string): ScalarMeaning | undefined {
  if (tag === undefined) return isPlain ? plainScalar(text) : { kind: "text", value: text };
  const meaning = plainScalar(text);
  const isA = (...kinds: ScalarMeaning["kind"][]) => kinds.includes(meaning.kind) ? meaning : undefined;
  switch (tag) {
    case `${TAG}null`:
      return isA("null");
    case `${TAG}bool`:
      return isA("boolean");
    case `${TAG}int`:
      return isA("integer");
    case `${TAG}float`:
      return isA("float", "integer");
    case `${TAG}timestamp`:
      return isA("date");
    case `${TAG}binary`:
      return decoded(text);
    default:
      return { kind: "text", value: text };
  }
}

/** The text encoded in base64; invalid UTF-8 becomes U+FFFD, because JSON cannot hold it. */
function decoded(base64: string): ScalarMeaning | undefined {
  const digits = base64.replace(/[\r\n]/g, "");
  if (!/^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(digits) || digits.includes("_")) return undefined;
  return {
    kind: "text",
    value: new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.fromBase64(digits)),
  };
}

/** The meaning of a scalar without quotes and without a tag. */
export function plainScalar(text: string): ScalarMeaning {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.\d]/.test(text)) return { kind: "text", value: text };
  if (isDate(text)) return { kind: "date", value: text };
  // A number may contain underscores anywhere; after a leading point, only between digits.
  const digits = text.startsWith(".") ? text.replace(/(?<=\d)_(?=\d)/g, "") : text.replaceAll("_", "");
  const integer = integerOf(digits);
  if (integer !== undefined) return { kind: "integer", value: integer };
  if (FLOAT.test(digits) && Number.isFinite(Number(digits))) return { kind: "float", value: Number(digits) };
  return { kind: "text", value: text };
}

/** A signed or unsigned 64-bit integer; a larger one is a float. */
function integerOf(digits: string): number | bigint | undefined {
  const match = INTEGER.exec(digits);
  if (match === null) return undefined;
  const [, sign = "", hex, binary, octal, decimal] = match;
  const size = hex !== undefined
    ? BigInt(`0x${hex}`)
    : binary !== undefined
    ? BigInt(`0b${binary}`)
    : octal !== undefined
    ? BigInt(`0o${octal}`)
    : BigInt(decimal ?? "0");
  const value = sign === "-" ? -size : size;
  if (value < -(2n ** 63n) || value >= 2n ** (sign === "" ? 64n : 63n)) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const DAY = /^(\d{4})-(\d{1,2})-(\d{1,2})(.*)$/;
const CLOCK = /^(?:[Tt]| +)(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(.*)$/;
const ZONE = /^(?:Z|[-+](\d\d):(\d\d))$/;

/** True when a text is a date or time in a form that go-yaml knows, and exists in the calendar. */
function isDate(text: string): boolean {
  const [, year, month = "", day = "", time] = DAY.exec(text) ?? [];
  if (year === undefined || !inRange(month, 1, 12)) return false;
  if (!inRange(day, 1, daysOf(Number(year), Number(month)))) return false;
  if (time === "") return true;
  const [, hour = "", minute = "", second = "", zone = ""] = CLOCK.exec(time ?? "") ?? [];
  if (!inRange(hour, 0, 23) || !inRange(minute, 0, 59) || !inRange(second, 0, 59)) return false;
  // A time after a blank has no zone; one after a T has one.
  if (time?.startsWith(" ")) return zone === "";
  const [match, hours = "0", minutes = "0"] = ZONE.exec(zone) ?? [];
  return match !== undefined && inRange(hours, 0, 24) && inRange(minutes, 0, 59);
}

function inRange(digits: string, least: number, most: number): boolean {
  return digits !== "" && Number(digits) >= least && Number(digits) <= most;
}

function daysOf(year: number, month: number): number {
  // Date does not accept years 0 to 99 as they are; the calendar repeats after 400 years.
  return new Date(Date.UTC(year % 400 + 400, month, 0)).getUTCDate();
}
