/** A process that asks the failure memory of a file whether it is the first for a parent, and prints the answer. */

// deno-lint-ignore-file no-console -- it speaks to the test that started it

import { openFailureMemory } from "../../src/sessions/last-failure.ts";

const [path = "", parent = ""] = Deno.args;
console.log(await openFailureMemory(path, Date.now).firstFor(parent));
