/** Members of JSON that a server sent, as what they should be or as nothing. */

import { isItems, isMembers, type Json, type JsonMembers, memberOf } from "./lossless-json.ts";

/** A text; an empty one for anything else. */
export function asText(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** An object; an empty one for anything else. */
export function asMembers(value: Json | undefined): JsonMembers {
  return isMembers(value) ? value : {};
}

/** The items of a list; none for anything else. */
export function asItems(value: Json | undefined): readonly Json[] {
  return isItems(value) ? value : [];
}

/** The metadata of an object. */
export function metadataOf(object: JsonMembers): JsonMembers {
  return asMembers(memberOf(object, "metadata"));
}

/** {@link asText} of a member. */
export function textOf(object: Json | undefined, name: string): string {
  return asText(valueOf(object, name));
}

/** A member that is an object; undefined for anything else. */
export function membersOf(object: Json | undefined, name: string): JsonMembers | undefined {
  const value = valueOf(object, name);
  return isMembers(value) ? value : undefined;
}

/** {@link asItems} of a member. */
export function itemsOf(object: Json | undefined, name: string): readonly Json[] {
  return asItems(valueOf(object, name));
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
