/** A fresh Debian system in a folder, as a person finds it who has just installed it, with curl added. */

import { buildCache } from "../../scripts/npm-packages.ts";
import { exists } from "../../src/system/files.ts";
import { findProgram } from "../../src/system/processes.ts";

const SUITE = "bookworm";

/** The ordinary user of such a system. */
export const PERSON = 1000;

/** Whether such a system can be made here: by root, with debootstrap. */
export function debianAtHand(): boolean {
  return Deno.build.os === "linux" && Deno.uid() === 0 &&
    findProgram("debootstrap", Deno.env.get("PATH")) !== undefined;
}

/** The folder of the system, made on first use and kept for later runs. Tests leave it as it was. */
export async function debianRoot(): Promise<string> {
  const root = `${buildCache()}/debian-${SUITE}-${Deno.build.arch}`;
  if (await exists(root)) return root;
  await Deno.mkdir(buildCache(), { recursive: true });
  const unfinished = await Deno.makeTempDir({ dir: buildCache(), prefix: "debian-unfinished-" });
  const { success, stdout, stderr } = await new Deno.Command("debootstrap", {
    args: ["--variant=minbase", "--include=curl,ca-certificates", SUITE, unfinished],
    stdin: "null",
  }).output();
  if (!success) {
    const told = `${new TextDecoder().decode(stdout)}${new TextDecoder().decode(stderr)}`;
    await Deno.remove(unfinished, { recursive: true });
    throw new Error(`debootstrap failed:\n${told.trim().split("\n").slice(-20).join("\n")}`);
  }
  await Deno.chmod(unfinished, 0o755);
  await Deno.rename(unfinished, root);
  return root;
}

/** What a program in the system left. */
export interface InRoot {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in a system's folder as its ordinary user, with nothing but these variables. */
export async function runInRoot(
  root: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<InRoot> {
  const { code, stdout, stderr } = await new Deno.Command("/usr/sbin/chroot", {
    args: [`--userspec=${PERSON}:${PERSON}`, root, ...command],
    clearEnv: true,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", ...env },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
