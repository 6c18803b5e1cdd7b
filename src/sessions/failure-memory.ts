/** The memory of a session's failures, which is loaded once there is a failure. */

import type { Clock } from "../system/clock.ts";
import { isListed } from "../system/files.ts";
import type { FailureMemory } from "./last-failure.ts";

/** The same as `openFailureMemory`, for calls that mostly find no failure: these load nothing. */
export function lazyFailureMemory(path: string, now: Clock, of?: string): FailureMemory {
  const load = async (): Promise<FailureMemory> => {
    const { openFailureMemory } = await import("./last-failure.ts");
    return openFailureMemory(path, now, of);
  };
  return {
    // An error for a missing file would take longer than a look into a short folder.
    recent: async () => isListed(path) ? await (await load()).recent() : undefined,
    remember: async (error) => await (await load()).remember(error),
    firstFor: async (parent, error) => await (await load()).firstFor(parent, error),
  };
}
