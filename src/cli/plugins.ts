/** Plug-ins: the programs called `datumctl-NAME` in the folders of the PATH, which run as `datumctl NAME`. */

import type { Environment } from "../system/environment.ts";
import { type NamedProgram, programsNamed } from "../system/named-programs.ts";
import { findProgram } from "../system/processes.ts";
import { nearestWord, printable, shellLine } from "../text.ts";

const PREFIX = "datumctl-";

/** Neither a path nor a file's ending is part of a name: `datumctl-zones.bak` is no plug-in. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** The path of the plug-in of that name; undefined where there is none that can be run. */
export function findPlugin(name: string, env: Environment): string | undefined {
  return NAME.test(name) ? findProgram(`${PREFIX}${name}`, env("PATH")) : undefined;
}

/** What makes a file of that name a plug-in, where one is on the PATH and none can be run. */
export function mendPlugin(name: string, env: Environment): string | undefined {
  if (!NAME.test(name) || findPlugin(name, env) !== undefined) return undefined;
  const file = programsNamed(`${PREFIX}${name}`, env("PATH")).find((file) => file.name === "");
  return file && mending(file);
}

/** The plug-in whose name is nearest to a word; undefined where none is near. */
export function nearestPlugin(word: string, env: Environment): string | undefined {
  const programs = programsNamed(PREFIX, env("PATH"));
  return nearestWord(
    word,
    programs.flatMap(({ name, state }) => state === "runs" && NAME.test(name) ? [name] : []),
  );
}

/** The files that are called like plug-ins. */
export interface Plugins {
  /** Those that are run, one for each name. */
  readonly plugins: readonly NamedProgram[];
  /** A sentence for each file that is not, with the reason. */
  readonly warnings: readonly string[];
}

/**
 * The plug-ins of the PATH, by name.
 *
 * @param isOwn says whether a word calls a command of ours, for which no other program is run
 * @param goOn asked before each folder
 */
export function listPlugins(
  env: Environment,
  isOwn: (word: string) => boolean,
  goOn?: () => boolean,
): Plugins {
  const plugins = new Map<string, NamedProgram>();
  const warnings: string[] = [];
  for (const file of programsNamed(PREFIX, env("PATH"), goOn)) {
    if (!NAME.test(file.name)) continue;
    const first = plugins.get(file.name);
    const path = printable(file.path, Infinity);
    if (isOwn(file.name.toLowerCase())) {
      warnings.push(`${path} is never run: "${file.name}" is a command of datumctl's own.`);
    } else if (file.state !== "runs") warnings.push(mending(file));
    else if (first !== undefined) {
      warnings.push(`${path} is never run: ${printable(first.path, Infinity)} comes before it on the PATH.`);
    } else plugins.set(file.name, file);
  }
  return { plugins: [...plugins.values()].sort((a, b) => a.name < b.name ? -1 : 1), warnings };
}

function mending({ path, state }: NamedProgram): string {
  const shown = printable(path, Infinity);
  return state === "broken link"
    ? `${shown} is a link that leads nowhere.`
    : `${shown} is not executable. Where it is a program: ${shellLine(["chmod", "+x", path])}`;
}
