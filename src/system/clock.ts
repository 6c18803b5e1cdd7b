/** Owns time: what the clock says, waiting, and durations as people write them. */

import { AppError } from "../errors.ts";

/** Milliseconds since 1970, as this machine's clock has them. */
export type Clock = () => number;

/** The longest wait of a timer, in milliseconds: a longer one would ring at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Waits for some milliseconds; rejects with the signal's reason as soon as it is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const done = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(done, Math.min(milliseconds, LONGEST_TIMER));
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** A signal that fires when a time is over; `restart` lets the time begin anew. */
export interface BoundedSignal extends Disposable {
  readonly signal: AbortSignal;
  restart(): void;
}

/** An abort signal that fires with `reason` after some milliseconds, or with the parent's reason before. */
export function boundedSignal(
  milliseconds: number,
  reason: () => AppError,
  parent?: AbortSignal,
): BoundedSignal {
  const controller = new AbortController();
  const start = () => setTimeout(() => controller.abort(reason()), Math.min(milliseconds, LONGEST_TIMER));
  let timer = start();
  const stop = () => controller.abort(parent?.reason);
  if (parent?.aborted) stop();
  else parent?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    restart() {
      clearTimeout(timer);
      timer = start();
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", stop);
    },
  };
}

const DURATION = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;

/**
 * The milliseconds of a duration written `30s`, `5m` or `1h30m`.
 *
 * @param flag the flag it was given to, for the `USAGE` error
 * @example
 * ```ts
 * import { parseDuration } from "./clock.ts";
 * console.assert(parseDuration("1h30m", "--timeout") === 5_400_000);
 * ```
 */
export function parseDuration(text: string, flag: string): number {
  const parts = DURATION.exec(text);
  if (text === "" || parts === null) {
    throw new AppError("USAGE", `${flag} takes a duration such as 30s, 5m or 1h30m.`);
  }
  const [, hours = "0", minutes = "0", seconds = "0"] = parts;
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
}

/** The milliseconds of a duration that something may take; throws `USAGE` for none, too. */
export function parseTimeout(text: string, flag: string): number {
  const milliseconds = parseDuration(text, flag);
  if (milliseconds > 0) return milliseconds;
  throw new AppError("USAGE", `${flag} takes a duration longer than none, such as 30s, 5m or 1h30m.`);
}

/** A span of milliseconds in words for people: `2 h 5 min`, `40 s`. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}
