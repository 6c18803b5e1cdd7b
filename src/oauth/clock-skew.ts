/** The error for a clock that disagrees with a server's. */

import { AppError } from "../errors.ts";

/** How far two clocks may differ, in seconds. */
export const CLOCK_TOLERANCE = 60;

/**
 * `CLOCK_SKEW` with both times when the server's clock differs from ours by more than the tolerance; undefined when
 * it does not, or when the server gave no time.
 *
 * @param now milliseconds since 1970, as is `serverDate`.
 * @param consequence what failed, as the end of a sentence: "its ID token was refused: …".
 */
export function clockSkew(
  now: number,
  serverDate: number | undefined,
  host: string,
  consequence: string,
): AppError | undefined {
  if (serverDate === undefined || Math.abs(serverDate - now) <= CLOCK_TOLERANCE * 1000) return undefined;
  return new AppError(
    "CLOCK_SKEW",
    `The clocks disagree: it is ${isoTime(now)} on this machine and ${isoTime(serverDate)} at ${host}, ` +
      `so ${consequence}.`,
    { hint: "Set this machine's clock and run the command again." },
  );
}

/** Milliseconds since 1970 as ISO 8601, to the second. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, "Z");
}
