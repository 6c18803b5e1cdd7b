/**
 * Puts what a short way of `status` or get-token loads into a chunk of its own, without what else its modules hold: the less
 * is read, the shorter is a start. What it shares with other chunks is in the program twice then, so it must hold no state
 * that both would change.
 */

import { joinChunk } from "./esbuild.ts";
import { readChunks } from "./merge-start.ts";

/**
 * Joins the chunk of a module that is loaded lazily with those that it imports statically.
 *
 * @param module the module's name, with which its chunk's begins: `usual`
 * @param beside a chunk that is loaded already
 */
export async function mergeAlone(folder: string, module: string, beside?: string): Promise<void> {
  for (const [name, text] of await readChunks(folder)) {
    if (!new RegExp(`^${module}-\\d+\\.js$`).test(name)) continue;
    await Deno.writeTextFile(`${folder}/${name}`, await joinChunk(folder, text, (other) => other !== beside));
  }
}
