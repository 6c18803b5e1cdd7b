/** Proves with the compiled binary that programs work through the proxy, that it lives through renewals, and how it ends. */

import assert from "node:assert/strict";
import type { AuditEntry } from "../../src/proxy/proxy.ts";
import { connect, readUntil, sendRaw, writeAll } from "../proxy/wire.ts";
import { assertMissing, modeOf, namesIn } from "../scratch.ts";
import { until } from "../until.ts";
import { type Stage, testAtApiServer } from "./apiserver-stage.ts";
import { type Client, goClient, scriptedClients } from "./clients.ts";
import { kubectls } from "./kubectls.ts";
import { type AnyPlace, connectionTo, placeIn, requestTo, startProxy, statusOf } from "./proxied.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const IN_MANY = "/api/v1/namespaces/many/configmaps";

const PYTHON = `
import sys
from kubernetes import client, config, watch
file, namespace, awaited = sys.argv[1:]
config.load_kube_config(config_file=file)
api = client.CoreV1Api()
token, pages = None, 0
while token != "":
    page = api.list_namespaced_config_map(namespace, limit=10, _continue=token, _request_timeout=20)
    for item in page.items:
        print(item.metadata.name)
    pages += 1
    token = page.metadata._continue or ""
print("pages", pages)
print("watching", file=sys.stderr, flush=True)
version = page.metadata.resource_version
for event in watch.Watch().stream(
        api.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=60):
    if event["object"].metadata.name == awaited:
        print(event["type"], awaited)
        break
`;
const JAVASCRIPT = `
import { CoreV1Api, KubeConfig, Watch } from "@kubernetes/client-node";
const [, , file, namespace, awaited] = process.argv;
const config = new KubeConfig();
config.loadFromFile(file);
const api = config.makeApiClient(CoreV1Api);
let pages = 0;
let page;
do {
  page = await api.listNamespacedConfigMap({ namespace, limit: 10, _continue: page?.metadata._continue });
  for (const item of page.items) console.log(item.metadata.name);
  pages++;
} while (page.metadata._continue);
console.log("pages", pages);
console.error("watching");
const path = "/api/v1/namespaces/" + namespace + "/configmaps";
const { resourceVersion } = page.metadata;
await new Watch(config).watch(path, { resourceVersion }, (type, object) => {
  if (object.metadata?.name !== awaited) return;
  console.log(type, awaited);
  process.exit(0);
}, (error) => {
  console.error(error);
  process.exit(1);
});
`;

const CLIENTS: readonly Client[] = [
  ...await scriptedClients({ name: "page-and-watch", python: PYTHON, javascript: JAVASCRIPT }),
  ...await goClient(),
];

const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

/** Makes a namespace with 25 ConfigMaps; their names in order. */
async function fill({ server: { admin } }: Stage): Promise<string[]> {
  await admin.send("POST", "/api/v1/namespaces", { metadata: { name: "many" } });
  const names = Array.from({ length: 25 }, (_, at) => `settings-${10 + at}`);
  for (const name of names) await admin.send("POST", IN_MANY, configMap(name));
  return names;
}

/** A connection on which a watch has begun. */
async function openWatch(place: AnyPlace, target: string): Promise<Deno.Conn> {
  const connection = await connect(connectionTo(place));
  await writeAll(connection, requestTo(place, target));
  assert.match(await readUntil(connection, "ADDED"), /ADDED/);
  return connection;
}

async function auditIn(path: string): Promise<AuditEntry[]> {
  return (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line));
}

