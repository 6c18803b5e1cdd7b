/** The choice of one among several on a terminal. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { Terminal } from "../../system/terminal.ts";
import type { Style } from "../output/style.ts";
import { columnsOf } from "../output/width.ts";
import { ask, type Step } from "./loop.ts";

const ROWS = 8;

/** The state of a picker. */
export interface Picker {
  readonly question: string;
  readonly labels: readonly string[];
  /** What was typed to narrow the list. */
  readonly filter: string;
  /** The index of the cursor among the labels that match. */
  readonly cursor: number;
}

/** A picker as it opens. */
export function openPicker(question: string, labels: readonly string[]): Picker {
  return { question, labels: labels.map((label) => printable(label)), filter: "", cursor: 0 };
}

function matches({ labels, filter }: Picker): number[] {
  const wanted = filter.toLowerCase();
  return labels.flatMap((label, index) => label.toLowerCase().includes(wanted) ? [index] : []);
}

/** What a key does. */
export function onKey(picker: Picker, key: string): Step<Picker, number> {
  const found = matches(picker);
  const move = (by: number): Step<Picker, number> => ({
    kind: "open",
    state: {
      ...picker,
      cursor: found.length === 0 ? 0 : (picker.cursor + by + found.length) % found.length,
    },
  });
  switch (key) {
    case "\u001b[A":
    case "\u001bOA":
    case "\u0010":
      return move(-1);
    case "\u001b[B":
    case "\u001bOB":
    case "\u000e":
    case "\t":
      return move(1);
    case "\r":
    case "\n": {
      const index = found[picker.cursor];
      return index === undefined ? { kind: "open", state: picker } : { kind: "answered", answer: index };
    }
    case "\u0003":
    case "\u0004":
    case "\u001b":
      return { kind: "cancelled" };
    case "\u007f":
    case "\b":
      return {
        kind: "open",
        state: { ...picker, filter: [...picker.filter].slice(0, -1).join(""), cursor: 0 },
      };
    default:
      return printable(key) === key && key.length > 0 || key === " "
        ? { kind: "open", state: { ...picker, filter: picker.filter + key, cursor: 0 } }
        : { kind: "open", state: picker };
  }
}

/** The lines that a picker shows, none wider than the terminal. */
export function render(picker: Picker, columns: number): string[] {
  const found = matches(picker);
  const first = Math.max(0, Math.min(picker.cursor - ROWS + 1, found.length - ROWS));
  const shown = found.slice(first, first + ROWS).map((index, at) =>
    `${first + at === picker.cursor ? ">" : " "} ${picker.labels[index]}`
  );
  const more = found.length - shown.length;
  return [
    `${picker.question} ${picker.filter}`,
    ...(shown.length === 0 ? ["  (nothing matches; press Backspace)"] : shown),
    ...(more > 0 ? [`  … ${more} more; type to narrow`] : []),
  ].map((line) => fit(line, columns));
}

function fit(line: string, columns: number): string {
  if (columnsOf(line) < columns) return line;
  let text = "";
  for (const character of line) {
    if (columnsOf(text + character) >= columns - 1) break;
    text += character;
  }
  return `${text}…`;
}

/** Goes up to the first line of what is shown, clears it, and shows the next lines. */
function draw(
  before: Picker | undefined,
  after: Picker | undefined,
  columns: number,
  style: Style,
): string {
  const height = before === undefined ? 0 : render(before, columns).length;
  const up = height > 1 ? `\u001b[${height - 1}A` : "";
  const lines = after === undefined ? [] : render(after, columns);
  return `${up}\r\u001b[J${lines.map((line, at) => lookOf(line, at, style)).join("\r\n")}`;
}

/** A line of a picker as it looks: the question, the row with the cursor, a remark, or another row. */
function lookOf(line: string, at: number, style: Style): string {
  if (at === 0) return style.title(line);
  if (line.startsWith(">")) return style.command(line);
  return /^ {2}[(…]/.test(line) ? style.aside(line) : line;
}

/**
 * Asks to pick one label and returns its index.
 *
 * @throws {AppError} `USAGE` with the given hint when there is no terminal to ask on; `INTERRUPTED` when nothing is chosen
 */
export async function pick(
  terminal: Terminal,
  signal: AbortSignal,
  question: string,
  labels: readonly string[],
  hint: string,
): Promise<number> {
  if (!terminal.canAsk) {
    throw new AppError("USAGE", `${question} There is no terminal to ask on.`, { hint });
  }
  const asked = await ask(terminal, signal, { start: openPicker(question, labels), onKey, draw });
  if (asked.kind === "answered") return asked.answer;
  throw new AppError("INTERRUPTED", "Nothing was chosen.");
}
