/** Columns of text as kubectl lays them out: at least six wide, including the three blanks that follow each. */

const NARROWEST = 6;
const GAP = 3;

/**
 * Lays out lines in columns. The last cell of a line keeps its width, and a column ends at a line without a further
 * cell.
 *
 * @param remembered the widths of earlier lines' columns, which no column falls below. They are updated, so all
 * pages of a list share one list of widths.
 */
export function alignColumns(lines: readonly (readonly string[])[], remembered: number[] = []): string {
  const widths = lines.map((line) => new Array<number>(Math.max(0, line.length - 1)));
  const columns = lines.reduce((most, line) => Math.max(most, line.length - 1), 0);
  for (let column = 0; column < columns; column += 1) {
    for (let first = 0; first < lines.length; first += 1) {
      let end = first;
      let width = NARROWEST;
      for (; isIn(lines[end], column); end += 1) {
        width = Math.max(width, columnsOf(lines[end]?.[column] ?? "") + GAP);
      }
      if (end === first) continue;
      width = Math.max(width, remembered[column] ?? 0);
      remembered[column] = width;
      for (; first < end; first += 1) (widths[first] as number[])[column] = width;
    }
  }
  return lines.map((line, index) => lineText(line, widths[index] ?? [])).join("");
}

/** True when a line has a cell in a column and another after it. */
function isIn(line: readonly string[] | undefined, column: number): boolean {
  return line !== undefined && column < line.length - 1;
}

function lineText(line: readonly string[], widths: readonly number[]): string {
  const cells = line.map((cell, column) => {
    const width = widths[column];
    return width === undefined ? cell : cell + " ".repeat(width - columnsOf(cell));
  });
  return `${cells.join("")}\n`;
}

/** The width of a text in columns: one for each character, as kubectl counts. */
function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return [...text].length;
}
