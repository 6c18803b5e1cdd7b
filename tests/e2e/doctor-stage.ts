/** Plants faults for `doctor`, types the lines that it prints as they stand, and looks again. */

import assert from "node:assert/strict";
import { signInByHttp } from "../cloud/browser.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";
import type { Finished, World } from "./world.ts";

export const ADA = "ada@example.com";

/** A finding as `-o json` prints it. */
export interface Found {
  readonly area: string;
  readonly check: string;
  readonly verdict: "ok" | "note" | "warning" | "fault" | "skipped";
  readonly about: string | null;
  readonly found: string;
  readonly meaning: string | null;
  readonly line: string | null;
  readonly edit: { readonly file: string; readonly lines: readonly string[] } | null;
}

/** What one `doctor -o json` printed. */
export interface Report {
  readonly version: string;
  readonly ok: boolean;
  readonly checks: readonly Found[];
}

/** Variables beside the world's own. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** One fault. */
export interface Planted {
  readonly name: string;
  readonly check: string;
  /** `fault` unless given. */
  readonly verdict?: "fault" | "warning" | "note";
  /** What its finding says. */
  readonly found: RegExp;
  /** The line that mends it; undefined where nothing that is typed here does. */
  readonly line: RegExp | undefined;
  /** What a person puts in place of the words in capitals. False for a line that cannot be typed here. */
  readonly typed?: false | Readonly<Record<string, string>>;
  /** The arguments of `doctor`; `--offline` unless given. */
  readonly args?: readonly string[];
  /** Typed on standard input of the line. */
  readonly stdin?: string;
  /** What is done with a line that does not end by itself; it is typed as it is unless given. */
  readonly around?: (line: string) => string;
  readonly ignore?: boolean;
  /** Makes the fault; returns the variables that it takes. */
  plant(world: World): Promise<Variables | void> | Variables | void;
  /** Heals what the line does not reach, such as an issuer. */
  heal?(world: World): Promise<void> | void;
  /** What works again afterwards. */
  works?(world: World, variables: Variables): Promise<void>;
}

/** Generous, for machines that are busy. In milliseconds. */
const PATIENCE = 300_000;

/** Runs a shell's lines in a world; an address that a sign-in prints is walked. */
export async function shell(
  world: World,
  lines: string,
  env?: Variables,
  stdin?: string,
): Promise<Finished> {
  return await whenPrinted(
    printedAddress,
    (address) => signInByHttp(world.cloud, address, ADA),
    (onStderr) => world.start("/bin/sh", ["-c", lines], { env, onStderr, stdin, timeout: PATIENCE }).finished,
  );
}

/** The folder of a world's programs: a kubectl, where there is one. */
export function programsOf({ temporary }: World): string {
  return `${temporary}/bin`;
}

/** Makes that folder, with that kubectl. */
export async function addKubectl(world: World, kubectl: string | undefined): Promise<void> {
  await Deno.mkdir(programsOf(world), { recursive: true });
  if (kubectl !== undefined) await Deno.symlink(kubectl, `${programsOf(world)}/kubectl`);
}

/** The variables of a shell in which `datumctl` is the binary under test. */
export function shellVariables(world: World): Variables {
  return { PATH: `${programsOf(world)}:${world.binary.replace(/\/[^/]*$/, "")}:/usr/bin:/bin` };
}

/** The report of `doctor`, after lines that are typed before it in the same shell. */
export async function report(
  world: World,
  args: readonly string[] = ["--offline"],
  { env = {}, before = "", stdin }: { env?: Variables; before?: string; stdin?: string | undefined } = {},
): Promise<Report> {
  const variables = { ...shellVariables(world), ...env };
  const line = ["datumctl", "doctor", ...args, "-o", "json"].map((word) => `'${word}'`).join(" ");
  const { code, stdout, stderr } = await shell(world, `${before}\n${line}`, variables, stdin);
  let parsed: Report;
  try {
    parsed = JSON.parse(stdout.slice(stdout.indexOf("{\n")));
  } catch {
    return assert.fail(`no report: ${stdout}${stderr}`);
  }
  assert.equal(code, parsed.ok ? 0 : 1, stderr);
  return parsed;
}

/** The troubles of a check. */
export function troublesOf({ checks }: Report, check: string): readonly Found[] {
  return checks.filter((one) =>
    one.check === check && (one.verdict === "fault" || one.verdict === "warning")
  );
}

/** Plants a fault, finds it, types the line and finds it gone. */
export async function prove(world: World, planted: Planted): Promise<void> {
  const env = await planted.plant(world) ?? {};
  const { check, verdict = "fault", args } = planted;
  const sick = await report(world, args, { env });
  const found = sick.checks.find((one) =>
    one.check === check && one.verdict === verdict && planted.found.test(one.found)
  );
  assert.ok(found, `${planted.name}: ${JSON.stringify(sick.checks, undefined, 1)}`);
  assert.equal(sick.ok, verdict === "note" && sick.checks.every(({ verdict }) => !isTrouble(verdict)));
  if (planted.line === undefined) {
    assert.equal(found.line, null);
  } else {
    assert.match(found.line ?? "", planted.line);
  }
  if (planted.typed === false || found.line === null) return;
  await planted.heal?.(world);
  // What a person puts in its place: a file that the fault names, or a folder.
  const { FILE = "FILE", FOLDER = "FOLDER" } = { ...env, ...planted.typed };
  const line = found.line.replaceAll(/\bFILE\b/g, FILE).replaceAll(/\bFOLDER\b/g, FOLDER);
  const before = planted.around?.(line) ?? line;
  const well = await report(world, args, { env, before, stdin: planted.stdin });
  assert.deepEqual(troublesOf(well, check), [], `${planted.name}, after: ${line}`);
  await planted.works?.(world, env);
}

function isTrouble(verdict: Found["verdict"]): boolean {
  return verdict === "fault" || verdict === "warning";
}

/** The home of a world as it is, to come back to. */
export async function snapshot({ home, temporary }: World): Promise<() => Promise<void>> {
  const kept = `${temporary}/kept`;
  await copy(home, kept);
  return async () => {
    await empty(home);
    await copy(kept, home);
  };
}

async function copy(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-a", `${from}/.`, `${to}/`] }).output()
    .then(async (result) => {
      if (result.success) return result;
      await Deno.mkdir(to, { recursive: true });
      return await new Deno.Command("cp", { args: ["-a", `${from}/.`, `${to}/`] }).output();
    });
  assert.ok(success);
}

async function empty(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    await Deno.remove(`${folder}/${name}`, { recursive: true });
  }
}

/** Changes a text file. */
export async function change(path: string, edit: (text: string) => string): Promise<void> {
  const before = await Deno.readTextFile(path);
  const after = edit(before);
  assert.notEqual(after, before, `nothing was changed in ${path}`);
  await Deno.writeTextFile(path, after);
}
