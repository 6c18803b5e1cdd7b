/** Owns how the binary is made: the bundle, the base runtime it is put on, and the permissions it carries. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { parseArgs } from "node:util";
import { buildCache, cachedProgram, type PinnedPackage, tarEntry } from "./npm-packages.ts";

/** The machines that a binary is made for, by Rust's names as `deno compile --target` takes them. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

/** One of {@link TARGETS}. */
export type Target = typeof TARGETS[number];

/**
 * Which runtime a binary stands on: `own` is this Deno's, which releases are made with; `trial` is
 * Deno 2.7.11's out of npm packages, for machines that cannot reach Deno's downloads.
 */
export type Runtime = "own" | "trial";

/** What to compile, and for which machine. */
export interface CompileOptions {
  /** The entry module, a path. */
  readonly entry: string;
  /** The binary to write; `.exe` is added for Windows. */
  readonly out: string;
  /** This machine unless named. */
  readonly target?: Target;
  /** `own` where its base runtime can be had, else `trial`, unless named. */
  readonly runtime?: Runtime;
  /** Stops where a variable says so, for tests that kill it there: never for a release. */
  readonly testHooks?: boolean;
}

/** What was compiled. */
export interface Compiled {
  readonly path: string;
  readonly runtime: Runtime;
  /** The version of Deno inside. */
  readonly deno: string;
}

/** The version whose base runtime a trial build stands on. */
export const TRIAL_DENO = "2.7.11";

const TRIAL_COMPILER: PinnedPackage = {
  name: "@deno/linux-x64-glibc",
  version: TRIAL_DENO,
  integrity:
    "sha512-TCRXqy4rHI+pKmWfjIz/qfDyfTz61qhxj+03kEJ3r0YzRGsXNoHyE7WiUawwUK2hbrBAu7hn3m5833VUYqRzOg==",
};

// Programs made by `deno compile` of 2.7.11: each is that version's base runtime with a script attached.
const TRIAL_BASES: Readonly<Record<Target, PinnedPackage>> = {
  "x86_64-unknown-linux-gnu": {
    name: "@stdy/cli-linux-x64",
    version: "0.22.2",
    integrity:
      "sha512-kp5QdG26EC8gEzVXI0YgzmiiFHz7DFCNRLNfAWa2rDPHr/jUBnfkP8AlbTPmv0YNQpnKn1wzSWHFw88fn/OTog==",
  },
  "aarch64-unknown-linux-gnu": {
    name: "@stdy/cli-linux-arm64",
    version: "0.22.2",
    integrity:
      "sha512-HjSQdAt40CpYIauUKJ1xyIEsdrf5LtQP1x8Su7BEZJN94807ROJXxabW+jXyc48823tVBkrnxNUUTrBK4TVTRw==",
  },
  "x86_64-apple-darwin": {
    name: "@stdy/cli-darwin-x64",
    version: "0.22.2",
    integrity:
      "sha512-BYbQhEqBiEd+G9IyXWLpgAcSXFKMr6W3ZQXiOS3O5NnOWv+bNuyo793eBvEJ5fRKiuCV6n/ANVSJZLFOf6Nzog==",
  },
  "aarch64-apple-darwin": {
    name: "@stdy/cli-darwin-arm64",
    version: "0.22.2",
    integrity:
      "sha512-k5WGyCQl7DDpYWy3BI5TxGIxOdUpMeJ0q7kUi1EYs7Y72B/q0hIKDv3/fCgoZPWBI+N9XjnlSyetaxVQTRvWow==",
  },
  "x86_64-pc-windows-msvc": {
    name: "@stdy/cli-win32-x64",
    version: "0.22.2",
    integrity:
      "sha512-7ZsJltOYVvMTl6eAy1AKMya7TFhb629FXr/BKZTyQsBrPj28rAaebQSTFYs1IZN0+n6LnJTpue6m4SIkevqBNA==",
  },
};

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
    ...(target === "x86_64-pc-windows-msvc" ? ["--allow-ffi=C:\\Windows\\System32\\advapi32.dll"] : []),
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
    await bundle(options.entry, folder, options);
    return await compileChunks({ ...options, folder, entry: "main.js" });
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
  const runtime = options.runtime ?? (await ownRuntimeAtHand() ? "own" : "trial");
  const windows = target === "x86_64-pc-windows-msvc";
  const path = absolute(windows && !options.out.endsWith(".exe") ? `${options.out}.exe` : options.out);
  const compiler = runtime === "own" ? Deno.execPath() : await trialCompiler();
  await Deno.mkdir(path.replace(/[^\\/]+$/, ""), { recursive: true });
  await run(compiler, [
    "compile",
    "--quiet",
    "--no-config",
    "--no-lock",
    // The cache would be a file of a known name in the shared temporary folder: another user of the machine
    // could put code there for this one to run.
    "--no-code-cache",
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
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      ...(runtime === "trial"
        ? { DENORT_BIN: await trialBase(target), DENO_DIR: `${buildCache()}/deno-${TRIAL_DENO}` }
        : {}),
    },
  });
  return { path, runtime, deno: runtime === "own" ? Deno.version.deno : TRIAL_DENO };
}

