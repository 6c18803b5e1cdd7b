/** Takes a command line apart as shells do, with quotes that need not end yet, and writes words for them. Runs nothing. */

/** The shells that are completed in. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** One of {@link SHELLS}. */
export type Shell = typeof SHELLS[number];

/** A quote that is open; empty outside. */
type Quote = "" | "'" | '"';

/** A word as it was typed, and what it means. */
interface TypedWord {
  readonly raw: string;
  readonly text: string;
  /** The quote that is open at its end. */
  readonly quote: Quote;
  /** For each place in `raw`: how long `text` is there, and the quote that is open. The end is the last one. */
  readonly marks: readonly Mark[];
  /** It is the file of a redirection. */
  readonly redirected: boolean;
}

interface Mark {
  readonly at: number;
  readonly length: number;
  readonly quote: Quote;
}

/** A command line up to the cursor. */
export interface TypedLine {
  /** The words behind the program's name and before the cursor's. */
  readonly words: readonly string[];
  /** The word that the cursor is at the end of; empty behind a blank. */
  readonly current: TypedWord;
  /** The line from the word behind the first `--` on, as it was typed; undefined without one. */
  readonly behindDashes: string | undefined;
}

/** Takes the line apart, from the program's name to the cursor. Assignments before the name are left out. */
export function readLine(line: string, shell: Shell): TypedLine {
  const { words, starts } = split(line, shell);
  const program = words.findIndex(({ raw }) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(raw));
  const own = words.slice(program + 1);
  const current = own.at(-1) ?? EMPTY;
  const dashes = own.slice(0, -1).findIndex(({ text }) => text === "--");
  const from = dashes < 0 ? undefined : starts[program + 1 + dashes + 1];
  return {
    words: own.slice(0, -1).filter(({ redirected }) => !redirected).map(({ text }) => text),
    current,
    behindDashes: from === undefined ? undefined : line.slice(from),
  };
}

const EMPTY: TypedWord = {
  raw: "",
  text: "",
  quote: "",
  marks: [{ at: 0, length: 0, quote: "" }],
  redirected: false,
};

interface Split {
  readonly words: readonly TypedWord[];
  /** Where each begins in the line. */
  readonly starts: readonly number[];
}

/** The words of a line. The last is the one at its end, empty where a blank stands there. */
function split(line: string, shell: Shell): Split {
  const words: TypedWord[] = [];
  const starts: number[] = [];
  let redirected = false;
  for (let at = 0;;) {
    at += /^(?:\s|\\\n)*/.exec(line.slice(at))?.[0].length ?? 0;
    const [operator] = /^(?:&|\d+)?[<>][>&|]*/.exec(line.slice(at)) ?? [];
    if (operator !== undefined) {
      at += operator.length;
      redirected = true;
      continue;
    }
    const word = readWord(line, at, shell);
    starts.push(at);
    words.push({ ...word, redirected });
    redirected = false;
    at += word.raw.length;
    if (at >= line.length) return { words, starts };
  }
}

/** The word that begins at a place of the line. */
function readWord(line: string, start: number, shell: Shell): Omit<TypedWord, "redirected"> {
  const marks: Mark[] = [];
  let quote: Quote = "";
  let text = "";
  let at = start;
  while (at < line.length) {
    const character = String.fromCodePoint(line.codePointAt(at) ?? 0);
    if (quote === "" && /[\s<>]/.test(character)) break;
    marks.push({ at: at - start, length: text.length, quote });
    const [escape = "", meant = ""] = escapeAt(line.slice(at, at + 3), quote, shell) ?? [];
    if (escape !== "") {
      text += meant;
      at += escape.length;
      continue;
    }
    at += character.length;
    if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (quote !== "" && character === quote) quote = "";
    else text += character;
  }
  marks.push({ at: at - start, length: text.length, quote });
  return { raw: line.slice(start, at), text, quote, marks };
}

/** An escape at the beginning of a text, and what it means; undefined where none is. */
function escapeAt(text: string, quote: Quote, shell: Shell): readonly [string, string] | undefined {
  if (shell === "powershell") {
    if (quote !== "" && text.startsWith(quote + quote)) return [quote + quote, quote];
    return quote !== "'" && /^`./su.test(text) ? pair(text) : undefined;
  }
  if (text[0] !== "\\" || text.length < 2) return undefined;
  if (text[1] === "\n" && quote !== "'") return ["\\\n", ""];
  const special = quote === "" ? /./su : quote === '"' ? /["\\$`]/ : shell === "fish" ? /['\\]/ : undefined;
  return special?.test(text.slice(1)[0] ?? "") ? pair(text) : undefined;
}

function pair(text: string): readonly [string, string] {
  const meant = String.fromCodePoint(text.codePointAt(1) ?? 0);
  return [`${text[0]}${meant}`, meant];
}

/**
 * What bash and readline replace a word's end with so that the word means `value`, whose beginning is the word's own
 * text. Readline replaces only what stands behind an open quote, or behind the last of `breaks` outside of quotes.
 * Undefined where the value cannot be written there.
 */
export function endForBash(
  { raw, quote, marks }: TypedWord,
  breaks: string,
  value: string,
): string | undefined {
  const from = keptEnd(raw, marks, quote, breaks);
  const rest = value.slice(from.length);
  if (quote === "'") return rest.replaceAll("'", "'\\''");
  // A shell that is typed to expands `!` in double quotes, and leaves the backslash before it.
  if (quote === '"') return rest.includes("!") ? undefined : rest.replace(/["\\$`]/g, "\\$&");
  const first = from.at === 0 && /^[~#]/.test(rest) ? "\\" : "";
  return first + rest.replace(isAscii(rest) ? SPECIAL_ASCII : new RegExp(SPECIAL, "gu"), "\\$&");
}

const SPECIAL_ASCII = /[^A-Za-z0-9_@%+=:,.\/~#-]/g;

// A text, because the runtime takes long to read the pattern: most words are ASCII.
const SPECIAL = String.raw`[^\p{L}\p{M}\p{N}_@%+=:,.\/~#-]`;

function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/** The end of the part of a word that readline leaves as it is. */
function keptEnd(raw: string, marks: readonly Mark[], open: Quote, breaks: string): Mark {
  const [first = { at: 0, length: 0, quote: "" as const }] = marks;
  let kept = first;
  for (const [index, mark] of marks.entries()) {
    const next = marks[index + 1];
    if (next === undefined) break;
    const character = raw.slice(mark.at, next.at);
    if (open !== "") {
      // The last quote that was opened.
      if (mark.quote === "" && next.quote !== "") kept = next;
    } else if (
      mark.quote === "" && next.quote === "" && !/['"\s]/.test(character) && breaks.includes(character)
    ) {
      // Readline takes these two for the beginning of what they stand before.
      kept = character === "@" || character === "$" ? mark : next;
    }
  }
  return kept;
}

/** A value as one word of PowerShell, which is replaced as a whole. */
export function wordForPowerShell(value: string): string {
  return /^[A-Za-z0-9_.\/:=+-][A-Za-z0-9_.\/:=+@-]*$/.test(value)
    ? value
    // Its parser takes typographic quotes for plain ones.
    : `'${value.replace(/['\u2018-\u201b]/g, "$&$&")}'`;
}
