/** Where a field is within an object, as the server's sets of fields have it. */

import { printable } from "../../text.ts";
import { compactJson } from "../json-text.ts";
import { isItems, isMembers, type Json, type JsonMembers, memberOf, readJson } from "../lossless-json.ts";

/** One step to a field. */
export type FieldStep =
  | { readonly type: "member"; readonly name: string }
  /** The item of a list that has these members. */
  | { readonly type: "item"; readonly members: JsonMembers }
  /** The item of a list that is this value. */
  | { readonly type: "value"; readonly value: Json }
  | { readonly type: "index"; readonly at: number };

/** The steps to a field. */
export type FieldPath = readonly FieldStep[];

/**
 * The step of a name in a set of fields: `f:spec`, `k:{"name":"a"}`, `v:"a"`, `i:0`.
 *
 * @returns undefined where it is none.
 */
export function readStep(key: string): FieldStep | undefined {
  const rest = key.slice(2);
  switch (key.slice(0, 2)) {
    case "f:":
      return { type: "member", name: rest };
    case "i:":
      return /^\d{1,9}$/.test(rest) ? { type: "index", at: Number(rest) } : undefined;
    case "k:": {
      const members = readJson(rest);
      return isMembers(members) ? { type: "item", members } : undefined;
    }
    case "v:": {
      const value = readJson(rest);
      return value === undefined ? undefined : { type: "value", value };
    }
    default:
      return undefined;
  }
}

/** A path as the server writes it: `.spec.ports[port=80,protocol="TCP"].name`. */
export function serverPath(path: FieldPath): string {
  return path.map((step) => {
    switch (step.type) {
      case "member":
        return `.${step.name}`;
      case "item":
        return `[${memberTexts(step.members, quotedValue).join(",")}]`;
      case "value":
        return `[=${quotedValue(step.value)}]`;
      case "index":
        return `[${step.at}]`;
    }
  }).join("");
}

/** A path as a person reads it: `spec.ports[port=80,protocol=TCP].name`, `metadata.labels["example.com/a"]`. */
export function pathText(path: FieldPath): string {
  const parts = path.map((step) => {
    switch (step.type) {
      case "member":
        return SIMPLE.test(step.name) ? `.${step.name}` : `[${JSON.stringify(step.name)}]`;
      case "item":
        return `[${memberTexts(step.members, plainValue).join(",")}]`;
      case "value":
        return `[${plainValue(step.value)}]`;
      case "index":
        return `[${step.at}]`;
    }
  });
  return printable(parts.join("").replace(/^\./, ""), 200);
}

const SIMPLE = /^[A-Za-z0-9_$-]+$/;

function memberTexts(members: JsonMembers, valueText: (value: Json) => string): string[] {
  return Object.keys(members).sort().map((name) => `${name}=${valueText(members[name] as Json)}`);
}

function quotedValue(value: Json): string {
  return typeof value === "string" ? JSON.stringify(value) : compactJson(value);
}

function plainValue(value: Json): string {
  return typeof value === "string" ? value : compactJson(value);
}

/** What a path leads to; undefined where it leads nowhere. */
export function valueAt(object: Json, path: FieldPath): Json | undefined {
  let value: Json | undefined = object;
  for (const step of path) {
    if (value === undefined) return undefined;
    value = stepInto(value, step);
  }
  return value;
}

function stepInto(value: Json, step: FieldStep): Json | undefined {
  if (step.type === "member") return isMembers(value) ? memberOf(value, step.name) : undefined;
  return isItems(value) ? value[itemIndex(value, step)] : undefined;
}

/** Where the item of a list is that a step leads to; -1 where there is none. */
function itemIndex(items: readonly Json[], step: FieldStep): number {
  switch (step.type) {
    case "index":
      return step.at < items.length ? step.at : -1;
    case "value":
      return items.findIndex((item) => compactJson(item) === compactJson(step.value));
    case "item": {
      const names = Object.keys(step.members);
      const fits = (item: Json, absent: boolean) =>
        isMembers(item) && names.every((name) => {
          const member = memberOf(item, name);
          return member === undefined
            ? absent
            : compactJson(member) === compactJson(step.members[name] as Json);
        });
      const exact = items.findIndex((item) => fits(item, false));
      // In a document a member with the default can be left out.
      return exact >= 0 ? exact : items.findIndex((item) => fits(item, true));
    }
    case "member":
      return -1;
  }
}

/** An object without the field that a path leads to, where it leads to one. */
export function without(object: Json, path: FieldPath): Json {
  const [step, ...rest] = path;
  if (step === undefined) return object;
  const inner = stepInto(object, step);
  if (inner === undefined) return object;
  if (step.type === "member" && isMembers(object)) {
    const { [step.name]: _removed, ...others } = object;
    return rest.length === 0 ? others : { ...object, [step.name]: without(inner, rest) };
  }
  if (!isItems(object)) return object;
  const at = itemIndex(object, step);
  return rest.length === 0
    ? object.filter((_item, index) => index !== at)
    : object.map((item, index) => index === at ? without(inner, rest) : item);
}
