/** The bench of resource commands: reading and writing beside kubectl, both at one real API server. */

import { type ApiServer, startApiServer } from "../tests/apiserver/apiserver.ts";
import { kubeconfig as kubeconfigText } from "../tests/apiserver/authentication.ts";
import { mapConcurrent } from "../src/http/map-concurrent.ts";
import type { Cloud } from "../tests/cloud/cloud.ts";
import { type Candidate, peakMemory, takeTurns } from "./bench-measure.ts";
import { printMemory, printTimes, ratioVerdict, type Verdict } from "./bench-verdicts.ts";

/** What the bench runs with. */
export interface ResourceBench {
  readonly cloud: Cloud;
  readonly datumctl: string;
  readonly kubectl: string;
  readonly env: Record<string, string>;
  /** For files. */
  readonly folder: string;
  /** Signs a person in, with flags of `login` that say where. */
  readonly signIn: (flags: readonly string[]) => Promise<unknown>;
  readonly rounds: number;
}

/** Namespaces, and how many objects are in each. */
const AMOUNTS = { small: 10, middle: 1_000, large: 20_000, written: 0 } as const;

/** A ratio to kubectl: the start of a runtime counts where there is little to do, and not where there is much. */
const LITTLE = 1.2;
const MUCH = 1;

/** A command line of both. */
interface Line {
  readonly title: string;
  readonly words: string;
  /** What kubectl is given beside that. */
  readonly theirs?: string | undefined;
  readonly bound: number;
  /** The most rounds: what takes long is not run as often. */
  readonly most?: number | undefined;
  /** Whether the memory is compared, too. */
  readonly memory?: true | undefined;
}

/** Compares command lines of both; nothing, after one printed line, where the server cannot be built. */
export async function benchResources(bench: ResourceBench): Promise<Verdict[]> {
  const { cloud, folder } = bench;
  await using server = await startApiServer({
    trusted: [],
    certificates: cloud.certificates,
  });
  if (server === undefined) return [];
  const [ours, theirs] = await openBoth(bench, server);
  await fill(server);
  for (const count of DOCUMENTS) {
    const documents = Array.from({ length: count }, (_, at) => configMap("written", at));
    const text = documents.map((document) => `${JSON.stringify(document)}\n`).join("---\n");
    await Deno.writeTextFile(`${folder}/${count}.yaml`, text);
  }
  const verdicts: Verdict[] = [];
  for (const line of linesAt(folder)) {
    const { title, words, theirs: more } = line;
    const candidates: readonly [Candidate, Candidate] = [
      {
        name: `datumctl ${title}`,
        command: [bench.datumctl, ...words.split(" "), "--platform-wide"],
        env: ours,
        online: true,
      },
      {
        name: `kubectl ${title}`,
        command: [bench.kubectl, ...words.split(" "), ...more === undefined ? [] : [more]],
        env: theirs,
        online: true,
      },
    ];
    verdicts.push(...await compare(line, candidates, bench.rounds));
  }
  return verdicts;
}

/** How many documents are applied at once. */
const DOCUMENTS = [1, 200] as const;

function linesAt(folder: string): Line[] {
  const little = { bound: LITTLE };
  const much = { bound: MUCH, most: 3 };
  const large = { ...much, memory: true } as const;
  const apply = (count: typeof DOCUMENTS[number]) => ({
    title: `apply of ${count}`,
    words: `apply -n written -f ${folder}/${count}.yaml`,
    theirs: "--server-side",
  });
  const get = (count: number, namespace: string, more = "") => ({
    title: `get of ${count}${more}`,
    words: `get configmaps -n ${namespace}${more}`,
  });
  return [
    { ...get(10, "small"), ...little },
    { ...get(10, "small", " -o json"), ...little },
    { ...get(1_000, "middle"), ...little },
    { ...get(1_000, "middle", " -o json"), ...little },
    { ...get(20_000, "large"), ...large },
    { ...get(20_000, "large", " -o json"), ...large },
    { ...get(20_000, "large", " -o yaml"), ...large },
    // kubectl asks for five parts a second; at once it waits for nothing.
    { ...get(20_000, "large"), title: "get of 20000, kubectl at once", theirs: "--chunk-size=0", ...much },
    { ...apply(1), ...little },
    { ...apply(200), ...much },
    { title: "explain", words: "explain deployments.spec.template.spec", ...little },
    { title: "describe", words: "describe configmap settings-1 -n small", ...little },
  ];
}

async function compare(
  { title, bound, most = Infinity, memory }: Line,
  [ours, theirs]: readonly [Candidate, Candidate],
  rounds: number,
): Promise<Verdict[]> {
  const seen = await takeTurns([ours, theirs], Math.min(most, rounds));
  printTimes(`The API server: ${title}`, [ours, theirs], seen, theirs.name);
  const verdicts = [ratioVerdict(`${title} ÷ kubectl's`, seen, [ours.name], [theirs.name], bound)];
  if (!memory) return verdicts;
  const peaks = await peakMemory([ours, theirs], 1);
  printMemory(peaks);
  const [peak, allowed] = [peaks.get(ours.name), peaks.get(theirs.name)];
  if (peak !== undefined && allowed !== undefined) {
    verdicts.push({ what: `${title}: peak memory`, figure: peak, bound: Math.round(allowed), unit: " MiB" });
  }
  return verdicts;
}

/** The environments of both, with the same token; the server takes it as an administrator's, and asks nobody about it. */
export async function openBoth(
  { cloud, datumctl, folder, env, signIn }: ResourceBench,
  server: ApiServer,
): Promise<[ours: Record<string, string>, theirs: Record<string, string>]> {
  await signIn(["--hostname", cloud.authHost, "--api-hostname", server.host]);
  const { stdout } = await new Deno.Command(datumctl, {
    args: ["auth", "get-token"],
    clearEnv: true,
    env,
    stdin: "null",
  }).output();
  const token = new TextDecoder().decode(stdout).trim();
  await server.admit(token);
  const kubeconfig = `${folder}/kubeconfig-theirs`;
  await Deno.writeTextFile(
    kubeconfig,
    kubeconfigText("bench", { server: server.url, "certificate-authority": cloud.caFile }, { token }),
    { mode: 0o600 },
  );
  return [{ ...env, KUBECONFIG: `${folder}/no-kubeconfig` }, { ...env, KUBECONFIG: kubeconfig }];
}

async function fill({ admin }: ApiServer): Promise<void> {
  for (const [namespace, count] of Object.entries(AMOUNTS)) {
    await admin.send("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    await mapConcurrent(
      Array.from({ length: count }, (_, at) => configMap(namespace, at)),
      (object) => admin.send("POST", path, object),
    );
  }
}

function configMap(namespace: string, at: number) {
  const host = `service-${at}.example.com`;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `settings-${at}`, namespace, labels: { app: `app-${at % 50}`, tier: "web" } },
    data: {
      mode: "fast",
      number: String(at),
      "config.yaml": `log:\n  level: info\nserver:\n  host: ${host}\n`,
    },
  };
}
