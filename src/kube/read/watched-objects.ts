/** What a watch knows of the objects that it follows, so that it tells of each change once. */

import { isItems, isMembers, type Json, type JsonMembers } from "../lossless-json.ts";
import { asMembers, asText, metadataOf } from "../json-parts.ts";
import { isTable } from "./list-items.ts";

/** A change of an object; the object is itself, or a table with its row. */
export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: JsonMembers;
}

/** The objects as they were last told of. */
export class WatchedObjects {
  readonly #known = new Map<string, JsonMembers>();

  /** Takes an object that was in the list at the beginning. */
  add(object: JsonMembers): void {
    this.#known.set(keyOf(object), object);
  }

  /** The change that an event tells of; undefined where it tells of nothing new. */
  change(type: Change["type"], object: JsonMembers): Change | undefined {
    const key = keyOf(object);
    const known = this.#known.get(key);
    if (type === "DELETED") {
      return this.#known.delete(key) ? { type, object } : undefined;
    }
    if (known !== undefined && isSame(known, object)) return undefined;
    this.#known.set(key, object);
    // A connection that was lost can hide that it is known already.
    return { type: known !== undefined && sameUid(known, object) ? "MODIFIED" : type, object };
  }

  /** The changes that lie between what is known and a new list: first the objects that are gone. */
  changesTo(objects: readonly JsonMembers[]): Change[] {
    const listed = new Map(objects.map((object) => [keyOf(object), object]));
    const changes: Change[] = [];
    for (const [key, known] of this.#known) {
      const object = listed.get(key);
      if (object !== undefined && sameUid(known, object)) continue;
      this.#known.delete(key);
      changes.push({ type: "DELETED", object: known });
    }
    for (const object of listed.values()) {
      const change = this.change("ADDED", object);
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }
}

/** The metadata of an object, or of the object that a table's row is about. */
export function itemMetadata(item: JsonMembers): JsonMembers {
  if (!isTable(item)) return metadataOf(item);
  const [row] = isItems(item.rows) ? item.rows : [];
  return isMembers(row) ? metadataOf(asMembers(row.object)) : {};
}

/** Each row of a table as a table. */
export function tableItems({ rows, ...table }: JsonMembers): JsonMembers[] {
  return (isItems(rows) ? rows : []).map((row: Json) => ({ ...table, rows: [row] }));
}

function keyOf(item: JsonMembers): string {
  const { namespace, name } = itemMetadata(item);
  return `${asText(namespace)}/${asText(name)}`;
}

function isSame(one: JsonMembers, other: JsonMembers): boolean {
  const version = asText(itemMetadata(one).resourceVersion);
  return version !== "" && version === asText(itemMetadata(other).resourceVersion) && sameUid(one, other);
}

function sameUid(one: JsonMembers, other: JsonMembers): boolean {
  return asText(itemMetadata(one).uid) === asText(itemMetadata(other).uid);
}

/** True for a resource version that is not later than another one; those that are no numbers have no order. */
export function isNotLater(version: string, other: string): boolean {
  return /^\d{1,40}$/.test(version) && /^\d{1,40}$/.test(other) && BigInt(version) <= BigInt(other);
}
