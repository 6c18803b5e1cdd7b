/** Rewrites single values in YAML text and keeps every other line byte for byte. */

import { type Document, isAlias, isMap, isScalar, isSeq } from "yaml";
import { sameData } from "../splice/same-data.ts";
import { addFlow, removeFlow, type Replaced, type Span } from "../splice/yaml-flow.ts";
import {
  CannotSplice,
  endOf,
  keyOf,
  type ParsedList,
  type ParsedMap,
  type ParsedPair,
  startOf,
  YamlRanges,
} from "../splice/yaml-ranges.ts";
import {
  blockLines,
  flowText,
  inlineText,
  isInline,
  isRecord,
  itemLines,
  likeScalar,
  scalarText,
} from "../splice/yaml-text.ts";

/** One change of the text: a replacement between two offsets, or whole lines to insert. */
type Splice =
  | Replaced
  | { readonly at: number; readonly lines: readonly string[] };

/** The changes of one list: items changed by index, items removed, items appended. */
export interface ListChange {
  readonly updates: ReadonlyMap<number, { readonly current: unknown; readonly desired: unknown }>;
  readonly removed: ReadonlySet<number>;
  readonly added: readonly unknown[];
}

/**
 * A text with changes collected against its parsed document, which {@link SplicedText.result} applies all at once.
 * Offsets count from the parsed text, so it must have no byte order mark.
 */
export class SplicedText {
  readonly #text: string;
  readonly #eol: string;
  readonly #document: Document.Parsed;
  readonly #at: YamlRanges;
  readonly #splices: Splice[] = [];
  /** The indentation of one level in a JSON-like file. */
  readonly #unit: string;
  /** How far this file's lists are indented from their keys. */
  readonly #listIndent: number;

  constructor(text: string, document: Document.Parsed) {
    this.#text = text;
    this.#document = document;
    this.#at = new YamlRanges(text);
    this.#eol = /\r?\n/.exec(text)?.[0] ?? "\n";
    const root = document.contents;
    const first = isMap(root) ? root.items[0] : undefined;
    const unit = isMap(root) && root.flow === true && first !== undefined
      ? this.#at.blankBefore(this.#at.pairStart(root, first))
      : undefined;
    this.#unit = unit === undefined || unit === "" ? "  " : unit;
    this.#listIndent = isMap(root) ? this.#at.usualListIndent(root) : 0;
  }

  /** The text with all changes. A missing last line break stays missing. */
  result(): string {
    return this.#apply(this.#splices);
  }

  /**
   * The text with all changes, but without the items of block lists that `stays` rejects. The rest is enough to
   * check the changes and is parsed much faster. Only whole lines are left out. Undefined when a change falls into
   * an item that would be left out.
   */
  digest<Key extends string>(
    root: ParsedMap,
    lists: readonly Key[],
    stays: (list: Key, index: number) => boolean,
  ) {
    const cuts: { start: number; end: number; text: string }[] = [];
    for (const pair of root.items) {
      const list = pair.value;
      const key = lists.find((known) => known === keyOf(pair));
      if (key === undefined || !isSeq(list) || list.flow === true) continue;
      list.items.forEach((item, index) => {
        if (stays(key, index)) return;
        const start = this.#at.lineStart(this.#at.dashOf(list, item));
        cuts.push({ start, end: this.#at.lineAfter(this.#at.contentEnd(item)), text: "" });
      });
    }
    const clash = this.#splices.some((splice) => {
      const [start, end] = "at" in splice ? [splice.at, splice.at] : [splice.start, splice.end];
      return cuts.some((cut) => start < cut.end && end > cut.start);
    });
    return clash ? undefined : this.#apply([...cuts, ...this.#splices]);
  }

