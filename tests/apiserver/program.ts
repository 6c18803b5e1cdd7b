/**
 * The real API server as a program: built from the Go module in this folder where Go is installed, once, and then
 * found in the cache of builds. Run by itself, this module builds it ahead of the tests.
 */

import { ROOT } from "../../scripts/compile.ts";
import { buildCache } from "../../scripts/npm-packages.ts";
import { sha256 } from "../../src/encoding.ts";
import { exists } from "../../src/system/files.ts";
import { findProgram } from "../../src/system/processes.ts";

const MODULE = `${ROOT}tests/apiserver`;
const OLDEST_GO = { major: 1, minor: 25 };

/** Where Go's own installer puts it, which is not always on the PATH. */
const USUAL_GO = ["/usr/local/go/bin", "/usr/lib/go/bin"];

// kubectl refuses a server whose version is the one of an unreleased build.
const VERSION = "k8s.io/component-base/version";
const RELEASE = { gitVersion: "v1.34.1", gitMajor: "1", gitMinor: "34" };
const LINKED = Object.entries(RELEASE).map(([name, value]) => `-X ${VERSION}.${name}=${value}`);
/** Without symbols the program is smaller by a third. */
const FLAGS = ["-buildvcs=false", "-mod=readonly", "-ldflags", ["-s", "-w", ...LINKED].join(" ")];

/** A Go that is new enough. */
export interface Go {
  readonly path: string;
  /** As `go env GOVERSION` says it: `go1.26.8`. */
  readonly version: string;
}

/** What is built. */
export interface GoBuild {
  readonly go: Go;
  /** The folder of the module: `go.mod`, `go.sum` and `main.go` are all that it is made from. */
  readonly module: string;
  readonly name: string;
  readonly flags: readonly string[];
  readonly cache: string;
  /** Called before a build that this process makes itself. */
  readonly onBuild?: () => void;
}

let found: Promise<Go | undefined> | undefined;
let program: Promise<string | undefined> | undefined;

/** The Go that can build the real API server; undefined, after one printed line, where there is none. */
export function goAtHand(): Promise<Go | undefined> {
  return found ??= (async () => {
    const go = await findGo();
    const { major, minor } = OLDEST_GO;
    if (go === undefined) {
      say(`skipped: what takes the real API server, for there is no Go ${major}.${minor} here`);
    }
    return go;
  })();
}

/**
 * The path of the real API server's program.
 *
 * @returns undefined where there is no Go that can build it: see {@link goAtHand}
 * @throws {Error} when the build fails; what Go said is its message
 */
export function apiServerProgram(): Promise<string | undefined> {
  return program ??= (async () => {
    const go = await goAtHand();
    return go === undefined ? undefined : await buildOnce({
      go,
      module: MODULE,
      name: "kube-apiserver",
      flags: FLAGS,
      cache: buildCache(),
      onBuild: () => say("The real API server is built, once: some twenty minutes on two processors."),
    });
  })();
}

/** The Go on the `PATH`, or where its installer puts it; undefined where there is none, or an older one. */
export async function findGo(path = Deno.env.get("PATH"), usual = USUAL_GO): Promise<Go | undefined> {
  const found = findProgram("go", [path, ...usual].join(Deno.build.os === "windows" ? ";" : ":"));
  if (found === undefined) return undefined;
  const { success, stdout } = await new Deno.Command(found, {
    args: ["env", "GOVERSION"],
    env: ENVIRONMENT,
    stdin: "null",
    stderr: "null",
  }).output();
  const version = new TextDecoder().decode(stdout).trim();
  const [, major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  const newEnough = major > OLDEST_GO.major || (major === OLDEST_GO.major && minor >= OLDEST_GO.minor);
  return success && newEnough ? { path: found, version } : undefined;
}

// The Go that is there builds, and nothing that this machine is set to otherwise changes what comes out.
const ENVIRONMENT = { CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "", GOWORK: "off" };

/**
 * The path of a Go program in the cache, built there on first use. Of many processes that ask at once, one builds and
 * the others wait; another takes over from one that was killed.
 *
 * @throws {Error} when the build fails
 */
export async function buildOnce(build: GoBuild): Promise<string> {
  const { name, cache, onBuild } = build;
  // A folder of its own, so that the program keeps its name: by that Kubernetes says who wrote a field.
  const folder = `${cache}/${await keyOf(build)}`;
  const path = `${folder}/${name}${Deno.build.os === "windows" ? ".exe" : ""}`;
  if (await exists(path)) return path;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  using lock = await Deno.open(`${path}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await exists(path)) return path;
  onBuild?.();
  // The Go of a process that was killed may still be writing, so every build has a name of its own.
  const unfinished = `${path}.${crypto.randomUUID()}`;
  await goBuild(build, unfinished);
  await Deno.rename(unfinished, path);
  return path;
}

/** Of everything that makes the program what it is. */
async function keyOf({ go, module, flags }: GoBuild): Promise<string> {
  const files = ["go.mod", "go.sum", "main.go"].map((file) => Deno.readTextFile(`${module}/${file}`));
  const parts = [go.version, Deno.build.target, ...flags, ...await Promise.all(files)];
  return (await sha256(JSON.stringify(parts))).toHex().slice(0, 32);
}

// At the lowest priority and on two processors: others may be measuring time.
async function goBuild({ go, module, flags }: GoBuild, out: string): Promise<void> {
  const command = [go.path, "build", "-p", "2", ...flags, "-o", out, "."];
  const nice = findProgram("nice", Deno.env.get("PATH"));
  const [program = go.path, ...args] = nice === undefined ? command : [nice, "-n", "19", ...command];
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: module,
    env: ENVIRONMENT,
    stdin: "null",
  }).output();
  if (success) return;
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).join("\n");
  throw new Error(`Cannot build the Go program of ${module}:\n${said}`);
}

function say(line: string): void {
  // deno-lint-ignore no-console
  console.error(line);
}

if (import.meta.main) await apiServerProgram();
