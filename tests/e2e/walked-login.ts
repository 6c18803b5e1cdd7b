/** Owns a `login` whose address is walked by somebody, as soon as it is printed. */

import { type Finished, printedAddress, type RunOptions, type World } from "./world.ts";

/** Runs `login` with flags, and `walk` from the address that it prints; the end of `login`. */
export async function walkedLogin(
  world: World,
  flags: readonly string[],
  walk: (address: string) => Promise<unknown>,
  options: RunOptions = {},
): Promise<Finished> {
  let walking: Promise<unknown> | undefined;
  const finished = await world.datumctl(["login", ...flags], {
    ...options,
    onStderr(soFar) {
      const address = printedAddress(soFar);
      if (address === undefined || walking !== undefined) return;
      walking = walk(address);
      walking.catch(() => {}); // told below, once the program has said what it has to say
    },
  });
  await walking;
  return finished;
}
