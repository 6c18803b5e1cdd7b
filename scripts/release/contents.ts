/** What lies beside the program in an archive and a package: papers, completions and man pages. */

import { ROOT } from "../compile.ts";
import { manPages as pagesOfCommands } from "../man-pages.ts";
import { type Entry, textEntry } from "./archives.ts";
import type { NpmPackage } from "./packages.ts";
import { thirdPartyLicences } from "./third-party.ts";

/** Everything of a release beside the programs; paths as they are in the archives. */
export interface Contents {
  /** LICENSE, README.md and THIRD-PARTY-LICENSES.txt. */
  readonly papers: readonly Entry[];
  /** In `completions/`. */
  readonly completions: readonly Entry[];
  /** `man/datumctl.1` and one for each command. */
  readonly manPages: readonly Entry[];
}

/**
 * What lies beside the program.
 *
 * @param program the program for this machine, which writes its own completions.
 * @param date of the man pages, in seconds since 1970.
 */
export async function contentsFor(
  program: string,
  packages: readonly NpmPackage[],
  date: number,
): Promise<Contents> {
  const paper = async (name: string): Promise<Entry> => textEntry(name, await Deno.readTextFile(ROOT + name));
  return {
    papers: [
      await paper("LICENSE"),
      await paper("README.md"),
      textEntry("THIRD-PARTY-LICENSES.txt", await thirdPartyLicences(packages)),
    ],
    completions: await completions(program),
    manPages: await manPages(date),
  };
}

/** The name of each shell's file, as its packages want it. */
const COMPLETIONS = {
  bash: "datumctl.bash",
  zsh: "_datumctl",
  fish: "datumctl.fish",
  powershell: "datumctl.ps1",
} as const;

/** What the program's `completion SHELL` prints; nothing while it has no such command. */
export async function completions(program: string): Promise<readonly Entry[]> {
  if (!/^ {2}completion\b/m.test(await output(program, ["--help"]))) return [];
  return await Promise.all(
    Object.entries(COMPLETIONS).map(async ([shell, name]) =>
      textEntry(`completions/${name}`, await output(program, ["completion", shell]))
    ),
  );
}

/** The manual, a page for each command. */
export async function manPages(date: number): Promise<readonly Entry[]> {
  return [...await pagesOfCommands(date)].map(([name, text]) => textEntry(`man/${name}`, text));
}

async function output(program: string, args: readonly string[]): Promise<string> {
  const home = await Deno.makeTempDir({ prefix: "datumctl-release-" });
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env: { HOME: home, PATH: "/usr/bin:/bin", SystemRoot: Deno.env.get("SystemRoot") ?? "" },
      stdin: "null",
    }).output();
    if (success) return new TextDecoder().decode(stdout);
    throw new Error(
      `${program} ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr).trim()}`,
    );
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}