/**
 * Bundles an entry module with all that it imports into `folder`: `main.js`, and a chunk for each module that is
 * imported lazily.
 *
 * @throws {Error} when a chunk would need the network to run: an npm, JSR or https import is left in it.
 */
export async function bundle(
  entry: string,
  folder: string,
  { testHooks = false }: Pick<CompileOptions, "testHooks"> = {},
): Promise<void> {
  const name = entry.replace(/^.*[\\/]/, "").replace(/\.[^.]+$/, "");
  const config = testHooks ? await hookedConfig() : `${ROOT}deno.json`;
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
  ], { cwd: ROOT, env: {} }).finally(() => testHooks ? Deno.remove(config) : undefined);
  if (name !== "main") await Deno.rename(`${folder}/${name}.js`, `${folder}/main.js`);
  for await (const chunk of Deno.readDir(folder)) {
    const left = remoteImport(await Deno.readTextFile(`${folder}/${chunk.name}`));
    if (left !== undefined) throw new Error(`The bundle's ${chunk.name} still imports ${left}.`);
  }
}

/** A configuration that puts what stops at checkpoints in the place of what does nothing there. */
async function hookedConfig(): Promise<string> {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const module = (path: string) => new URL(`../${path}`, import.meta.url).href;
  const hook = { [module("src/system/checkpoint.ts")]: module("tests/e2e/stop-at-checkpoint.ts") };
  const path = await Deno.makeTempFile({ prefix: "datumctl-compile-", suffix: ".json" });
  await Deno.writeTextFile(
    path,
    JSON.stringify({ ...config, lock: false, imports: { ...config.imports, ...hook } }),
  );
  return path;
}

/** The first import of a bundled module that is not in the bundle or the runtime, if there is one. */
export function remoteImport(source: string): string | undefined {
  return /^(?:import|export)\b[^;]*?["']((?:npm|jsr|https?):[^"']+)["']|\bimport\(["']((?:npm|jsr|https?):[^"']+)["']/m
    .exec(source)?.slice(1).find((specifier) => specifier !== undefined);
}

/** The {@link Target} of this machine. */
export function hostTarget(): Target {
  const target = TARGETS.find((known) => known === Deno.build.target);
  if (target === undefined) throw new Error(`There is no binary for ${Deno.build.target}.`);
  return target;
}

let ownRuntime: Promise<boolean> | undefined;

// Asked once a run. `deno compile` itself has no bound on its download, so its host is asked first.
function ownRuntimeAtHand(): Promise<boolean> {
  return ownRuntime ??= (async () => {
    if (Deno.env.get("DENORT_BIN")) return true;
    const url = `https://dl.deno.land/release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
    try {
      const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5000) });
      if (response.ok) return true;
    } catch {
      // No way there: the line below says what follows.
    }
    console.error(
      `note: the base runtime of Deno ${Deno.version.deno} cannot be fetched here: building on ` +
        `Deno ${TRIAL_DENO}'s, out of npm packages. For trial and test only, never for a release.`,
    );
    return false;
  })();
}

/** The path of the Deno that trial builds are made with, {@link TRIAL_DENO}, for Linux x64. */
export async function trialCompiler(): Promise<string> {
  if (hostTarget() !== "x86_64-unknown-linux-gnu") {
    throw new Error(
      "A trial build is made on Linux x64 only. Elsewhere, allow Deno to fetch its base runtime.",
    );
  }
  return await cachedProgram(TRIAL_COMPILER, "deno", (tar) => tarEntry(tar, "package/deno"));
}

async function trialBase(target: Target): Promise<string> {
  const windows = target === "x86_64-pc-windows-msvc";
  return await cachedProgram(TRIAL_BASES[target], windows ? "denort.exe" : "denort", (tar) => {
    const program = tarEntry(tar, `package/bin/steady${windows ? ".exe" : ""}`);
    // Only on Linux the script is appended; in the other formats it is a section, which `deno compile` replaces.
    return target.endsWith("linux-gnu") ? withoutAppended(program) : program;
  });
}

/** A Linux program made by `deno compile` without what was appended: its last 8 bytes say how long that is. */
export function withoutAppended(program: Uint8Array): Uint8Array {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const appended = Number(view.getBigUint64(program.length - 8, true));
  if (appended > program.length) throw new Error("The program has no script appended.");
  return program.subarray(0, program.length - appended);
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
      out: { type: "string", default: `${ROOT}dist` },
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
  const folder = target === hostTarget() ? values.out : `${values.out}/${target}`;
  const started = performance.now();
  const compiled = await compileBinary({
    entry: values.entry,
    out: `${folder}/${values.name}`,
    target,
    testHooks: values["test-hooks"],
    ...(runtime === undefined ? {} : { runtime }),
  });
  const { size } = await Deno.stat(compiled.path);
  console.error(
    `${compiled.path}: ${(size / 2 ** 20).toFixed(0)} MiB for ${target} on Deno ${compiled.deno}, ` +
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