testAtApiServer("programs work through the proxy's kubeconfig, and its end is orderly", async (stage, t) => {
  const { world, server } = stage;
  const { admin } = server;
  await stage.signInAtDatum(ADA);
  const names = await fill(stage);
  const kubeconfig = `${world.home}/agent.kubeconfig`;
  const audit = `${world.home}/agent.jsonl`;
  const began = server.proxy.requests.length;
  const proxy = await startProxy(world, [
    ...["--project", "web", "--namespace", "many", "--kubeconfig", kubeconfig, "--audit", audit],
  ]);
  const place = await placeIn(kubeconfig);
  assert.equal(proxy.line, `http://127.0.0.1:${place.port}`);
  assert.equal(await modeOf(kubeconfig), 0o600);
  const env = { KUBECONFIG: kubeconfig };

  for (const { name, path } of kubectls.filter(({ minor }) => minor !== undefined)) {
    await t.step(`${name} pages, watches and is refused`, async () => {
      const words = ["get", "configmaps", "-o", "name"];
      const listed = await world.start(path, [...words, "--chunk-size=10"], { env }).finished;
      assert.equal(listed.stdout, names.map((name) => `configmap/${name}\n`).join(""), listed.stderr);
      let seen = "";
      const watching = world.start(path, [...words, "--watch-only"], {
        env,
        onStdout: (soFar) => {
          seen = soFar;
        },
      });
      // It does not tell when it watches: something is changed until it has told of a change.
      const change = () =>
        admin.send(
          "PATCH",
          `${IN_MANY}/settings-10`,
          { data: { now: `${performance.now()}` } },
          "application/merge-patch+json",
        );
      await until(async () => {
        await change();
        return seen.startsWith("configmap/settings-10\n");
      }, "the change");
      watching.kill("SIGTERM");
      await watching.finished;
      const secrets = await world.start(path, ["get", "secrets"], { env }).finished;
      assert.equal(secrets.code, 1);
      assert.match(secrets.stderr, /Secrets are not shown \(--allow-secrets\)/);
    });
  }

  for (const { name, program, args, env } of CLIENTS) {
    await t.step(`${name} pages and watches`, async () => {
      const watching = Promise.withResolvers<void>();
      const { finished } = world.start(program, [...args, kubeconfig, "many", "late"], {
        env,
        onStderr: (soFar) => {
          if (soFar.includes("watching")) watching.resolve();
        },
      });
      await Promise.race([watching.promise, finished]);
      await admin.send("POST", IN_MANY, configMap("late"));
      const { code, stdout, stderr } = await finished;
      await admin.send("DELETE", `${IN_MANY}/late`);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, [...names, "pages 3", "ADDED late", ""].join("\n"));
    });
  }

  await t.step(
    "SIGTERM ends watches in order, breaks off the rest, and removes what was written",
    async () => {
      const { promise: ended, resolve: end } = Promise.withResolvers<Response>();
      server.proxy.intercept = ({ path }) => path.endsWith("/openapi/v2") ? ended : undefined;
      using watch = await openWatch(place, `${IN_MANY}?watch=1`);
      const silent = sendRaw({ hostname: "127.0.0.1", port: place.port }, requestTo(place, "/openapi/v2"));
      await until(() => server.proxy.requests.some(({ path }) => path.endsWith("/openapi/v2")));
      const asked = performance.now();
      const stopped = proxy.stop();
      assert.match(await readUntil(watch, "0\r\n\r\n"), /(?:^|\n)0\r\n\r\n$/);
      const { code, stdout, stderr } = await stopped;
      // Five seconds are what it may take by itself; the rest is a busy machine's.
      assert.ok(performance.now() - asked < 15_000);
      end(new Response());
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `http://127.0.0.1:${place.port}\n`);
      assert.match(stderr, /^Proxy for the project "web" as ada@example\.com, for 15 min: reads\. .*\n$/);
      await assertMissing(kubeconfig);
      assert.ok([0, 503].includes((await silent).status));
      assert.equal(await statusOf(place, "/version"), 0);
    },
  );

  await t.step(
    "the audit has a line for each request that the server got, and for each refusal",
    async () => {
      const entries = await auditIn(audit);
      const asked = server.proxy.requests.slice(began).map(({ path }) =>
        path.replace(/^.*\/control-plane/, "").replace(/\?.*$/, "")
      );
      const passed = entries.filter(({ status }) => status !== 403);
      // One that is sent again after a 401 has two requests; here none is.
      assert.deepEqual(passed.map(({ path }) => path).sort(), asked.sort());
      const refused = entries.filter(({ status }) => status === 403).map(({ verb, path }) =>
        `${verb} ${path}`
      );
      assert.deepEqual([...new Set(refused)], ["list /api/v1/namespaces/many/secrets"]);
      assert.equal(await modeOf(audit), 0o600);
      const text = await Deno.readTextFile(audit);
      assert.ok(!text.includes(place.key.slice(1)));
      for (const { authorization = "none" } of server.proxy.requests) {
        assert.ok(!text.includes(authorization.replace("Bearer ", "")));
      }
    },
  );
});

