/** What the bench makes of its measurements: ratios, the bounds that they have to keep, and the tables. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import type { Candidate, Seen } from "./bench-measure.ts";

/** A figure and the bound that it has to keep. */
export interface Verdict {
  readonly what: string;
  readonly figure: number;
  /** The same of the fastest calls, which a busy machine disturbs least; for ratios only. */
  readonly fastest?: number;
  /** Undefined for one that is only shown. */
  readonly bound: number | undefined;
  readonly unit: string;
}

/** A ratio of sums of medians, with its bound. */
export function ratioVerdict(
  what: string,
  seen: ReadonlyMap<string, Seen>,
  above: readonly string[],
  below: readonly string[],
  bound?: number,
): Verdict {
  const figure = ratio(seen, above, below);
  return { what, figure, fastest: ratio(seen, above, below, "fastest"), bound, unit: "×" };
}

/** What get-token costs beside the bare start and the keyring's own tool. */
export function tokenVerdicts(
  seen: ReadonlyMap<string, Seen>,
  memory: ReadonlyMap<string, number>,
): Verdict[] {
  const hello = "bare hello";
  const file = "get-token, key file";
  const ring = "get-token, keyring";
  const verdicts = [ratioVerdict(`${file} ÷ hello`, seen, [file], [hello], 1.35)];
  if (seen.has(ring)) {
    const yardstick = [hello, "secret-tool lookup"];
    verdicts.push(ratioVerdict(`${ring} ÷ (hello + secret-tool)`, seen, [ring], yardstick, 1.35));
  }
  for (const name of [file, ring]) {
    const more = (memory.get(name) ?? NaN) - (memory.get(hello) ?? NaN);
    if (!Number.isNaN(more)) {
      verdicts.push({ what: `${name}: memory over hello's`, figure: more, bound: 15, unit: " MiB" });
    }
  }
  return verdicts;
}

/** Prints what was seen of each candidate, beside a yardstick. */
export function printTimes(
  title: string,
  candidates: readonly Pick<Candidate, "name">[],
  seen: ReadonlyMap<string, Seen>,
  yardstick: string,
): void {
  console.log(`\n${title.padEnd(42)}  median     min   ratio to ${yardstick}`);
  for (const { name } of candidates) {
    const { median, fastest } = seen.get(name) ?? { median: NaN, fastest: NaN };
    console.log(
      `  ${name.padEnd(40)}${median.toFixed(1).padStart(8)}${fastest.toFixed(1).padStart(8)} ms` +
        `${ratio(seen, [name], [yardstick]).toFixed(2).padStart(6)}`,
    );
  }
}

/** Prints the largest memory of each candidate, in MiB. */
export function printMemory(peaks: ReadonlyMap<string, number>): void {
  if (peaks.size === 0) return;
  console.log("\nPeak memory");
  for (const [name, peak] of peaks) console.log(`  ${name.padEnd(40)}${peak.toFixed(1).padStart(8)} MiB`);
}

/** Prints each figure, and whether it keeps its bound. */
export function printVerdicts(verdicts: readonly Verdict[]): void {
  console.log("\nAgainst the bounds, by medians (by the fastest calls)");
  for (const { what, figure, fastest, bound, unit } of verdicts) {
    const judged = bound === undefined ? "" : `${figure <= bound ? "within" : "OVER"} ${bound}${unit}`;
    const beside = fastest === undefined ? "" : `(${fastest.toFixed(2)}${unit})`;
    console.log(`  ${what.padEnd(64)}${figure.toFixed(2).padStart(7)}${unit} ${beside.padEnd(9)} ${judged}`);
  }
}

function ratio(
  seen: ReadonlyMap<string, Seen>,
  above: readonly string[],
  below: readonly string[],
  of: keyof Seen = "median",
): number {
  const total = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + (seen.get(name)?.[of] ?? NaN), 0);
  return total(above) / total(below);
}
