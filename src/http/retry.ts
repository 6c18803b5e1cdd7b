/** When a failed request is sent again: how often, after which pauses, and what `Retry-After` asks for. */

import { AppError } from "../errors.ts";
import { failedRequest, type HttpContext } from "./bounded.ts";

/** A pause that ends early, by rejecting, when the signal does. */
export type Sleep = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** What sending again needs. */
export interface Retry {
  /** Requests in all, 3 unless given. */
  readonly attempts?: number | undefined;
  readonly sleep: Sleep;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** {@link STEEP} unless given. */
  readonly pauses?: Pauses | undefined;
}

/** How pauses grow. */
interface Pauses {
  /** By what the pause before is multiplied. */
  readonly growth: number;
  /** The part that is chance, so that many processes do not come back at the same moment; beside it half is certain. */
  readonly chance: number;
}

/** 100 to 200 ms, then 400 to 800: for few attempts. */
const STEEP: Pauses = { growth: 4, chance: 0.5 };

/** 100 to 300 ms, then 200 to 600, then 400 to 1,200. */
export const GENTLE: Pauses = { growth: 2, chance: 1 };

const FIRST_PAUSE = 200;

/** In milliseconds; where no deadline is known, a `Retry-After` beyond it is not waited for. */
const LONGEST_PAUSE = 10_000;

/**
 * Waits before a request is sent again. Rejects when the signal ends the pause.
 *
 * @param attempt how many requests there were, from 1.
 * @param least what `Retry-After` asks for, in milliseconds.
 * @returns false, at once, when there were enough requests or the pause would be too long.
 */
export async function pauseBeforeRetry(
  { now, signal, deadline }: Pick<HttpContext, "now" | "signal" | "deadline">,
  attempt: number,
  { attempts = 3, sleep, random, pauses: { growth, chance } = STEEP }: Retry,
  least = 0,
): Promise<boolean> {
  const pause = Math.max(least, FIRST_PAUSE * growth ** (attempt - 1) * (0.5 + chance * random()));
  const longest = deadline === undefined ? LONGEST_PAUSE : deadline - now();
  if (attempt >= attempts || pause > longest) return false;
  await sleep(pause, signal);
  return true;
}

/**
 * Waits until a request that failed with `NETWORK` may be sent again.
 *
 * @param attempt how many requests there were, from 1.
 * @throws the error itself when sending again is no use, or too late; the signal's reason when that ends the pause.
 */
export async function pauseAfter(
  context: HttpContext,
  error: unknown,
  attempt: number,
  retry: Retry,
): Promise<void> {
  const { signal } = context;
  if (signal.aborted || !(error instanceof AppError) || error.code !== "NETWORK") throw error;
  const again = await pauseBeforeRetry(context, attempt, retry, failedRequest(error)?.retryAfter)
    .catch(() => true);
  if (signal.aborted) throw signal.reason instanceof AppError ? signal.reason : error;
  if (!again) throw error;
}

/** How long `Retry-After` asks to wait, in milliseconds: seconds or a date, never less than none. RFC 9110, 10.2.3. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const header = headers.get("retry-after")?.trim();
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
