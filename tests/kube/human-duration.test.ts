/** Proves that a span is written as Kubernetes' tables write it, on both sides of each threshold. */

import assert from "node:assert/strict";
import { humanDuration } from "../../src/kube/human-duration.ts";

const M = 60;
const H = 60 * M;
const D = 24 * H;
const Y = 365 * D;

// Seconds, and what k8s.io/apimachinery's HumanDuration makes of them.
const SPANS: readonly (readonly [seconds: number, text: string])[] = [
  [-2, "<invalid>"],
  [-1.5, "0s"],
  [-1, "0s"],
  [-0.5, "0s"],
  [0, "0s"],
  [0.999, "0s"],
  [1, "1s"],
  [119, "119s"],
  [2 * M, "2m"],
  [2 * M + 1, "2m1s"],
  [5 * M + 12, "5m12s"],
  [10 * M - 1, "9m59s"],
  [10 * M, "10m"],
  [10 * M + 1, "10m"],
  [3 * H - 1, "179m"],
  [3 * H, "3h"],
  [3 * H + 1, "3h"],
  [3 * H + M, "3h1m"],
  [8 * H - 1, "7h59m"],
  [8 * H, "8h"],
  [8 * H + M, "8h"],
  [47 * H, "47h"],
  [2 * D - 1, "47h"],
  [2 * D, "2d"],
  [2 * D + H - 1, "2d"],
  [2 * D + H, "2d1h"],
  [8 * D - 1, "7d23h"],
  [8 * D, "8d"],
  [8 * D + H, "8d"],
  [2 * Y - 1, "729d"],
  [2 * Y, "2y"],
  [2 * Y + D, "2y1d"],
  [2 * Y + 45 * D, "2y45d"],
  [8 * Y - 1, "7y364d"],
  [8 * Y, "8y"],
  [8 * Y + D, "8y"],
  [100 * Y, "100y"],
];

Deno.test("humanDuration() changes its units where Kubernetes does", () => {
  for (const [seconds, text] of SPANS) assert.equal(humanDuration(seconds * 1_000), text, String(seconds));
});
