/** Proves with real kubectl that no token goes to a server that its session is not for, and that the right ones get it. */

import assert from "node:assert/strict";
import { parse, stringify } from "yaml";
import { startApiServer } from "../cloud/api-server.ts";
import { kubeconfigText, type StrangeKubeconfig, strangeKubeconfigs } from "../cloud/strange-kubeconfigs.ts";
import { startStranger, type Stranger } from "../cloud/stranger.ts";
import { startTunnel } from "../cloud/tunnel.ts";
import { type Before, kubeconfigOf, writeSessions } from "../fixtures/sessions-without-servers.ts";
import { CLIENT, good as ended, testAtIssuer } from "./issuer-stage.ts";
import { signIn, testWithKubectl } from "./kubectl-stage.ts";
import { kubectl, kubectls } from "./kubectls.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const RAW = ["get", "--raw", "/version"];
const WORDS = [RAW, ["auth", "can-i", "--list"], ["get", "namespaces"]];

/** Runs kubectl by every strange kubeconfig; the stranger gets no token, and the plugin says why where it was asked. */
async function lead(
  world: World,
  stranger: Stranger,
  { name, cluster, told }: StrangeKubeconfig,
  entry: readonly string[],
  origin: string,
  lines: readonly (readonly string[])[] = WORDS,
): Promise<void> {
  const path = `${world.home}/strange.json`;
  await Deno.writeTextFile(path, kubeconfigText(cluster, entry, { command: world.binary }));
  for (const words of lines) {
    const { code, stderr } = await world.start(kubectl, ["--kubeconfig", path, ...words]).finished;
    assert.deepEqual(stranger.tokens, [], `${name}, ${words.join(" ")}`);
    if (!stderr.includes("failed with exit code")) continue;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /failed with exit code 4/, name);
    assert.ok(stderr.includes(told) && stderr.includes(origin.replace("https://", "")), `${name}: ${stderr}`);
    assert.match(stderr, /datumctl auth update-kubeconfig /);
  }
}

testWithKubectl("kubectl, led elsewhere, brings no token of a Datum's session there", async (world, run) => {
  await using stranger = await startStranger();
  await signIn(world, ADA);
  const { apiHost } = world.cloud;
  const origin = `https://${apiHost}`;
  const pinned = [`--session=${ADA}@${apiHost}`];
  for (const strange of strangeKubeconfigs({ origin }, stranger)) {
    await lead(world, stranger, strange, pinned, origin);
    for (const entry of [[`--active-for=${apiHost}`], []]) {
      await lead(world, stranger, strange, entry, origin, [RAW]);
    }
  }
  // The same listener counts what does come, once the person has named it.
  const path = `${world.home}/named.json`;
  const cluster = { server: stranger.https, "certificate-authority-data": btoa(stranger.caPem) };
  await Deno.writeTextFile(path, kubeconfigText(cluster, pinned, { command: world.binary }));
  const update = ["auth", "update-kubeconfig", "--cluster", "c", "--kubeconfig", path];
  await world.ok([...update, "--no-switch", "--skip-validation"]);
  await run("--kubeconfig", path, "get", "--raw", "/version");
  assert.ok(stranger.tokens.length > 0);
});

testAtIssuer(
  "kubectl, led elsewhere, brings no token of an issuer's session there once a server was named",
  {},
  async ({ world, issuer, login, session }) => {
    await using stranger = await startStranger();
    await using server = await startApiServer({
      issuer: issuer.issuer,
      clientId: CLIENT,
      issuerCaPem: issuer.caPem,
      certificates: issuer.certificates,
    });
    ended(await login());
    await world.ok(["auth", "update-kubeconfig", "--server", server.url]);
    const entry = [`--session=${session}`, `--active-for=${issuer.issuer}`];
    for (const strange of strangeKubeconfigs({ origin: server.url }, stranger)) {
      await lead(world, stranger, strange, entry, server.url);
    }
    assert.match((await world.start(kubectl, ["get", "ns"]).finished).stdout, /default/);

    // Once it is gone, the line that brings it back is the entry's: an issuer's, with the client.
    await world.datumctl(["logout", "--profile", session]);
    const { stderr } = await world.start(kubectl, ["get", "ns"]).finished;
    const line =
      `Sign in: datumctl login --profile ${session} --issuer ${issuer.issuer} --client-id ${CLIENT}\n`;
    assert.ok(stderr.includes(line), stderr);
  },
  kubectl === "",
);

