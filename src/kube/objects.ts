/** Typed access to the parts of objects that an API server sent; a part of another type counts as missing. */

import { isObject, type JsonObject } from "../encoding.ts";

/** The objects of a list; none when the value is no list. */
export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The texts of a list; none when the value is no list. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

/** A text; an empty one for anything else. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** An object in another; an empty one for anything else. */
export function member(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isObject(value) ? value : {};
}
