/** Owns rewriting single values inside YAML text, so that every other line stays as it is, byte for byte. */

import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { sameData } from "../same-data.ts";

/** A YAML node of a parsed document: it knows where in the text it stands. */
type Placed = YAMLMap | YAMLSeq | { readonly range?: readonly [number, number, number] | null | undefined };

/** One change of the text: what stands between two offsets is replaced, or whole lines are put in. */
type Splice =
  | { readonly start: number; readonly end: number; readonly text: string }
  | { readonly at: number; readonly lines: readonly string[] };

/** What happens to one list: items changed by their index, items taken out, items put at the end. */
export interface ListChange {
  readonly updates: ReadonlyMap<number, { readonly current: unknown; readonly desired: unknown }>;
  readonly removed: ReadonlySet<number>;
  readonly added: readonly unknown[];
}

/** Thrown where a value cannot be changed without touching what is not meant; the caller refuses. */
export class CannotSplice extends Error {
  override readonly name = "CannotSplice";
}

/** A mapping's data, as `Document.toJS()` gives it. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The text with changes collected against its parsed document, applied all at once by {@link SplicedText.result}.
 * Offsets count from the text that was parsed: hand in text without a byte order mark.
 */
export class SplicedText {
  readonly #text: string;
  readonly #eol: string;
  readonly #document: Document;
  readonly #splices: Splice[] = [];
  /** What one level of a JSON-like file is indented with. */
  readonly #unit: string;
  /** How far the lists of this file stand to the right of their keys. */
  readonly #listIndent: number;

  constructor(text: string, document: Document) {
    this.#text = text;
    this.#document = document;
    this.#eol = /\r?\n/.exec(text)?.[0] ?? "\n";
    const root = document.contents;
    const first = isMap(root) ? root.items[0] : undefined;
    const unit = isMap(root) && root.flow === true && first !== undefined
      ? this.#blankBefore(this.#pairStart(root, first))
      : undefined;
    this.#unit = unit === undefined || unit === "" ? "  " : unit;
    this.#listIndent = isMap(root) ? this.#usualListIndent(root) : 0;
  }

  /** The text with every change made; a missing or present last line break stays so. */
  result(): string {
    return this.#apply(this.#splices);
  }

