/** `get`: reads lists and objects, and prints them as kubectl does. */

import { AppError } from "../../errors.ts";
import { MEBIBYTE } from "../../http/bounded.ts";
import { asMembers, asText, metadataOf } from "../json-parts.ts";
import { readLabelSelector } from "../label-selector.ts";
import { isItems, type Json, type JsonMembers } from "../lossless-json.ts";
import { fullNameOf } from "../resource-names.ts";
import { alignColumns, MOST_TEXT } from "../table-layout.ts";
import { chosenTargets, type ReadChoice } from "./chosen-targets.ts";
import { isList, isTable, listItems, plainTable, rowObject } from "./list-items.ts";
import { OBJECTS, TABLE } from "./read-client.ts";
import { type OpenTarget, openTargets, pagesOf, type ReadOptions } from "./read-pages.ts";
import { objectIn, type ReadContext, shownText, type ShowOptions, viewOf } from "./show.ts";
import { TableLines } from "./table-lines.ts";
import { type ReadTarget, withServedKinds } from "./targets.ts";
import { printsItems } from "./output.ts";
import { itemMetadata } from "./watched-objects.ts";

/** What `get` is told beside what to read. */
export interface GetOptions
  extends
    ShowOptions,
    ReadChoice,
    Pick<ReadOptions, "subresource" | "ignoreNotFound" | "onExpired" | "onWarning"> {
  /** 500 unless given; 0 for lists in one part. */
  readonly chunkSize?: number | undefined;
  readonly sortBy?: string | undefined;
  /** Told after each part of a list that has more of them how many objects have been read, and of how many at least. */
  readonly onProgress?: ((count: number, all: number | undefined) => void) | undefined;
}

/** What became of a `get`. */
export interface GetResult {
  /** What could not be read; the rest was printed. */
  readonly errors: readonly AppError[];
  /** Where nothing was found, if nothing was printed for it and nothing else tells of it. */
  readonly emptyIn: "namespace" | "everywhere" | undefined;
  /** A sentence for each word that means more than one resource. */
  readonly ambiguities: readonly string[];
}

/** The most bytes of objects that are kept, to sort them or to go through them by a template. */
const MOST_KEPT = 512 * MEBIBYTE;

/** The most objects of a list that are asked for at once. */
export const CHUNK = 500;

/** Reads and prints what the arguments mean. @throws {AppError} `USAGE`, and what nothing is printed after. */
export async function get(
  context: ReadContext,
  args: readonly string[],
  options: GetOptions,
): Promise<GetResult> {
  return await withServedKinds(context.kinds, async () => {
    const { targets, isSingle, ambiguities, errors } = await chosenTargets(context, args, options);
    const { subresource, manifests } = options;
    if (subresource && manifests === undefined && targets.some(({ name }) => name === undefined)) {
      throw new AppError("USAGE", "Only of objects that are named a subresource can be read.", {
        hint: "Write TYPE NAME or TYPE/NAME.",
      });
    }
    const run = new Get(context, options, targets, errors);
    const emptyIn = await (options.output.type === "table" ? run.table() : run.objects(isSingle));
    return { errors: run.errors, emptyIn, ambiguities };
  });
}

class Get {
  readonly errors: AppError[];
  readonly #context: ReadContext;
  readonly #options: GetOptions;
  readonly #targets: readonly ReadTarget[];
  #count = 0;

  constructor(
    context: ReadContext,
    options: GetOptions,
    targets: readonly ReadTarget[],
    errors: readonly AppError[],
  ) {
    this.#context = context;
    this.#options = options;
    this.#targets = targets;
    this.errors = [...errors];
  }

