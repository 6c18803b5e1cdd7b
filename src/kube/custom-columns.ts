/** kubectl's custom columns: a title and a path for each, a line for each object. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { goValue } from "./go-value.ts";
import { JsonPath, relaxedPath } from "./jsonpath.ts";
import type { Json } from "./lossless-json.ts";

/** A column with its unparsed path. */
export interface CustomColumn {
  readonly title: string;
  readonly path: string;
}

/**
 * The columns of a specification such as `NAME:.metadata.name,NODE:.spec.nodeName`. As in kubectl, a comma always
 * ends a column.
 *
 * @throws {AppError} `USAGE` in kubectl's words.
 */
export function columnsOfText(specification: string): CustomColumn[] {
  if (specification === "") {
    throw new AppError("USAGE", "custom-columns format specified but no custom columns given");
  }
  return specification.split(",").map((column) => {
    const colon = column.indexOf(":");
    if (colon < 0) {
      throw new AppError(
        "USAGE",
        `unexpected custom-columns spec: ${printable(column)}, expected <header>:<json-path-expr>`,
      );
    }
    return { title: column.slice(0, colon), path: relaxedPath(column.slice(colon + 1)) };
  });
}

/**
 * The columns of a file: a line of titles and a line of paths, separated by blanks.
 *
 * @throws {AppError} `USAGE` in kubectl's words.
 */
export function columnsOfFile(text: string): CustomColumn[] {
  const [titleLine = "", pathLine = ""] = text.split("\n", 2);
  const expected =
    "Expected format is one line of space separated headers, one line of space separated column specs.";
  if (text === "") throw new AppError("USAGE", `invalid template, missing header line. ${expected}`);
  if (!/\n[^]/.test(text)) throw new AppError("USAGE", `invalid template, missing spec line. ${expected}`);
  const titles = words(titleLine);
  const paths = words(pathLine);
  if (titles.length !== paths.length) {
    throw new AppError(
      "USAGE",
      `number of headers (${titles.length}) and field specifications (${paths.length}) don't match`,
    );
  }
  return titles.map((title, index) => ({ title, path: relaxedPath(paths[index] ?? "") }));
}

function words(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== "");
}

/** Prints objects as lines of cells, for {@link alignColumns}. */
export class CustomColumns {
  readonly titles: readonly string[];
  readonly #paths: readonly JsonPath[];

  /** @throws {AppError} `USAGE` when a path is none. */
  constructor(columns: readonly CustomColumn[]) {
    this.titles = columns.map(({ title }) => title);
    this.#paths = columns.map(({ path }) => JsonPath.parse(path));
  }

  /**
   * The lines of an object, usually one: what each path finds, joined with commas, or `<none>`. A line break or tab
   * in a text affects the table as it affects kubectl's.
   *
   * @throws {AppError} `USAGE` when a path fails.
   */
  lines(object: Json): string[][] {
    const cells = this.#paths.map((path) => {
      const found = path.find(object).flat();
      return found.length === 0 ? "<none>" : found.map((value) => goValue(value)).join(",");
    });
    if (!cells.some((cell) => /[\t\n\v\f]/.test(cell))) return [cells];
    return cells.join("\t").split(/[\n\f]/).map((line) => line.split(/[\t\v]/));
  }
}