  /**
   * The text with every change made, but without those items of block lists that `stays` says no to: what is
   * left is enough to see whether the changes say what they should, and is read much sooner. An item is left out
   * by its own whole lines only; undefined where a change falls into one.
   */
  digest(root: YAMLMap, lists: readonly string[], stays: (list: string, index: number) => boolean) {
    const cuts: { start: number; end: number; text: string }[] = [];
    for (const pair of root.items) {
      const list = pair.value;
      const key = keyOf(pair);
      if (key === undefined || !lists.includes(key) || !isSeq(list) || list.flow === true) continue;
      list.items.forEach((item, index) => {
        if (stays(key, index)) return;
        const start = this.#lineStart(this.#dashOf(list, item as Placed));
        cuts.push({ start, end: this.#lineAfter(this.#contentEnd(item as Placed)), text: "" });
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

  /** Makes a document without content hold this mapping, in block style, after whatever comments there are. */
  fillEmpty(data: Readonly<Record<string, unknown>>): void {
    const node = this.#document.contents;
    const at = isMap(node) ? this.#lineAfter(endOf(node)) : this.#text.length;
    if (isMap(node)) this.#removeLines(startOf(node), at);
    const sorted = Object.fromEntries(Object.entries(data).sort(([a], [b]) => a < b ? -1 : 1));
    this.#splices.push({ at, lines: blockLines(sorted, 0) });
  }

  /**
   * Changes a mapping from its current data to the desired: equal keys are not touched, new ones go to its end.
   * Throws {@link CannotSplice} where that is not possible line by line.
   */
  changeMap(map: YAMLMap, current: Record<string, unknown>, desired: Record<string, unknown>): void {
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
      // kubectl's parser lets a merge win over the keys that stand before it.
      else if (merge !== undefined && index < merge) throw new CannotSplice(`"${key}" stands before a merge`);
      else this.#changePair(map, index, current[key], value);
    }
    if (gone.size > 0) this.#removePairs(map, gone, added.length > 0);
    if (added.length > 0) this.#addPairs(map, added, gone);
  }

  /** Changes one list of the root mapping. With `whole`, a changed item is written anew from its first line on. */
  changeList(root: YAMLMap, key: string, change: ListChange, whole: boolean): void {
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
      const item = list.items[at];
      if (!whole && isMap(item) && isRecord(current) && isRecord(desired)) {
        this.changeMap(item, current, desired);
      } else {
        this.#replaceItem(list, at, desired);
      }
    }
    if (change.removed.size > 0) this.#removeItems(root, pair, list, change);
    if (change.added.length > 0) this.#addItems(list, change);
  }

  /** The 1-based line of a list's item in the text, for a message. */
  lineOfItem(root: YAMLMap, key: string, index: number): number {
    const pair = root.items.find((candidate) => keyOf(candidate) === key);
    const item = isSeq(pair?.value) ? pair.value.items[index] : undefined;
    const at = item === undefined ? 0 : startOf(item as Placed);
    return this.#text.slice(0, at).split("\n").length;
  }

  // ---- pairs ----

  #changePair(map: YAMLMap, index: number, current: unknown, desired: unknown): void {
    const pair = map.items[index] as Pair;
    if (isMap(pair.value) && pair.value.items.length > 0 && isRecord(current) && isRecord(desired)) {
      this.changeMap(pair.value, current, desired);
    } else {
      this.#replaceValue(map, pair, desired);
    }
  }

  #replaceValue(map: YAMLMap, pair: Pair, desired: unknown): void {
    const node = pair.value as Placed | null;
    const empty = node === null || startOf(node) === endOf(node);
    const pairStart = this.#pairStart(map, pair);
    if (map.flow === true) {
      const text = flowText(desired, this.#blankBefore(pairStart), this.#unit, this.#eol);
      if (!empty) this.#splices.push({ start: startOf(node), end: endOf(node), text });
      else {
        const colon = this.#afterColon(pair);
        const at = colon ?? endOf(pair.key as Placed);
        this.#splices.push({ start: at, end: at, text: (colon === undefined ? ": " : " ") + text });
      }
      return;
    }
    const colon = this.#afterColon(pair);
    if (colon === undefined) throw new CannotSplice("a key without a colon");
    const blockValue = !empty && (isMap(node) || isSeq(node)) && node.flow !== true;
    const after = empty ? this.#lineAfter(colon) : this.#lineAfter(this.#contentEnd(node));
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
    const column = this.#column(pairStart);
    const indent = Array.isArray(desired) ? column + this.#listIndent : column + 2;
    this.#splices.push({ at: after, lines: blockLines(desired, indent) });
  }

  #addPairs(map: YAMLMap, added: readonly [string, unknown][], gone: ReadonlySet<number>): void {
    if (map.flow === true) {
      const spans = this.#spansOfPairs(map);
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
      at: this.#lineAfter(this.#contentEnd(map)),
      lines: added.flatMap(([key, value]) =>
        Array.isArray(value) && value.length > 0
          ? [
            `${" ".repeat(this.#column(startOf(map)))}${scalarText(key)}:`,
            ...blockLines(value, this.#column(startOf(map)) + this.#listIndent),
          ]
          : blockLines({ [key]: value }, this.#column(startOf(map)))
      ),
    });
  }

  #removePairs(map: YAMLMap, gone: ReadonlySet<number>, replaced: boolean): void {
    if (gone.size === map.items.length && !replaced) throw new CannotSplice("nothing would be left");
    if (map.flow === true) return this.#removeFlow(this.#spansOfPairs(map), gone);
    for (const index of gone) {
      const pair = map.items[index] as Pair;
      const start = this.#pairStart(map, pair);
      const next = map.items[index + 1];
      if (this.#blankBefore(start) !== undefined) {
        this.#removeLines(start, this.#lineAfter(this.#contentEndOfPair(pair)));
      } else if (next !== undefined && !gone.has(index + 1)) {
        this.#splices.push({ start, end: this.#pairStart(map, next), text: "" });
      } else {
        throw new CannotSplice("a key shares its line");
      }
    }
  }

  // ---- items ----

  #addItems(list: YAMLSeq, change: ListChange): void {
    if (list.flow === true) {
      const spans = this.#spansOfItems(list);
      return this.#addFlow(
        list,
        spans,
        change.removed,
        (indent) => change.added.map((value) => flowText(value, indent, this.#unit, this.#eol)),
      );
    }
    const dash = this.#column(startOf(list));
    const first = list.items[0] as Placed;
    const sameLine = this.#lineStart(startOf(first)) === this.#lineStart(startOf(list));
    const gap = sameLine && isMap(first) && first.flow !== true ? this.#column(startOf(first)) - dash : 2;
    this.#splices.push({
      at: this.#lineAfter(this.#contentEnd(list)),
      lines: change.added.flatMap((value) => itemLines(value, dash, gap)),
    });
  }

  #replaceItem(list: YAMLSeq, index: number, desired: unknown): void {
    const item = list.items[index] as Placed;
    if (list.flow === true) {
      const text = flowText(desired, this.#blankBefore(startOf(item)), this.#unit, this.#eol);
      this.#splices.push({ start: startOf(item), end: endOf(item), text });
      return;
    }
    const after = this.#lineAfter(this.#contentEnd(item));
    this.#removeLines(this.#dashOf(list, item), after);
    this.#splices.push({ at: after, lines: itemLines(desired, this.#column(startOf(list)), 2) });
  }

