/** An API server's tables of a list (`as=Table`), as the cells that kubectl prints. */

import { withoutControls } from "../text.ts";
import { goValue } from "./go-value.ts";
import { isItems, isMembers, type Json, type JsonMembers, memberOf } from "./lossless-json.ts";
import { alignColumns } from "./table-layout.ts";

/** The columns to show beside the server's. */
export interface TableOptions {
  /** The columns of lower priority, too: `-o wide`. */
  readonly wide?: boolean | undefined;
  /** The object's namespace first: `-A`. */
  readonly namespace?: boolean | undefined;
  /** A prefix of each name, followed by a slash: `deployment.apps`, for `--show-kind`. */
  readonly kind?: string | undefined;
  /** The labels that get a column each: `-L`. */
  readonly labelColumns?: readonly string[] | undefined;
  /** All labels in the last column: `--show-labels`. */
  readonly labels?: boolean | undefined;
}

/** The titles of a table's columns. */
export function tableTitles(table: JsonMembers, options: TableOptions = {}): string[] {
  return [
    ...(options.namespace ? ["NAMESPACE"] : []),
    ...columnsOf(table, options).map(({ name }) => cellText(name).toUpperCase()),
    ...(options.labelColumns ?? []).map((label) => cellText(label.split("/").at(-1) ?? "").toUpperCase()),
    ...(options.labels ? ["LABELS"] : []),
  ];
}

/** The cells of a table's rows, one line for each row. */
export function tableRows(table: JsonMembers, options: TableOptions = {}): string[][] {
  const columns = columnsOf(table, options);
  return items(table, "rows").filter(isMembers).map((row) => {
    const cells = items(row, "cells");
    const metadata = members(members(row, "object"), "metadata");
    const labels = members(metadata, "labels");
    return [
      ...(options.namespace ? [cellText(memberOf(metadata, "namespace"))] : []),
      ...columns.filter(({ index }) => index < cells.length).map(({ index, isName }) =>
        isName && options.kind !== undefined
          ? `${options.kind}/${cellText(cells[index])}`
          : cellText(cells[index])
      ),
      ...(options.labelColumns ?? []).map((label) => cellText(memberOf(labels, label))),
      ...(options.labels ? [labelsText(labels)] : []),
    ];
  });
}

/** Lays out a list that comes in pages: each page's columns are as wide as needed and never narrower than before. */
export class PagedTable {
  readonly #options: TableOptions;
  readonly #widths: number[] = [];
  #titles: boolean;

  constructor(options: TableOptions & { readonly noHeaders?: boolean } = {}) {
    this.#options = options;
    this.#titles = options.noHeaders !== true;
  }

  /** The lines of a page; the first one begins with the titles. */
  page(table: JsonMembers): string {
    const rows = tableRows(table, this.#options);
    const lines = this.#titles ? [tableTitles(table, this.#options), ...rows] : rows;
    this.#titles = false;
    return alignColumns(lines, this.#widths);
  }
}

interface Column {
  readonly index: number;
  readonly name: string;
  readonly isName: boolean;
}

function columnsOf(table: JsonMembers, { wide = false }: TableOptions): Column[] {
  return items(table, "columnDefinitions").flatMap((definition, index) => {
    if (!isMembers(definition)) return [];
    const { name, format, type, priority } = definition;
    if (!wide && typeof priority === "number" && priority !== 0) return [];
    return [{
      index,
      name: typeof name === "string" ? name : "",
      isName: format === "name" && type === "string",
    }];
  });
}

/**
 * A cell on one line. Further lines are only hinted at; an escape is printed as kubectl prints it, and every other
 * control character, such as a tab, becomes a blank.
 */
function cellText(cell: Json | undefined): string {
  if (cell === null || cell === undefined) return "";
  const text = goValue(cell);
  const end = text.search(/[\n\f\r]/);
  const line = end < 0 ? text : `${text.slice(0, end)}...`;
  return withoutControls(line.replaceAll("\u001b", "^["));
}

function labelsText(labels: JsonMembers): string {
  const all = Object.keys(labels).sort().map((name) => `${name}=${goValue(labels[name] as Json)}`);
  return all.length === 0 ? "<none>" : cellText(all.join(","));
}

function items(object: JsonMembers, name: string): readonly Json[] {
  const value = memberOf(object, name);
  return isItems(value) ? value : [];
}

function members(object: JsonMembers, name: string): JsonMembers {
  const value = memberOf(object, name);
  return isMembers(value) ? value : {};
}
