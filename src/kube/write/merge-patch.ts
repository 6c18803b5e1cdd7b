/** The difference between two objects as a JSON merge patch. RFC 7396. */

import { compactJson } from "../json-text.ts";
import { isMembers, type Json, type JsonMembers, memberOf } from "../lossless-json.ts";

/** What makes one object of another; a list is replaced whole, and what a null stands for is removed. */
export function mergePatch(from: JsonMembers, to: JsonMembers): JsonMembers {
  const changes: (readonly [name: string, value: Json])[] = [];
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [old, now] = [memberOf(from, name), memberOf(to, name) ?? null];
    if (compactJson(old ?? null) === compactJson(now)) continue;
    changes.push([name, isMembers(old) && isMembers(now) ? mergePatch(old, now) : now]);
  }
  return Object.fromEntries(changes);
}
