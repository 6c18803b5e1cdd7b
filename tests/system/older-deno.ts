/** Owns the older Deno that the binary must run on, too, for tests of what the runtimes do differently. */

// deno-lint-ignore-file no-console -- a skipped test says so

import { hostTarget, TRIAL_DENO, trialCompiler } from "../../scripts/compile.ts";

let found: Promise<string | undefined> | undefined;

/** Its path; undefined, after a printed line, where it cannot be had. */
export function olderDeno(): Promise<string | undefined> {
  return found ??= (async () => {
    try {
      if (hostTarget() === "x86_64-unknown-linux-gnu") return await trialCompiler();
      console.log(`skipped: the tests on Deno ${TRIAL_DENO} run on Linux x64 only`);
    } catch (error) {
      console.log(
        `skipped: Deno ${TRIAL_DENO} cannot be had: ${error instanceof Error ? error.message : error}`,
      );
    }
    return undefined;
  })();
}

/** The Denos to test on: this one, and the older where it can be had. */
export async function runtimes(): Promise<readonly string[]> {
  const older = await olderDeno();
  return older === undefined ? [Deno.execPath()] : [Deno.execPath(), older];
}
