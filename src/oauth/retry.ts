/** Owns how a failed request is asked again: which failures pass by themselves, and the pauses in between. */

import { AppError } from "../errors.ts";
import { type Exchange, failedExchange, type Sleep } from "./http.ts";

/** What asking again needs. */
export interface Retry {
  /** Requests in all, 3 unless told. */
  readonly attempts?: number;
  readonly sleep: Sleep;
  /** At least 0, below 1. */
  readonly random: () => number;
}

const FIRST_PAUSE = 200;

/** A `Retry-After` beyond this, in milliseconds, is not waited for when no deadline is known. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * Waits until a request that failed may be asked again.
 *
 * @param attempt how many requests there were, from 1.
 * @throws the error itself when asking again is no use, or too late.
 */
export async function pauseAfter(
  exchange: Exchange,
  error: unknown,
  attempt: number,
  { attempts = 3, sleep, random }: Retry,
): Promise<void> {
  const { signal } = exchange;
  if (attempt >= attempts || signal.aborted) throw error;
  if (!(error instanceof AppError) || error.code !== "NETWORK") throw error;
  // Half of each pause is chance, so that many processes do not come back at once.
  const backOff = FIRST_PAUSE * 4 ** (attempt - 1) * (0.5 + random() / 2);
  const pause = Math.max(backOff, failedExchange(error)?.retryAfter ?? 0);
  if (pause > (exchange.deadline === undefined ? LONGEST_PAUSE_MS : exchange.deadline - exchange.now())) {
    throw error;
  }
  await sleep(pause, signal).catch(() => {});
  if (signal.aborted) throw signal.reason instanceof AppError ? signal.reason : error;
}
