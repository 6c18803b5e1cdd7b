/** Owns replacing a private file that is not ours: without a lock of its own, beside whatever a killed process left. */

import { kindOf, listFolder, prepareReplacementAs, type Replacement } from "./files.ts";

/**
 * As {@link prepareReplacement}, for a file that is not ours and has no lock. The successor is locked itself while it is
 * being made, so that only those that a killed process left behind are cleared away.
 */
export async function prepareForeignReplacement(path: string, room: number): Promise<Replacement> {
  await clearForeignReplacements(path);
  return await prepareReplacementAs(`${path}.new-${crypto.randomUUID()}`, path, room);
}

/** What may stay of it holds nothing that a private file may not: no failure here is the caller's. */
async function clearForeignReplacements(path: string): Promise<void> {
  const [name = ""] = /[^/\\]*$/.exec(path) ?? [];
  const folder = path.slice(0, path.length - name.length);
  for (const neighbour of await listFolder(folder || ".").catch(() => [])) {
    const mark = neighbour.startsWith(`${name}.new-`) && neighbour.slice(`${name}.new-`.length);
    if (!mark || !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(mark)) continue;
    if (await kindOf(`${folder}${neighbour}`) !== "file") continue;
    const file = await Deno.open(`${folder}${neighbour}`, { read: true, write: true }).catch(() => undefined);
    if (file === undefined) continue;
    try {
      if (await file.tryLock(true)) await Deno.remove(`${folder}${neighbour}`);
    } catch {
      // A file system without locks, or somebody was faster.
    } finally {
      file.close();
    }
  }
}
