/** `get --watch`: prints what is there, and then each change, until it is ended. */

import { AppError, failureOrThrow } from "../../errors.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { isUnserved } from "../resource-client.ts";
import { asText, metadataOf } from "../json-parts.ts";
import { alignColumns } from "../table-layout.ts";
import { chosenTargets } from "./chosen-targets.ts";
import { CHUNK, type GetOptions, sortedRows } from "./get.ts";
import { isTable, plainTable } from "./list-items.ts";
import { listPages } from "./list-pages.ts";
import { ObjectPrinter } from "./object-printer.ts";
import { bodyOf, OBJECTS, readAnswer, readRequest, TABLE } from "./read-client.ts";
import { objectIn, type ReadContext, shownText, viewOf } from "./show.ts";
import { TableLines } from "./table-lines.ts";
import { type ReadTarget, targetPath, withServedKinds } from "./targets.ts";
import {
  pageItems,
  watchChanges,
  type WatchOptions,
  type WatchRequest,
  type WatchState,
} from "./watch-changes.ts";
import { itemMetadata, WatchedObjects } from "./watched-objects.ts";

/** What a watch is told beside what to read. */
export interface WatchGetOptions extends Omit<GetOptions, "subresource">, WatchOptions {
  /** Told a sentence for each word that means more than one resource. */
  readonly onAmbiguity?: ((sentence: string) => void) | undefined;
  /** Only changes, not what is there at the beginning. */
  readonly watchOnly?: boolean | undefined;
  /** What happened to each object, too. */
  readonly outputWatchEvents?: boolean | undefined;
}

/**
 * Prints what is there and every change, until the signal ends it.
 *
 * @throws {AppError} `USAGE` for more than one type or one object, and what reading throws.
 */
export async function watch(
  context: ReadContext,
  args: readonly string[],
  options: WatchGetOptions,
): Promise<void> {
  const watching = await withServedKinds(context.kinds, async () => {
    const { targets: [target, ...more], ambiguities, errors: [error] } = await chosenTargets(
      context,
      args,
      options,
    );
    if (error !== undefined) throw error;
    if (target === undefined || more.length > 0) {
      throw new AppError("USAGE", "Only the objects of one type, or one object, can be watched.", {
        hint: "Watch each of them with a command of its own.",
      });
    }
    for (const ambiguity of ambiguities) options.onAmbiguity?.(ambiguity);
    const started = new Watch(context, target, options);
    return await started.printCurrent() ? started : undefined;
  });
  await watching?.follow();
}

/** The width of `MODIFIED` with the blanks behind it. */
const EVENT_WIDTH = 11;

class Watch {
  readonly #context: ReadContext;
  readonly #target: ReadTarget;
  readonly #options: WatchGetOptions;
  readonly #table: TableLines;
  readonly #objects: ObjectPrinter;
  readonly #widths: number[];
  readonly #request: WatchRequest;
  readonly #state: WatchState = { objects: new WatchedObjects(), version: undefined };

