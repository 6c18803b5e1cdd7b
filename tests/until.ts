/** Waits until something holds that another process or connection brings about. */

import assert from "node:assert/strict";

/** Asks again and again, and fails when it does not hold within 15 s. */
export async function until(holds: () => boolean | Promise<boolean>, what = "this"): Promise<void> {
  const end = performance.now() + 15_000;
  while (!await holds()) {
    assert.ok(performance.now() < end, `${what} did not come within 15 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
