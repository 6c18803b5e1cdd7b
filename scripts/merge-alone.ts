/**
 * Puts what a short way of `status` or get-token loads into a chunk of its own, without what else its modules hold: the less
 * is read, the shorter is a start. What it shares with other chunks is in the program twice then, so it must hold no state
 * that both would change.
 */

import { calledAtStart, markCalled } from "./eager.ts";
import { joinChunk } from "./esbuild.ts";
import { readChunks } from "./merge-start.ts";

/** Joins the chunk of a module, `usual`, with all that it imports statically, and has what it calls compiled at once. */
export async function mergeAlone(folder: string, module: string): Promise<void> {
  const called = await calledAtStart();
  await merge(folder, module, () => true, (text) => markCalled(text, called));
}

/** Joins the chunk of a module with all that it imports statically but a chunk that is loaded already. */
export async function mergeBeside(folder: string, module: string, loaded: string): Promise<void> {
  await merge(folder, module, (other) => other !== loaded);
}

async function merge(
  folder: string,
  module: string,
  isJoined: (name: string) => boolean,
  change?: (text: string) => string,
): Promise<void> {
  for (const [name, text] of await readChunks(folder)) {
    if (!new RegExp(`^${module}-\\d+\\.js$`).test(name)) continue;
    await Deno.writeTextFile(`${folder}/${name}`, await joinChunk(folder, text, isJoined, change));
  }
}
