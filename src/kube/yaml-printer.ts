/** The YAML printer: the style, quotes and folded lines of kubectl, that is of go-yaml. */

import { columnsOf } from "./table-layout.ts";
import { checkDepth } from "./json-text.ts";
import { isItems, isMembers, type Json, type JsonMembers } from "./lossless-json.ts";
import { yamlNumber } from "./number-text.ts";
import { yamlNames } from "./yaml-order.ts";
import { plainScalar } from "./yaml-scalar.ts";

/** A text is folded at the first blank after this column. */
const BEST_WIDTH = 80;

/** A name with more bytes is written after a `?`. */
const LONGEST_NAME = 128;

/** A value as a YAML document with its line break, as `kubectl -o yaml` prints it. */
export function yamlText(value: Json): string {
  return isBlock(value)
    ? blockLines(value, 0, 0)
    : endLine(scalarText(value, { column: 0, indent: 2, isName: false }));
}

/** An object as an unindented list item, as in the `items` of a printed List. */
export function yamlItem(value: Json): string {
  return itemText(value, 0, 0);
}

/** True for a value on lines of its own: a list or an object that is not empty. */
function isBlock(value: Json): value is readonly Json[] | JsonMembers {
  return typeof value === "object" && value !== null &&
    (isItems(value) ? value.length > 0 : Object.keys(value).length > 0);
}

/**
 * The lines of a block at an indentation. The first line is not indented, because the text before it is already
 * there.
 */
function blockLines(value: readonly Json[] | JsonMembers, indent: number, level: number): string {
  checkDepth(level);
  const lines = isItems(value)
    ? value.map((item) => itemText(item, indent, level))
    : yamlNames(value).map((name) => memberText(name, value[name] as Json, indent, level));
  return lines.join(" ".repeat(indent));
}

function itemText(item: Json, indent: number, level: number): string {
  if (isBlock(item)) return `- ${blockLines(item, indent + 2, level + 1)}`;
  return endLine(`- ${scalarText(item, { column: indent + 2, indent: indent + 2, isName: false })}`);
}

function memberText(name: string, value: Json, indent: number, level: number): string {
  const position = { column: indent, indent: indent + 2, isName: false };
  if (!isShortName(name)) {
    const lead = `${endLine(`? ${scalarText(name, { ...position, column: indent + 2 })}`)}${
      " ".repeat(indent)
    }: `;
    if (isBlock(value)) return lead + blockLines(value, indent + 2, level + 1);
    return endLine(lead + scalarText(value, { ...position, column: indent + 2 }));
  }
  const lead = `${scalarText(name, { ...position, isName: true })}:`;
  if (!isBlock(value)) {
    return endLine(`${lead} ${scalarText(value, { ...position, column: indent + columnsOf(lead) + 1 })}`);
  }
  // A list is indented like its name, an object two columns further.
  const inner = isMembers(value) ? indent + 2 : indent;
  return `${lead}\n${" ".repeat(inner)}${blockLines(value, inner, level + 1)}`;
}

function isShortName(name: string): boolean {
  return !/[\n\r\u0085\u2028\u2029]/.test(name) &&
    (name.length * 3 <= LONGEST_NAME || new TextEncoder().encode(name).length <= LONGEST_NAME);
}

/** Where a scalar starts, and where its further lines do. A name stays on one line. */
interface Position {
  readonly column: number;
  readonly indent: number;
  readonly isName: boolean;
}

function scalarText(value: Json, position: Position): string {
  switch (typeof value) {
    case "string":
      return textScalar(value, position);
    case "number":
    case "bigint":
      return yamlNumber(value);
    case "boolean":
      return String(value);
    default:
      return value === null ? "null" : isItems(value) ? "[]" : "{}";
  }
}

/**
 * Characters that are always escaped: go-yaml considers everything outside the basic plane unprintable. go-yaml
 * escapes one of the line breaks outside ASCII; the others it prints so that only go-yaml reads them back, and here
 * they are escaped.
 */
const UNPRINTABLE = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
/** A text that would mean something else without quotes. */
const INDICATOR = /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[-?](?: |$))|:(?: |$)| #|^ | $/;
/** A text that no rule applies to. */
const WORD = /^[A-Za-z/][\w/.-]{5,}$/;
/** Hours and minutes, which YAML 1.1 reads as a number to the base of 60. */
const SEXAGESIMAL = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;

function textScalar(given: string, position: Position): string {
  if (WORD.test(given)) return given;
  const text = given.toWellFormed();
  const needsEscapes = UNPRINTABLE.test(text) || text.includes(" \n");
  if (text.includes("\n")) {
    return needsEscapes || text.endsWith(" ") ? doubleQuoted(text, position) : literal(text, position.indent);
  }
  if (needsEscapes || plainScalar(text).kind !== "text" || SEXAGESIMAL.test(text)) {
    return doubleQuoted(text, position);
  }
  // go-yaml leaves a name `<<` without quotes, and then reads it as a merge.
  const isMerge = position.isName && text === "<<";
  return INDICATOR.test(text) || isMerge ? singleQuoted(text, position) : plain(text, position);
}

function plain(text: string, position: Position): string {
  return fold(text, position, { mayFold: (at) => text[at + 1] !== " " });
}

function singleQuoted(text: string, { column, indent, isName }: Position): string {
  const doubled = text.replaceAll("'", "''");
  const inner = fold(doubled, { column: column + 1, indent, isName }, {
    mayFold: (at) => at > 0 && at < doubled.length - 1 && doubled[at + 1] !== " ",
  });
  return `'${inner}'`;
}

function doubleQuoted(text: string, { column, indent, isName }: Position): string {
  // go-yaml escapes every character of a text that starts with a byte order mark.
  const escaped = text.replace(text.startsWith("\ufeff") ? /./gsu : TO_ESCAPE, escape);
  const inner = fold(escaped, { column: column + 1, indent, isName }, {
    mayFold: (at) => at > 0 && at < escaped.length - 1,
    beforeBlank: "\\",
  });
  return `"${inner}"`;
}

const TO_ESCAPE = /["\\\n]|[^\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/gu;

const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\u0007": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\u001b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u00a0": "\\_",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function escape(character: string): string {
  const short = ESCAPES[character];
  if (short !== undefined) return short;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}

interface Folding {
  /** True when a line break may replace the blank at an index. */
  mayFold(at: number): boolean;
  /** The start of the next line when a blank follows, so that it is not read as indentation. */
  readonly beforeBlank?: string | undefined;
}

/** A text with line breaks in place of the first single blanks after the best width. */
function fold(
  text: string,
  { column, indent, isName }: Position,
  { mayFold, beforeBlank = "" }: Folding,
): string {
  if (isName || column + text.length <= BEST_WIDTH) return text;
  const margin = " ".repeat(indent);
  let out = "";
  let at = column;
  let index = 0;
  let last = "";
  for (const character of text) {
    if (character === " " && last !== " " && at > BEST_WIDTH && mayFold(index)) {
      const lead = text[index + 1] === " " ? beforeBlank : "";
      out += `\n${margin}${lead}`;
      at = indent + lead.length;
    } else {
      out += character;
      at += 1;
    }
    index += character.length;
    last = character;
  }
  return out;
}

/** A text of several lines, unchanged. */
function literal(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? "2" : "";
  const end = !text.endsWith("\n") ? "-" : text === "\n" || text.endsWith("\n\n") ? "+" : "";
  const margin = " ".repeat(indent);
  return `|${hint}${end}\n${text.replace(/^(?=[^\n])/gm, margin)}`;
}

/** A scalar as the end of its line; a literal text may have ended the line itself. */
function endLine(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
