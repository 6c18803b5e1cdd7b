/** The choice of one among several on a terminal. */

import { AppError, interruptedError } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { Terminal } from "../../system/terminal.ts";
import type { Style } from "../output/style.ts";
import { columnsOf } from "../output/width.ts";
import { ask, type Step } from "./loop.ts";

const ROWS = 8;

/** What is shown of a choice: a text, or a name with what stands in a column of its own beside it. */
export type Label = string | readonly [name: string, about: string];

/** A choice, made ready to be shown and found. */
interface Row {
  readonly name: string;
  readonly about: string;
  /** In small letters, with the marks of letters apart from them. */
  readonly text: string;
  /** The same without those marks. */
  readonly plain: string;
}

/** The state of a picker. */
export interface Picker {
  readonly question: string;
  readonly rows: readonly Row[];
  /** The columns of a terminal that the longest name takes, and the longest text beside one. */
  readonly widest: { readonly name: number; readonly about: number };
  /** What was typed to narrow the list: each of its words must be in a label. */
  readonly filter: string;
  /** The index of the cursor among the labels that match. */
  readonly cursor: number;
}

/** A picker as it opens; the cursor stands on the first choice unless another is given. */
export function openPicker(question: string, labels: readonly Label[], cursor = 0): Picker {
  const rows = labels.map(rowOf);
  const widest = (texts: readonly string[]) =>
    texts.reduce((most, text) => Math.max(most, columnsOf(text)), 0);
  return {
    question,
    rows,
    widest: { name: widest(rows.map(({ name }) => name)), about: widest(rows.map(({ about }) => about)) },
    filter: "",
    cursor,
  };
}

function rowOf(label: Label): Row {
  const [name, about] = (typeof label === "string" ? [label, ""] as const : label).map((text) =>
    printable(text)
  );
  const text = folded(`${name} ${about}`);
  return { name: name ?? "", about: about ?? "", text, plain: text.replace(/\p{M}/gu, "") };
}

function folded(text: string): string {
  return text.toLowerCase().normalize("NFKD");
}

function matches({ rows, filter }: Picker): number[] {
  const wanted = folded(filter).split(/\s+/).filter((word) => word !== "");
  return rows.flatMap(({ text, plain }, index) =>
    wanted.every((word) => text.includes(word) || plain.includes(word)) ? [index] : []
  );
}

/** What a key does. */
export function onKey(picker: Picker, key: string): Step<Picker, number> {
  const found = matches(picker);
  const last = Math.max(0, found.length - 1);
  const moveTo = (cursor: number): Step<Picker, number> => ({ kind: "open", state: { ...picker, cursor } });
  const filterBy = (filter: string): Step<Picker, number> => ({
    kind: "open",
    state: { ...picker, filter, cursor: 0 },
  });
  switch (key) {
    case "\u001b[A":
    case "\u001bOA":
    case "\u0010":
      return moveTo(picker.cursor === 0 ? last : picker.cursor - 1);
    case "\u001b[B":
    case "\u001bOB":
    case "\u000e":
    case "\t":
      return moveTo(picker.cursor >= last ? 0 : picker.cursor + 1);
    // Page up, page down; Home and End in the three ways of terminals.
    case "\u001b[5~":
      return moveTo(Math.max(0, picker.cursor - ROWS));
    case "\u001b[6~":
      return moveTo(Math.min(last, picker.cursor + ROWS));
    case "\u001b[H":
    case "\u001bOH":
    case "\u001b[1~":
      return moveTo(0);
    case "\u001b[F":
    case "\u001bOF":
    case "\u001b[4~":
      return moveTo(last);
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
      return filterBy([...picker.filter].slice(0, -1).join(""));
    // Ctrl-U.
    case "\u0015":
      return filterBy("");
    default:
      return printable(key) === key && key.length > 0 || key === " "
        ? filterBy(picker.filter + key)
        : { kind: "open", state: picker };
  }
}

