/** Text made safe to show: without control characters, cut to a length, quoted for a shell. */

/** What most texts are made of: the other pattern is worth its making only beyond it. */
const ASCII = /^[\x20-\x7e]*$/;
const ASCII_LINES = /^[\t\n\x20-\x7e]*$/;

/**
 * What steers a terminal, reorders text, or is seen by nobody: joiners, fillers, tags, the blank of Braille too. It is a
 * text, because the runtime would read a pattern of Unicode's properties at each start, which takes long.
 */
const UNPRINTABLE = String.raw`[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]`;

let unprintableMade: RegExp | undefined;

function unprintable(): RegExp {
  return unprintableMade ??= new RegExp(UNPRINTABLE, "gu");
}

/** A text with its control, bidirectional and invisible characters turned into spaces. */
export function withoutControls(text: string): string {
  return ASCII.test(text) ? text : text.replace(unprintable(), " ");
}

/** A text of several lines, made safe as {@link withoutControls} does; the ends of its lines and its tabs stay. */
export function printableLines(text: string): string {
  if (ASCII_LINES.test(text)) return text;
  return text.replace(
    unprintable(),
    (character) => character === "\n" || character === "\t" ? character : " ",
  );
}

/**
 * Text from a server or a file, made safe to print on one line of a terminal: control, bidirectional and invisible
 * characters become spaces, and what is longer than `limit` characters is cut.
 */
export function printable(text: string, limit = 300): string {
  const clean = withoutControls(text).trim();
  // Not through the middle of a character outside the basic plane.
  return clean.length > limit ? `${clean.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}…` : clean;
}

/** How deep a value for programs may be; nobody nests so deep who wants to be read. */
const DEEPEST = 100;

/**
 * A value for programs with every text in it made safe as {@link printable} does, but uncut. What is nested beyond a
 * hundred levels becomes an ellipsis, so that no server's answer can exhaust the stack.
 */
export function printableValue(value: unknown): unknown {
  return printableTo(DEEPEST, value);
}

function printableTo(depth: number, value: unknown): unknown {
  if (typeof value === "string") return printable(value, Infinity);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return "…";
  if (Array.isArray(value)) return value.map((member) => printableTo(depth - 1, member));
  return Object.fromEntries(
    Object.entries(value).map((
      [name, member],
    ) => [printable(name, Infinity), printableTo(depth - 1, member)]),
  );
}

/** A text with a capital first letter, to begin a sentence with it. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * A word of a command line that is shown to be copied: quoted for POSIX shells where it has to be, and never cut, since
 * half a word names something else. Control and bidirectional characters become spaces, as in `printable`.
 *
 * @example
 * ```ts
 * import { shellWord } from "./text.ts";
 * console.assert(shellWord("ada@example.com") === "ada@example.com");
 * console.assert(shellWord("it's; rm -r x") === `'it'\\''s; rm -r x'`);
 * ```
 */
export function shellWord(text: string): string {
  const word = withoutControls(text);
  // A leading `=` is expanded by zsh.
  return /^[\w:/.,@%+-][\w:/.,@%+=-]*$/.test(word) ? word : shellQuote(word);
}

/** A command line that is shown to be copied, of words as {@link shellWord} writes them. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

/** A text in single quotes, byte for byte what a POSIX shell will read: for scripts, not for showing. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The nearest of some words; undefined when none is near: a third of its letters may be wrong. */
export function nearestWord(word: string, names: readonly string[]): string | undefined {
  const near = names.map((name) => [distance(word, name), name] as const).sort(([a], [b]) => a - b)[0];
  return near !== undefined && near[0] <= Math.max(1, Math.floor(word.length / 3)) ? near[1] : undefined;
}

/** The number of edits (insert, delete, replace, swap two neighbours) between two words. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? (before[j - 2] ?? Infinity) + 1
        : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
