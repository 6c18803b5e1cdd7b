/** What a build for tests does at a checkpoint: it stops there for good when a variable says so, to be killed. */

const variable = Deno.env.get("DATUMCTL_TEST_STOP_AT") ?? "";
// `2 file synced` is the second time that the checkpoint of that name is passed.
const [, times = "1", wanted = ""] = /^(?:(\d+) )?(.*)$/.exec(variable) ?? [];
let left = Number(times);

/** Stands in for the empty function of the same name in the program. */
export function checkpoint(name: string): void {
  if (name !== wanted || --left > 0) return;
  Deno.writeTextFileSync(Deno.env.get("DATUMCTL_TEST_STOP_MARK") ?? "", String(Deno.pid));
  // Not a timer: nothing else may run on, no signal is heard, and no time is spent.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
