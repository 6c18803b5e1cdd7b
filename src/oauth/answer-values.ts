/** How single members of an issuer's answer are read: liberal in their form, strict in what they say. */

/**
 * A number of seconds: a number, or its digits as text (Microsoft Entra v1, ADFS). Undefined for what is absent, `null`
 * or empty; NaN for what is no number.
 */
export function secondsIn(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : NaN;
  return typeof value === "string" && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) && value.length < 400
    ? Number(value)
    : NaN;
}

/** A member, or undefined when it is absent, `null` or empty. */
export function memberIn(value: unknown): unknown {
  return value === null || value === "" ? undefined : value;
}
