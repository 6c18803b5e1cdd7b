/** Proves that a kubeconfig of somebody else's leads no session's token to a server that is not for it. */

import assert from "node:assert/strict";
import { openStudioWorld } from "./studio-world.ts";

/** A server that answers everything and notes what it is sent. */
function startListener() {
  const seen: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(`${new URL(request.url).pathname} ${request.headers.get("authorization")}`);
    return Response.json({});
  });
  return { seen, url: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
}

/** A kubeconfig whose current context leads to a server as whoever these words of get-token name. */
function kubeconfigTo(server: string, ...words: string[]): string {
  const args = ["auth", "get-token", "--output=client.authentication.k8s.io/v1", ...words];
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "datumctl",
    interactiveMode: "Never",
    args,
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: { exec } }],
  });
}

const LINES = [
  "get --raw /x",
  "api-resources",
  "api-versions",
  "auth whoami",
  "auth can-i --list",
  "auth can-i get pods",
];

Deno.test("Studio's token goes to no server that a kubeconfig names, whatever its session's file says it is", async () => {
  await using world = await openStudioWorld();
  await world.login(["--profile", "mine"]);
  const listener = startListener();
  try {
    const { file } = await world.store.paths("mine");
    const stored = JSON.parse(await Deno.readTextFile(file));
    const path = `${world.home}/kubeconfig`;
    for (const words of [`--active-for=${world.host}`, "--session=mine"]) {
      await Deno.writeTextFile(path, kubeconfigTo(listener.url, words));
      for (const fields of [{}, { kind: "user", provider: "oidc" }]) {
        await Deno.writeTextFile(file, JSON.stringify({ ...stored, ...fields }));
        for (const line of LINES) {
          const { code, stderr } = await world.run(line.split(" "), { env: { KUBECONFIG: path } });
          assert.equal(code, 2, `${line}: ${stderr}`);
          assert.match(
            stderr,
            /"mine" belongs to DataChain Studio; its token cannot be used with a Kubernetes API/,
          );
        }
      }
    }
    assert.deepEqual(listener.seen, []);
  } finally {
    await listener.close();
  }
});
