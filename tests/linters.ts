/** Linters of workflow files, as their own publishers make them: fetched and pinned, kept between runs. */

import { cachedFile, zipEntry } from "../scripts/npm-packages.ts";
import { fetchWheel } from "../scripts/trial-runtime.ts";
import { findProgram } from "../src/system/processes.ts";

/** What a linter found. */
export interface Linted {
  /** 0 when it found nothing. */
  readonly code: number;
  readonly output: string;
}

/** Lints some files. */
export type Linter = (...files: readonly string[]) => Promise<Linted>;

const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint";
const ACTIONLINT_VERSION = "v1.7.12";

/**
 * actionlint, which judges what a workflow says, by shellcheck as well where it is installed. Go builds it and checks
 * what it fetches against its own database of sums.
 *
 * @returns undefined where there is no Go.
 */
export async function actionlint(): Promise<Linter | undefined> {
  if (findProgram("go", Deno.env.get("PATH")) === undefined) return undefined;
  const path = await cachedFile(`actionlint-${ACTIONLINT_VERSION}`, "actionlint", async () => {
    const folder = await Deno.makeTempDir({ prefix: "datumctl-go-" });
    try {
      await succeed("go", ["install", `${ACTIONLINT}@${ACTIONLINT_VERSION}`], { GOBIN: folder });
      return await Deno.readFile(`${folder}/actionlint`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
  return (...files) => lint(path, ["-no-color", ...files]);
}

const ZIZMOR = {
  name: "zizmor",
  version: "1.32.0",
  platform: "manylinux_2_28_x86_64",
  sha256: "84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071",
};

/**
 * zizmor, which looks for what an attacker could use in a workflow; it asks no server. Out of its package on PyPI.
 *
 * @returns undefined on a machine that no program is pinned for.
 */
export async function zizmor(): Promise<Linter | undefined> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") return undefined;
  const { name, version, sha256 } = ZIZMOR;
  const path = await cachedFile(
    sha256,
    name,
    async () => await zipEntry(await fetchWheel(ZIZMOR, ZIZMOR), `${name}-${version}.data/scripts/${name}`),
  );
  return (...files) => lint(path, ["--offline", "--no-progress", "--color=never", ...files]);
}

async function lint(path: string, args: readonly string[]): Promise<Linted> {
  const { code, stdout, stderr } = await new Deno.Command(path, { args: [...args], stdin: "null" }).output();
  return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function succeed(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], env, stdin: "null" })
    .output();
  if (!success) throw new Error(`${program} ${args[0]} failed:\n${new TextDecoder().decode(stderr).trim()}`);
}
