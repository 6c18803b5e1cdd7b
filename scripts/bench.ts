/** Owns the measurements: what a call costs beside yardsticks taken in the same run, turn and turn about. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { parseArgs } from "node:util";
import { approveDeviceByHttp } from "../tests/cloud/browser.ts";
import { type Cloud, startCloud } from "../tests/cloud/cloud.ts";
import { startKeyring } from "../tests/keyring/gnome-keyring.ts";
import { bundle, compileBinary, hostTarget, permissions, ROOT } from "./compile.ts";
import { kubectlPath } from "./npm-packages.ts";

/** One thing to measure: a program with its arguments and its whole environment. */
interface Candidate {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Puts things in place before a turn; not measured. */
  readonly prepare?: () => void;
  /** It asks the cloud, which this process serves meanwhile. */
  readonly online?: true;
}

/** What was seen of one candidate, in milliseconds. */
interface Seen {
  readonly median: number;
  readonly fastest: number;
}

/** A figure and the bound that it has to keep. */
interface Verdict {
  readonly what: string;
  readonly figure: number;
  /** The same of the fastest calls, which a busy machine disturbs least; for ratios only. */
  readonly fastest?: number;
  readonly bound: number;
  readonly unit: string;
}

const { values: options } = parseArgs({
  args: Deno.args,
  options: { rounds: { type: "string", default: "40" }, binary: { type: "string" } },
});
const ROUNDS = Math.max(3, Number(options.rounds));
const AT_ONCE = 50;
const MEMORY_ROUNDS = 5;
const EMAIL = "ada@example.com";
const EXEC_VERSION = "client.authentication.k8s.io/v1";

const scratch = await Deno.makeTempDir({ prefix: "datumctl-bench-" });
const keyring = await startKeyring();
async function bench(cloud: Cloud): Promise<void> {
  const base = { PATH: Deno.env.get("PATH") ?? "", HOME: scratch, TMPDIR: scratch };
  const inFile = { ...base, DATUMCTL_CONFIG_DIR: `${scratch}/in-file`, DATUMCTL_KEYRING: "file" };
  const inKeyring = {
    ...base,
    ...keyring?.env,
    DATUMCTL_CONFIG_DIR: `${scratch}/in-keyring`,
    DATUMCTL_KEYRING: "system",
  };

  await Deno.writeTextFile(`${scratch}/hello.ts`, `console.log("hello");\n`);
  const hello = await compileBinary({ entry: `${scratch}/hello.ts`, out: `${scratch}/hello` });
  const datumctl = options.binary ??
    (await compileBinary({ entry: `${ROOT}main.ts`, out: `${scratch}/datumctl` })).path;
  const kubectl = await kubectlPath();
  if (kubectl === undefined) console.log("left out: kubectl, which is not at hand for this machine");

  const session = await signIn(cloud, datumctl, inFile);
  const getToken = ["auth", "get-token", `--output=${EXEC_VERSION}`, `--session=${session}`];
  if (keyring !== undefined) await signIn(cloud, datumctl, inKeyring);

  const calls: Candidate[] = [
    { name: "bare hello", command: [hello.path], env: base },
    { name: "get-token, key file", command: [datumctl, ...getToken], env: inFile },
  ];
  if (keyring !== undefined) {
    const lookup = ["secret-tool", "lookup", "service", "datumctl", "account", session];
    calls.push(
      { name: "secret-tool lookup", command: lookup, env: inKeyring },
      { name: "get-token, keyring", command: [datumctl, ...getToken], env: inKeyring },
    );
  }
  if (kubectl !== undefined) {
    calls.push({ name: "kubectl version --client", command: [kubectl, "version", "--client"], env: base });
  }
  // The same code on this Deno. `deno run` parses every module before V8 does, which a binary does not: it bounds
  // from above what the binary will cost on this runtime, so it is shown and not judged.
  const own = hello.deno === Deno.version.deno ? undefined : `by deno run ${Deno.version.deno}`;
  if (own !== undefined) {
    const run = [Deno.execPath(), "run", "--quiet", "--no-config", "--no-lock", "--no-code-cache"];
    const onThis = async (name: string, entry: string) => {
      const folder = `${scratch}/bundle-${name}`;
      await bundle(entry, folder);
      return [...run, ...permissions(hostTarget()), `${folder}/main.js`];
    };
    const cached = { DENO_DIR: `${scratch}/deno`, DENO_NO_UPDATE_CHECK: "1" };
    const [helloHere, datumctlHere] = [
      await onThis("hello", `${scratch}/hello.ts`),
      await onThis("datumctl", `${ROOT}main.ts`),
    ];
    calls.push(
      { name: `bare hello ${own}`, command: helloHere, env: { ...base, ...cached } },
      {
        name: `get-token, key file ${own}`,
        command: [...datumctlHere, ...getToken],
        env: { ...inFile, ...cached },
      },
    );
    if (keyring !== undefined) {
      calls.push({
        name: `get-token, keyring ${own}`,
        command: [...datumctlHere, ...getToken],
        env: { ...inKeyring, ...cached },
      });
    }
  }

  console.log(`datumctl on Deno ${hello.deno}, ${navigator.hardwareConcurrency} processors`);
  const seen = await takeTurns(calls, ROUNDS);
  printTimes("One call", calls, seen, "bare hello");

  const memory = peakMemory(calls);
  const together = await allAtOnce(calls);
  const edits = kubectl === undefined ? [] : await editKubeconfigs(datumctl, kubectl, session, inFile);
  const asked = kubectl === undefined ? [] : await askControlPlane(cloud, datumctl, kubectl, inFile);

  printVerdicts([
    ...tokenVerdicts(seen, memory, ""),
    ...(own === undefined ? [] : tokenVerdicts(seen, memory, ` ${own}`)),
    ...edits,
    ...asked,
  ]);
  console.log(
    `\n${AT_ONCE} get-token at once: ${
      [...together].map(([name, { median }]) => `${name} ${median.toFixed(0)} ms`).join("; ")
    }`,
  );
}

