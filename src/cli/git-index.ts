/** Owns the question to git whether it keeps a file, asked before a secret is written there. */

import { AppError, printable } from "../errors.ts";
import { kindOf } from "../system/files.ts";
import { childEnvironment, ProgramError, run } from "../system/processes.ts";

/** None of git's own: what they name would be another repository than that of the folder. */
const GIT_VARIABLES = [
  ...["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR"],
  ...["SystemRoot", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA"],
];

const LONGEST_ANSWER = 10_000;

/**
 * True where the folder lies in a repository that has the file in its index: committed, or about to be. `path` begins in
 * the folder. Throws `STORAGE` where there is a repository and git cannot tell.
 */
export async function isTracked(folder: string, path: string): Promise<boolean> {
  if (!await inRepository(folder)) return false;
  // The folder may be anybody's: of what its repository configures, this much could start programs.
  const safe = ["-c", "core.fsmonitor=false", "--literal-pathspecs"];
  const args = ["-C", folder, ...safe, "ls-files", "--error-unmatch", "--", path];
  const env = childEnvironment(GIT_VARIABLES);
  try {
    const { code, stderr } = await run("git", args, { env, timeout: LONGEST_ANSWER });
    if (code === 0) return true;
    if (code === 1) return false;
    throw unknown(folder, path, printable(stderr.split("\n")[0] ?? "") || `git ended with ${code}.`);
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown;
    throw unknown(folder, path, `${thrown.message}.`);
  }
}

async function inRepository(folder: string): Promise<boolean> {
  for (let at = folder;; at = at.slice(0, Math.max(at.lastIndexOf("/"), at.lastIndexOf("\\"), 0))) {
    // What lets nobody look is no repository that could be worked in.
    if (await kindOf(`${at}/.git`).catch(() => undefined) !== undefined) return true;
    if (at === "") return false;
  }
}

function unknown(folder: string, path: string, why: string): AppError {
  return new AppError(
    "STORAGE",
    `Cannot tell whether git tracks ${printable(`${folder}/${path}`)}: ${why}`,
    { hint: "Check that git works in this folder, or leave out --local or --export-datachain." },
  );
}
