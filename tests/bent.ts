/** Answers with one bent member: absent, `null`, empty, of another type, or nested far too deep. */

/** A member that is left out. */
export const ABSENT = Symbol("absent");
/** Nested so deep that a program which walks it by recursion exhausts its stack. */
export const DEEP = Symbol("deep");

/** What a member can become, each with its name. */
export const BENDS: readonly (readonly [name: string, value: unknown])[] = [
  ["absent", ABSENT],
  ["null", null],
  ["empty", ""],
  ["a word", "x"],
  ["zero", 0],
  ["negative", -1],
  ["a number", 4711],
  ["huge", 1e308],
  ["true", true],
  ["a list", ["x"]],
  ["an object", { x: "y" }],
  ["nested deep", DEEP],
  ["escape sequences", "\u001b[2J\u202e"],
];

const LEVELS = 200_000;
const DEEP_TEXT = `${'{"a":['.repeat(LEVELS / 2)}${"]}".repeat(LEVELS / 2)}`;
const PLACE = '"nested deep is put here"';

/** The JSON text of an answer with one member bent; written here, since no library writes what is nested so deep. */
export function bentText(good: Readonly<Record<string, unknown>>, member: string, value: unknown): string {
  const { [member]: _, ...rest } = good;
  if (value === ABSENT) return JSON.stringify(rest);
  const text = JSON.stringify({ ...rest, [member]: value === DEEP ? JSON.parse(PLACE) : value });
  return text.replace(PLACE, DEEP_TEXT);
}

/** Every answer with one member bent: what was bent how, and the JSON text. */
export function* bentAnswers(
  good: Readonly<Record<string, unknown>>,
): Generator<
  { readonly what: string; readonly member: string; readonly bend: string; readonly text: string }
> {
  for (const member of Object.keys(good)) {
    for (const [bend, value] of BENDS) {
      yield { what: `${member} ${bend}`, member, bend, text: bentText(good, member, value) };
    }
  }
}