/** Signs in with a device code that this script approves, and returns the session's name. */
async function signIn(cloud: Cloud, datumctl: string, env: Record<string, string>): Promise<string> {
  const child = new Deno.Command(datumctl, {
    args: [
      "login",
      "--hostname",
      cloud.authHost,
      "--api-hostname",
      cloud.apiHost,
      "--client-id",
      cloud.clientId,
      "--certificate-authority",
      cloud.caFile,
      "--no-browser",
      "--timeout",
      "1m",
    ],
    clearEnv: true,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  let approved: Promise<void> | undefined;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    const url = /https:\/\/\S+user_code=[\w-]+(?=\s)/.exec(said)?.[0];
    if (url !== undefined) approved ??= approveDeviceByHttp(cloud, url, EMAIL);
  }
  await approved;
  if (!(await child.status).success) throw new Error(`datumctl login failed:\n${said}`);
  const { stdout } = new Deno.Command(datumctl, {
    args: ["auth", "list", "-o", "json"],
    clearEnv: true,
    env,
    stdin: "null",
  }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout))[0].name;
}

/** Runs every candidate once a round, each round beginning with another, after one round that does not count. */
async function takeTurns(candidates: readonly Candidate[], rounds: number): Promise<Map<string, Seen>> {
  const times = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < candidates.length; turn++) {
      const candidate = candidates[(turn + round + 1) % candidates.length];
      if (candidate === undefined) continue;
      const took = await once(candidate);
      if (round >= 0) times.get(candidate.name)?.push(took);
    }
  }
  return new Map([...times].map(([name, taken]) => [name, summary(taken)]));
}

async function once(
  { name, command: [program = "", ...args], env, prepare, online }: Candidate,
): Promise<number> {
  prepare?.();
  // Synchronous where it can be: nothing of this process's own stands between the start and the end.
  const command = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const started = performance.now();
  const { success, stderr } = online ? await command.output() : command.outputSync();
  const took = performance.now() - started;
  if (!success) throw new Error(`${name} failed:\n${new TextDecoder().decode(stderr)}`);
  return took;
}

function summary(taken: readonly number[]): Seen {
  const sorted = taken.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
  return { median, fastest: sorted[0] ?? NaN };
}

/** How long {@link AT_ONCE} processes take together, from the first one's start to the last one's end. */
async function allAtOnce(calls: readonly Candidate[]): Promise<Map<string, Seen>> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < 5; round++) {
    for (const candidate of calls.filter(({ name }) => /^bare hello$|^get-token, [a-z ]+$/.test(name))) {
      const { name, command: [program = "", ...args], env } = candidate;
      const started = performance.now();
      const statuses = await Promise.all(Array.from({ length: AT_ONCE }, () =>
        new Deno.Command(program, {
          args,
          clearEnv: true,
          env: { ...env },
          stdin: "null",
          stdout: "null",
          stderr: "null",
        }).spawn().status));
      const took = performance.now() - started;
      const failed = statuses.filter(({ success }) => !success).length;
      if (failed > 0) throw new Error(`${failed} of ${AT_ONCE} × ${name} failed`);
      times.set(name, [...times.get(name) ?? [], took]);
    }
  }
  return new Map([...times].map(([name, taken]) => [name, summary(taken)]));
}

