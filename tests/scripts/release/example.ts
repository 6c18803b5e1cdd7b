/** A release for tests of what is generated from its table: every archive has a sum that can be told from the others. */

import { archiveName, PLATFORMS, type Release, type Released } from "../../../scripts/release/table.ts";

/** What is released. */
export const RELEASE: Release = {
  version: "1.2.3",
  commit: "0123456789abcdef0123456789abcdef01234567",
  date: Date.UTC(2026, 10, 29, 6, 30, 2) / 1000,
  trial: false,
};

/** A release whose archives hold completions and man pages. */
export function releasedExample(changes: Partial<Released> = {}): Released {
  return {
    ...RELEASE,
    completions: true,
    manPages: true,
    sums: new Map(PLATFORMS.map((platform, at) => [archiveName(RELEASE, platform), sumOf(at)])),
    ...changes,
  };
}

/** The sum of an archive, by its place in the table. */
export function sumOf(at: number): string {
  return `${at}abc`.repeat(16).slice(0, 64);
}

/** Whether a program can be started here. */
export function has(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

/** Runs a program, which must end well, and returns what it wrote to stdout. */
export async function run(
  program: string,
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(program, {
    stdin: "null",
    ...options,
    args: [...args],
  }).output();
  const said = new TextDecoder().decode(stdout);
  if (success) return said;
  throw new Error(`${program} ended with ${code}:\n${said}${new TextDecoder().decode(stderr)}`);
}
