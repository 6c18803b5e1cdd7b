/** The one command that checks everything, step by step, and stops at the first that fails. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { parseArgs } from "node:util";
import { compileBinary, ROOT } from "./compile.ts";
import { FROM_SOURCE, runTests, sum, type Totals, totalsLine } from "./test.ts";

interface Step {
  readonly name: string;
  /** What it found: whether all is well, or the tests that it ran. */
  readonly run: () => Promise<boolean | Totals>;
}

const BINARY = `${ROOT}dist/datumctl${Deno.build.os === "windows" ? ".exe" : ""}`;
// Dozens of processes at once against the program's own bounds on time: nothing else runs beside them.
const CROWDED = ["concurrency", "faults", "sigkill-rounds"].map((name) => `tests/e2e/${name}.test.ts`);
const CHECKED = ["main.ts", "src", "scripts", "tests"];

const { values: options } = parseArgs({
  args: Deno.args,
  options: { "without-unit-tests": { type: "boolean", default: false } },
});

const steps: readonly Step[] = [
  { name: "format", run: () => deno("fmt", "--check") },
  { name: "lint", run: () => deno("lint") },
  { name: "types", run: () => deno("check", "--frozen", ...CHECKED) },
  { name: "code in the docs", run: async () => deno("check", "--doc-only", ...await pages(".", "docs")) },
  { name: "examples in doc comments", run: examples },
  ...(options["without-unit-tests"] ? [] : [{ name: "unit tests", run: () => runTests(FROM_SOURCE) }]),
  {
    name: "compile",
    run: async () => {
      await compileBinary({ entry: `${ROOT}main.ts`, out: BINARY });
      return true;
    },
  },
  {
    name: "end-to-end tests",
    run: () => runTests([`--ignore=${CROWDED.join(",")}`, "tests/e2e"], { DATUMCTL_BINARY: BINARY }),
  },
  {
    name: "end-to-end, crowded",
    run: () => runTests(CROWDED, { DATUMCTL_BINARY: BINARY, DENO_JOBS: "1" }),
  },
];

const counted: Totals[] = [];
const lines: string[] = [];
let failed: string | undefined;
for (const { name, run } of steps) {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const result = await run().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return false;
  });
  const well = typeof result === "boolean" ? result : result.failed === 0;
  if (typeof result !== "boolean") counted.push(result);
  lines.push(
    `${well ? "ok    " : "FAILED"}  ${name.padEnd(26)}` +
      `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s` +
      (typeof result === "boolean" ? "" : `  ${totalsLine(result)}`),
  );
  if (!well) {
    failed = name;
    break;
  }
}

console.log(`\n${lines.join("\n")}`);
console.log(failed === undefined ? "\nAll is well." : `\nStopped at "${failed}", which failed.`);
console.log(totalsLine(sum(counted)));
Deno.exit(failed === undefined ? 0 : 1);

// Deno puts an import of all that a module exports before each of its examples, which uses but some of it.
async function examples(): Promise<Totals> {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  config.compilerOptions.noUnusedLocals = false;
  const lenient = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(lenient, JSON.stringify(config));
    return await runTests(["--config", lenient, "--no-lock", "--doc", "--permit-no-files", "src"]);
  } finally {
    await Deno.remove(lenient);
  }
}

// Deno looks for no Markdown in a folder that it is given.
async function pages(...folders: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    for await (const { name } of Deno.readDir(`${ROOT}${folder}`)) {
      if (name.endsWith(".md")) found.push(`${folder}/${name}`);
    }
  }
  return found;
}

async function deno(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args.slice(0, 1), "--quiet", ...args.slice(1)],
    cwd: ROOT,
    stdin: "null",
  }).spawn().status;
  return success;
}