testAtApiServer(
  "a watch lives on while its session renews the token three times, and a refused one",
  async (stage) => {
    const { world, server } = stage;
    await stage.signInAtDatum(ADA);
    await fill(stage);
    const kubeconfig = `${world.home}/agent.kubeconfig`;
    await using proxy = stopping(
      await startProxy(world, ["--project", "web", "--for", "0", "--kubeconfig", kubeconfig]),
    );
    const place = await placeIn(kubeconfig);
    using watch = await openWatch(place, `${IN_MANY}?watch=1`);
    world.cloud.resetCounts();
    const renewals = () => world.cloud.counts()["token:refresh_token"] ?? 0;
    const token = () => server.proxy.requests.at(-1)?.authorization?.replace("Bearer ", "") ?? "";
    const seen = new Set<string>();
    for (let count = 1; count <= 3; count++) {
      await until(async () => {
        assert.equal(await statusOf(place, "/version"), 200);
        seen.add(token());
        return renewals() >= count;
      }, `renewal ${count}`);
    }
    assert.ok(seen.size >= 3, `${seen.size} tokens`);
    const before = renewals();
    world.cloud.setTokenLife(3600);
    server.proxy.revoke(token());
    assert.equal(await statusOf(place, "/version"), 200, "a token that is refused is renewed at once");
    assert.equal(renewals(), before + 1);
    await server.admin.send("POST", IN_MANY, configMap("late"));
    assert.match(await readUntil(watch, '"name":"late"'), /"name":"late"/);
    assert.equal((await proxy.stop()).code, 0);
  },
  { cloud: { accessTokenLife: 6 } },
);

