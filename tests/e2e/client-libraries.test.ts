/** Proves that the Kubernetes clients of Python and JavaScript work through an entry that tells which server asks, and by exec. */

import assert from "node:assert/strict";
import { kubeconfigText } from "../cloud/strange-kubeconfigs.ts";
import { startStranger } from "../cloud/stranger.ts";
import { type Client, scriptedClients } from "./clients.ts";
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

function list(world: World, { program, args, env }: Client, kubeconfig: string) {
  return world.start(program, [...args, kubeconfig], { env }).finished;
}

for (
  const client of await scriptedClients({ name: "list", python: PYTHON, javascript: JAVASCRIPT })
) {
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
