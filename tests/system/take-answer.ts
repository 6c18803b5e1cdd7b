/** A process that waits for one line on stdin, within a bound, and says what came first. */

// deno-lint-ignore-file no-console -- it speaks to the test that started it

import { AppError } from "../../src/errors.ts";
import { boundedSignal } from "../../src/system/clock.ts";

const [milliseconds] = Deno.args;
using bounded = boundedSignal(Number(milliseconds), () => new AppError("NETWORK", "too late"));
const over = new Promise<never>((_, reject) => {
  bounded.signal.addEventListener("abort", () => reject(bounded.signal.reason), { once: true });
});
console.log("waiting");
try {
  const answer = new Uint8Array(100);
  const length = await Promise.race([Deno.stdin.read(answer), over]);
  console.log(new TextDecoder().decode(answer.subarray(0, length ?? 0)).trim());
} catch (thrown) {
  console.log(thrown instanceof Error ? thrown.message : thrown);
}
Deno.exit();