/** Ends a proxy with the test, however that ends. */
function stopping<Proxy extends Pick<Awaited<ReturnType<typeof startProxy>>, "kill" | "finished">>(
  proxy: Proxy,
) {
  return {
    ...proxy,
    async [Symbol.asyncDispose]() {
      try {
        proxy.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await proxy.finished;
    },
  };
}

testInWorld("beside 300 open watches a small request is answered", async (world) => {
  await world.login(ADA);
  const kubeconfig = `${world.home}/agent.kubeconfig`;
  await using proxy = stopping(await startProxy(world, ["--project", "web", "--kubeconfig", kubeconfig]));
  const place = await placeIn(kubeconfig);
  const watches: Deno.Conn[] = [];
  for (let at = 0; at < 300; at++) watches.push(await openWatch(place, "/api/v1/namespaces?watch=1"));
  const began = performance.now();
  assert.equal(await statusOf(place, "/version"), 200);
  const took = performance.now() - began;
  // A second is promised on a machine that does nothing else.
  assert.ok(took < 10_000, `${took} ms`);
  assert.equal((await proxy.stop()).code, 0);
  for (const watch of watches) watch.close();
}, { ignore: Deno.build.os === "windows" });

testInWorld("how a proxy ends, and what the next one finds", async (world, t) => {
  await world.login(ADA);
  const kubeconfig = `${world.home}/agent.kubeconfig`;
  const socket = `${world.home}/agent.sock`;
  const start = (...words: readonly string[]) => startProxy(world, ["--project", "web", ...words]);

  await t.step("--for ends it", async () => {
    const { finished } = await start("--for", "1s", "--kubeconfig", kubeconfig);
    const { code, stderr } = await finished;
    assert.equal(code, 0, stderr);
    await assertMissing(kubeconfig);
  });

  for (const signal of ["SIGINT", "SIGHUP"] as const) {
    await t.step(`${signal} ends it, too`, async () => {
      const { kill, finished } = await start("--kubeconfig", kubeconfig);
      kill(signal);
      assert.equal((await finished).code, 0);
      await assertMissing(kubeconfig);
    });
  }

  await t.step("what kill -9 leaves, the next one replaces and removes", async () => {
    const killed = await start("--kubeconfig", kubeconfig);
    const killedSocket = await start("--socket", socket);
    for (const { kill } of [killed, killedSocket]) kill("SIGKILL");
    for (const { finished } of [killed, killedSocket]) await finished;
    const before = await placeIn(kubeconfig);
    assert.ok((await Deno.lstat(socket)).isSocket);
    const next = await start("--kubeconfig", kubeconfig);
    const nextSocket = await start("--socket", socket);
    const after = await placeIn(kubeconfig);
    assert.notEqual(after.key, before.key);
    assert.equal(await statusOf(after, "/version"), 200);
    assert.equal(await statusOf({ ...after, key: before.key }, "/version"), 401);
    for (const { stop } of [next, nextSocket]) assert.equal((await stop()).code, 0);
    await assertMissing(kubeconfig);
    await assertMissing(socket);
    assert.deepEqual((await namesIn(world.home)).filter((name) => name.startsWith(".datumctl-")), []);
  });

  await t.step("two at once have a key and a file each, and never the same one", async () => {
    const other = `${world.home}/other.kubeconfig`;
    const [first, second] = await Promise.all([
      start("--kubeconfig", kubeconfig),
      start("--kubeconfig", other),
    ]);
    const [a, b] = [await placeIn(kubeconfig), await placeIn(other)];
    assert.deepEqual([await statusOf(a, "/version"), await statusOf(b, "/version")], [200, 200]);
    assert.equal(await statusOf({ ...a, key: b.key }, "/version"), 401);
    const third = await world.datumctl(["proxy", "--project", "web", "--kubeconfig", kubeconfig]);
    assert.equal(third.code, 2, third.stderr);
    const fourth = await world.datumctl(["proxy", "--project", "web", "--port", `${a.port}`]);
    assert.equal(fourth.code, 2, fourth.stderr);
    await first.stop();
    await assertMissing(kubeconfig);
    assert.equal(await statusOf(b, "/version"), 200);
    await second.stop();
  });

  await t.step("a socket's proxy answers curl as its second line says", async () => {
    const proxy = await start("--socket", socket);
    await until(() => proxy.stdout().split("\n").length > 2);
    const [path, line = ""] = proxy.stdout().split("\n");
    assert.equal(path, socket);
    const { code, stdout } = await world.start("sh", ["-c", `${line} --silent --show-error`]).finished;
    assert.equal(code, 0);
    assert.match(stdout, /"gitVersion"/);
    assert.equal((await proxy.stop()).code, 0);
  });

  for (const by of ["port", "socket"] as const) {
    await t.step(`connections that others hold open do not end it: ${by}`, async () => {
      const flags = by === "port" ? ["--kubeconfig", kubeconfig] : ["--socket", socket];
      const proxy = await startProxy(world, ["--project", "web", ...flags], {
        through: ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh"],
      });
      await until(() => by === "port" || proxy.stdout().split("\n").length > 2);
      const [, key = ""] = /localhost(\/[\w-]{43})/.exec(proxy.stdout()) ?? [];
      const place = by === "port" ? await placeIn(kubeconfig) : { path: socket, key };
      using watch = await openWatch(place, "/api/v1/namespaces?watch=1");
      const held: Deno.Conn[] = [];
      // More than it may have: it takes no further one for a while, and then refuses some.
      while (held.length < 150) {
        const connection = await connect(connectionTo(place)).catch(() => undefined);
        if (connection === undefined) break;
        held.push(connection);
      }
      assert.ok(held.length > 80, `${held.length} connections`);
      for (const connection of held) connection.close();
      await Promise.race([
        until(async () => await statusOf(place, "/version") === 200, "an answer"),
        proxy.finished.then(({ code, stderr }) => assert.fail(`it ended with ${code}: ${stderr}`)),
      ]);
      const { code, stderr } = await proxy.stop();
      assert.deepEqual([code, stderr.split("\n").length], [0, 2], stderr);
      assert.match(await readUntil(watch, "0\r\n\r\n"), /(?:^|\n)0\r\n\r\n$/);
      await assertMissing(by === "port" ? kubeconfig : socket);
      assert.deepEqual((await namesIn(world.home)).filter((name) => name.startsWith(".datumctl-")), []);
    });
  }

  await t.step({
    name: "a disk that is full of its audit ends it, and the next one begins a line of its own",
    ignore: !canMount,
    fn: () => provesFullDisk(world, kubeconfig),
  });
}, { ignore: Deno.build.os === "windows" });

const canMount = await new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" })
  .output().then(({ success }) => success, () => false);

async function provesFullDisk(world: World, kubeconfig: string): Promise<void> {
  const disk = `${world.home}/disk`;
  await Deno.mkdir(disk);
  const kept = `${world.home}/kept`;
  const script =
    'mount -t tmpfs -o size=16k tmpfs "$0"; "$@"; code=$?; cp "$0/audit" "$0/../kept"; exit $code';
  const proxy = await startProxy(world, [
    ...["--project", "web", "--kubeconfig", kubeconfig, "--audit", `${disk}/audit`],
  ], { through: ["unshare", "-m", "sh", "-c", script, disk] });
  const place = await placeIn(kubeconfig);
  let answered = 0;
  while (await statusOf(place, `/healthz/${"a".repeat(1000)}`) !== 0) answered++;
  const { code, stderr } = await proxy.finished;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /error: Cannot write .*\/audit: .*full/);
  await assertMissing(kubeconfig);
  const lines = (await Deno.readTextFile(kept)).split("\n");
  assert.ok(lines.length > 10 && answered <= lines.length, `${lines.length} lines, ${answered} answers`);
  assert.throws(() => JSON.parse(lines.at(-1) ?? ""));
  const next = await startProxy(world, ["--project", "web", "--kubeconfig", kubeconfig, "--audit", kept]);
  assert.equal(await statusOf(await placeIn(kubeconfig), "/version"), 200);
  await next.stop();
  const after = (await Deno.readTextFile(kept)).trimEnd().split("\n");
  assert.deepEqual(after.slice(0, -1), lines);
  assert.equal(JSON.parse(after.at(-1) ?? "").path, "/version");
}
