/** A value as a file keeps it. */

/** A value as JSON has it: without the members that are undefined. */
export function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
