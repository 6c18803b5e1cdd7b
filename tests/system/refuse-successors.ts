/** A disk that takes no successor of one file, as a full one takes none. */

import { machineId } from "../../src/system/environment.ts";

/** Puts a folder where the next successors of a file would be made, until it is disposed of. */
export async function refuseSuccessors(path: string): Promise<AsyncDisposable> {
  const { randomUUID } = crypto;
  const id = randomUUID.call(crypto);
  const inTheWay = `${path}.new-${machineId()}-${id}`;
  await Deno.mkdir(`${inTheWay}/inside`, { recursive: true });
  crypto.randomUUID = () => id;
  return {
    async [Symbol.asyncDispose]() {
      crypto.randomUUID = randomUUID;
      await Deno.remove(inTheWay, { recursive: true });
    },
  };
}
