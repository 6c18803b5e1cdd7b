/** The programs of a release: compiled here for every machine, or taken from where others compiled them. */

import { Buffer } from "node:buffer";
import { bundle, compileChunks, ROOT, type Runtime } from "../compile.ts";
import { hostTarget } from "../targets.ts";
import { type Platform, programName, type Release } from "./table.ts";

/** Where the programs are, a folder for each target. */
export interface Programs {
  pathOf(platform: Platform): string;
}

/**
 * Compiles all programs from one bundle into a folder.
 *
 * @throws {Error} when a step fails, with what it printed.
 */
export async function compilePrograms(
  release: Release,
  platforms: readonly Platform[],
  folder: string,
): Promise<Programs> {
  const runtime: Runtime = release.trial ? "trial" : "own";
  const chunks = `${folder}/chunks`;
  await Deno.mkdir(chunks);
  await bundle(`${ROOT}main.ts`, chunks, { runtime, commit: release.commit });
  const programs = programsIn(folder);
  for (const platform of platforms) {
    await compileChunks({
      folder: chunks,
      entry: "main.js",
      out: programs.pathOf(platform),
      target: platform.target,
      runtime,
      date: release.date,
    });
  }
  return programs;
}

/** The programs in a folder: `FOLDER/TARGET/datumctl`, as `deno task compile --target` leaves them. */
export function programsIn(folder: string): Programs {
  return { pathOf: (platform) => `${folder}/${platform.target}/${programName(platform)}` };
}

/**
 * Checks that programs are of this release: all hold its commit, and the one for this machine says what it is.
 *
 * @throws {Error} which names the first that differs.
 */
export async function checkPrograms(
  release: Release,
  platforms: readonly Platform[],
  programs: Programs,
): Promise<void> {
  for (const platform of platforms) {
    const path = programs.pathOf(platform);
    const bytes = await Deno.readFile(path);
    if (!includes(bytes, release.commit)) throw new Error(`${path} is not of the commit ${release.commit}.`);
  }
  const own = programs.pathOf(hostPlatform(platforms));
  // What was stored between two machines may have lost its mode.
  if (Deno.build.os !== "windows") await Deno.chmod(own, 0o755);
  const { stdout } = await new Deno.Command(own, {
    args: ["version", "-o", "json"],
    clearEnv: true,
    stdin: "null",
  }).output();
  const { version, commit, trial } = JSON.parse(new TextDecoder().decode(stdout));
  if (version !== release.version || commit !== release.commit || trial !== release.trial) {
    const says = `version ${version}, commit ${commit}${trial ? ", a trial build" : ""}`;
    throw new Error(`${own} is another program than this release's: it says ${says}.`);
  }
}

/**
 * This machine among those of the release.
 *
 * @throws {Error} when it is none of them.
 */
export function hostPlatform(platforms: readonly Platform[]): Platform {
  const host = platforms.find(({ target }) => target === hostTarget());
  if (host === undefined) {
    throw new Error(`A release is made with the program for this machine, ${hostTarget()}: name it, too.`);
  }
  return host;
}

function includes(bytes: Uint8Array, text: string): boolean {
  const { buffer, byteOffset, byteLength } = bytes;
  return Buffer.from(buffer, byteOffset, byteLength).includes(text);
}
