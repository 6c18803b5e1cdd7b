/** Where a new version of a file is written before it is renamed into place. */

import { machineId } from "./environment.ts";

/** A path for a file's next successor. It differs each time, because two machines can hold one lock. */
export function successorPath(path: string): string {
  return `${path}.new-${machineId()}-${crypto.randomUUID()}`;
}
