/** The programs of a PATH whose names begin alike, whether they can be run or not. */

import { onWindows } from "./environment.ts";
import { isProgram, PROGRAM_ENDING, programFolders } from "./processes.ts";

/** A file that stands in a folder of the PATH. */
export interface NamedProgram {
  /** What stands behind the prefix; on Windows without `.exe` and its kin. */
  readonly name: string;
  readonly path: string;
  /** `not executable` is a file without the right to be run. */
  readonly state: "runs" | "not executable" | "broken link";
}

/**
 * The files whose names begin with `prefix`, in the order of the PATH, each folder once. Folders that cannot be read are
 * left out, and so are folders of such a name.
 *
 * @param goOn asked before each folder: one may be on a slow disk of the network
 */
export function programsNamed(
  prefix: string,
  path: string | undefined,
  goOn: () => boolean = () => true,
): NamedProgram[] {
  const seen = new Set<string>();
  const found: NamedProgram[] = [];
  for (const folder of programFolders(path)) {
    if (!goOn()) break;
    const real = realPathOf(folder);
    if (real === undefined || seen.has(real)) continue;
    seen.add(real);
    for (const file of namesIn(folder).sort()) {
      const name = nameBehind(prefix, file);
      const path = `${folder}${file}`;
      const state = name === undefined ? undefined : stateOf(path);
      if (name !== undefined && state !== undefined) found.push({ name, path, state });
    }
  }
  return found;
}

function nameBehind(prefix: string, file: string): string | undefined {
  if (!onWindows) return file.startsWith(prefix) ? file.slice(prefix.length) : undefined;
  const isNamed = file.toLowerCase().startsWith(prefix) && PROGRAM_ENDING.test(file);
  return isNamed ? file.slice(prefix.length).replace(PROGRAM_ENDING, "") : undefined;
}

function namesIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch {
    return [];
  }
}

/** Undefined for a folder. */
function stateOf(path: string): NamedProgram["state"] | undefined {
  if (isProgram(path)) return "runs";
  try {
    return Deno.statSync(path).isDirectory ? undefined : "not executable";
  } catch {
    return "broken link";
  }
}

function realPathOf(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}