// getrusage(2) of waited-for children; perl is on every Debian, which GNU time is not.
const PEAK = `system { $ARGV[0] } @ARGV; exit 1 if $?; my $usage = "\\0" x 144;
syscall($ENV{GETRUSAGE}, -1, $usage); print STDERR "peak ", (unpack("q*", $usage))[4];`;
const GETRUSAGE: Readonly<Record<string, string>> = { x86_64: "98", aarch64: "165" };

/** The largest resident size of each candidate and its children, in MiB; empty where it cannot be read. */
function peakMemory(calls: readonly Candidate[]): Map<string, number> {
  const number = GETRUSAGE[Deno.build.arch];
  const peaks = new Map<string, number>();
  for (const { name, command, env } of calls) {
    const taken: number[] = [];
    for (let round = 0; round < MEMORY_ROUNDS; round++) {
      try {
        if (Deno.build.os !== "linux" || number === undefined) throw new Error("no such call here");
        const { stderr } = new Deno.Command("perl", {
          args: ["-e", PEAK, ...command],
          clearEnv: true,
          env: { ...env, GETRUSAGE: number },
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).outputSync();
        const peak = /peak (\d+)$/.exec(new TextDecoder().decode(stderr))?.[1];
        if (peak === undefined) throw new Error("perl did not tell");
        taken.push(Number(peak) / 1024);
      } catch (error) {
        console.log(`left out: peak memory (${error instanceof Error ? error.message : error})`);
        return new Map();
      }
    }
    peaks.set(name, summary(taken).median);
  }
  console.log("\nPeak memory");
  for (const [name, peak] of peaks) console.log(`  ${name.padEnd(40)}${peak.toFixed(1).padStart(8)} MiB`);
  return peaks;
}

/** The same questions to a control plane by datumctl and by kubectl, both with warm caches; requests counted. */
async function askControlPlane(
  cloud: Cloud,
  datumctl: string,
  kubectl: string,
  env: Record<string, string>,
): Promise<Verdict[]> {
  const online = { ...env, KUBECONFIG: `${scratch}/kubeconfig-online` };
  const entry = ["auth", "update-kubeconfig", "--organization=acme"];
  await once({ name: "update-kubeconfig", command: [datumctl, ...entry], env: online, online: true });
  const verdicts: Verdict[] = [];
  const lines = ["api-resources", "api-resources --cached", "auth can-i list namespaces"];
  for (const line of lines) {
    const [ours, theirs]: [Candidate, Candidate] = [
      { name: `datumctl ${line}`, command: [datumctl, ...line.split(" ")], env: online, online: true },
      { name: `kubectl ${line}`, command: [kubectl, ...line.split(" ")], env: online, online: true },
    ];
    const seen = await takeTurns([ours, theirs], Math.ceil(ROUNDS / 2));
    printTimes(`A control plane: ${line}`, [ours, theirs], seen, theirs.name);
    const requests: number[] = [];
    for (const candidate of [ours, theirs]) {
      cloud.resetCounts();
      await once(candidate);
      requests.push(cloud.counts().api ?? NaN);
    }
    const [asked = NaN, allowed = NaN] = requests;
    verdicts.push(
      ratioVerdict(`${line} ÷ kubectl's`, seen, [ours.name], [theirs.name], 1.5),
      { what: `${line}: requests`, figure: asked, bound: allowed, unit: "" },
    );
  }
  return verdicts;
}

/** `update-kubeconfig` against kubectl's own edit, on a fresh copy of the same file each turn. */
async function editKubeconfigs(
  datumctl: string,
  kubectl: string,
  session: string,
  env: Record<string, string>,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const contexts of [200, 2000]) {
    const original = `${scratch}/kubeconfig-${contexts}`;
    Deno.writeTextFileSync(original, kubeconfigOf(contexts), { mode: 0o600 });
    const copy = `${original}-edited`;
    const prepare = () => Deno.copyFileSync(original, copy);
    const ours = `update-kubeconfig, ${contexts} contexts`;
    const theirs = `kubectl set-context, ${contexts} contexts`;
    const edits: Candidate[] = [
      {
        name: ours,
        command: [
          datumctl,
          "auth",
          "update-kubeconfig",
          "--project=bench",
          `--profile=${session}`,
          "--skip-validation",
          `--kubeconfig=${copy}`,
        ],
        env,
        prepare,
      },
      {
        name: theirs,
        command: [
          kubectl,
          "config",
          "set-context",
          "bench",
          "--cluster=cluster-1",
          "--user=user-1",
          `--kubeconfig=${copy}`,
        ],
        env,
        prepare,
      },
    ];
    const seen = await takeTurns(edits, Math.ceil(ROUNDS / 2));
    printTimes(`A kubeconfig of ${contexts} contexts`, edits, seen, theirs);
    verdicts.push(ratioVerdict(
      `${ours} ÷ kubectl config set-context`,
      seen,
      [ours],
      [theirs],
      contexts === 2000 ? 4 : NaN,
    ));
  }
  return verdicts;
}

