/** Runs and counts the tests: `deno task test` runs all that need no binary. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { ROOT } from "./compile.ts";

/** How many tests there were, by what became of them. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What the unit and integration tests are called with, when nothing narrower is asked for. */
export const FROM_SOURCE = ["--ignore=tests/e2e", "tests"] as const;

/**
 * Runs `deno test` over `args`, its report going to the terminal, and counts. As many files run side by side as there
 * are processors: most of a test's time is somebody else's, a child's or a wait's. Types are checked by `deno task ok`
 * once, not by each run; in doc comments, by the run itself.
 *
 * What failed without a test's name, such as a missing module or a rejection nobody caught, counts as one failed.
 */
export async function runTests(
  args: readonly string[],
  env: Record<string, string> = {},
  output: "inherit" | "null" = "inherit",
): Promise<Totals> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--quiet",
        "--allow-all",
        "--parallel",
        ...(args.includes("--doc") ? [] : ["--no-check"]),
        "--sanitize-ops",
        "--sanitize-resources",
        `--junit-path=${report}`,
        ...args,
      ],
      cwd: ROOT,
      env,
      stdin: "null",
      stdout: output,
      stderr: output,
    }).spawn().status;
    const totals = countTests(await Deno.readTextFile(report));
    return success || totals.failed > 0 ? totals : { ...totals, failed: 1 };
  } finally {
    await Deno.remove(report);
  }
}

/** Counts the tests of a JUnit report as Deno writes it, without their steps: those are part of their test. */
export function countTests(junit: string): Totals {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const suite of junit.split("<testsuite ")) {
    const names = new Set<string>();
    for (const [, name = "", result = ""] of suite.matchAll(TEST_CASE)) {
      const parts = name.split(" &gt; ");
      if (parts.some((_part, length) => length > 0 && names.has(parts.slice(0, length).join(" &gt; ")))) {
        continue;
      }
      names.add(name);
      if (result.includes("<failure")) failed++;
      else if (result.includes("<skipped")) skipped++;
      else passed++;
    }
  }
  return { passed, failed, skipped };
}

const TEST_CASE = /<testcase name="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g;

/** The sum of some totals. */
export function sum(all: readonly Totals[]): Totals {
  return all.reduce((a, b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  }), { passed: 0, failed: 0, skipped: 0 });
}

/** The line that ends a run. */
export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

if (import.meta.main) {
  const totals = await runTests(Deno.args.length > 0 ? Deno.args : FROM_SOURCE);
  console.log(totalsLine(totals));
  Deno.exit(totals.failed > 0 ? 1 : 0);
}