  #apply(splices: readonly Splice[]): string {
    const ordered = splices
      .map((splice, order) => ({ splice, order, start: "at" in splice ? splice.at : splice.start }))
      .sort((a, b) => a.start - b.start || a.order - b.order);
    let out = "";
    let from = 0;
    for (const { splice, start } of ordered) {
      if (start > from) out += this.#text.slice(from, start);
      from = Math.max(from, start);
      if ("at" in splice) {
        if (out !== "" && !out.endsWith("\n")) out += this.#eol;
        out += splice.lines.map((line) => line + this.#eol).join("");
      } else {
        out += splice.text;
        from = Math.max(from, splice.end);
      }
    }
    out += this.#text.slice(from);
    const endedOpen = this.#text !== "" && !this.#text.endsWith("\n");
    return endedOpen && out.endsWith(this.#eol) ? out.slice(0, -this.#eol.length) : out;
  }

  /** Fills an empty document with this mapping, in block style, after its comments. */
  fillEmpty(data: Readonly<Record<string, unknown>>): void {
    const node = this.#document.contents;
    const at = isMap(node) ? this.#at.lineAfter(endOf(node)) : this.#text.length;
    if (isMap(node)) this.#removeLines(startOf(node), at);
    const sorted = Object.fromEntries(Object.entries(data).sort(([a], [b]) => a < b ? -1 : 1));
    this.#splices.push({ at, lines: blockLines(sorted, 0) });
  }

  /**
   * Changes a mapping from its current data to the desired data. Equal keys are not touched, and new ones are
   * appended.
   *
   * @throws {CannotSplice} when that is not possible line by line.
   */
  changeMap(map: ParsedMap, current: Record<string, unknown>, desired: Record<string, unknown>): void {
    const own = new Map(map.items.map((pair, index) => [keyOf(pair), index]));
    const merge = own.get("<<");
    const gone = new Set<number>();
    const added: [string, unknown][] = [];
    for (const key of Object.keys(current)) {
      if (key in desired) continue;
      const index = own.get(key);
      if (index === undefined) throw new CannotSplice(`"${key}" comes from a merge`);
      gone.add(index);
    }
    for (const [key, value] of Object.entries(desired)) {
      if (Object.hasOwn(current, key) && sameData(current[key], value)) continue;
      const index = own.get(key);
      if (index === undefined) added.push([key, value]);
      // kubectl's parser lets a merge win over earlier keys.
      else if (merge !== undefined && index < merge) throw new CannotSplice(`"${key}" stands before a merge`);
      else this.#changePair(map, index, current[key], value);
    }
    if (gone.size > 0) this.#removePairs(map, gone, added.length > 0);
    if (added.length > 0) this.#addPairs(map, added, gone);
  }

  /** Changes one list of the root mapping. With `whole`, a changed item is rewritten from its first line. */
  changeList(root: ParsedMap, key: string, change: ListChange, whole: boolean): void {
    const index = root.items.findIndex((pair) => keyOf(pair) === key);
    const pair = root.items[index];
    if (pair === undefined) {
      if (change.added.length > 0) this.#addPairs(root, [[key, change.added]], new Set());
      return;
    }
    const list = pair.value;
    if (isAlias(list)) throw new CannotSplice(`"${key}" is an alias`);
    if (!isSeq(list) || list.items.length === 0) {
      if (change.added.length > 0) this.#replaceValue(root, pair, change.added);
      return;
    }
    for (const [at, { current, desired }] of change.updates) {
      const item = itemAt(list.items, at);
      if (!whole && isMap(item) && isRecord(current) && isRecord(desired)) {
        this.changeMap(item, current, desired);
      } else {
        this.#replaceItem(list, at, desired);
      }
    }
    if (change.removed.size > 0) this.#removeItems(root, pair, list, change);
    if (change.added.length > 0) this.#addItems(list, change);
  }

  /** The 1-based line of a list's item, for a message. */
  lineOfItem(root: ParsedMap, key: string, index: number): number {
    const pair = root.items.find((candidate) => keyOf(candidate) === key);
    const item = isSeq(pair?.value) ? pair.value.items[index] : undefined;
    const at = item === undefined ? 0 : startOf(item);
    return this.#text.slice(0, at).split("\n").length;
  }

  // ---- pairs ----

  #changePair(map: ParsedMap, index: number, current: unknown, desired: unknown): void {
    const pair = itemAt(map.items, index);
    if (isMap(pair.value) && pair.value.items.length > 0 && isRecord(current) && isRecord(desired)) {
      this.changeMap(pair.value, current, desired);
    } else {
      this.#replaceValue(map, pair, desired);
    }
  }

