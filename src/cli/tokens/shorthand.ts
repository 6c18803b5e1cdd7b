/** Reads the shorthand for objects on a command line: `.name: NAME, .role: ROLE`. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";

/** A value that shorthand can write. */
export type ShorthandValue = string | number | boolean | null | { readonly [key: string]: ShorthandValue };

type Writable = { [key: string]: ShorthandValue | Writable };

/**
 * Reads shorthand: `key: value` pairs separated by commas; `a.b: 1` and `a{b: 1}` make an object in an object; a key with
 * a leading dot stays in the object of the key before it; a value ends at a comma or brace; `null`, `true`, `false` and
 * numbers are what they say, unless `~` follows the colon.
 *
 * @throws {AppError} `USAGE`, saying where the text stops being shorthand
 *
 * @example
 * ```ts
 * import { parseShorthand } from "./shorthand.ts";
 * const read = JSON.stringify(parseShorthand(".name: ci, .role: User, limits.days: 30, .hours:~ 7"));
 * console.assert(read === '{"name":"ci","role":"User","limits":{"days":30,"hours":"7"}}');
 * ```
 */
export function parseShorthand(text: string): Readonly<Record<string, ShorthandValue>> {
  const reader = { text, at: 0 };
  const root: Writable = emptyObject();
  readPairs(reader, root);
  if (reader.at < text.length) throw stuck(reader, "an unmatched closing brace");
  return root as Record<string, ShorthandValue>;
}

interface Reader {
  readonly text: string;
  at: number;
}

/** An object without a prototype, so that every key is an ordinary one. */
function emptyObject(): Writable {
  return Object.create(null);
}

/** Reads pairs up to the end of the text or the closing brace. */
function readPairs(reader: Reader, root: Writable): void {
  let current = root;
  for (;;) {
    const key = /[^:{},]*/y;
    key.lastIndex = reader.at;
    const written = (key.exec(reader.text)?.[0] ?? "").trim();
    reader.at = key.lastIndex;
    const stays = written.startsWith(".");
    const path = written.slice(stays ? 1 : 0).split(".").map((part) => part.trim());
    if (path.some((part) => part === "" || /[[\]]/.test(part))) {
      throw stuck(reader, "a key that is empty or a list");
    }
    const last = path.pop() ?? "";
    const object = path.reduce((inner, part) => inside(reader, inner, part), stays ? current : root);
    const next = reader.text[reader.at++];
    if (next === "{") {
      current = inside(reader, object, last);
      readPairs(reader, current);
      if (reader.text[reader.at++] !== "}") throw stuck(reader, "an unclosed brace");
    } else if (next === ":") {
      object[last] = readValue(reader);
      current = object;
    } else throw stuck(reader, "a key without a colon");
    const gap = /\s*/y;
    gap.lastIndex = reader.at;
    gap.exec(reader.text);
    reader.at = gap.lastIndex;
    if (reader.text[reader.at] !== ",") return;
    reader.at++;
  }
}

function inside(reader: Reader, object: Writable, key: string): Writable {
  const found = object[key] ??= emptyObject();
  if (typeof found !== "object" || found === null) {
    throw stuck(reader, `${printable(key, 40)}, which holds a value already`);
  }
  return found as Writable;
}

function readValue(reader: Reader): string | number | boolean | null {
  const forced = reader.text[reader.at] === "~";
  const value = /[^,}]*/y;
  value.lastIndex = reader.at + (forced ? 1 : 0);
  const written = (value.exec(reader.text)?.[0] ?? "").trim();
  reader.at = value.lastIndex;
  if (forced) return written;
  switch (written) {
    case "null":
      return null;
    case "true":
      return true;
    case "false":
      return false;
    default:
      return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(written) ? Number(written) : written;
  }
}

function stuck({ text, at }: Reader, what: string): AppError {
  return new AppError(
    "USAGE",
    `The fields cannot be read: there is ${what}, before "${printable(text.slice(at, at + 30))}".`,
    { hint: "Write them as .name: NAME, .role: ROLE, or use --name and --role." },
  );
}
