/** Command lines that only read, run by us and by the real kubectl at the same server. */

import type { Ran } from "../run-line.ts";
import type { ResourceWorld } from "./world.ts";

/** How two outputs are compared. */
export interface Comparison {
  /** Applied to what both print before it is compared. */
  readonly mask: (stdout: string) => string;
  /** What is added to our own lines. */
  readonly more?: readonly string[] | undefined;
  /** What both must say on stderr, or neither. */
  readonly said?: RegExp | undefined;
}

/** Each line that kubectl prints something else for, or that fails for one alone, with what both said; none is good. */
export async function differences(
  world: ResourceWorld,
  lines: readonly (string | readonly string[])[],
  { mask, more = [], said = /^$/ }: Comparison,
): Promise<string[]> {
  const found: string[] = [];
  for (const line of lines) {
    const words = (typeof line === "string" ? line.split(" ") : line)
      .map((word) => word.replaceAll("FOLDER", world.folder));
    const [theirs, ours] = await Promise.all([world.kubectl(...words), world.run([...words, ...more])]);
    const same = mask(ours.stdout) === mask(theirs.stdout) && (ours.code === 0) === (theirs.code === 0) &&
      said.exec(ours.stderr)?.[0] === said.exec(theirs.stderr)?.[0];
    if (!same) {
      found.push(`${words.join(" ")}\n-- kubectl ${told(theirs)}\n-- ours ${told(ours)}`);
    }
  }
  return found;
}

function told({ code, stdout, stderr }: Ran): string {
  return `${code} ${stderr}${stdout.slice(0, 2000)}`;
}