function kubeconfigOf(contexts: number): string {
  const each = (line: (number: number) => string) =>
    Array.from({ length: contexts }, (_, at) => line(at + 1)).join("");
  return `apiVersion: v1
kind: Config
preferences: {}
clusters:
${
    each((n) => `- name: cluster-${n}\n  cluster:\n    server: https://cluster-${n}.example.com:6443\n`)
  }contexts:
${
    each((n) =>
      `- name: context-${n}\n  context:\n    cluster: cluster-${n}\n    namespace: default\n    user: user-${n}\n`
    )
  }current-context: context-1
users:
${each((n) => `- name: user-${n}\n  user:\n    username: user-${n}\n    password: not-a-secret-${n}\n`)}`;
}

function ratio(
  seen: ReadonlyMap<string, Seen>,
  above: readonly string[],
  below: readonly string[],
  of: keyof Seen = "median",
): number {
  const total = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + (seen.get(name)?.[of] ?? NaN), 0);
  return total(above) / total(below);
}

function ratioVerdict(
  what: string,
  seen: ReadonlyMap<string, Seen>,
  above: readonly string[],
  below: readonly string[],
  bound: number,
): Verdict {
  const figure = ratio(seen, above, below);
  return { what, figure, fastest: ratio(seen, above, below, "fastest"), bound, unit: "×" };
}

function tokenVerdicts(
  seen: ReadonlyMap<string, Seen>,
  memory: ReadonlyMap<string, number>,
  runtime: string,
): Verdict[] {
  const hello = `bare hello${runtime}`;
  const file = `get-token, key file${runtime}`;
  const ring = `get-token, keyring${runtime}`;
  const verdicts = [ratioVerdict(`${file} ÷ hello`, seen, [file], [hello], 1.35)];
  if (seen.has(ring)) {
    const yardstick = [hello, "secret-tool lookup"];
    verdicts.push(ratioVerdict(`${ring} ÷ (hello + secret-tool)`, seen, [ring], yardstick, 1.35));
  }
  for (const name of [file, ring]) {
    const more = (memory.get(name) ?? NaN) - (memory.get(hello) ?? NaN);
    if (!Number.isNaN(more)) {
      verdicts.push({ what: `${name}: memory over hello's`, figure: more, bound: 15, unit: " MiB" });
    }
  }
  return runtime === "" ? verdicts : verdicts.map((verdict) => ({ ...verdict, bound: NaN }));
}

function printTimes(
  title: string,
  candidates: readonly Candidate[],
  seen: ReadonlyMap<string, Seen>,
  yardstick: string,
): void {
  console.log(`\n${title.padEnd(42)}  median     min   ratio to ${yardstick}`);
  for (const { name } of candidates) {
    const { median, fastest } = seen.get(name) ?? { median: NaN, fastest: NaN };
    console.log(
      `  ${name.padEnd(40)}${median.toFixed(1).padStart(8)}${fastest.toFixed(1).padStart(8)} ms` +
        `${ratio(seen, [name], [yardstick]).toFixed(2).padStart(6)}`,
    );
  }
}

function printVerdicts(verdicts: readonly Verdict[]): void {
  console.log("\nAgainst the bounds, by medians (by the fastest calls)");
  for (const { what, figure, fastest, bound, unit } of verdicts) {
    const judged = Number.isNaN(bound)
      ? ""
      : figure <= bound
      ? `within ${bound}${unit}`
      : `OVER ${bound}${unit}`;
    const beside = fastest === undefined ? "" : `(${fastest.toFixed(2)}${unit})`;
    console.log(`  ${what.padEnd(64)}${figure.toFixed(2).padStart(7)}${unit} ${beside.padEnd(9)} ${judged}`);
  }
}

try {
  await using cloud = await startCloud();
  await bench(cloud);
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 1;
} finally {
  await keyring?.stop();
  await Deno.remove(scratch, { recursive: true });
}
