/** The polling that sign-ins on another device share: the secret code, how long and how often to ask. */

import { AppError } from "../errors.ts";
import { type Answer, secondsIn } from "./issuer-request.ts";
import type { HttpContext } from "../http/bounded.ts";
import type { Sleep } from "../http/retry.ts";

/** The secret code to poll with, and its times. */
export interface PolledCode {
  /** When the code expires, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** Seconds between two polls. */
  readonly interval: number;
  /** Not enumerable. */
  readonly deviceCode: string;
}

const DEFAULT_INTERVAL_SECONDS = 5;
const DEFAULT_LIFE_SECONDS = 15 * 60;
const LONGEST_LIFE_SECONDS = 24 * 3600;

/**
 * Reads `device_code`, `expires_in` and `interval`. RFC 8628, 3.2. A code without a lifetime is polled for a
 * quarter of an hour.
 *
 * @throws {AppError} what `malformed` makes of a complaint.
 */
export function readPolledCode(
  { json }: Answer,
  now: number,
  malformed: (why: string) => AppError,
): PolledCode {
  const { device_code: deviceCode } = json;
  if (typeof deviceCode !== "string" || deviceCode === "") throw malformed("it holds no device_code");
  const life = secondsIn(json.expires_in) ?? DEFAULT_LIFE_SECONDS;
  if (!(life > 0)) throw malformed("its expires_in is not a positive number");
  const interval = secondsIn(json.interval) ?? DEFAULT_INTERVAL_SECONDS;
  if (Number.isNaN(interval)) throw malformed("its interval is not a number");
  const code = {
    expiresAt: now + Math.min(life, LONGEST_LIFE_SECONDS) * 1000,
    interval: interval > 0 ? Math.max(1, interval) : DEFAULT_INTERVAL_SECONDS,
  };
  return Object.defineProperty(code, "deviceCode", { value: deviceCode }) as PolledCode;
}

/**
 * Waits between two polls.
 *
 * @throws {AppError} the signal's own when it ends the flow, `ranOut` when it fires for another reason; when only
 * the time is over, the outage that the last poll met.
 */
export async function pauseFor(
  { signal }: HttpContext,
  sleep: Sleep,
  milliseconds: number,
  { outage, ranOut }: { readonly outage: AppError | undefined; readonly ranOut: AppError },
): Promise<void> {
  const failed = await sleep(milliseconds, signal).then(() => undefined, (error) => ({ error }));
  if (signal.aborted) {
    const reason = signal.reason instanceof AppError ? signal.reason : ranOut;
    throw reason.code === "TIMEOUT" ? outage ?? reason : reason;
  }
  if (failed !== undefined) throw failed.error;
}
