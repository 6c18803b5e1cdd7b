/** Looking again and again until something is as it should be, or the time is over. */

/** The clock and the pause of a wait, both in milliseconds. */
export interface Time {
  readonly now: () => number;
  /** Rejects when the command is interrupted. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** The first pause between two looks, how they grow, and the longest one, in milliseconds. */
const FIRST_PAUSE = 100;
const GROWTH = 1.5;
const LONGEST_PAUSE = 2_000;

/** Looks until something is there, or the deadline is over: at least once, and then after pauses that grow. */
export async function lookUntil<Found>(
  { now, sleep }: Time,
  deadline: number,
  look: () => Promise<Found | undefined>,
): Promise<Found | undefined> {
  for (let pause = FIRST_PAUSE;; pause = Math.min(pause * GROWTH, LONGEST_PAUSE)) {
    const found = await look();
    const left = deadline - now();
    if (found !== undefined || left <= 0) return found;
    await sleep(Math.min(pause, left));
  }
}
