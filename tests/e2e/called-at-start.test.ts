/** Proves that what is compiled at once in the binary is what a start calls. */

import assert from "node:assert/strict";
import { calledAtStart } from "../../scripts/eager.ts";
import { recordStart } from "../../scripts/record-start.ts";

Deno.test("scripts/called-at-start.txt lists what get-token and status call, but for a few functions", async () => {
  const listed = await calledAtStart();
  const called = new Set(await recordStart());
  const mend = "to mend it: deno run --allow-all scripts/record-start.ts";
  // What is missing costs time only, and some calls depend on the machine.
  for (const [one, other] of [[called, listed], [listed, called]] as const) {
    const only = [...one.difference(other)];
    assert.ok(only.length <= listed.size / 10, `${only.join(", ")}; ${mend}`);
  }
});
