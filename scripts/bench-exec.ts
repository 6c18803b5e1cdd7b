/** The bench of exec: kubectl with its token file beside the same kubectl with a static token, at one real API server. */

import { startApiServer } from "../tests/apiserver/apiserver.ts";
import { kubeconfig as kubeconfigText } from "../tests/apiserver/authentication.ts";
import { type Candidate, takeTurns } from "./bench-measure.ts";
import { openBoth, type ResourceBench } from "./bench-resources.ts";
import { printTimes, ratioVerdict, type Verdict } from "./bench-verdicts.ts";

const WORDS = ["get", "namespaces"];

const STATIC = "static token";
const AGAIN = "the same again";
const INSIDE = "inside a running exec";
const PLUGIN = "with the plugin";
const WHOLE = "exec and kubectl";
const HELLO = "bare hello";

/** What the bench runs with: a program that does nothing but start the runtime, too. */
export interface ExecBench extends ResourceBench {
  readonly hello: string;
  /** The name of the session that `signIn` makes. */
  readonly signIn: (flags: readonly string[]) => Promise<string>;
}

/** Measures both; nothing, after one printed line, where the server cannot be built. */
export async function benchExec(bench: ExecBench): Promise<Verdict[]> {
  const { cloud, datumctl, kubectl, folder, hello, rounds } = bench;
  await using server = await startApiServer({ trusted: [], certificates: cloud.certificates });
  if (server === undefined) return [];
  let session = "";
  const signIn: ExecBench["signIn"] = async (flags) => session = await bench.signIn(flags);
  const [ours, theirs] = await openBoth({ ...bench, signIn }, server);
  const exec = [datumctl, "exec", "--platform-wide", "--"];
  await using running = await startExec(exec, ours);
  const plugin = `${folder}/kubeconfig-plugin`;
  const entry = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: datumctl,
    args: ["auth", "get-token", "--output=client.authentication.k8s.io/v1", `--session=${session}`],
    interactiveMode: "Never",
    provideClusterInfo: true,
  };
  const cluster = { server: server.url, "certificate-authority": cloud.caFile };
  await Deno.writeTextFile(plugin, kubeconfigText("bench", cluster, { exec: entry }), { mode: 0o600 });

  const call = [kubectl, ...WORDS];
  const candidates: Candidate[] = [
    { name: STATIC, command: call, env: theirs, online: true },
    { name: AGAIN, command: call, env: theirs, online: true },
    { name: INSIDE, command: call, env: { ...ours, KUBECONFIG: running.kubeconfig }, online: true },
    { name: PLUGIN, command: call, env: { ...ours, KUBECONFIG: plugin }, online: true },
    { name: WHOLE, command: [...exec, ...call], env: ours, online: true },
    { name: "exec -- true", command: [...exec, "true"], env: ours, online: true },
    { name: HELLO, command: [hello], env: ours, online: true },
  ];
  const seen = await takeTurns(candidates, rounds);
  printTimes(`kubectl ${WORDS.join(" ")}`, candidates, seen, STATIC);
  const verdict = (above: string, below: readonly string[], bound?: number) =>
    ratioVerdict(`${above} ÷ (${below.join(" + ")})`, seen, [above], below, bound);
  return [
    verdict(AGAIN, [STATIC]),
    verdict(INSIDE, [STATIC], 1.10),
    // A start of the runtime comes on top once, so that no bound of the call alone can hold.
    verdict(WHOLE, [STATIC]),
    verdict(WHOLE, [PLUGIN]),
    verdict(WHOLE, [HELLO, STATIC]),
  ];
}

/** An `exec` that runs until it is disposed of, and the kubeconfig that its command has. */
async function startExec(exec: readonly string[], env: Readonly<Record<string, string>>) {
  const [program = "", ...args] = [...exec, "sh", "-c", 'echo "$KUBECONFIG"; read end'];
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await output.read();
  if (value === undefined) throw new Error("exec ended at once");
  return {
    kubeconfig: value.trim(),
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await output.cancel();
      await child.status;
    },
  };
}
