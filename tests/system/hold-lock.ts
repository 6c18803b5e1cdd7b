/** A process that takes a lock, says so, and keeps it until its stdin ends or it is killed. */

// deno-lint-ignore-file no-console -- it speaks to the test that started it

import { acquireLock } from "../../src/system/locks.ts";

const [path = ""] = Deno.args;
const lock = await acquireLock(path, { timeout: 5_000, guards: "a test" });
console.log("held");
await Deno.stdin.read(new Uint8Array(1));
lock.release();
