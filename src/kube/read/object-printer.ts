/** Prints objects, alone or as a list, in the forms that are no table of the server's. */

import { AppError } from "../../errors.ts";
import { compactJson, jsonString, jsonText } from "../json-text.ts";
import { jsonListPrinter, type ListPrinter, yamlListPrinter } from "../list-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { asText, metadataOf } from "../json-parts.ts";
import { alignColumns, MOST_TEXT } from "../table-layout.ts";
import { splitApiVersion } from "../write/object-ref.ts";
import { yamlText } from "../yaml-printer.ts";
import { withoutManagedFields } from "./list-items.ts";
import { type ReadContext, shownText, type ShowOptions } from "./show.ts";

/** Prints in one form. Columns that are printed one after another share their widths. */
export class ObjectPrinter {
  readonly #context: Pick<ReadContext, "write" | "isTerminal">;
  readonly #options: ShowOptions;
  readonly #widths: number[] = [];
  #isTitled = false;
  /** Whether the text to write next begins with titles. */
  #beginsTitled = false;
  #documents = 0;

  constructor(context: Pick<ReadContext, "write" | "isTerminal">, options: ShowOptions) {
    this.#context = context;
    this.#options = options;
    this.#isTitled = options.noHeaders === true;
  }

  /** Prints an object that is in no list; several of them are documents, one after another. */
  async single(object: JsonMembers): Promise<void> {
    await this.#write(await this.#withRows(() => this.#document(object)));
  }

  /** Prints what happened to an object, with the whole object, as kubectl does: its managed fields, too. */
  async event(type: string, object: JsonMembers): Promise<void> {
    const { output } = this.#options;
    await this.#write(
      output.type === "json"
        ? `{"type":${jsonString(type)},"object":${compactJson(object)}}\n`
        : this.#document({ type, object }),
    );
  }

  /**
   * Prints a list while its objects come, where the form allows it.
   *
   * @param isNothingSilent whether an empty list prints nothing.
   * @throws {AppError} `USAGE` when a template fails.
   */
  async list(pages: AsyncIterable<readonly JsonMembers[]>, isNothingSilent: boolean): Promise<void> {
    const printer = this.#listPrinter();
    let isEmpty = true;
    for await (const page of pages) {
      const parts = await this.#withRows(() => page.map((object) => printer.item(this.#shown(object))));
      isEmpty &&= page.length === 0;
      if (parts.length > 0) await this.#write(parts.join("") + this.#page());
    }
    if (!isEmpty || !isNothingSilent) await this.#write(printer.end());
  }

  /** What makes text, after whose failure the rows before it are printed, as by kubectl. */
  async #withRows<Text>(make: () => Text): Promise<Text> {
    try {
      return make();
    } catch (thrown) {
      await this.#write(this.#page(true));
      throw thrown;
    }
  }

  #shown(object: JsonMembers): JsonMembers {
    const { output: { type }, showManagedFields } = this.#options;
    return (type === "json" || type === "yaml") && !showManagedFields ? withoutManagedFields(object) : object;
  }

  #document(whole: JsonMembers): string {
    const object = this.#shown(whole);
    const { output } = this.#options;
    this.#documents += 1;
    switch (output.type) {
      case "yaml":
        return `${this.#documents > 1 ? "---\n" : ""}${yamlText(object)}`;
      case "name":
        return nameLine(object);
      case "jsonpath":
        return output.template.print(object, { asJson: output.asJson });
      case "custom-columns":
        this.#rows.push(...output.columns.lines(object));
        return this.#page(true);
      default:
        return `${jsonText(object)}\n`;
    }
  }

  readonly #rows: string[][] = [];
  #size = 0;

  #add(row: string[]): void {
    this.#rows.push(row);
    for (const cell of row) this.#size += cell.length;
    if (this.#size > MOST_TEXT) {
      throw new AppError("INVALID", "What is to be printed is too long for columns.");
    }
  }

  /** The rows that are not yet printed: on a terminal after each page, elsewhere at the end. */
  #page(isEnd = this.#context.isTerminal): string {
    const { output } = this.#options;
    if (!isEnd || output.type !== "custom-columns") return "";
    const rows = this.#rows.splice(0);
    this.#size = 0;
    this.#beginsTitled = !this.#isTitled;
    if (this.#beginsTitled) rows.unshift([...output.columns.titles]);
    this.#isTitled = true;
    return alignColumns(rows, this.#widths);
  }

  #listPrinter(): ListPrinter {
    const { output } = this.#options;
    switch (output.type) {
      case "yaml":
        return yamlListPrinter();
      case "name":
        return { item: nameLine, end: () => "" };
      case "jsonpath": {
        const print = (list: JsonMembers) => output.template.print(list, { asJson: output.asJson });
        return (output.asJson ? undefined : output.template.listPrinter()) ?? wholeList(print);
      }
      case "custom-columns":
        return {
          item: (object) => {
            for (const row of output.columns.lines(object)) this.#add(row);
            return "";
          },
          end: () => this.#page(true),
        };
      default:
        return jsonListPrinter();
    }
  }

  async #write(text: string): Promise<void> {
    if (text === "") return;
    const isTitled = this.#beginsTitled;
    this.#beginsTitled = false;
    await this.#context.write(shownText(this.#context, text), isTitled);
  }
}

/** Prints a list that must be there as a whole. */
function wholeList(print: (list: JsonMembers) => string): ListPrinter {
  const items: JsonMembers[] = [];
  return {
    item(object) {
      items.push(object as JsonMembers);
      return "";
    },
    end: () => print({ apiVersion: "v1", kind: "List", items, metadata: { resourceVersion: "" } }),
  };
}

/** `deployment.apps/web` */
function nameLine(object: Parameters<ListPrinter["item"]>[0]): string {
  const members = object as JsonMembers;
  const { group } = splitApiVersion(asText(members.apiVersion));
  const kind = `${asText(members.kind).toLowerCase()}${group === "" ? "" : `.${group}`}`;
  return `${kind}/${asText(metadataOf(members).name)}\n`;
}