  #removeItems(root: YAMLMap, pair: Pair, list: YAMLSeq, change: ListChange): void {
    const spans = this.#spansOfItems(list);
    if (list.flow === true) return this.#removeFlow(spans, change.removed);
    for (const index of change.removed) {
      const item = list.items[index] as Placed;
      this.#removeLines(this.#dashOf(list, item), this.#lineAfter(this.#contentEnd(item)));
    }
    if (change.removed.size === list.items.length && change.added.length === 0) {
      const colon = this.#afterColon(pair);
      if (colon === undefined || root.flow === true) throw new CannotSplice("an unusual key");
      this.#splices.push({ start: colon, end: colon, text: " []" });
    }
  }

  /** Where the dash of a block list's item stands: on the item's line, or above it. */
  #dashOf(list: YAMLSeq, item: Placed): number {
    const column = this.#column(startOf(list));
    for (let line = this.#lineStart(startOf(item)); line >= this.#lineStart(startOf(list));) {
      if (this.#text[line + column] === "-" && this.#blankBefore(line + column) !== undefined) {
        return line + column;
      }
      if (line === 0) break;
      line = this.#lineStart(line - 1);
    }
    throw new CannotSplice("an item without a line of its own");
  }

  // ---- flow style ----

  #addFlow(
    node: YAMLMap | YAMLSeq,
    spans: readonly (readonly [number, number])[],
    gone: ReadonlySet<number>,
    render: (indent: string | undefined) => string[],
  ): void {
    const [first, last] = [spans[0], spans.at(-1)];
    if (first === undefined || last === undefined) {
      const at = startOf(node) + 1;
      this.#splices.push({ start: at, end: at, text: render(undefined).join(", ") });
      return;
    }
    const indent = this.#blankBefore(first[0]);
    const separator = indent === undefined ? ", " : `,${this.#eol}${indent}`;
    const text = render(indent).join(separator);
    const allGone = gone.size === spans.length;
    this.#splices.push({ start: last[1], end: last[1], text: allGone ? text : separator + text });
  }

  /** Takes items out of a flow collection, each run with exactly the commas that would be left over. */
  #removeFlow(spans: readonly (readonly [number, number])[], gone: ReadonlySet<number>): void {
    let index = 0;
    while (index < spans.length) {
      const first = spans[index] as readonly [number, number];
      if (!gone.has(index)) {
        index += 1;
        continue;
      }
      const before = spans[index - 1];
      while (gone.has(index)) index += 1;
      const next = spans[index];
      const last = spans[index - 1] as readonly [number, number];
      if (next !== undefined) this.#splices.push({ start: first[0], end: next[0], text: "" });
      else if (before !== undefined) this.#splices.push({ start: before[1], end: last[1], text: "" });
      else {
        const comma = /^\s*,/.exec(this.#text.slice(last[1]))?.[0].length ?? 0;
        this.#splices.push({ start: first[0], end: last[1], text: "" });
        if (comma > 0) this.#splices.push({ start: last[1], end: last[1] + comma, text: "" });
      }
    }
  }

  #spansOfPairs(map: YAMLMap): [number, number][] {
    return map.items.map((pair) => [this.#pairStart(map, pair), this.#contentEndOfPair(pair)]);
  }

  #spansOfItems(list: YAMLSeq): [number, number][] {
    return list.items.map((item) => [startOf(item as Placed), this.#contentEnd(item as Placed)]);
  }

  // ---- where things stand ----

  #removeLines(from: number, to: number): void {
    if (this.#blankBefore(from) === undefined) throw new CannotSplice("a line that is shared");
    this.#splices.push({ start: this.#lineStart(from), end: to, text: "" });
  }

  /** The end of what a node says, without the comments and empty lines that follow it. */
  #contentEnd(node: Placed): number {
    if ((isMap(node) || isSeq(node)) && node.flow !== true) {
      const last = node.items.at(-1);
      if (last === undefined) return endOf(node);
      return isMap(node) ? this.#contentEndOfPair(last as Pair) : this.#contentEnd(last as Placed);
    }
    return endOf(node);
  }

  #contentEndOfPair(pair: Pair): number {
    const value = pair.value as Placed | null;
    return value === null ? endOf(pair.key as Placed) : this.#contentEnd(value);
  }

  /** Where a pair begins: at its key, or at the `?`, anchor or tag before it. */
  #pairStart(map: YAMLMap, pair: Pair): number {
    const key = startOf(pair.key as Placed);
    if (map.flow === true) return key;
    if (pair === map.items[0]) return startOf(map);
    const line = this.#lineStart(key);
    const blank = /^\s*/.exec(this.#text.slice(line, key))?.[0].length ?? 0;
    return line + blank;
  }

  #afterColon(pair: Pair): number | undefined {
    const from = endOf(pair.key as Placed);
    const gap = /^\s*:/.exec(this.#text.slice(from, from + 200));
    return gap === null ? undefined : from + gap[0].length;
  }

  /** What stands before an offset on its line when that is nothing but white space. */
  #blankBefore(offset: number): string | undefined {
    const before = this.#text.slice(this.#lineStart(offset), offset);
    return before.trim() === "" ? before : undefined;
  }

  #column(offset: number): number {
    return offset - this.#lineStart(offset);
  }

  #lineStart(offset: number): number {
    return offset === 0 ? 0 : this.#text.lastIndexOf("\n", offset - 1) + 1;
  }

  /** Where the line after this offset's begins; the offset itself when it begins a line. */
  #lineAfter(offset: number): number {
    if (offset > 0 && this.#text[offset - 1] === "\n") return offset;
    const end = this.#text.indexOf("\n", offset);
    return end === -1 ? this.#text.length : end + 1;
  }

  #usualListIndent(root: YAMLMap): number {
    for (const pair of root.items) {
      if (isSeq(pair.value) && pair.value.flow !== true && pair.value.items.length > 0) {
        return Math.max(0, this.#column(startOf(pair.value)) - this.#column(startOf(root)));
      }
    }
    return 0;
  }
}

