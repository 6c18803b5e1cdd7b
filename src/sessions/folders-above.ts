/** The way up from a folder, and the file on it that says how commands act below. */

import { onWindows } from "../system/environment.ts";

/** The name of the file. */
export const FOLDER_FILE = ".datumctl.json";

/** The folder above; undefined above the root. */
export function parentOf(folder: string): string | undefined {
  const cut = Math.max(folder.lastIndexOf("/"), onWindows ? folder.lastIndexOf("\\") : -1);
  if (cut < 0 || cut === folder.length - 1) return undefined;
  return folder.slice(0, cut) || "/";
}

/** A folder and those above it, the nearest first, up to the person's home or the root. */
export function upFrom(folder: string, home: string | undefined): string[] {
  const found: string[] = [];
  for (let at: string | undefined = folder; at !== undefined; at = at === home ? undefined : parentOf(at)) {
    found.push(at);
  }
  return found;
}