  constructor(context: ReadContext, target: ReadTarget, options: WatchGetOptions) {
    this.#context = context;
    this.#target = target;
    this.#options = options;
    const namespace = options.allNamespaces === true;
    this.#table = new TableLines(viewOf(options, target, { namespace, isOneOfMany: false }));
    // As wide as the longest word from the beginning.
    this.#widths = options.outputWatchEvents ? [EVENT_WIDTH] : [];
    this.#objects = new ObjectPrinter(context, options);
    const { name, ...list } = target;
    const isTabular = options.output.type === "table";
    this.#request = {
      path: targetPath(list),
      accept: isTabular ? TABLE : OBJECTS,
      query: {
        labelSelector: options.labelSelector,
        fieldSelector: name === undefined ? options.fieldSelector : `metadata.name=${name}`,
        includeObject: isTabular ? options.sortBy ? "Object" : "Metadata" : undefined,
      },
      chunkSize: options.chunkSize ?? CHUNK,
    };
  }

  /** Prints what is there; returns whether there is anything to follow. */
  async printCurrent(): Promise<boolean> {
    if (this.#target.name === undefined) {
      await this.#printList(this.#request);
      return true;
    }
    try {
      await this.#printObject(this.#request);
      return true;
    } catch (thrown) {
      const error = failureOrThrow(thrown);
      if (!this.#options.ignoreNotFound || error.code !== "NOT_FOUND" || isUnserved(error)) throw error;
      return false;
    }
  }

  /** Prints each change. */
  async follow(): Promise<void> {
    const { client } = this.#context;
    for await (const { type, object } of watchChanges(client, this.#request, this.#state, this.#options)) {
      await this.#print(object, type);
    }
  }

  /** Prints a list as it is now, and takes note of it. */
  async #printList(request: WatchRequest): Promise<void> {
    const { onWarning } = this.#options;
    let isExpired = false;
    const onExpired = () => {
      isExpired = true;
      this.#options.onExpired?.(this.#target);
    };
    let version = "";
    const pages: JsonMembers[] = [];
    for await (const page of listPages(this.#context.client, { ...request, onExpired, onWarning })) {
      version = asText(metadataOf(page).resourceVersion);
      const items = pageItems(page, this.#context.client.what);
      for (const item of items) this.#state.objects.add(item);
      if (this.#options.watchOnly) continue;
      const isShownAtOnce = this.#context.isTerminal && !this.#options.sortBy;
      if (isShownAtOnce || !isTable(page)) await this.#printAll(isTable(page) ? [page] : items);
      else pages.push(page);
    }
    const { sortBy } = this.#options;
    await this.#printTogether(sortBy ? [{ ...pages[0], rows: await sortedRows(pages, sortBy) }] : pages);
    // What was read at different times is compared with a new list first.
    this.#state.version = isExpired ? undefined : version;
  }

  /** Prints a named object as it is now, and takes note of it. */
  async #printObject({ accept, query: { includeObject } }: WatchRequest): Promise<void> {
    const { client } = this.#context;
    const { onWarning, watchOnly } = this.#options;
    const path = targetPath(this.#target);
    const answer = bodyOf(
      client,
      await readAnswer(client, readRequest(path, accept, { includeObject })),
      onWarning,
    );
    const [item] = isTable(answer) ? pageItems(answer, client.what) : [objectIn(answer, this.#context)];
    if (item === undefined) return;
    this.#state.objects.add(item);
    if (!watchOnly) await this.#print(item, "ADDED");
    this.#state.version = asText(itemMetadata(item).resourceVersion);
  }

  /** Prints tables with the widths of all of them. */
  async #printTogether(tables: readonly JsonMembers[]): Promise<void> {
    const lines = tables.flatMap((table) => this.#table.of(table, this.#event("ADDED")));
    await this.#writeLines(lines);
  }

  async #printAll(objects: readonly JsonMembers[]): Promise<void> {
    for (const object of objects) await this.#print(object, "ADDED");
  }

  async #print(object: JsonMembers, type: string): Promise<void> {
    if (this.#options.output.type === "table") {
      const table = isTable(object) ? object : plainTable([object], this.#context.now());
      await this.#printTable(table, type);
    } else if (this.#options.outputWatchEvents && this.#options.output.type !== "name") {
      await this.#objects.event(type, object);
    } else await this.#objects.single(object);
  }

  async #printTable(table: JsonMembers, type: string): Promise<void> {
    const lines = this.#table.of(table, this.#event(type));
    await this.#writeLines(lines);
  }

  #event(type: string): string | undefined {
    return this.#options.outputWatchEvents ? type : undefined;
  }

  async #writeLines(lines: readonly (readonly string[])[]): Promise<void> {
    if (lines.length === 0) return;
    const text = alignColumns(lines, this.#widths);
    await this.#context.write(shownText(this.#context, text), this.#table.beginsTitled);
  }
}
