/** JSON as kubectl prints it: members sorted, indented by four, with Go's escapes. */

import { AppError } from "../errors.ts";
import { DEEPEST, isItems, type Json, type JsonMembers } from "./lossless-json.ts";

const INDENT = "    ";

/**
 * A value as `kubectl -o json` prints it, without a final line break, at an indentation of `level`.
 *
 * @param namesOf the order of an object's members.
 */
export function jsonText(value: Json, level = 0, namesOf = sortedNames): string {
  if (typeof value !== "object" || value === null) return scalarJson(value);
  checkDepth(level);
  const outer = INDENT.repeat(level);
  const lines = isItems(value)
    ? value.map((item) => jsonText(item, level + 1, namesOf))
    : namesOf(value).map((name) =>
      `${jsonString(name)}: ${jsonText(value[name] as Json, level + 1, namesOf)}`
    );
  const [open, close] = isItems(value) ? "[]" : "{}";
  if (lines.length === 0) return `${open}${close}`;
  return `${open}\n${outer}${INDENT}${lines.join(`,\n${outer}${INDENT}`)}\n${outer}${close}`;
}

/** A value as JSON on one line, as Go's `json.Marshal` writes it. */
export function compactJson(value: Json, level = 0): string {
  if (typeof value !== "object" || value === null) return scalarJson(value);
  checkDepth(level);
  if (isItems(value)) return `[${value.map((item) => compactJson(item, level + 1)).join(",")}]`;
  const members = sortedNames(value).map((name) =>
    `${jsonString(name)}:${compactJson(value[name] as Json, level + 1)}`
  );
  return `{${members.join(",")}}`;
}

/**
 * Fails when a value nests too deep for its reader or printer.
 *
 * @throws {AppError} `INVALID`.
 */
export function checkDepth(level: number): void {
  if (level >= DEEPEST) throw new AppError("INVALID", `A value nests deeper than ${DEEPEST} levels.`);
}

function scalarJson(value: null | boolean | number | bigint | string): string {
  return typeof value === "string" ? jsonString(value) : String(value);
}

/** A text as Go's `encoding/json` writes it: well-formed, and safe in HTML and JavaScript. */
export function jsonString(text: string): string {
  if (SIMPLE.test(text)) return `"${text}"`;
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const SIMPLE = /^[\w .:\/@+=,;()*#%-]*$/;

/** An object's names in the order of their UTF-8 bytes, which is Go's. */
export function sortedNames(object: JsonMembers): string[] {
  const names = Object.keys(object);
  return names.every((name) => ASCII.test(name)) ? names.sort() : names.sort(compareBytes);
}

const ASCII = /^[ -~]*$/;

/** Compares texts by code points, which is the order of their UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const one = a.charCodeAt(at);
    const other = b.charCodeAt(at);
    if (one === other) continue;
    // Surrogates come before the last characters of the basic plane, but sort after them.
    return rank(one) - rank(other);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
