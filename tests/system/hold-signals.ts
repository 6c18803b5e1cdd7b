/** A process that holds signals back until its stdin ends, and tells what came of them. */

// deno-lint-ignore-file no-console -- it speaks to the test that started it

import { AppError } from "../../src/errors.ts";
import { holdSignals, interruption } from "../../src/system/signals.ts";

const [mode, expected] = Deno.args;
if (mode === "hold") {
  const signals = holdSignals();
  // Told of a signal after what holds it: a busy machine hands it over when it likes.
  const tell = () => console.log("came");
  if (expected !== undefined) Deno.addSignalListener(expected as Deno.Signal, tell);
  console.log("ready");
  await Deno.stdin.read(new Uint8Array(1));
  if (expected !== undefined) Deno.removeSignalListener(expected as Deno.Signal, tell);
  try {
    await signals.release();
    console.log("nothing came");
  } catch (thrown) {
    console.log(thrown instanceof AppError ? `${thrown.code} ${thrown.exitCode}` : "a stranger");
  }
} else {
  using interrupted = interruption();
  if (mode === "pass") {
    using _held = interrupted.hold();
    // A busy machine hands a signal over when it likes.
    const { promise: came, resolve } = Promise.withResolvers<void>();
    const tell = () => resolve();
    Deno.addSignalListener("SIGINT", tell);
    console.log("held");
    await came;
    Deno.removeSignalListener("SIGINT", tell);
    console.log(interrupted.signal.aborted ? "heard" : "passed");
  }
  const { promise, resolve } = Promise.withResolvers<string>();
  interrupted.signal.addEventListener("abort", () => resolve((interrupted.signal.reason as AppError).code));
  console.log("ready");
  const read = Deno.stdin.read(new Uint8Array(1)).then(() => "nothing came");
  console.log(await Promise.race([promise, read]));
}
console.log("released");
// From here on a signal does what it always does.
await Deno.stdin.read(new Uint8Array(1));
console.log("lived on");
Deno.exit(0);
