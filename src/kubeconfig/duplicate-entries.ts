/** The text of a kubeconfig without the entries that repeat an earlier one of the same name to the letter. */

import { sameData } from "../splice/same-data.ts";
import { rangeOf } from "../splice/yaml-ranges.ts";
import { duplicateNames } from "./duplicate-names.ts";
import { entriesIn, LISTS } from "./edit.ts";
import { type ParsedKubeconfig, parseKubeconfig } from "./text.ts";
import { AppError } from "../errors.ts";

/**
 * The text without later duplicates. Undefined where two of one name say different things, so that a person
 * has to choose, and where the entries do not have lines of their own.
 */
export function withoutLaterDuplicates({ text, data, document, file }: ParsedKubeconfig): string | undefined {
  const lines = text.split("\n");
  const gone = new Set<number>();
  const wanted: Record<string, unknown> = { ...data };
  for (const { path, positions } of duplicateNames(data)) {
    const list = LISTS.find((one) => path.length === 1 && path[0] === one);
    if (list === undefined) return undefined;
    const entries = entriesIn(data, list);
    const [first = 0, ...later] = positions;
    for (const position of later) {
      if (!sameData(entries[first], entries[position])) return undefined;
      const range = rangeOf(document.getIn([list, position], true));
      if (!range) return undefined;
      const from = lineOf(text, range[0]);
      // A block ends where the next line begins.
      const to = lineOf(text, Math.max(range[0], range[1] - 1));
      if (!/^\s*- /.test(lines[from] ?? "")) return undefined;
      for (let line = from; line <= to; line++) gone.add(line);
    }
    const before = wanted[list];
    if (!Array.isArray(before)) return undefined;
    const removed = new Set(later.map((position) => entries[position]));
    wanted[list] = before.filter((entry) => !removed.has(entry));
  }
  const kept = lines.filter((_, line) => !gone.has(line)).join("\n").replace(/\n?$/, "\n");
  return says(kept, file, wanted) ? kept : undefined;
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length - 1;
}

/** True for a text that holds that data, and no name twice. */
function says(text: string, file: string, wanted: Readonly<Record<string, unknown>>): boolean {
  try {
    const { data } = parseKubeconfig(text, file);
    return duplicateNames(data).length === 0 && sameData(data, wanted);
  } catch (thrown) {
    if (thrown instanceof AppError) return false;
    throw thrown;
  }
}
