/**
 * Manifests, read as kubectl reads them: JSON, or YAML 1.1 as go-yaml understands it, in several documents.
 *
 * The `yaml` package parses the syntax. This module interprets scalars, tags, names and merges itself, because
 * neither YAML version of the package agrees with go-yaml. Import this module lazily: the package is large.
 */

import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from "yaml";
import type { Alias, Document, ErrorCode as YamlErrorCode, Node, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { parseJson } from "../encoding.ts";
import {
  closingQuote,
  DEEPEST,
  isItems,
  isMembers,
  type Json,
  type JsonMembers,
  memberOf,
  readJson,
  setMember,
} from "./lossless-json.ts";
import { floatName } from "./number-text.ts";
import { type ScalarMeaning, scalarMeaning } from "./yaml-scalar.ts";

/**
 * The most values that aliases and merges may expand to in total; that many characters of a text count as one
 * value.
 */
const MOST_REPEATED = 100_000;
const CHARACTERS_OF_ONE = 64;

/**
 * Every object of a text: of all its documents, and of the lists in them.
 *
 * @param what names the text in errors, such as its file.
 * @throws {AppError} `INVALID` when the text is no YAML or JSON, or contains something other than Kubernetes
 * objects.
 */
export function readManifest(text: string, what: string): JsonMembers[] {
  return readDocuments(text, what).flatMap((document) => objectsOf(document, what, 0));
}

/**
 * Every document of a text, without empty ones.
 *
 * @throws {AppError} `INVALID` when the text is no YAML or JSON.
 */
export function readDocuments(text: string, what: string): Json[] {
  const body = text.replace(/^\ufeff/, "").replace(/\r\n?|\u0085/g, "\n");
  const { values, end } = leadingJson(body, what);
  const chunks = splitYaml(body.slice(end), what, body.slice(0, end).split("\n").length);
  return [...values, ...chunks.map((chunk) => readYaml(chunk, what))].filter((value) => value !== null);
}

/** The type of a list's items that do not name one. */
interface ItemType {
  readonly apiVersion: Json | undefined;
  readonly kind: Json | undefined;
}

/** An object, or the objects of a list. Anything with items is a list, whatever its kind. */
function objectsOf(value: Json, what: string, level: number, fallback?: ItemType): JsonMembers[] {
  if (!isMembers(value)) throw invalid(what, "an object was expected, and something else stands there");
  const apiVersion = value.apiVersion ?? fallback?.apiVersion;
  const kind = value.kind ?? fallback?.kind;
  if (typeof kind !== "string" || kind === "") throw invalid(what, "an object has no kind");
  if (typeof apiVersion !== "string" || apiVersion === "") {
    throw invalid(what, `an object of kind ${printable(kind, 100)} has no apiVersion`);
  }
  const items = memberOf(value, "items");
  if (items === undefined || level >= DEEPEST) return [{ ...value, apiVersion, kind }];
  if (items !== null && !isItems(items)) throw invalid(what, "the items of a list are no list");
  const itemKind = kind.replace(/List$/, "");
  const itemType = itemKind === "" ? undefined : { apiVersion, kind: itemKind };
  return (items ?? []).flatMap((item) => objectsOf(item, what, level + 1, itemType));
}

function invalid(what: string, why: string): AppError {
  return new AppError("INVALID", `Cannot read ${printable(what)}: ${why}.`);
}

/** The JSON objects at the start of a text, and where they end. */
function leadingJson(text: string, what: string): { readonly values: Json[]; readonly end: number } {
  const values: Json[] = [];
  let end = 0;
  for (;;) {
    const start = text.slice(end).search(/\S/) + end;
    if (start < end || text[start] !== "{") return { values, end };
    const one = text.slice(start, endOfJson(text, start));
    const value = readJson(one);
    if (value === undefined && parseJson(one) !== undefined) {
      throw invalid(what, "a number is beyond what a float of 64 bits holds, or the values nest too deep");
    }
    // A text that only starts like JSON can be YAML in flow style.
    if (value === undefined) return { values, end };
    values.push(value);
    end = start + one.length;
  }
}

/** Where the object that starts at a position ends. */
function endOfJson(text: string, start: number): number {
  let depth = 0;
  const token = /["{}]/g;
  token.lastIndex = start;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] === '"') token.lastIndex = closingQuote(text, token.lastIndex) + 1;
    else depth += match[0] === "{" ? 1 : -1;
    if (depth === 0) return token.lastIndex;
  }
  return text.length;
}

interface Chunk {
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly line: number;
}

