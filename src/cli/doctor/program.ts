/** Checks this program itself: its version, and whether the lines that it prints would run it. */

import { realPath } from "../../system/files.ts";
import { type OwnProgram, ownProgram } from "../../system/own-program.ts";
import { findProgram } from "../../system/processes.ts";
import { printable, shellWord } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { BUILD } from "../version.ts";
import { checkNamed, type Finding } from "./finding.ts";

const ON_PATH = checkNamed("datumctl.on-path");

/** Whether `datumctl` on PATH is this program. */
export async function checkProgram(
  { env }: Pick<CommandContext, "env">,
  program: OwnProgram = ownProgram(),
): Promise<Finding[]> {
  if (program.sources !== undefined) return [ON_PATH.skipped({ found: `${BUILD}, from source` })];
  const own = await program.realPath(program.path) ?? program.path;
  const folder = program.path.replace(/[\\/][^\\/]*$/, "");
  const first = findProgram("datumctl", env("PATH"));
  if (first !== undefined && await realPath(first) === own) {
    return [ON_PATH.ok({ found: `${BUILD}, ${printable(first)}` })];
  }
  const line = `export PATH=${shellWord(folder)}:"$PATH"`;
  if (first === undefined) {
    return [ON_PATH.warning({
      found: "there is no datumctl on PATH",
      meaning: `This one is ${printable(own)}. The lines that it prints begin with datumctl alone.`,
      line,
    })];
  }
  return [ON_PATH.warning({
    about: printable(first),
    found: "another datumctl comes first on PATH",
    meaning: `This one is ${printable(own)}. The lines that it prints would run the other.`,
    line,
  })];
}
