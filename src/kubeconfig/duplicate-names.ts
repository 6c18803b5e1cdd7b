/** Names that occur twice in one list of a kubeconfig: kubectl then refuses the whole file. */

import { entriesIn, INNER, LISTS } from "./edit.ts";
import { isRecord } from "../splice/yaml-text.ts";

/** A path in a kubeconfig's data: keys and positions from the root. */
export type DataPath = readonly (string | number)[];

/** A name that several entries of one list have. */
export interface DuplicateName {
  /** The list. */
  readonly path: DataPath;
  readonly name: string;
  /** The positions of the entries in their list. */
  readonly positions: readonly number[];
}

/** The names that occur twice in one list. As for kubectl, an entry without a name has an empty one. */
export function duplicateNames(data: Readonly<Record<string, unknown>>): DuplicateName[] {
  return namedLists(data).flatMap(({ path, names }) => {
    const byName = Map.groupBy(names.keys(), (position) => names[position]);
    return [...byName].flatMap(([name, positions]) =>
      name !== undefined && positions.length > 1 ? [{ path, name, positions }] : []
    );
  });
}

/** A list that kubectl reads as a map. */
interface NamedList {
  readonly path: DataPath;
  /** The name of each entry; undefined when kubectl does not look at it. */
  readonly names: readonly (string | undefined)[];
}

/** The three lists of a kubeconfig, and `extensions` at every level. */
function namedLists(data: Readonly<Record<string, unknown>>): NamedList[] {
  const own = LISTS.flatMap((list): NamedList[] => {
    const entries = entriesIn(data, list);
    const inner = INNER[list];
    return [
      { path: [list], names: entries.map(nameOf) },
      ...entries.flatMap((entry, index) => extensionsOf([list, index, inner], entry?.[inner])),
    ];
  });
  return [...own, ...extensionsOf([], data), ...extensionsOf(["preferences"], data["preferences"])];
}

function extensionsOf(path: DataPath, owner: unknown): NamedList[] {
  const entries = isRecord(owner) ? owner["extensions"] : undefined;
  if (!Array.isArray(entries)) return [];
  // kubectl skips an empty one.
  const names = entries.map((entry) =>
    isRecord(entry) && isHeld(entry["extension"]) ? nameOf(entry) : undefined
  );
  return [{ path: [...path, "extensions"], names }];
}

function isHeld(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** kubectl itself says more about a name that is not a text. */
function nameOf(entry: unknown): string | undefined {
  const name = (isRecord(entry) ? entry["name"] : undefined) ?? "";
  return typeof name === "string" ? name : undefined;
}
