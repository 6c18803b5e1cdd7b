/** Gathers the values of a flag that may be given several times. */

/** The values of a repeatable flag with one more, as commander hands them on. */
export function repeated(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value];
}
