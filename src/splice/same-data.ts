/** A comparison of two values that were read from files. */

/** True for the same data in any order of keys. The types of numbers and times count. */
export function sameData(a: unknown, b: unknown, seen: Map<unknown, unknown> = new Map()): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  // YAML's aliases share values. Each pair is compared once; otherwise a few lines could take ages.
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  // Prototypes do not tell: some parsers make their tables without one.
  if (kindOf(a) !== kindOf(b)) return false;
  // Compared as written: TOML's local times have no instant.
  if (a instanceof Date && b instanceof Date) return a.toJSON() === b.toJSON();
  const [left, right] = [membersOf(a), membersOf(b)];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && sameData(left[key], right[key], seen));
}

/** The members of a table or list; of a map or set, its entries. */
function membersOf(value: object): Readonly<Record<string, unknown>> {
  return (value instanceof Map || value instanceof Set ? [...value] : value) as Record<string, unknown>;
}

/** `[object Array]`, `[object Date]`, `[object Map]`, … */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value);
}
