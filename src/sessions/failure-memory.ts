/** The memory of a session's failures, which is loaded once there is a failure. */

import type { Clock } from "../system/clock.ts";
import type { FailureMemory } from "./last-failure.ts";
import { mayHaveFailed } from "./recent-failure.ts";

/** The same as `openFailureMemory`, for calls that mostly find no failure: these load nothing. */
export function lazyFailureMemory(path: string, now: Clock, of?: string): FailureMemory {
  const load = async (): Promise<FailureMemory> => {
    const { openFailureMemory } = await import("./last-failure.ts");
    return openFailureMemory(path, now, of);
  };
  return {
    recent: async () => mayHaveFailed(path, now) ? await (await load()).recent() : undefined,
    remember: async (error) => await (await load()).remember(error),
    firstFor: async (parent, error) => await (await load()).firstFor(parent, error),
  };
}