/** The documents of a text, split as kubectl does: at each line that starts with three dashes. */
function splitYaml(text: string, what: string, firstLine: number): Chunk[] {
  const chunks: Chunk[] = [];
  let lines: string[] = [];
  let first = firstLine;
  const all = text.replace(/\n$/, "").split("\n");
  all.forEach((line, index) => {
    if (!line.startsWith("---")) {
      lines.push(line);
      return;
    }
    if (!/^---\s*(?:#.*)?$/.test(line)) {
      throw invalid(what, `line ${firstLine + index} begins with "---", and more than a comment follows`);
    }
    chunks.push({ text: lines.join("\n") + "\n", line: first });
    lines = [];
    first = firstLine + index + 1;
  });
  chunks.push({ text: lines.join("\n") + "\n", line: first });
  return chunks;
}

function readYaml(chunk: Chunk, what: string): Json {
  const lineCounter = new LineCounter();
  const fail = (why: string, offset?: number) => {
    const line = offset === undefined ? "" : `line ${chunk.line + lineCounter.linePos(offset).line - 1}: `;
    return invalid(what, line + why);
  };
  // deno-lint-ignore no-control-regex -- these are what is refused
  const forbidden = chunk.text.search(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/);
  if (forbidden >= 0) throw fail("control characters are not allowed");
  try {
    const document = parse(chunk.text, lineCounter);
    if (document === undefined) return null;
    const [error] = document.errors;
    const open = startOfUnindented(document);
    if (open !== undefined) throw fail("a bracket is not closed", open);
    if (error !== undefined) throw fail(WORDS[error.code] ?? "this is no YAML", error.pos[0]);
    return new NodeReader(fail).read(document.contents);
  } catch (error) {
    // The package recurses once for each level.
    if (error instanceof RangeError) throw fail("the values nest too deep");
    throw error;
  }
}

/** How many bracketed collections to indent for the package before reporting that they are not indented. */
const MOST_INDENTED = 20;

/** The first document of a text. What follows its end, after three points, is not read. */
function parse(text: string, lineCounter: LineCounter): Document | undefined {
  let indented = text;
  for (let turn = 0;; turn += 1) {
    lineCounter.lineStarts.length = 0;
    const [document] = parseAllDocuments(indented, {
      version: "1.1",
      schema: "failsafe",
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
      lineCounter,
    });
    const start = turn < MOST_INDENTED ? startOfUnindented(document) : undefined;
    if (start === undefined) return document;
    indented = indentWithin(indented, start);
  }
}

/** The position of brackets whose lines are indented less than the package accepts, unlike go-yaml. */
function startOfUnindented(document: Document | undefined): number | undefined {
  const error = document?.errors[0];
  if (document === undefined || error?.code !== "BAD_INDENT") return undefined;
  let start: number | undefined;
  visit(document, {
    Collection: (_key, node) => {
      if (!node.flow || node.range?.[1] !== error.pos[0]) return undefined;
      start = node.range[0];
      return visit.BREAK;
    },
  });
  return start;
}

/** A text with the lines of the brackets at a position indented further than that position. */
function indentWithin(text: string, start: number): string {
  const column = start - text.lastIndexOf("\n", start - 1);
  const margin = " ".repeat(Math.min(column, DEEPEST));
  let depth = 0;
  let done = start;
  let out = text.slice(0, start);
  for (const { 0: token, index } of text.slice(start).matchAll(FLOW_TOKEN)) {
    const at = start + index;
    out += text.slice(done, at) + token.replaceAll("\n", `\n${margin}`);
    done = at + token.length;
    if (token === "[" || token === "{") depth += 1;
    if (token === "]" || token === "}") depth -= 1;
    if (depth === 0) break;
  }
  return out + text.slice(done);
}

/** Inside brackets: a quoted text, a comment, a bracket or a line break. */
const FLOW_TOKEN = /(?<![^\s,[\]{}:])(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|(?<=\s)#[^\n]*|[[\]{}\n]/gs;

/** The package's errors in our words, without the text that they quote, which can be a secret. */
const WORDS: Partial<Record<YamlErrorCode, string>> = {
  BAD_ALIAS: "an alias has no name",
  BAD_DQ_ESCAPE: "there is no such escape within double quotes",
  BAD_INDENT: "the indent is wrong",
  BAD_SCALAR_START: "a text that begins so needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "a mapping cannot begin on the line of another",
  BLOCK_IN_FLOW: "a block cannot stand within brackets",
  MISSING_CHAR: "a quote, bracket, colon or blank is missing",
  MULTILINE_IMPLICIT_KEY: "a name must stand on one line, with a colon behind it",
  TAB_AS_INDENT: "a tab cannot be an indent",
  UNEXPECTED_TOKEN: "something stands where nothing can",
};

type Fail = (why: string, offset?: number) => AppError;

interface Read {
  readonly value: Json;
  /** The number of values in it, including itself and long texts. */
  readonly size: number;
}

/** Reads the nodes of a document in order, so that an alias means the last anchor of its name before it. */
class NodeReader {
  readonly #fail: Fail;
  readonly #anchors = new Map<string, Node>();
  readonly #read = new Map<Node, Read>();
  #repeated = 0;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  read(node: Node | null): Json {
    return this.#node(node, 0).value;
  }

  #node(node: Node | null, level: number): Read {
    if (node === null) return { value: null, size: 1 };
    if (level >= DEEPEST) throw this.#fail("the values nest too deep", node.range?.[0]);
    if (isAlias(node)) return this.#alias(node);
    const anchor = this.#register(node);
    const read = this.#fresh(node, level);
    if (anchor !== undefined) this.#read.set(node, read);
    return read;
  }

  #register(node: Node): string | undefined {
    const { anchor } = node as Scalar | YAMLMap;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return anchor;
  }

  #fresh(node: Node, level: number): Read {
    if (isMap(node)) return this.#map(node as YAMLMap<Node, Node | null>, level);
    if (isScalar(node)) {
      return { value: this.#value(node), size: 1 + String(node.value).length / CHARACTERS_OF_ONE };
    }
    const items = (node as YAMLSeq<Node | null>).items.map((item) => this.#node(item, level + 1));
    return { value: items.map((item) => item.value), size: items.reduce((sum, item) => sum + item.size, 1) };
  }

  #alias(alias: Alias): Read {
    const target = this.#target(alias);
    const read = isScalar(target) ? this.#fresh(target, 0) : this.#read.get(target);
    if (read === undefined) throw this.#fail("an anchor's value contains itself", alias.range?.[0]);
    this.#repeated += read.size;
    if (this.#repeated > MOST_REPEATED) {
      throw this.#fail("aliases stand for too many values", alias.range?.[0]);
    }
    return read;
  }

  #target(alias: Alias): Node {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) throw this.#fail("an alias names no anchor before it", alias.range?.[0]);
    return target;
  }

  #map(map: YAMLMap<Node, Node | null>, level: number): Read {
    const members: { [name: string]: Json } = {};
    let size = 1;
    for (const { key, value } of map.items) {
      if (isMerge(key)) size += this.#merge(members, value, level);
      else {
        const name = this.#name(key);
        const read = this.#node(value, level + 1);
        setMember(members, name, read.value);
        size += read.size;
      }
    }
    return { value: members, size };
  }

  /** Adds the members of a merge, over those that came before it. Of several merged mappings the first one wins. */
  #merge(members: { [name: string]: Json }, value: Node | null, level: number): number {
    const sources = isSeq(value) ? value.items as Node[] : [value];
    const read = sources.map((source) => this.#node(source, level + 1));
    for (const { value: merged } of read.toReversed()) {
      if (!isMembers(merged)) {
        throw this.#fail("a merge takes a mapping or a list of mappings", value?.range?.[0]);
      }
      for (const [name, inner] of Object.entries(merged)) setMember(members, name, inner);
    }
    return read.reduce((sum, { size }) => sum + size, 0);
  }

  #name(key: Node | null): string {
    if (key !== null && !isAlias(key)) this.#register(key);
    const node = isAlias(key) ? this.#target(key) : key;
    const name = isScalar(node) ? nameOf(this.#scalar(node)) : undefined;
    if (name === undefined) throw this.#fail("this cannot be a member's name", key?.range?.[0]);
    return name;
  }

  #value(node: Scalar): Json {
    const { value } = this.#scalar(node);
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw this.#fail("JSON has no such number", node.range?.[0]);
    }
    return value;
  }

  #scalar(node: Scalar): ScalarMeaning {
    const scalar = scalarMeaning(String(node.value ?? ""), node.type === "PLAIN", node.tag);
    if (scalar === undefined) throw this.#fail("the value is not what its tag says", node.range?.[0]);
    return scalar;
  }
}

function isMerge(key: Node | null): boolean {
  if (!isScalar(key) || key.value !== "<<") return false;
  return key.tag === undefined ? key.type === "PLAIN" : key.tag === MERGE_TAG;
}

const MERGE_TAG = "tag:yaml.org,2002:merge";

/** A scalar as a member's name; undefined for null and for integers beyond signed 64 bits. */
function nameOf({ kind, value }: ScalarMeaning): string | undefined {
  if (value === null || (typeof value === "bigint" && value >= 2n ** 63n)) return undefined;
  return kind === "float" ? floatName(value) : String(value);
}
