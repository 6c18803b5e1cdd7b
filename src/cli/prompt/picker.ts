/** Owns the choice of one among several on a terminal: what is shown and what a key does are pure. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { Terminal } from "../../system/terminal.ts";
import { columnsOf } from "../output/width.ts";

const ROWS = 8;

/** The state of a picker. */
export interface Picker {
  readonly question: string;
  readonly labels: readonly string[];
  /** What was typed to narrow the list. */
  readonly filter: string;
  /** The place of the cursor among the labels that match. */
  readonly cursor: number;
}

/** What a key led to. */
export type Picked =
  | { readonly kind: "open"; readonly picker: Picker }
  | { readonly kind: "chosen"; readonly index: number }
  | { readonly kind: "cancelled" };

/** A picker as it opens. */
export function openPicker(question: string, labels: readonly string[]): Picker {
  return { question, labels: labels.map((label) => printable(label)), filter: "", cursor: 0 };
}

function matches({ labels, filter }: Picker): number[] {
  const wanted = filter.toLowerCase();
  return labels.flatMap((label, index) => label.toLowerCase().includes(wanted) ? [index] : []);
}

/** What a key does. */
export function onKey(picker: Picker, key: string): Picked {
  const found = matches(picker);
  const move = (by: number): Picked => ({
    kind: "open",
    picker: {
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
      return index === undefined ? { kind: "open", picker } : { kind: "chosen", index };
    }
    case "\u0003":
    case "\u0004":
    case "\u001b":
      return { kind: "cancelled" };
    case "\u007f":
    case "\b":
      return {
        kind: "open",
        picker: { ...picker, filter: [...picker.filter].slice(0, -1).join(""), cursor: 0 },
      };
    default:
      return printable(key) === key && key.length > 0 || key === " "
        ? { kind: "open", picker: { ...picker, filter: picker.filter + key, cursor: 0 } }
        : { kind: "open", picker };
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

/**
 * Asks a person to pick one label and returns its index. Where nobody can be asked, throws `USAGE` with the given
 * hint; when they leave without choosing, `INTERRUPTED`.
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
  let picker = openPicker(question, labels);
  let height = 0;
  const draw = (lines: readonly string[]) => {
    const up = height > 1 ? `\u001b[${height - 1}A` : "";
    terminal.writeErr(`${up}\r\u001b[J${lines.join("\r\n")}`);
    height = lines.length;
  };
  draw(render(picker, terminal.columns()));
  for await (const key of terminal.keys(signal)) {
    const picked = onKey(picker, key);
    if (picked.kind === "chosen") {
      draw([]);
      return picked.index;
    }
    if (picked.kind === "cancelled") break;
    picker = picked.picker;
    draw(render(picker, terminal.columns()));
  }
  draw([]);
  throw new AppError("INTERRUPTED", "Nothing was chosen.");
}
