/** Single members of an issuer's answer, in all forms that issuers send them. */

/**
 * A number of seconds: a number, or its digits as text (Microsoft Entra v1, ADFS). Undefined for a missing, `null`
 * or empty value; NaN for anything but a number.
 */
export function secondsIn(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : NaN;
  return typeof value === "string" && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) && value.length < 400
    ? Number(value)
    : NaN;
}

/** A member; undefined when it is missing, `null` or empty. */
export function memberIn(value: unknown): unknown {
  return value === null || value === "" ? undefined : value;
}