testWithKubectl(
  "a tunnel that --hostname names is followed, by kubectl and by our own commands",
  async (world, run) => {
    await signIn(world, ADA);
    await using tunnel = startTunnel(Number(world.cloud.apiHost.split(":")[1]));
    const host = `127.0.0.1:${tunnel.port}`;
    await world.ok(["auth", "update-kubeconfig", "--project", "web", "--hostname", host, "--no-switch"]);
    await run("config", "use-context", `datum-project-web-${host}`);
    const before = tunnel.connections;
    assert.match(await run("get", "namespaces"), /\nproject-web /);
    assert.match(await world.ok(["get", "--raw", "/version"]), /"minor"/);
    assert.ok(tunnel.connections >= before + 2);
    assert.match(await world.ok(["ctx"]), new RegExp(`Project: +web\nAPI server: +https://${host}/`));
    // Somebody else's tunnel, by the same entry.
    await using other = startTunnel(Number(world.cloud.apiHost.split(":")[1]));
    const text = await Deno.readTextFile(world.kubeconfig);
    await Deno.writeTextFile(
      world.kubeconfig,
      text.replaceAll(`https://${host}`, `https://127.0.0.1:${other.port}`),
    );
    const { code, stderr } = await world.start(kubectl, ["get", "namespaces"]).finished;
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(
        `leads to 127\\.0\\.0\\.1:${other.port}\\. .*\n.*update-kubeconfig --project web --hostname `,
      ),
    );
  },
);

testAtIssuer(
  "a proxy that the cluster entry has when it is named is gone through, and another one is not",
  {},
  async ({ world, issuer, login }) => {
    await using server = await startApiServer({
      issuer: issuer.issuer,
      clientId: CLIENT,
      issuerCaPem: issuer.caPem,
    });
    const connects: string[] = [];
    await using proxy = startTunnel(Number(new URL(server.url).port), async (client) => {
      const head = new Uint8Array(4096);
      connects.push(new TextDecoder().decode(head.subarray(0, await client.read(head) ?? 0)));
      await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    });
    ended(await login());
    await Deno.mkdir(`${world.home}/.kube`, { recursive: true });
    const cluster = {
      server: server.url,
      "certificate-authority-data": btoa(server.caPem),
      "proxy-url": `http://u:p@127.0.0.1:${proxy.port}`,
    };
    await Deno.writeTextFile(world.kubeconfig, stringify({ clusters: [{ name: "far", cluster }] }));
    await world.ok(["auth", "update-kubeconfig", "--cluster", "far"]);
    const found = await world.start(kubectl, ["get", "ns"]).finished;
    assert.match(found.stdout, /default/, found.stderr);
    assert.match(connects[0] ?? "", /^CONNECT /);
    const text = await Deno.readTextFile(world.kubeconfig);
    await using other = startTunnel(Number(new URL(server.url).port));
    await Deno.writeTextFile(world.kubeconfig, text.replace(`:${proxy.port}`, `:${other.port}`));
    const refused = await world.start(kubectl, ["get", "ns"]).finished;
    assert.match(
      refused.stderr,
      new RegExp(`through the proxy http://127\\.0\\.0\\.1:${other.port} \\(proxy-url\\)`),
    );
    assert.doesNotMatch(refused.stderr, /u:p/);
  },
  kubectl === "",
);

for (const { name, path } of kubectls) {
  testInWorld(
    `${name}: entries and sessions of before, which tell no server, go on to work`,
    async (world) => {
      await using server = await startStranger();
      await writeSessions(world.config);
      for (const before of ["datum", "oidc", "cloudfleet"] as Before[]) {
        const file = `${world.home}/${before}.yaml`;
        const text = await kubeconfigOf(before, { url: server.https, caPem: server.caPem }, world.binary);
        await Deno.writeTextFile(file, text);
        for (const context of parse(text).contexts) {
          server.forget();
          const { code, stderr } = await world.start(path, [
            ...["--kubeconfig", file, "--context", context.name, "get", "--raw", "/version"],
          ]).finished;
          assert.equal(code, 0, stderr);
          assert.ok(server.tokens.length > 0 && server.tokens.every((token) => /^Bearer \S+$/.test(token)));
        }
      }
    },
  );
}

testWithKubectl(
  "an authority of 200 KB: the entry tells no server, says so, and kubectl works",
  async (world, run) => {
    const large = `${world.home}/large.pem`;
    const { caPem } = world.cloud;
    await Deno.writeTextFile(large, caPem.repeat(Math.ceil(200_000 / caPem.length)));
    const { code, stderr } = await world.login(ADA, ["--certificate-authority", large]);
    assert.equal(code, 0, stderr);
    const { stderr: told } = await world.datumctl(["auth", "update-kubeconfig", "--project", "web"]);
    assert.match(
      told,
      /warning: The authority of the cluster \S+ is larger than 16 KiB.*provideClusterInfo: false/,
    );
    assert.match(await run("get", "namespaces"), /\nproject-web /);
    const text = await Deno.readTextFile(world.kubeconfig);
    assert.match(text, /provideClusterInfo: false/);
    // What it would have come to.
    await Deno.writeTextFile(
      world.kubeconfig,
      text.replace("provideClusterInfo: false", "provideClusterInfo: true"),
    );
    const failed = await world.start(kubectl, ["get", "namespaces"]).finished;
    assert.match(failed.stderr, /argument list too long/);
  },
);
