/** Proves the pauses between requests, and what `Retry-After` asks for. */

import assert from "node:assert/strict";
import { GENTLE, pauseBeforeRetry, retryAfter } from "../../src/http/retry.ts";

const NOW = Date.UTC(2026, 0, 1);

for (
  const [header, wait] of [
    [undefined, undefined],
    ["", undefined],
    ["soon", undefined],
    ["-1", 0],
    ["0", 0],
    [" 7 ", 7_000],
    ["Thu, 01 Jan 2026 00:00:05 GMT", 5_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
  ] as const
) {
  Deno.test(`Retry-After: ${header ?? "none"} is ${wait === undefined ? "no wait that is known" : `${wait} ms`}`, () =>
    assert.equal(retryAfter(new Headers(header === undefined ? {} : { "retry-after": header }), NOW), wait));
}

/** The pauses that are waited for until there are no more, with chance as told. */
async function pausesOf(
  random: number,
  { least, deadline, ...more }: {
    readonly attempts?: number;
    readonly pauses?: typeof GENTLE;
    readonly least?: number;
    readonly deadline?: number;
  } = {},
): Promise<number[]> {
  const pauses: number[] = [];
  let time = 0;
  const sleep = (milliseconds: number) => {
    pauses.push(milliseconds);
    time += milliseconds;
    return Promise.resolve();
  };
  const context = { now: () => time, signal: new AbortController().signal, deadline };
  for (let attempt = 1;; attempt++) {
    const retry = { ...more, sleep, random: () => random };
    if (!await pauseBeforeRetry(context, attempt, retry, least)) return pauses;
  }
}

Deno.test("pauses grow, and a part of each is chance", async () => {
  assert.deepEqual(await pausesOf(0), [100, 400]);
  assert.deepEqual(await pausesOf(0.5), [150, 600]);
  assert.deepEqual(await pausesOf(0, { attempts: 4, pauses: GENTLE }), [100, 200, 400]);
  assert.deepEqual(await pausesOf(0.5, { attempts: 4, pauses: GENTLE }), [200, 400, 800]);
  assert.deepEqual(await pausesOf(0.5, { attempts: 1 }), []);
});

Deno.test("no pause is shorter than Retry-After, and none goes beyond the deadline, or ten seconds without one", async () => {
  assert.deepEqual(await pausesOf(0, { least: 300 }), [300, 400]);
  assert.deepEqual(await pausesOf(0, { least: 10_000 }), [10_000, 10_000]);
  assert.deepEqual(await pausesOf(0, { least: 10_001 }), []);
  assert.deepEqual(await pausesOf(0, { least: 10_001, deadline: 15_000 }), [10_001]);
  assert.deepEqual(await pausesOf(0, { deadline: 499 }), [100]);
});
