/** The description of any object: its name, labels and annotations, then all its fields, in the order of their names. */

import { goValue } from "../go-value.ts";
import { checkDepth, sortedNames } from "../json-text.ts";
import { isItems, isMembers, type Json, type JsonMembers } from "../lossless-json.ts";
import type { Description } from "./description.ts";
import { fieldLabel } from "./field-label.ts";

/** What stands at the top, or is for programs. */
const LEFT_OUT = new Set(["annotations", "labels", "managedFields", "name", "namespace"]);

/**
 * Describes an object of any kind.
 *
 * @throws {AppError} `INVALID` when it nests too deep or is too large.
 */
export function describeGeneric(description: Description, object: JsonMembers): void {
  description.head(object);
  for (const name of sortedNames(object)) {
    const value = object[name] as Json;
    describeField(description, 0, name, name === "metadata" && isMembers(value) ? shown(value) : value);
  }
}

function shown(metadata: JsonMembers): JsonMembers {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !LEFT_OUT.has(name)));
}

function describeField(description: Description, level: number, name: string, value: Json): void {
  const label = `${fieldLabel(name)}:`;
  if (isMembers(value)) {
    description.line(level, label);
    describeFields(description, level + 1, value);
  } else if (isItems(value)) {
    description.line(level, label);
    for (const item of value) {
      if (isMembers(item)) describeFields(description, level + 1, item);
      else description.line(level + 1, goValue(item));
    }
  } else description.line(level, label, goValue(value));
}

function describeFields(description: Description, level: number, object: JsonMembers): void {
  checkDepth(level);
  for (const name of sortedNames(object)) describeField(description, level, name, object[name] as Json);
}
