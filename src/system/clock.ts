/** The clock, waiting, and durations as people write them. */

import { AppError } from "../errors.ts";

/** Milliseconds since 1970 by this machine's clock. */
export type Clock = () => number;

/** The longest wait of a timer, in milliseconds; a longer one would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Waits for some milliseconds; rejects with the signal's reason as soon as it is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    // As in alarm(): the first use of setTimeout loads the node: timers, 6 ms on Deno 2.9.
    const timer = AbortSignal.timeout(Math.min(milliseconds, LONGEST_TIMER));
    const done = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const stop = () => {
      timer.removeEventListener("abort", done);
      reject(signal?.reason);
    };
    timer.addEventListener("abort", done, { once: true });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** How late a timer may fire, in milliseconds, in a process that was not stopped meanwhile. */
const LATE = 100;

/** How long a process that was stopped may take to read what arrived for it, in milliseconds. */
const AFTER_A_STOP = 1000;

/** A time limit that can start again. */
export interface Alarm {
  restart(): void;
  disarm(): void;
}

/**
 * Calls back once when the time is over, unless it is disarmed first.
 *
 * A process that was stopped meanwhile (Ctrl-Z, SIGSTOP, a paused container) gets one second more: timers fire
 * before sockets are read, and the answer may already wait in the socket, for a refresh token that is spent.
 */
export function alarm(milliseconds: number, ring: () => void): Alarm {
  const time = Math.min(milliseconds, LONGEST_TIMER);
  let due = performance.now() + time;
  let disarmed = false;
  let forget: (() => void) | undefined;
  const wait = (left: number) => {
    const began = performance.now();
    // The first use of setTimeout loads the node: timers, 6 ms on Deno 2.9. A signal holds the event loop open only
    // while it has a listener.
    const signal = AbortSignal.timeout(left);
    const listener = () => {
      forget = undefined;
      const now = performance.now();
      if (disarmed) return;
      if (now - began > left + LATE) return wait(AFTER_A_STOP);
      if (now < due) return wait(Math.ceil(due - now));
      ring();
    };
    signal.addEventListener("abort", listener, { once: true });
    forget = () => signal.removeEventListener("abort", listener);
  };
  wait(time);
  return {
    restart() {
      due = performance.now() + time;
    },
    disarm() {
      disarmed = true;
      forget?.();
    },
  };
}

/** A signal that fires when a time is over; `restart` starts the time again. */
export interface BoundedSignal extends Disposable {
  readonly signal: AbortSignal;
  restart(): void;
}

/** An abort signal that fires with `reason` after some milliseconds, or earlier with the parent's reason. */
export function boundedSignal(
  milliseconds: number,
  reason: () => AppError,
  parent?: AbortSignal,
): BoundedSignal {
  const controller = new AbortController();
  const bound = alarm(milliseconds, () => controller.abort(reason()));
  const stop = () => controller.abort(parent?.reason);
  if (parent?.aborted) stop();
  else parent?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    restart: () => bound.restart(),
    [Symbol.dispose]() {
      bound.disarm();
      parent?.removeEventListener("abort", stop);
    },
  };
}

const DURATION = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;

/**
 * The milliseconds of a duration such as `30s`, `5m` or `1h30m`.
 *
 * @param flag the flag that the duration belongs to, for the error
 * @throws {AppError} `USAGE` when the text is no duration.
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

/**
 * The milliseconds of a time limit.
 *
 * @throws {AppError} `USAGE` when the text is no duration, or zero.
 */
export function parseTimeout(text: string, flag: string): number {
  const milliseconds = parseDuration(text, flag);
  if (milliseconds > 0) return milliseconds;
  throw new AppError("USAGE", `${flag} takes a duration longer than none, such as 30s, 5m or 1h30m.`);
}

/** A span of milliseconds for people: `2 h 5 min`, `40 s`. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}
