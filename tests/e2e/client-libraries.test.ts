/** Proves that the Kubernetes clients of Python and JavaScript work through an entry that tells which server asks, and by exec. */

import assert from "node:assert/strict";
import { buildCache } from "../../scripts/npm-packages.ts";
import { kubeconfigText } from "../cloud/strange-kubeconfigs.ts";
import { startStranger } from "../cloud/stranger.ts";
import { signIn } from "./kubectl-stage.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";

const PYTHON = `
import sys
from kubernetes import client, config
config.load_kube_config(config_file=sys.argv[1])
for item in client.CoreV1Api().list_namespace(_request_timeout=20).items:
    print(item.metadata.name)
`;
const JAVASCRIPT = `
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
const config = new KubeConfig();
config.loadFromFile(process.argv[2]);
const { items } = await config.makeApiClient(CoreV1Api).listNamespace();
for (const item of items) console.log(item.metadata.name);
`;

/** A client library that was installed: how its script, which lists namespaces by a kubeconfig, is run. */
interface Client {
  readonly name: string;
  /** Whether it tells its plugin which server asks. */
  readonly tells: boolean;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Installs a library once into the cache; undefined, after a printed line, where that cannot be. */
async function installed(
  named: string,
  install: (folder: string) => readonly [program: string, ...args: string[]],
): Promise<string | undefined> {
  const folder = `${buildCache()}/client-${named.replace(/\W+/g, "-")}`;
  if (await Deno.stat(folder).catch(() => undefined)) return folder;
  const making = `${folder}.${crypto.randomUUID()}`;
  await Deno.mkdir(making, { recursive: true });
  const [program, ...args] = install(making);
  const { success } = await new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" })
    .output().catch(() => ({ success: false }));
  if (success) {
    // Another run may have been faster.
    await Deno.rename(making, folder).catch(() => Deno.remove(making, { recursive: true }));
    return folder;
  }
  await Deno.remove(making, { recursive: true });
  // deno-lint-ignore no-console
  console.error(`skipped: ${named}, which ${program} cannot install here`);
  return undefined;
}

async function clients(): Promise<readonly Client[]> {
  const python = await installed("kubernetes==37.0.2", (folder) => [
    ...["python3", "-m", "pip", "install", "--quiet", "--target", folder, "kubernetes==37.0.2"] as const,
  ]);
  const node = await installed("@kubernetes/client-node@1.3.0", (folder) => [
    ...["npm", "install", "--ignore-scripts", "--no-audit", "--prefix", folder] as const,
    "@kubernetes/client-node@1.3.0",
  ]);
  if (node !== undefined) await Deno.writeTextFile(`${node}/list.mjs`, JAVASCRIPT);
  return [
    ...python === undefined ? [] : [{
      name: "Python's client",
      tells: true,
      program: "python3",
      args: ["-c", PYTHON],
      env: { PYTHONPATH: python },
    }],
    ...node === undefined ? [] : [{
      name: "JavaScript's client",
      tells: false,
      program: "node",
      args: [`${node}/list.mjs`],
      env: {},
    }],
  ];
}

function list(world: World, { program, args, env }: Client, kubeconfig: string) {
  return world.start(program, [...args, kubeconfig], { env }).finished;
}

for (const client of await clients()) {
  testInWorld(
    `${client.name} works through the entry, at its server alone where it tells of it`,
    async (world) => {
      await using stranger = await startStranger();
      await signIn(world, ADA);
      await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
      assert.match(await Deno.readTextFile(world.kubeconfig), /provideClusterInfo: true/);
      const { code, stdout, stderr } = await list(world, client, world.kubeconfig);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^project-web$/m);
      const line = ["sh", "-c", 'exec "$@" "$KUBECONFIG"', "sh", client.program, ...client.args];
      const { env } = client;
      const inside = await world.datumctl(["exec", "--project", "web", "--", ...line], { env });
      assert.deepEqual([inside.code, inside.stdout], [0, stdout], inside.stderr);
      if (!client.tells) return;

      const path = `${world.home}/strange.json`;
      const cluster = { server: stranger.https, "certificate-authority-data": btoa(stranger.caPem) };
      const words = [`--session=${ADA}@${world.cloud.apiHost}`];
      await Deno.writeTextFile(path, kubeconfigText(cluster, words, { command: world.binary }));
      await list(world, client, path);
      assert.ok(stranger.requests.length > 0, "it goes there as nobody");
      assert.deepEqual(stranger.tokens, []);
    },
  );
}