  #replaceValue(map: ParsedMap, pair: ParsedPair, desired: unknown): void {
    const node = pair.value;
    const empty = node === null || startOf(node) === endOf(node);
    const pairStart = this.#at.pairStart(map, pair);
    if (map.flow === true) {
      const text = flowText(desired, this.#at.blankBefore(pairStart), this.#unit, this.#eol);
      if (!empty) this.#splices.push({ start: startOf(node), end: endOf(node), text });
      else {
        const colon = this.#at.afterColon(pair);
        const at = colon ?? endOf(pair.key);
        this.#splices.push({ start: at, end: at, text: (colon === undefined ? ": " : " ") + text });
      }
      return;
    }
    const colon = this.#at.afterColon(pair);
    if (colon === undefined) throw new CannotSplice("a key without a colon");
    const blockValue = !empty && (isMap(node) || isSeq(node)) && node.flow !== true;
    const after = empty ? this.#at.lineAfter(colon) : this.#at.lineAfter(this.#at.contentEnd(node));
    if (isInline(desired)) {
      const text = isScalar(node) ? likeScalar(desired, node.type) : inlineText(desired);
      if (blockValue) {
        this.#splices.push({ start: colon, end: colon, text: ` ${text}` });
        this.#removeLines(startOf(node), after);
      } else if (empty) {
        this.#splices.push({ start: colon, end: colon, text: ` ${text}` });
      } else {
        const tail = this.#text.slice(startOf(node), endOf(node)).endsWith("\n") ? this.#eol : "";
        this.#splices.push({ start: startOf(node), end: endOf(node), text: text + tail });
      }
      return;
    }
    if (blockValue) this.#removeLines(startOf(node), after);
    else if (!empty) {
      const end = this.#text.slice(0, endOf(node)).replace(/\r?\n$/, "").length;
      const start = this.#text.slice(0, startOf(node)).trimEnd().length;
      this.#splices.push({ start, end, text: "" });
    }
    const column = this.#at.column(pairStart);
    const indent = Array.isArray(desired) ? column + this.#listIndent : column + 2;
    this.#splices.push({ at: after, lines: blockLines(desired, indent) });
  }

