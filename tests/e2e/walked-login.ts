/** A `login` whose address is walked by somebody, as soon as it is printed. */

import { printedAddress, whenPrinted } from "../when-printed.ts";
import type { Finished, RunOptions, World } from "./world.ts";

/** Runs `login` with flags, and `walk` from the address that it prints; the end of `login`. */
export async function walkedLogin(
  world: World,
  flags: readonly string[],
  walk: (address: string) => Promise<unknown>,
  options: RunOptions = {},
): Promise<Finished> {
  return await whenPrinted(
    printedAddress,
    walk,
    (onStderr) => world.datumctl(["login", ...flags], { ...options, onStderr }),
  );
}