  /** Prints tables. */
  async table(): Promise<GetResult["emptyIn"]> {
    const path = this.#options.sortBy || undefined;
    const includeObject = path !== undefined ? "Object" : this.#needsMetadata() ? "Metadata" : "None";
    const opened = await this.#open(TABLE, includeObject);
    const tables = new TablePages(this.#context, this.#options, opened.map(({ target }) => target));
    if (path === undefined) {
      for (const one of opened) {
        for await (const table of this.#tables(one)) await tables.add(one.target, table);
      }
    } else {
      // All at first, so that a path that sorts nothing is told before anything is printed.
      for (const { target, table } of await this.#sortedTables(opened, path)) await tables.add(target, table);
    }
    await tables.end();
    if (tables.isWritten || this.#options.ignoreNotFound || this.errors.length > 0) return undefined;
    return this.#targets.every(({ resource }) => resource.namespaced) && !this.#options.allNamespaces
      ? "namespace"
      : "everywhere";
  }

  /** Prints the objects themselves. */
  async objects(isSingle: boolean): Promise<undefined> {
    const { ignoreNotFound = false } = this.#options;
    const path = this.#options.sortBy || undefined;
    const [opened, { ObjectPrinter }] = await Promise.all([
      this.#open(OBJECTS, undefined),
      import("./object-printer.ts"),
    ]);
    const printer = new ObjectPrinter(this.#context, this.#options);
    if (isSingle) {
      const [one, ...more] = opened;
      if (this.errors.length > 0 || one === undefined && ignoreNotFound) return undefined;
      if (one !== undefined && more.length === 0) {
        await printer.single(objectIn(one.first, this.#context));
        return undefined;
      }
    }
    await printer.list(
      path === undefined ? this.#pages(opened) : this.#sortedPages(opened, path),
      ignoreNotFound,
    );
    return undefined;
  }

  async #open(accept: string, includeObject: ReadOptions["includeObject"]): Promise<OpenTarget[]> {
    const { chunkSize = CHUNK, manifests, labelSelector = "" } = this.#options;
    // As in kubectl, manifests name whole objects.
    const subresource = manifests === undefined ? this.#options.subresource : undefined;
    const budget = this.#keepsAll() ? { bytes: MOST_KEPT, left: MOST_KEPT } : undefined;
    const options = { ...this.#options, accept, includeObject, chunkSize, subresource, budget };
    const opened = await openTargets(this.#context.client, this.#targets, options, this.errors);
    if (manifests === undefined || labelSelector === "") return opened;
    // No server selects what is read object by object.
    const isSelected = readLabelSelector(labelSelector);
    return opened.filter(({ first }) => isSelected(asMembers(itemMetadata(first).labels)));
  }

  /** Whether objects are printed only when all of them have come. */
  #keepsAll(): boolean {
    const { output, sortBy: path } = this.#options;
    return Boolean(path) || output.type === "jsonpath" && !printsItems(output);
  }

  #needsMetadata(): boolean {
    const { allNamespaces, showLabels, labelColumns = [], manifests, labelSelector } = this.#options;
    return Boolean(
      allNamespaces || showLabels || labelColumns.length > 0 || manifests !== undefined && labelSelector,
    );
  }

  #tableOf(page: JsonMembers): JsonMembers {
    if (isTable(page)) return page;
    const objects = isList(page)
      ? listItems(page, this.#context.client.what)
      : [objectIn(page, this.#context)];
    return plainTable(objects, this.#context.now());
  }

  async *#tables(one: OpenTarget): AsyncGenerator<JsonMembers, void, void> {
    for await (const page of pagesOf(one, this.errors)) {
      const table = this.#tableOf(page);
      this.#progress(page, rowsOf(table).length);
      yield table;
    }
  }

  /** One table for each resource, in order. */
  async #sortedTables(
    opened: readonly OpenTarget[],
    path: string,
  ): Promise<{ readonly target: ReadTarget; readonly table: JsonMembers }[]> {
    const found = [];
    for (const [one, ...more] of Map.groupBy(opened, ({ target }) => keyOf(target)).values()) {
      if (one === undefined) continue;
      const tables: JsonMembers[] = [];
      for (const each of [one, ...more]) tables.push(...await Array.fromAsync(this.#tables(each)));
      const rows = await sortedRows(tables, path);
      found.push({ target: one.target, table: { ...tables[0], rows } });
    }
    return found;
  }

  async *#pages(opened: readonly OpenTarget[]): AsyncGenerator<JsonMembers[], void, void> {
    for (const one of opened) {
      for await (const page of pagesOf(one, this.errors)) {
        const objects = one.target.name === undefined
          ? listItems(page, this.#context.client.what)
          : [objectIn(page, this.#context)];
        this.#progress(page, objects.length);
        yield objects;
      }
    }
  }

  async *#sortedPages(
    opened: readonly OpenTarget[],
    path: string,
  ): AsyncGenerator<JsonMembers[], void, void> {
    const objects = (await Array.fromAsync(this.#pages(opened))).flat();
    const { sortBy } = await import("../sort-by.ts");
    yield sortBy(objects, path, (object) => object);
  }

  #progress(page: JsonMembers, count: number): void {
    this.#count += count;
    const { continue: more, remainingItemCount: left } = metadataOf(page);
    if (asText(more) === "") return;
    this.#options.onProgress?.(this.#count, typeof left === "number" ? this.#count + left : undefined);
  }
}

function rowsOf({ rows }: JsonMembers): readonly Json[] {
  return isItems(rows) ? rows : [];
}

/** The rows of tables, sorted. As for kubectl, a single one need not have what they are sorted by. */
export async function sortedRows(tables: readonly JsonMembers[], path: string): Promise<readonly Json[]> {
  const rows = tables.flatMap(rowsOf);
  if (rows.length < 2) return rows;
  const { sortBy } = await import("../sort-by.ts");
  return sortBy(rows, path, rowObject);
}

function keyOf({ resource }: ReadTarget): string {
  return `${fullNameOf(resource)} ${resource.version}`;
}

/** Prints the tables of several resources: each has widths of its own, and a blank line before it. */
class TablePages {
  readonly #context: ReadContext;
  readonly #options: GetOptions;
  readonly #isOneOfMany: boolean;
  #key: string | undefined;
  #table = new TableLines({});
  #lines: string[][] = [];
  #size = 0;
  #widths: number[] = [];
  #isGapDue = false;
  #beginsTitled = false;
  #isNamespaced = false;
  /** Whether anything was printed. */
  isWritten = false;

  constructor(context: ReadContext, options: GetOptions, targets: readonly ReadTarget[]) {
    this.#context = context;
    this.#options = options;
    this.#isOneOfMany = new Set(targets.map(keyOf)).size > 1;
  }

  async add(target: ReadTarget, table: JsonMembers): Promise<void> {
    const key = keyOf(target);
    if (key !== this.#key) {
      await this.end();
      this.#isGapDue = this.#key !== undefined && !this.#options.noHeaders && this.isWritten;
      // As in kubectl, the column stays for what has no namespace and follows.
      this.#isNamespaced ||= Boolean(this.#options.allNamespaces && target.resource.namespaced);
      this.#table = new TableLines(
        viewOf(this.#options, target, { namespace: this.#isNamespaced, isOneOfMany: this.#isOneOfMany }),
      );
      this.#key = key;
      this.#widths = [];
    }
    const isFirst = this.#lines.length === 0;
    for (const line of this.#table.of(table)) {
      this.#lines.push(line);
      for (const cell of line) this.#size += cell.length;
    }
    if (isFirst) this.#beginsTitled = this.#lines.length > 0 && this.#table.beginsTitled;
    if (this.#size > MOST_TEXT) {
      throw new AppError("INVALID", "What is to be printed is too long for a table.");
    }
    // Elsewhere the widths are those of the whole table.
    if (this.#context.isTerminal) await this.end();
  }

  /** Prints what is not yet printed. */
  async end(): Promise<void> {
    if (this.#lines.length === 0) return;
    const text = alignColumns(this.#lines, this.#widths);
    this.#lines = [];
    this.#size = 0;
    if (this.#isGapDue) await this.#context.write("\n");
    this.#isGapDue = false;
    await this.#context.write(shownText(this.#context, text), this.#beginsTitled);
    this.isWritten = true;
  }
}