  #addPairs(map: ParsedMap, added: readonly [string, unknown][], gone: ReadonlySet<number>): void {
    if (map.flow === true) {
      const spans = this.#at.spansOfPairs(map);
      this.#addFlow(
        map,
        spans,
        gone,
        (indent) =>
          added.map(([key, value]) =>
            `${JSON.stringify(key)}: ${flowText(value, indent, this.#unit, this.#eol)}`
          ),
      );
      return;
    }
    this.#splices.push({
      at: this.#at.roomBehind(map, this.#at.column(startOf(map))),
      lines: added.flatMap(([key, value]) =>
        Array.isArray(value) && value.length > 0
          ? [
            `${" ".repeat(this.#at.column(startOf(map)))}${scalarText(key)}:`,
            ...blockLines(value, this.#at.column(startOf(map)) + this.#listIndent),
          ]
          : blockLines({ [key]: value }, this.#at.column(startOf(map)))
      ),
    });
  }

  #removePairs(map: ParsedMap, gone: ReadonlySet<number>, replaced: boolean): void {
    if (gone.size === map.items.length && !replaced) throw new CannotSplice("nothing would be left");
    if (map.flow === true) {
      this.#splices.push(...removeFlow(this.#text, this.#at.spansOfPairs(map), gone));
      return;
    }
    for (const index of gone) {
      const pair = itemAt(map.items, index);
      const start = this.#at.pairStart(map, pair);
      const next = map.items[index + 1];
      if (this.#at.blankBefore(start) !== undefined) {
        this.#removeLines(start, this.#at.lineAfter(this.#at.contentEndOfPair(pair)));
      } else if (next !== undefined && !gone.has(index + 1)) {
        this.#splices.push({ start, end: this.#at.pairStart(map, next), text: "" });
      } else {
        throw new CannotSplice("a key shares its line");
      }
    }
  }

  // ---- items ----

  #addItems(list: ParsedList, change: ListChange): void {
    if (list.flow === true) {
      const spans = this.#at.spansOfItems(list);
      return this.#addFlow(
        list,
        spans,
        change.removed,
        (indent) => change.added.map((value) => flowText(value, indent, this.#unit, this.#eol)),
      );
    }
    const dash = this.#at.column(startOf(list));
    const first = itemAt(list.items, 0);
    const sameLine = this.#at.lineStart(startOf(first)) === this.#at.lineStart(startOf(list));
    const gap = sameLine && isMap(first) && first.flow !== true ? this.#at.column(startOf(first)) - dash : 2;
    this.#splices.push({
      at: this.#at.roomBehind(list, dash),
      lines: change.added.flatMap((value) => itemLines(value, dash, gap)),
    });
  }

  #replaceItem(list: ParsedList, index: number, desired: unknown): void {
    const item = itemAt(list.items, index);
    if (list.flow === true) {
      const text = flowText(desired, this.#at.blankBefore(startOf(item)), this.#unit, this.#eol);
      this.#splices.push({ start: startOf(item), end: endOf(item), text });
      return;
    }
    const after = this.#at.lineAfter(this.#at.contentEnd(item));
    this.#removeLines(this.#at.dashOf(list, item), after);
    this.#splices.push({ at: after, lines: itemLines(desired, this.#at.column(startOf(list)), 2) });
  }

  #removeItems(root: ParsedMap, pair: ParsedPair, list: ParsedList, change: ListChange): void {
    const spans = this.#at.spansOfItems(list);
    if (list.flow === true) return void this.#splices.push(...removeFlow(this.#text, spans, change.removed));
    for (const index of change.removed) {
      const item = itemAt(list.items, index);
      this.#removeLines(
        this.#at.dashOf(list, item),
        this.#at.lineAfter(this.#at.contentEnd(item)),
      );
    }
    if (change.removed.size === list.items.length && change.added.length === 0) {
      const colon = this.#at.afterColon(pair);
      if (colon === undefined || root.flow === true) throw new CannotSplice("an unusual key");
      this.#splices.push({ start: colon, end: colon, text: " []" });
    }
  }

  // ---- flow style ----

  #addFlow(
    node: ParsedMap | ParsedList,
    spans: readonly Span[],
    gone: ReadonlySet<number>,
    render: (indent: string | undefined) => string[],
  ): void {
    const [first] = spans;
    const indent = first === undefined ? undefined : this.#at.blankBefore(first[0]);
    const separator = indent === undefined ? ", " : `,${this.#eol}${indent}`;
    const line = this.#eol + (indent ?? " ".repeat(this.#at.column(startOf(node)) + 1));
    const inside = startOf(node) + 1;
    this.#splices.push(...addFlow(this.#text, spans, gone, render(indent), { inside, separator, line }));
  }

  #removeLines(from: number, to: number): void {
    if (this.#at.blankBefore(from) === undefined) throw new CannotSplice("a line that is shared");
    this.#splices.push({ start: this.#at.lineStart(from), end: to, text: "" });
  }
}

/** The part of that index, which is there. */
function itemAt<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new CannotSplice("a part that is not there");
  return item;
}
