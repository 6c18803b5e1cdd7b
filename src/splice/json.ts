/** Edits texts in an object of a JSON file and keeps every other byte. RFC 8259. */

/** Why a text cannot be edited. Says nothing of the values in it, which may be secrets. */
export class JsonFault extends Error {
  override readonly name = "JsonFault";
}

interface Node {
  readonly start: number;
  readonly end: number;
  /** The members of an object; absent for anything else. */
  readonly members?: readonly Member[] | undefined;
}

interface Member {
  readonly key: string;
  /** Where the key begins and ends, quotes included. */
  readonly start: number;
  readonly keyEnd: number;
  readonly value: Node;
}

const DEEPEST = 100;

/** The members of the object that a JSON text is, by their names, as values. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a file's text whose value is an object.
 *
 * @throws {JsonFault} for anything else: broken JSON, a byte order mark, a name that an object has twice.
 */
export function readJsonObject(text: string): JsonObject {
  root(text);
  return JSON.parse(text) as JsonObject;
}

/** What to do with a text in an object: the new text, or undefined to remove it. */
export type TextEdits = ReadonlyMap<string, string | undefined>;

/**
 * Sets and removes texts in the object that the file's object has under `name`. It is made where there is none, and
 * removed with its last text. What is added looks as its neighbours do: line ends, indentation, blanks.
 *
 * The name is found as Go's decoder finds it: see {@link sameToGo}.
 *
 * @throws {JsonFault} as {@link readJsonObject}; also where `name` is something other than an object.
 */
export function editJsonTexts(text: string, name: string, edits: TextEdits): string {
  let edited = text.trim() === "" ? withEnds("{}\n", text) : text;
  for (const [key, value] of edits) {
    edited = value === undefined ? withoutText(edited, name, key) : withText(edited, name, key, value);
  }
  // Of an empty file nothing is left to keep; where nothing was set, it stays empty.
  return text.trim() === "" && root(edited).members?.length === 0 ? text : edited;
}

function withText(text: string, name: string, key: string, value: string): string {
  const file = root(text);
  const holder = memberOf(file, name);
  const written = JSON.stringify(value);
  const style = styleOf(text, file);
  if (holder === undefined) return withMember(text, file, name, objectOf(key, written, style), style);
  if (text.slice(holder.value.start, holder.value.end) === "null") {
    return replaced(text, holder.value, objectOf(key, written, style));
  }
  checkHolder(holder);
  const entry = holder.value.members?.find((member) => member.key === key);
  if (entry !== undefined) {
    const before: unknown = JSON.parse(text.slice(entry.value.start, entry.value.end));
    return before === value ? text : replaced(text, entry.value, written);
  }
  if (holder.value.members?.length === 0) {
    return replaced(text, holder.value, objectOf(key, written, style));
  }
  return withMember(text, holder.value, key, written, style);
}

function withoutText(text: string, name: string, key: string): string {
  const file = root(text);
  const holder = memberOf(file, name);
  if (holder === undefined || text.slice(holder.value.start, holder.value.end) === "null") return text;
  checkHolder(holder);
  const entry = holder.value.members?.find((member) => member.key === key);
  if (entry === undefined) return text;
  return holder.value.members?.length === 1
    ? withoutMember(text, file, holder)
    : withoutMember(text, holder.value, entry);
}

function checkHolder({ key, value }: Member): void {
  if (value.members === undefined) throw new JsonFault(`its member "${key}" is not an object`);
}

function memberOf({ members = [] }: Node, name: string): Member | undefined {
  const [first, second] = members.filter(({ key }) => sameToGo(key, name));
  if (first !== undefined && second !== undefined) {
    throw new JsonFault(
      `it has both "${first.key}" and "${second.key}", which are one name to other programs`,
    );
  }
  return first;
}

/**
 * True for names that Go's decoder takes for one. It folds letters, so that the long s and the sign of Kelvin are letters
 * of ASCII, too.
 */
export function sameToGo(one: string, other: string): boolean {
  const [a, b] = [one, other].map((name) => name.replaceAll("\u017f", "s").toLowerCase());
  return a === b;
}

/** How a file is laid out. */
interface Style {
  readonly newline: string;
  /** The indentation of the first level; undefined for a file whose members share a line. */
  readonly unit: string | undefined;
  /** Between a bracket and the member beside it, where members share a line. */
  readonly padding: string;
  readonly colon: string;
}

