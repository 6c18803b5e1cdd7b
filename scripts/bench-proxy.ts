/** The bench of the proxy: what it adds to a small request and to a list of 20 MB, beside asking the same server directly. */

import type { Cloud } from "../tests/cloud/cloud.ts";
import { until } from "../tests/until.ts";
import { inTurns, type Task } from "./bench-measure.ts";
import { printTimes, ratioVerdict, type Verdict } from "./bench-verdicts.ts";

const LIST = "/api/v1/configmaps";
const SMALL = "/version";
const LIST_BYTES = 20_000_000;

/** What the bench runs with. */
export interface ProxyBench {
  readonly cloud: Pick<Cloud, "certificates" | "caFile">;
  readonly datumctl: string;
  readonly env: Record<string, string>;
  /** For files. */
  readonly folder: string;
  readonly rounds: number;
}

/** Measures over kept connections, in turns: directly, through the proxy, and directly once more as a control. */
export async function benchProxy({ cloud, datumctl, env, folder, rounds }: ProxyBench): Promise<Verdict[]> {
  const { certificatePem, keyPem, caPem } = cloud.certificates;
  // A process of its own: this one reads the answers.
  using server = await started(
    Deno.execPath(),
    ["run", "--quiet", "--allow-net", "--allow-env", import.meta.filename ?? ""],
    {
      ...env,
      CERTIFICATE: certificatePem,
      KEY: keyPem,
    },
  );
  const direct = `https://127.0.0.1:${server.line}`;
  const kubeconfig = `${folder}/proxied.kubeconfig`;
  using proxy = await started(
    datumctl,
    ["proxy", "--platform-wide", "--for=0", "--kubeconfig", kubeconfig],
    {
      ...env,
      DATUMCTL_TOKEN: "a-token-of-the-bench",
      DATUMCTL_API_HOSTNAME: new URL(direct).host,
      DATUMCTL_CERTIFICATE_AUTHORITY: cloud.caFile,
    },
  );
  const [, proxied = ""] = /"(http:[^"]+)"/.exec(await Deno.readTextFile(kubeconfig)) ?? [];
  const clients = [direct, proxied, direct].map((base) => ({
    base,
    client: Deno.createHttpClient({ caCerts: [caPem], http2: false }),
  }));
  const tasksFor = (path: string): Task[] =>
    ["direct", "proxied", "control"].map((name, at) => ({ name, run: () => read(clients[at], path) }));

  const small = await inTurns(tasksFor(SMALL), rounds * 10);
  printTimes("A small request", tasksFor(SMALL), small, "direct");
  const list = await inTurns(tasksFor(LIST), rounds);
  printTimes(`A list of ${LIST_BYTES / 1e6} MB`, tasksFor(LIST), list, "direct");
  for (const { client } of clients) client.close();
  const peak = peakOf(proxy.pid);
  const added = (name: string) => (small.get(name)?.median ?? NaN) - (small.get("direct")?.median ?? NaN);
  return [
    { what: "the proxy, a small request: added", figure: added("proxied"), bound: 2, unit: " ms" },
    { what: "  the same without a proxy", figure: added("control"), bound: undefined, unit: " ms" },
    ratioVerdict("the proxy, a list of 20 MB ÷ direct", list, ["proxied"], ["direct"], 2),
    ratioVerdict("  the same without a proxy", list, ["control"], ["direct"]),
    { what: "the proxy: peak memory", figure: peak, bound: 250, unit: " MiB" },
  ];
}

/** Reads a whole answer; how long that took in milliseconds. */
async function read(
  given: { readonly base: string; readonly client: Deno.HttpClient } | undefined,
  path: string,
): Promise<number> {
  const { base, client } = given ?? { base: "", client: Deno.createHttpClient({}) };
  const began = performance.now();
  const answer = await fetch(base + path, { client });
  let length = 0;
  for await (const part of answer.body ?? []) length += part.length;
  const took = performance.now() - began;
  if (answer.status !== 200 || (path === LIST && length < LIST_BYTES)) {
    throw new Error(`${path} was answered with ${answer.status} and ${length} bytes`);
  }
  return took;
}

/** Starts a program that goes on, and waits for the first line of its stdout. */
async function started(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ readonly pid: number; readonly line: string; [Symbol.dispose](): void }> {
  const child = new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let printed = "";
  void child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write(text) {
        printed += text;
      },
    }),
  );
  await until(() => printed.includes("\n"), program);
  return {
    pid: child.pid,
    line: printed.split("\n")[0] ?? "",
    [Symbol.dispose]: () => child.kill("SIGTERM"),
  };
}

/** The largest memory of a process so far, in MiB; not a number where the system does not say. */
function peakOf(pid: number): number {
  if (Deno.build.os !== "linux") return NaN;
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]) / 1024;
}

/** The server: it has its answers ready, so that nothing but the way to them is measured. */
function serve(): void {
  const item = JSON.stringify({
    metadata: { name: "settings", namespace: "default" },
    data: { mode: "fast" },
  });
  const items = Array(Math.ceil(LIST_BYTES / item.length)).fill(item).join(",");
  const list = new TextEncoder().encode(`{"kind":"ConfigMapList","apiVersion":"v1","items":[${items}]}`);
  const small = new TextEncoder().encode('{"major":"1","minor":"34","gitVersion":"v1.34.1"}');
  const headers = { "content-type": "application/json" };
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: Deno.env.get("CERTIFICATE") ?? "",
    key: Deno.env.get("KEY") ?? "",
    // deno-lint-ignore no-console -- it tells its port
    onListen: ({ port }) => console.log(port),
  }, ({ url }) => new Response(url.endsWith(LIST) ? list : small, { headers }));
}

if (import.meta.main) serve();
