/** Values as Go's `%v` prints them: `map[a:1 b:[x <nil>]]`. */

import { checkDepth, sortedNames } from "./json-text.ts";
import { isItems, type Json } from "./lossless-json.ts";
import { goNumber } from "./number-text.ts";

/** A value as Go's `%v` prints it. */
export function goValue(value: Json, level = 0): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
      return goNumber(value);
    case "boolean":
      return String(value);
  }
  if (value === null) return "<nil>";
  checkDepth(level);
  if (isItems(value)) return `[${value.map((item) => goValue(item, level + 1)).join(" ")}]`;
  const members = sortedNames(value).map((name) => `${name}:${goValue(value[name] as Json, level + 1)}`);
  return `map[${members.join(" ")}]`;
}