function styleOf(text: string, { start, members = [] }: Node): Style {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const first = members[0];
  if (first === undefined) return { newline, unit: "\t", padding: "", colon: ": " };
  const before = text.slice(start + 1, first.start);
  return {
    newline,
    unit: /[\r\n]([\t ]*)$/.exec(before)?.[1],
    padding: before,
    colon: text.slice(first.keyEnd, first.value.start),
  };
}

/** An object of one member, as a member of the file's object. */
function objectOf(key: string, value: string, { newline, unit, padding, colon }: Style): string {
  const member = `${JSON.stringify(key)}${colon}${value}`;
  return unit === undefined
    ? `{${padding}${member}${padding}}`
    : `{${newline}${unit}${unit}${member}${newline}${unit}}`;
}

/** With one member more, behind the last one, from which it takes its layout. */
function withMember(
  text: string,
  { start, members = [] }: Node,
  key: string,
  value: string,
  { newline, unit, colon }: Style,
): string {
  const last = members.at(-1);
  if (last === undefined) {
    const inside = unit === undefined ? ["", ""] : [`${newline}${unit}`, newline];
    const end = text.indexOf("}", start);
    const member = `${inside[0]}${JSON.stringify(key)}${colon}${value}${inside[1]}`;
    return `${text.slice(0, start + 1)}${member}${text.slice(end)}`;
  }
  const before = /[\t\n\r ]*$/.exec(text.slice(start, last.start))?.[0] ?? "";
  const between = members.length > 1 || /[\n\r]/.test(before) ? before : /\s$/.test(colon) ? " " : "";
  const like = text.slice(last.keyEnd, last.value.start);
  const at = last.value.end;
  return `${text.slice(0, at)},${between}${JSON.stringify(key)}${like}${value}${text.slice(at)}`;
}

/** Without a member, and with exactly the commas that are needed. */
function withoutMember(text: string, { start, end, members = [] }: Node, member: Member): string {
  const at = members.indexOf(member);
  const before = members[at - 1];
  const after = members[at + 1];
  if (before !== undefined) return text.slice(0, before.value.end) + text.slice(member.value.end);
  if (after !== undefined) return text.slice(0, member.start) + text.slice(after.start);
  return text.slice(0, start + 1) + text.slice(end - 1);
}

function replaced(text: string, { start, end }: Node, value: string): string {
  return text.slice(0, start) + value + text.slice(end);
}

/** A text with the line ends of another. */
function withEnds(text: string, other: string): string {
  return other.includes("\r\n") ? text.replaceAll("\n", "\r\n") : text;
}

/** The object that a text is, with the places of its members. */
function root(text: string): Node {
  if (text.startsWith("\ufeff")) {
    throw new JsonFault("it begins with a byte order mark, which Go cannot read");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words quote the text.
    throw new JsonFault("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new JsonFault("it is not a JSON object");
  }
  return nodeAt(text, blanksAt(text, 0), 0);
}

function nodeAt(text: string, start: number, depth: number): Node {
  if (depth > DEEPEST) throw new JsonFault("it nests too deeply");
  switch (text[start]) {
    case "{":
      return objectAt(text, start, depth);
    case "[":
      return { start, end: arrayEnd(text, start, depth) };
    case '"':
      return { start, end: stringEnd(text, start) };
    default:
      return { start, end: wordEnd(text, start) };
  }
}

function objectAt(text: string, start: number, depth: number): Node {
  const members: Member[] = [];
  const names = new Set<string>();
  let at = blanksAt(text, start + 1);
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    if (names.has(key)) throw new JsonFault("an object in it has the same name twice");
    names.add(key);
    const value = nodeAt(text, blanksAt(text, blanksAt(text, keyEnd) + 1), depth + 1);
    members.push({ key, start: at, keyEnd, value });
    at = blanksAt(text, value.end);
    if (text[at] === ",") at = blanksAt(text, at + 1);
  }
  return { start, end: at + 1, members };
}

function arrayEnd(text: string, start: number, depth: number): number {
  let at = blanksAt(text, start + 1);
  while (text[at] !== "]") {
    at = blanksAt(text, nodeAt(text, at, depth + 1).end);
    if (text[at] === ",") at = blanksAt(text, at + 1);
  }
  return at + 1;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** The end of a number, `true`, `false` or `null`. */
function wordEnd(text: string, start: number): number {
  let at = start;
  while (/^[\w.+-]$/.test(text[at] ?? "")) at++;
  return at;
}

function blanksAt(text: string, start: number): number {
  let at = start;
  while (/^[\t\n\r ]$/.test(text[at] ?? "")) at++;
  return at;
}
