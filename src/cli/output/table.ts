/** Prints lists and single objects as a table, JSON, YAML or names. */

import { AppError } from "../../errors.ts";
import { printable, printableValue } from "../../text.ts";
import { PLAIN, type Style } from "./style.ts";

/** The values of `-o` for lists and single objects. */
export const LIST_FORMATS = ["table", "wide", "json", "yaml", "name"] as const;

/** One of {@link LIST_FORMATS}. */
export type ListFormat = typeof LIST_FORMATS[number];

/** A column: its title, its text for a row, and whether only `wide` shows it. */
export interface Column<Row> {
  readonly title: string;
  readonly wide?: true | undefined;
  text(row: Row): string;
}

/** What is listed, and how. */
export interface Listing<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** The row as programs get it. */
  object(row: Row): unknown;
  name(row: Row): string;
  /** Whether a row is what is active or in use, which a column says as well. */
  isActive?(row: Row): boolean;
}

/**
 * Checks the value of `-o`.
 *
 * @throws {AppError} `USAGE`
 */
export function listFormat(text: string | undefined): ListFormat {
  const format = LIST_FORMATS.find((known) => known === (text ?? "table"));
  if (format === undefined) throw wrongFormat(LIST_FORMATS);
  return format;
}

/** The error for a value of `-o` that is none of the formats. */
export function wrongFormat(formats: readonly string[], hint?: string): AppError {
  const [last = "", ...before] = [...formats].reverse();
  return new AppError(
    "USAGE",
    `-o takes ${before.reverse().join(", ")} or ${last}.`,
    { hint },
  );
}

/** A listing as the text of its format, ends of line included. Only tables have a look. */
export async function formatListing<Row>(
  listing: Listing<Row>,
  format: ListFormat,
  style = PLAIN,
): Promise<string> {
  const { rows, columns } = listing;
  switch (format) {
    case "json":
      return JSON.stringify(rows.map((row) => printableValue(listing.object(row))), undefined, 2) + "\n";
    case "yaml":
      return await toYaml(rows.map((row) => printableValue(listing.object(row))));
    case "name":
      return rows.map((row) => `${printable(listing.name(row))}\n`).join("");
    default: {
      const shown = columns.filter((column) => format === "wide" || column.wide === undefined);
      const lines = await tableLines([
        shown.map((column) => column.title),
        ...rows.map((row) => shown.map((column) => printable(column.text(row)))),
      ]);
      const [titles = "", ...others] = lines;
      const looks = others.map((line, at) => listing.isActive?.(rows[at] as Row) ? style.good(line) : line);
      return [style.title(titles), ...looks].map((line) => `${line}\n`).join("");
    }
  }
}

/** One object: `table` and `wide` as `Title:  value` lines. */
export async function formatObject(
  lines: readonly (readonly [title: string, value: string])[],
  object: unknown,
  name: string,
  format: ListFormat,
  style = PLAIN,
): Promise<string> {
  switch (format) {
    case "json":
      return JSON.stringify(printableValue(object), undefined, 2) + "\n";
    case "yaml":
      return await toYaml(printableValue(object));
    case "name":
      return `${printable(name)}\n`;
    default:
      return await formatPairs(lines.map(([title, value]) => [title, printable(value)]), style);
  }
}

/** What was written, as `Title:  value` lines. */
export async function formatFacts(
  facts: readonly (readonly [title: string, value: string])[],
  style: Style,
): Promise<string> {
  return await formatPairs(facts, style, 2);
}

/** Titles and values, which are printable, as `Title:  value` lines, the widest with so many blanks between. */
export async function formatPairs(
  pairs: readonly (readonly [title: string, value: string])[],
  { title: look }: Style,
  gap = GAP,
): Promise<string> {
  const lines = await tableLines(pairs.map(([title, value]) => [`${title}:`, value]), 0, gap);
  return lines.map((line, at) => {
    const end = (pairs[at]?.[0].length ?? 0) + 1;
    return `${look(line.slice(0, end))}${line.slice(end)}\n`;
  }).join("");
}

/** Blanks between columns. */
const GAP = 3;

/** Cells in columns as wide as their widest cell, or `narrowest`, measured in columns of a terminal. */
export async function formatTable(rows: readonly (readonly string[])[], narrowest = 0): Promise<string> {
  return (await tableLines(rows, narrowest)).map((line) => `${line}\n`).join("");
}

/** As {@link formatTable}, without the ends of the lines: a look is added to what is laid out. */
async function tableLines(
  rows: readonly (readonly string[])[],
  narrowest = 0,
  gap = GAP,
): Promise<string[]> {
  const columnsOf = await ruler(rows);
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? narrowest, columnsOf(cell));
    });
  }
  return rows.map((row) => {
    const cells = row.map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - columnsOf(cell)));
    return cells.join(" ".repeat(gap)).trimEnd();
  });
}

/** Measures cells. The package that knows all of Unicode is loaded only for a cell that is not plain ASCII. */
async function ruler(rows: readonly (readonly string[])[]): Promise<(text: string) => number> {
  const plain = rows.every((row) => row.every((cell) => /^[ -~]*$/.test(cell)));
  return plain ? (text) => text.length : (await import("./width.ts")).columnsOf;
}

/** A value as YAML. The YAML library is loaded only when it is needed. */
export async function toYaml(value: unknown): Promise<string> {
  const { writeYaml } = await import("./yaml-writer.ts");
  return writeYaml(value);
}
