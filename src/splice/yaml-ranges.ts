/** The ranges of a YAML document's parts in its text: nodes, their lines, and what surrounds them. */

import { isMap, isNode, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap, type YAMLSeq } from "yaml";
import type { Span } from "./yaml-flow.ts";

/** A mapping of a parsed document, whose nodes have ranges in its text. */
export type ParsedMap = YAMLMap.Parsed;

/** A list of a parsed document. */
export type ParsedList = YAMLSeq.Parsed;

/** A pair of a {@link ParsedMap}. */
export type ParsedPair = Pair<ParsedNode, ParsedNode | null>;

/** A value cannot be changed without touching others; the caller refuses the edit. */
export class CannotSplice extends Error {
  override readonly name = "CannotSplice";
}

/** The text of a scalar key. */
export function keyOf(pair: ParsedPair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value ?? "") : undefined;
}

/** The range of a node: its start, the end of its value, and its end. */
export function rangeOf(node: unknown): readonly [number, number, number] | null | undefined {
  return isNode(node) ? node.range : undefined;
}

/** Where a node starts. */
export function startOf(node: ParsedNode): number {
  if (!node.range) throw new CannotSplice("a value without a place");
  return node.range[0];
}

/** Where a node ends, with everything that YAML counts as part of it. */
export function endOf(node: ParsedNode): number {
  if (!node.range) throw new CannotSplice("a value without a place");
  return node.range[1];
}

/**
 * Offsets in the text of one parsed document.
 *
 * @throws {CannotSplice} from every method, when a node has no range of its own.
 */
export class YamlRanges {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the dash of a block list's item is: on the item's line, or above it. */
  dashOf(list: ParsedList, item: ParsedNode): number {
    const column = this.column(startOf(list));
    for (let line = this.lineStart(startOf(item)); line >= this.lineStart(startOf(list));) {
      if (this.#text[line + column] === "-" && this.blankBefore(line + column) !== undefined) {
        return line + column;
      }
      if (line === 0) break;
      line = this.lineStart(line - 1);
    }
    throw new CannotSplice("an item without a line of its own");
  }

  /** The end of a node's content, without the comments and empty lines that follow it. */
  contentEnd(node: ParsedNode): number {
    if (isMap(node) && node.flow !== true) {
      const last = node.items.at(-1);
      return last === undefined ? endOf(node) : this.contentEndOfPair(last);
    }
    if (isSeq(node) && node.flow !== true) {
      const last = node.items.at(-1);
      return last === undefined ? endOf(node) : this.contentEnd(last);
    }
    return endOf(node);
  }

  /** Like {@link YamlRanges.contentEnd}, for a pair; the end of its key when it has no value. */
  contentEndOfPair(pair: ParsedPair): number {
    const value = pair.value;
    return value === null ? endOf(pair.key) : this.contentEnd(value);
  }

  /** The content range of each pair of a mapping. */
  spansOfPairs(map: ParsedMap): Span[] {
    return map.items.map((pair) => [this.pairStart(map, pair), this.contentEndOfPair(pair)]);
  }

  /** The content range of each item of a list. */
  spansOfItems(list: ParsedList): Span[] {
    return list.items.map((item) => [startOf(item), this.contentEnd(item)]);
  }

  /** Where a pair starts: at its key, or at the `?`, anchor or tag before the key. */
  pairStart(map: ParsedMap, pair: ParsedPair): number {
    const key = startOf(pair.key);
    if (map.flow === true) return key;
    if (pair === map.items[0]) return startOf(map);
    const line = this.lineStart(key);
    const blank = /^\s*/.exec(this.#text.slice(line, key))?.[0].length ?? 0;
    return line + blank;
  }

  /** The offset behind a pair's colon; undefined when no colon follows the key. */
  afterColon(pair: ParsedPair): number | undefined {
    const from = endOf(pair.key);
    const gap = /^\s*:/.exec(this.#text.slice(from, from + 200));
    return gap === null ? undefined : from + gap[0].length;
  }

  /** The text before an offset on its line when it is only white space; else undefined. */
  blankBefore(offset: number): string | undefined {
    const before = this.#text.slice(this.lineStart(offset), offset);
    return before.trim() === "" ? before : undefined;
  }

  /** The distance of an offset from the start of its line. */
  column(offset: number): number {
    return offset - this.lineStart(offset);
  }

  /** Where the line of an offset starts. */
  lineStart(offset: number): number {
    return offset === 0 ? 0 : this.#text.lastIndexOf("\n", offset - 1) + 1;
  }

  /** Where the next line starts; the offset itself when it starts a line. */
  lineAfter(offset: number): number {
    if (offset > 0 && this.#text[offset - 1] === "\n") return offset;
    const end = this.#text.indexOf("\n", offset);
    return end === -1 ? this.#text.length : end + 1;
  }

  /**
   * Where new text can go behind a node whose parts start at a column: behind its last line and the comments that
   * are indented further than the column, because those belong to the node.
   */
  roomBehind(node: ParsedNode, column: number): number {
    let room = this.lineAfter(this.contentEnd(node));
    for (let line = room; line < this.#text.length;) {
      const next = this.lineAfter(line + 1);
      const [, indent = "", mark] = /^([ \t]*)(#?)/.exec(this.#text.slice(line, next)) ?? [];
      const isBlank = this.#text.slice(line, next).trim() === "";
      if (!isBlank && (mark === "" || indent.length <= column)) break;
      if (!isBlank) room = next;
      line = next;
    }
    return room;
  }

  /** How far the first block list of a mapping is indented from its key. */
  usualListIndent(root: ParsedMap): number {
    for (const pair of root.items) {
      if (isSeq(pair.value) && pair.value.flow !== true && pair.value.items.length > 0) {
        return Math.max(0, this.column(startOf(pair.value)) - this.column(startOf(root)));
      }
    }
    return 0;
  }
}
