/** The bench of resource commands: reading and writing beside kubectl, both at one real API server. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

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
const AMOUNTS = { small: 10, middle: 1_000, large: 20_000 } as const;

/** A ratio to kubectl: the start of a runtime counts where there is little to do, and not where there is much. */
const LITTLE = 1.2;
const MUCH = 1;

/** A command line of both, by itself. */
interface Line {
  readonly title: string;
  readonly ours: string;
  /** The same as ours unless given. */
  readonly theirs?: string | undefined;
  readonly bound: number;
  /** The most rounds; what takes long is not run as often. */
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
  const documents = (count: number) => Array.from({ length: count }, (_, at) => configMap("written", at));
  for (const count of [1, 200]) {
    const text = documents(count).map((document) => `${JSON.stringify(document)}\n`).join("---\n");
    await Deno.writeTextFile(`${folder}/${count}.yaml`, text);
  }
  const verdicts: Verdict[] = [];
  for (const line of linesAt(folder)) {
    const candidates: readonly [Candidate, Candidate] = [
      {
        name: `datumctl ${line.title}`,
        command: [bench.datumctl, ...line.ours.split(" "), "--platform-wide"],
        env: ours,
      },
      {
        name: `kubectl ${line.title}`,
        command: [bench.kubectl, ...(line.theirs ?? line.ours).split(" ")],
        env: theirs,
      },
    ];
    verdicts.push(...await compare(line, candidates, bench.rounds));
  }
  return verdicts;
}

function linesAt(folder: string): Line[] {
  const get = (
    amount: keyof typeof AMOUNTS,
    format: string,
    more: Pick<Line, "bound" | "most" | "memory">,
  ) => {
    const title = `get of ${AMOUNTS[amount]}${format}`;
    const line = `get configmaps -n ${amount}${format}`;
    return { title, ours: line, ...more };
  };
  const apply = (count: number, bound: number) => ({
    title: `apply of ${count}`,
    ours: `apply -n written -f ${folder}/${count}.yaml`,
    theirs: `apply --server-side -n written -f ${folder}/${count}.yaml`,
    bound,
    most: count === 1 ? undefined : 5,
  });
  const few = { bound: LITTLE };
  const many = { bound: MUCH, most: 3, memory: true } as const;
  return [
    get("small", "", few),
    get("small", " -o json", few),
    get("middle", "", few),
    get("middle", " -o json", few),
    get("large", "", many),
    get("large", " -o json", many),
    get("large", " -o yaml", many),
    // kubectl sends five requests a second; this is its time without that.
    {
      ...get("large", " --chunk-size=0", many),
      ours: "get configmaps -n large",
      title: "get of 20000 at once",
    },
    apply(1, LITTLE),
    apply(200, MUCH),
    { title: "explain", ours: "explain deployments.spec.template.spec", bound: LITTLE },
    { title: "describe", ours: "describe configmap settings-1 -n small", bound: LITTLE },
  ].map((line) => line.title.endsWith("at once") ? { ...line, theirs: `${line.ours} --chunk-size=0` } : line);
}

async function compare(
  { title, bound, most = Infinity, memory }: Line,
  [ours, theirs]: readonly [Candidate, Candidate],
  rounds: number,
): Promise<Verdict[]> {
  try {
    const seen = await takeTurns([ours, theirs], Math.min(most, rounds));
    printTimes(`The API server: ${title}`, [ours, theirs], seen, theirs.name);
    const verdicts = [ratioVerdict(`${title} ÷ kubectl's`, seen, [ours.name], [theirs.name], bound)];
    const peaks = memory ? peakMemory([ours, theirs], 2) : new Map<string, number>();
    printMemory(peaks);
    const [peak, allowed] = [peaks.get(ours.name), peaks.get(theirs.name)];
    if (peak !== undefined && allowed !== undefined) {
      verdicts.push({ what: `${title}: peak memory`, figure: peak, bound: allowed, unit: " MiB" });
    }
    return verdicts;
  } catch (error) {
    console.log(`left out: ${title} (${error instanceof Error ? error.message.trim() : error})`);
    return [];
  }
}

/** The environments of both, with the same token; the server takes it as an administrator's, and asks nobody about it. */
async function openBoth(
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
  for (const [namespace, count] of Object.entries({ ...AMOUNTS, written: 0 })) {
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