function keyOf(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value ?? "") : undefined;
}

function startOf(node: Placed): number {
  if (!node.range) throw new CannotSplice("a value without a place");
  return node.range[0];
}

function endOf(node: Placed): number {
  if (!node.range) throw new CannotSplice("a value without a place");
  return node.range[1];
}

// ---- writing values ----

function isInline(value: unknown): boolean {
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

// What YAML 1.1 (kubectl's) and 1.2 both read as this very string without quotes.
const PLAIN = /^(?:[A-Za-z_]|\.{0,2}\/|--?(?=[A-Za-z]))(?:[\w.\/@+=~-]|:(?=[\w.\/@+=~-]))*$/;
const WORDS_WITH_A_MEANING = /^(?:null|true|false|yes|no|on|off|y|n)$/i;

function scalarText(value: unknown): string {
  if (typeof value === "number") {
    if (Number.isNaN(value)) return ".nan";
    if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  }
  if (typeof value !== "string") return value === null || value === undefined ? "null" : String(value);
  return PLAIN.test(value) && !WORDS_WITH_A_MEANING.test(value) ? value : quoted(value);
}

function quoted(value: string): string {
  // JSON leaves these as they are; YAML parsers refuse or fold them.
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function inlineText(value: unknown): string {
  if (Array.isArray(value)) return "[]";
  return isRecord(value) ? "{}" : scalarText(value);
}

/** A scalar in the quotes that the one before it had. */
function likeScalar(value: unknown, style: string | undefined): string {
  if (typeof value !== "string") return inlineText(value);
  if (style === "QUOTE_DOUBLE") return quoted(value);
  if (style === "QUOTE_SINGLE" && /^[\x20-\x7e]*$/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return scalarText(value);
}

function blockLines(value: unknown, indent: number): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => itemLines(item, indent, 2));
  const pad = " ".repeat(indent);
  return Object.entries(value as Record<string, unknown>).flatMap(([key, inner]) =>
    isInline(inner)
      ? [`${pad}${scalarText(key)}: ${inlineText(inner)}`]
      : [`${pad}${scalarText(key)}:`, ...blockLines(inner, Array.isArray(inner) ? indent : indent + 2)]
  );
}

function itemLines(value: unknown, dash: number, gap: number): string[] {
  const lead = `${" ".repeat(dash)}-${" ".repeat(gap - 1)}`;
  if (isInline(value)) return [lead + inlineText(value)];
  const lines = blockLines(value, dash + gap);
  return lines.map((line, index) => index === 0 ? lead + line.slice(dash + gap) : line);
}

/** A value in flow style, as JSON writes it: over several lines when its place has an indent of its own. */
function flowText(value: unknown, indent: string | undefined, unit: string, eol: string): string {
  if (isInline(value)) return typeof value === "string" ? quoted(value) : inlineText(value);
  const inner = indent === undefined ? undefined : indent + unit;
  const parts = Array.isArray(value)
    ? value.map((item) => flowText(item, inner, unit, eol))
    : Object.entries(value as Record<string, unknown>).map(([key, item]) =>
      `${quoted(key)}: ${flowText(item, inner, unit, eol)}`
    );
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return inner === undefined
    ? `${open}${parts.join(", ")}${close}`
    : `${open}${eol}${parts.map((part) => inner + part).join(`,${eol}`)}${eol}${indent}${close}`;
}