/** The lines that a picker shows, none wider than the terminal. */
export function render(picker: Picker, columns: number): string[] {
  const found = matches(picker);
  const first = Math.max(0, Math.min(picker.cursor - ROWS + 1, found.length - ROWS));
  const lineOf = lines(picker, columns);
  const shown = found.slice(first, first + ROWS).map((index, at) =>
    `${first + at === picker.cursor ? ">" : " "} ${lineOf(picker.rows[index])}`
  );
  const more = found.length - shown.length;
  return [
    questionLine(picker, columns),
    ...(shown.length === 0 ? ["  (nothing matches; press Backspace)"] : shown),
    ...(more > 0 ? [`  … ${more} more; type to narrow`] : []),
  ].map((line) => fit(line, columns));
}

/** The question and the end of what was typed. */
function questionLine({ question, filter }: Picker, columns: number): string {
  const room = columns - 2 - columnsOf(question);
  if (columnsOf(filter) <= room || room < LEAST_TYPED) return `${question} ${filter}`;
  return `${question} …${head([...filter].reverse(), room - 1).reverse().join("")}`;
}

const LEAST_TYPED = 4;

/** Makes the lines of choices: the names in a column, cut so that something of what stands beside them can be read. */
function lines({ widest }: Picker, columns: number): (row: Row | undefined) => string {
  // The cursor's two columns, and the last one, which stays free.
  const room = columns - 3;
  const beside = Math.min(widest.about, LEAST_ABOUT);
  const least = Math.floor(room / 2);
  const names = widest.about === 0
    ? room
    : Math.min(widest.name, Math.max(room - GAP.length - beside, least));
  return (row) => {
    if (row === undefined) return "";
    if (widest.about === 0) return row.name;
    const name = shortened(row.name, names);
    return `${name}${" ".repeat(Math.max(0, names - columnsOf(name)))}${GAP}${row.about}`.trimEnd();
  };
}

const GAP = "  ";
/** So many columns of what stands beside a name are shown, where the terminal is not narrower than twice that. */
const LEAST_ABOUT = 16;

/** A name cut in its middle: names of one kind often begin alike. */
function shortened(name: string, columns: number): string {
  if (columnsOf(name) <= columns) return name;
  const tail = Math.ceil((columns - 1) / 2);
  const end = head([...name].reverse(), tail).reverse();
  const start = head([...name], columns - 1 - columnsOf(end.join("")));
  return `${start.join("")}…${end.join("")}`;
}

/** The first characters that take no more columns than that. */
function head(characters: readonly string[], columns: number): string[] {
  const taken: string[] = [];
  let width = 0;
  for (const character of characters) {
    width += columnsOf(character);
    if (width > columns) break;
    taken.push(character);
  }
  return taken;
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
  labels: readonly Label[],
  hint: string,
  cursor = 0,
): Promise<number> {
  if (!terminal.canAsk) {
    throw new AppError("USAGE", `${question} There is no terminal to ask on.`, { hint });
  }
  const asked = await ask(terminal, signal, { start: openPicker(question, labels, cursor), onKey, draw });
  if (asked.kind === "answered") return asked.answer;
  throw new AppError("INTERRUPTED", "Nothing was chosen.");
}

/**
 * As {@link pick}, for a choice that can wait: undefined for Escape, and where no more keys come. The terminal is one
 * where a person can be asked.
 *
 * @throws {AppError} `INTERRUPTED` for Ctrl-C
 */
export async function pickOrLeave(
  terminal: Terminal,
  signal: AbortSignal,
  question: string,
  labels: readonly Label[],
): Promise<number | undefined> {
  const asked = await ask<Picker, number | undefined>(terminal, signal, {
    start: openPicker(question, labels),
    onKey: (picker, key) =>
      key === "\u001b" || key === "\u0004" ? { kind: "answered", answer: undefined } : onKey(picker, key),
    draw,
  });
  if (asked.kind === "cancelled") throw interruptedError();
  signal.throwIfAborted();
  return asked.kind === "answered" ? asked.answer : undefined;
}
