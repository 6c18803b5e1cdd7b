/** The lines of a resource's tables, one table after another, as `kubectl get` shows them. */

import { compactJson } from "../json-text.ts";
import { isItems, type Json, type JsonMembers } from "../lossless-json.ts";
import { type TableOptions, tableRows, tableTitles } from "../server-table.ts";

/** The columns that are shown, and whether they have titles. */
export interface TableView extends TableOptions {
  readonly noHeaders?: boolean | undefined;
}

/** Makes lines of the tables of one resource. */
export class TableLines {
  readonly #view: TableView;
  #columns: Json = [];
  #known = "";
  #isTitled = false;
  #beginsTitled = false;

  constructor(view: TableView) {
    this.#view = view;
  }

  /** Whether the first of the last lines is the titles. */
  get beginsTitled(): boolean {
    return this.#beginsTitled;
  }

  /**
   * The lines of a table, with the titles where these columns have had none. A table without columns has those of the
   * one before it: servers send them once.
   *
   * @param event what happened to the rows, for a first column with it.
   */
  of(table: JsonMembers, event?: string): string[][] {
    const { columnDefinitions } = table;
    if (isItems(columnDefinitions) && columnDefinitions.length > 0) {
      const columns = compactJson(columnDefinitions);
      if (columns !== this.#known) this.#isTitled = false;
      this.#known = columns;
      this.#columns = columnDefinitions;
    }
    const whole = { ...table, columnDefinitions: this.#columns };
    const rows = tableRows(whole, this.#view);
    if (rows.length === 0) return [];
    const lines = this.#isTitled || this.#view.noHeaders ? [] : [tableTitles(whole, this.#view)];
    const titled = lines.length;
    this.#isTitled = true;
    this.#beginsTitled = titled > 0;
    for (const row of rows) lines.push(row);
    if (event === undefined) return lines;
    return lines.map((line, index) => [index < titled ? "EVENT" : event, ...line]);
  }
}
