/** Columns of text as kubectl lays them out: as wide as their widest cell and the blanks that follow it. */

import { AppError } from "../errors.ts";

const NARROWEST = 6;
const GAP = 3;
const DESCRIPTION_GAP = 2;

/** Blanks can make a text much longer than its cells are: a text of more characters than these is for nobody. */
export const MOST_TEXT = 64 * 1024 * 1024;

/**
 * Lays out lines in columns, as `kubectl get` does: at least six wide, including the three blanks that follow each. The
 * last cell of a line keeps its width, and a column ends at a line without a further cell.
 *
 * @param remembered the widths of earlier lines' columns, which no column falls below. They are updated, so all
 * pages of a list share one list of widths.
 * @throws {AppError} `INVALID` when the text would be longer than {@link MOST_TEXT}.
 */
export function alignColumns(lines: readonly (readonly string[])[], remembered: number[] = []): string {
  return layOut(lines, (widest, column) => {
    return remembered[column] = Math.max(NARROWEST, widest + GAP, remembered[column] ?? 0);
  });
}

/**
 * Lays out a text whose cells end with tabs, as Go's `tabwriter` does it for `kubectl describe`: two blanks follow each
 * column. A vertical tab ends a cell, too, and a form feed ends a line and all columns.
 *
 * @throws {AppError} as {@link alignColumns}.
 */
export function alignTabs(text: string): string {
  return tabbedParts(text).map((lines) => layOut(lines, (widest) => widest + DESCRIPTION_GAP)).join("");
}

/**
 * Lays out a text whose cells end with tabs, as {@link alignTabs} has it, in columns as {@link alignColumns} makes them.
 *
 * @throws {AppError} as {@link alignColumns}.
 */
export function alignTabbedColumns(text: string, remembered: number[] = []): string {
  return tabbedParts(text).map((lines) => alignColumns(lines, remembered)).join("");
}

/** The cells of the lines of a text, in parts that have columns of their own. */
function tabbedParts(text: string): string[][][] {
  const parts = text.split("\f").map((part) => part.split("\n"));
  // Behind the last end of a line is nothing.
  parts.at(-1)?.pop();
  return parts.map((lines) => lines.map((line) => line.split(/[\t\v]/)));
}

function layOut(
  lines: readonly (readonly string[])[],
  widthOf: (widest: number, column: number) => number,
): string {
  const widths = lines.map((): number[] => []);
  // The lines that have a cell in a column and one behind it.
  let inColumn = [...lines.keys()].filter((line) => (lines[line]?.length ?? 0) > 1);
  let size = 0;
  for (let column = 0; inColumn.length > 0; column += 1) {
    for (const block of neighbours(inColumn)) {
      const widest = block.reduce((most, line) => Math.max(most, columnsOf(lines[line]?.[column] ?? "")), 0);
      const width = widthOf(widest, column);
      size += width * block.length;
      if (size > MOST_TEXT) throw new AppError("INVALID", "What is to be printed is too wide for columns.");
      for (const line of block) widths[line]?.push(width);
    }
    inColumn = inColumn.filter((line) => column + 2 < (lines[line]?.length ?? 0));
  }
  return lines.map((line, index) => lineText(line, widths[index] ?? [])).join("");
}

/** The runs of lines that follow one another. */
function neighbours(lines: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const line of lines) {
    const run = runs.at(-1);
    if (run?.at(-1) === line - 1) run.push(line);
    else runs.push([line]);
  }
  return runs;
}

function lineText(line: readonly string[], widths: readonly number[]): string {
  const cells = line.map((cell, column) => {
    const width = widths[column];
    return width === undefined ? cell : cell + " ".repeat(width - columnsOf(cell));
  });
  return `${cells.join("")}\n`;
}

/** The width of a text in columns: one for each character, as kubectl counts. */
export function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return [...text].length;
}
