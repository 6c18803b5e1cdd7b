/**
 * Colours and marks of what people read on a terminal. They are added last, to text that was measured and made safe,
 * and only the terminal's own sixteen colours are used, which each theme makes legible.
 */

import { type AppError, type ErrorFormat, formatError } from "../../errors.ts";
import type { Terminal } from "../../system/terminal.ts";
import { printableLines } from "../../text.ts";

/** Adds a look to a text; the plain style returns it as it is. */
type Paint = (text: string) => string;

/** How the parts of a stream's text look. Nothing is told by a look alone. */
export interface Style {
  /** False where every text stays as it is. */
  readonly isColoured: boolean;
  /** A title, the head of a table, or what is to be noticed first. */
  readonly title: Paint;
  /** What can be typed: a command or a flag. */
  readonly command: Paint;
  /** What went well, or is in use. */
  readonly good: Paint;
  /** What failed. */
  readonly bad: Paint;
  /** What is taken away. */
  readonly gone: Paint;
  /** What to beware of. */
  readonly careful: Paint;
  /** What is only worth a second look. */
  readonly aside: Paint;
  /** Stands before what succeeded; empty where it cannot be shown. */
  readonly successMark: string;
}

/** The styles of the two streams. */
export interface Styles {
  readonly out: Style;
  readonly err: Style;
}

const asItIs: Paint = (text) => text;

/** The style of what no person reads on a terminal. */
export const PLAIN: Style = {
  isColoured: false,
  title: asItIs,
  command: asItIs,
  good: asItIs,
  bad: asItIs,
  gone: asItIs,
  careful: asItIs,
  aside: asItIs,
  successMark: "",
};

/** Numbers of ECMA-48's "select graphic rendition": attributes, and the colours that the terminal's theme chooses. */
const [BOLD, DIM, RED, GREEN, YELLOW, CYAN] = ["1", "2", "31", "32", "33", "36"] as const;

/** Each line has a look of its own, so that a pager and a line that is cut lose none and keep none. */
function paint(look: string): Paint {
  return (text) => text.replace(/[^\n]+/g, (line) => `\u001b[${look}m${line}\u001b[0m`);
}

const GREEN_MARK = `${paint(GREEN)("✓")} `;

const COLOURED: Style = {
  isColoured: true,
  title: paint(BOLD),
  command: paint(CYAN),
  good: paint(GREEN),
  bad: paint(`${BOLD};${RED}`),
  gone: paint(RED),
  careful: paint(YELLOW),
  aside: paint(DIM),
  successMark: "",
};

const MARKED: Style = { ...COLOURED, successMark: GREEN_MARK };

/** What of a terminal decides on the styles of its streams. */
export type TerminalFacts = Pick<Terminal, "outIsTerminal" | "errIsTerminal" | "showsColours" | "showsMarks">;

/** The styles of a terminal's streams. Each is judged by itself: one of them may be a pipe. */
export function stylesOf({ outIsTerminal, errIsTerminal, showsColours, showsMarks }: TerminalFacts): Styles {
  const coloured = showsMarks ? MARKED : COLOURED;
  const styleOf = (isTerminal: boolean) => isTerminal && showsColours ? coloured : PLAIN;
  return { out: styleOf(outIsTerminal), err: styleOf(errIsTerminal) };
}

/** An error as {@link formatError} writes it; for people its label stands out, and its hint stands back. */
export function formatStyledError(error: AppError, format: ErrorFormat, style: Style): string {
  if (format !== "human" || !style.isColoured) return formatError(error, format);
  const message = printableLines(error.message);
  const hint = printableLines(error.hint ?? "");
  return `${style.bad("error:")} ${message}\n${hint === "" ? "" : `${styledHint(hint, style)}\n`}`;
}

/** A command to type, behind a colon: to the end of its sentence. */
const COMMAND = /(?<=: )((?:datumctl|kubectl|docker) .+?(?=[.;](?: |$)|$))/gm;

/** A hint stands back, but for the commands to type. */
function styledHint(hint: string, style: Style): string {
  return hint.split(COMMAND).map((part, at) => at % 2 === 0 ? style.aside(part) : style.command(part)).join(
    "",
  );
}

/** A table, whose first line is its titles. */
export function titled(table: string, { title }: Style): string {
  return table.replace(/^.+/, title);
}

/** A description's titles: capital words before a colon at the beginning of a line. */
export function styledKeys(text: string, { isColoured, title }: Style): string {
  return isColoured ? text.replace(/^[A-Z][\w ()./-]*:/gm, title) : text;
}

/** The label of a line that tells of trouble. */
const LABEL = /^(?:warning|error):/;

/** What stands alone on an indented line: an address to open, a code to enter. */
const ALONE = /^( +)(\S+)$/gm;

/** A remark on stderr: its label stands out, and so does what is to be opened, entered or typed. */
export function styledRemark(text: string, style: Style): string {
  if (!style.isColoured) return text;
  return text.replace(COMMAND, style.command)
    .replace(ALONE, (_, blanks: string, word: string) => `${blanks}${style.title(word)}`)
    .replace(LABEL, (label) => label === "error:" ? style.bad(label) : style.careful(label));
}

/** The lines of a hunk that are of the text before, and of the one after. */
const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;

/** Unified diffs: what is removed, what is added, and where. */
export function styledDiff(text: string, style: Style): string {
  if (!style.isColoured) return text;
  let [before, after] = [0, 0];
  return text.split("\n").map((line) => {
    const hunk = HUNK.exec(line);
    // A removed line may look like the head of a file, so that lines are counted.
    if (before <= 0 && after <= 0) {
      if (hunk === null) return style.title(line);
      [before, after] = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)];
      return style.command(line);
    }
    if (line.startsWith("\\")) return line;
    if (!line.startsWith("+")) before -= 1;
    if (!line.startsWith("-")) after -= 1;
    return line.startsWith("+") ? style.good(line) : line.startsWith("-") ? style.gone(line) : line;
  }).join("\n");
}
