/** Members of JSON that a server sent, as what they should be or as nothing. */

import { isItems, isMembers, type Json, type JsonMembers, memberOf } from "./lossless-json.ts";

/** A text; an empty one for anything else. */
export function textOf(object: Json | undefined, name: string): string {
  const value = valueOf(object, name);
  return typeof value === "string" ? value : "";
}

/** An object; undefined for anything else. */
export function membersOf(object: Json | undefined, name: string): JsonMembers | undefined {
  const value = valueOf(object, name);
  return isMembers(value) ? value : undefined;
}

/** The items of a list; none for what is no list. */
export function itemsOf(object: Json | undefined, name: string): readonly Json[] {
  const value = valueOf(object, name);
  return isItems(value) ? value : [];
}

/** The objects in a list; none for what is no list. */
export function objectsOf(object: Json | undefined, name: string): JsonMembers[] {
  return itemsOf(object, name).filter(isMembers);
}

/** The texts in a list; none for what is no list. */
export function textsOf(object: Json | undefined, name: string): string[] {
  return itemsOf(object, name).filter((item) => typeof item === "string");
}

function valueOf(object: Json | undefined, name: string): Json | undefined {
  return isMembers(object) ? memberOf(object, name) : undefined;
}
