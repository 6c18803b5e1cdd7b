/** Durations and ages as Kubernetes' tables show them: `5m12s`, `47h`, `2y45d`. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Up to each limit, in seconds: the counted unit, and the smaller unit that is added. */
const SCALE: readonly (readonly [limit: number, unit: Unit, smaller?: Unit])[] = [
  [2 * MINUTE, [1, "s"]],
  [10 * MINUTE, [MINUTE, "m"], [1, "s"]],
  [3 * HOUR, [MINUTE, "m"]],
  [8 * HOUR, [HOUR, "h"], [MINUTE, "m"]],
  [2 * DAY, [HOUR, "h"]],
  [8 * DAY, [DAY, "d"], [HOUR, "h"]],
  [2 * YEAR, [DAY, "d"]],
  [8 * YEAR, [YEAR, "y"], [DAY, "d"]],
  [Infinity, [YEAR, "y"]],
];

type Unit = readonly [seconds: number, sign: string];

/**
 * A span as `kubectl get` prints it under AGE. A small part of zero is left out.
 *
 * @returns `<invalid>` for a span that ends more than a second before it starts.
 */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1_000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  const [, [size, sign], smaller] = SCALE.find(([limit]) => seconds < limit) ?? [0, [YEAR, "y"] as const];
  const rest = smaller === undefined ? 0 : Math.floor((seconds % size) / smaller[0]);
  return `${Math.floor(seconds / size)}${sign}${
    rest === 0 || smaller === undefined ? "" : `${rest}${smaller[1]}`
  }`;
}
