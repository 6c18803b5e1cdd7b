/** Owns whether two values that were read from a file say the same. */

/** True for the same data, whatever the order of keys; the kinds of numbers and times count. */
export function sameData(a: unknown, b: unknown, seen: Map<unknown, unknown> = new Map()): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  // YAML's aliases make shared values: each pair is compared once, or a few lines could ask for ages.
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  // Not by prototype: some parsers make their tables without one.
  if (kindOf(a) !== kindOf(b)) return false;
  // As it is written: TOML's local times have no instant to compare.
  if (a instanceof Date) return a.toJSON() === (b as Date).toJSON();
  const left = a instanceof Map || a instanceof Set ? [...a] : a as Record<string, unknown>;
  const right = b instanceof Map || b instanceof Set ? [...b] : b as Record<string, unknown>;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) =>
    Object.hasOwn(right, key) &&
    sameData((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key], seen)
  );
}

/** `[object Array]`, `[object Date]`, `[object Map]`, … */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value);
}
