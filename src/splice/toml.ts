/** Sets one key in the text of a TOML file and keeps every other line byte for byte. */

import { parse } from "smol-toml";

/** The text is written in a way that cannot be edited here. */
export class CannotEdit extends Error {
  override readonly name = "CannotEdit";
}

/** How many names of a path are kept: the table's, the key's, and one that shows there are more. */
const KNOWN_PARTS = 3;

/** A key with its value. `end` is the offset behind the value. */
interface Pair {
  /** Its first names, counted from the root or from the inline table that holds it. */
  readonly path: readonly string[];
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** A part of a text under one header; the first part has none. */
interface Section {
  /** The first names of its header. */
  readonly path: readonly string[];
  readonly header?: { readonly start: number; readonly end: number; readonly list: boolean } | undefined;
  readonly pairs: Pair[];
}

/**
 * The text with one key of a root table set to an encoded value, or removed. Every other line stays byte for byte.
 * The text must be valid TOML, and the names must need no quotes.
 *
 * @throws {CannotEdit} when the text cannot be edited.
 */
export function withKey(text: string, table: string, key: string, value: string | undefined): string {
  const sections = readSections(text);
  const pairs = sections.flatMap((section) => section.pairs);
  const inline = pairs.find(({ path }) => isPath(path, [table]));
  if (inline !== undefined) return withInlineKey(text, inline, key, value);
  const below = (path: readonly string[]) => path.length > 2 && isPath(path.slice(0, 2), [table, key]);
  if (pairs.some(({ path }) => below(path))) throw new CannotEdit();
  if (sections.some(({ path }) => below([...path, ""]))) throw new CannotEdit();
  const own = pairs.find(({ path }) => isPath(path, [table, key]));
  if (own !== undefined) {
    return value === undefined ? withoutLine(text, own) : splice(text, own.valueStart, own.end, value);
  }
  if (value === undefined) return text;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const section = sections.find(({ path, header }) => header?.list === false && isPath(path, [table]));
  const [root] = sections;
  // `table.key = …` at the root: a header would define the table twice.
  const neighbour = (section ?? root)?.pairs.findLast(({ path }) => path[0] === table) ?? section?.header;
  if (neighbour !== undefined) {
    const name = section === undefined ? `${table}.${key}` : key;
    const line = `${indentOf(text, neighbour.start)}${name} = ${value}`;
    const at = lineEnd(text, neighbour.end);
    return splice(text, at, at, text[at - 1] === "\n" ? `${line}${eol}` : `${eol}${line}${eol}`);
  }
  const body = text.replace(/^\ufeff/, "");
  const gap = body.trim() === "" ? "" : eol;
  return `${text}${
    body === "" || body.endsWith("\n") ? "" : eol
  }${gap}[${table}]${eol}${key} = ${value}${eol}`;
}

/** Like {@link withKey}, in an inline table `table = { … }`. */
function withInlineKey(text: string, { valueStart }: Pair, key: string, value: string | undefined): string {
  if (text[valueStart] !== "{") throw new CannotEdit();
  const entries = readInlineTable(text, valueStart);
  const at = entries.findIndex(({ path }) => path[0] === key);
  const own = entries[at];
  if (own === undefined) {
    if (value === undefined) return text;
    const last = entries.at(-1);
    if (last !== undefined) return splice(text, last.end, last.end, `, ${key} = ${value}`);
    const space = /\s/.test(text.charAt(valueStart + 1)) ? "" : " ";
    return splice(text, valueStart + 1, valueStart + 1, ` ${key} = ${value}${space}`);
  }
  if (own.path.length > 1) throw new CannotEdit();
  if (value !== undefined) return splice(text, own.valueStart, own.end, value);
  const comma = /^[ \t]*,[ \t]*/.exec(text.slice(own.end))?.[0];
  if (comma !== undefined) return splice(text, own.start, own.end + comma.length, "");
  const before = entries[at - 1];
  // Only a comma and blanks separate two neighbours, unless there are comments; then the comma may stay.
  const plain = before !== undefined && /^\s*,\s*$/.test(text.slice(before.end, own.start));
  return splice(text, plain ? before.end : own.start, own.end, "");
}

/** Removes a pair with its line, or without the line when a comment stands on it. */
function withoutLine(text: string, { start, end }: Pair): string {
  const stop = lineEnd(text, end);
  const rest = text.slice(end, stop);
  if (rest.trim() !== "") return splice(text, start, end + (/^[ \t]*/.exec(rest)?.[0].length ?? 0), "");
  return splice(text, start - indentOf(text, start).length, stop, "");
}

function splice(text: string, start: number, end: number, replacement: string): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

function isPath(path: readonly string[], wanted: readonly string[]): boolean {
  return path.length === wanted.length && path.every((name, index) => name === wanted[index]);
}

/** Where the next line begins, or the end of the text. */
function lineEnd(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at + 1;
}

function indentOf(text: string, start: number): string {
  let at = start;
  while (at > 0 && " \t".includes(text.charAt(at - 1))) at -= 1;
  return text.slice(at, start);
}

/** The sections of a text that is known to be valid TOML. */
function readSections(text: string): Section[] {
  let section: Section = { path: [], pairs: [] };
  const sections = [section];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  while ((at = skipBlank(text, at, true)) < text.length) {
    const start = at;
    if (text[at] === "[") {
      const list = text[at + 1] === "[";
      const key = readKey(text, skipBlank(text, at + (list ? 2 : 1), false));
      at = expect(text, key.end, list ? "]]" : "]");
      section = { path: key.path, header: { start, end: at, list }, pairs: [] };
      sections.push(section);
    } else {
      const pair = readPair(text, at);
      section.pairs.push({ ...pair, path: [...section.path, ...pair.path].slice(0, KNOWN_PARTS) });
      at = pair.end;
    }
  }
  return sections;
}

function readInlineTable(text: string, brace: number): Pair[] {
  const pairs: Pair[] = [];
  let at = skipBlank(text, brace + 1, true);
  while (text[at] !== "}") {
    const pair = readPair(text, at);
    pairs.push(pair);
    at = skipBlank(text, pair.end, true);
    if (text[at] === ",") at = skipBlank(text, at + 1, true);
    else if (text[at] !== "}") throw new CannotEdit();
  }
  return pairs;
}

function readPair(text: string, start: number): Pair {
  const key = readKey(text, start);
  const valueStart = skipBlank(text, expect(text, key.end, "="), false);
  return { path: key.path, start, valueStart, end: endOfValue(text, valueStart) };
}

/**
 * The first names of a key, dotted or not, each part bare or quoted; `end` is the offset after the blanks that
 * follow.
 */
function readKey(text: string, start: number): { readonly path: string[]; readonly end: number } {
  const path: string[] = [];
  let at = start;
  for (;;) {
    const quote = text[at];
    const end = quote === '"' || quote === "'" ? endOfString(text, at) : at + bareLength(text, at);
    const written = text.slice(at, end);
    if (written === "") throw new CannotEdit();
    // The parser resolves the escapes.
    if (path.length < KNOWN_PARTS) {
      path.push(end - at === bareLength(text, at) ? written : String(parse(`key = ${written}`).key));
    }
    at = skipBlank(text, end, false);
    if (text[at] !== ".") return { path, end: at };
    at = skipBlank(text, at + 1, false);
  }
}

function bareLength(text: string, at: number): number {
  const bare = /[A-Za-z0-9_-]*/y;
  bare.lastIndex = at;
  return bare.exec(text)?.[0].length ?? 0;
}

function expect(text: string, at: number, wanted: string): number {
  if (!text.startsWith(wanted, at)) throw new CannotEdit();
  return at + wanted.length;
}

function skipBlank(text: string, from: number, lines: boolean): number {
  const blank = lines ? /(?:[ \t\r\n]|#[^\n]*)*/y : /[ \t]*/y;
  blank.lastIndex = from;
  return from + (blank.exec(text)?.[0].length ?? 0);
}

/** The offset behind a value of any type. Brackets are only counted, because the text is valid. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const character = text.charAt(at);
    if (character === '"' || character === "'") at = endOfString(text, at);
    else if (character === "[" || character === "{") at += 1, depth += 1;
    else if ((character === "]" || character === "}") && depth > 0) at += 1, depth -= 1;
    else if (depth > 0) {
      at = Math.max(at + 1, skipBlank(text, at, true));
      continue;
    } else {
      // A number, a boolean or a time, which may hold a blank.
      const bare = /[^,\]}#\r\n]+/y;
      bare.lastIndex = at;
      const written = bare.exec(text)?.[0].trimEnd() ?? "";
      if (written === "") throw new CannotEdit();
      return at + written.length;
    }
    if (depth === 0) return at;
  }
  throw new CannotEdit();
}

const STRINGS = [
  /"""(?:[^\\"]|\\[^]|"(?!""))*"""(?:"{0,2})/y,
  /'''(?:[^']|'(?!''))*'''(?:'{0,2})/y,
  /"(?:[^"\\\n]|\\.)*"/y,
  /'[^'\n]*'/y,
] as const;

function endOfString(text: string, start: number): number {
  for (const pattern of STRINGS) {
    pattern.lastIndex = start;
    const written = pattern.exec(text)?.[0];
    if (written !== undefined) return start + written.length;
  }
  throw new CannotEdit();
}
