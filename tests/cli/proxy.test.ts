/** Proves the command: at the real API server nothing gets through that it should not, and real kubectl works through it. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { type AuditEntry, proxyKubeconfig } from "../../src/proxy/proxy.ts";
import { permissions } from "../../scripts/compile.ts";
import { policyKubectls, runKubectl } from "../kube/kubectl.ts";
import { REQUESTS } from "../proxy/requests.ts";
import { connect, rawRequest, readUntil, sendRaw, writeAll } from "../proxy/wire.ts";
import { until } from "../until.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./resources/world.ts";
import type { Ran } from "./run-line.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const SHOWN = "what-a-config-map-says";
const HIDDEN = "what-a-secret-says";

/** A proxy that a command line started. */
interface RunningProxy {
  /** The first line that it printed. */
  readonly address: string;
  readonly stdout: () => string;
  stop(): Promise<Ran>;
  readonly ran: Promise<Ran>;
}

async function startProxy(world: ResourceWorld, words: readonly string[] = []): Promise<RunningProxy> {
  const stopping = new AbortController();
  let printed = "";
  const ran = world.run(["proxy", ...words], {
    interrupted: stopping.signal,
    onStdout: (soFar) => {
      printed = soFar;
    },
  });
  // A line that does not start ends at once.
  await Promise.race([until(() => printed.includes("\n")), ran]);
  return {
    address: printed.split("\n")[0] ?? "",
    stdout: () => printed,
    ran,
    stop: async () => {
      stopping.abort(new Error("stopped"));
      return await ran;
    },
  };
}

const OBJECTS = [
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "plain", namespace: "default" },
    data: { a: SHOWN },
  },
  {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "hidden", namespace: "default" },
    stringData: { a: HIDDEN },
  },
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot", namespace: "default" } },
];

const HIDDEN_FORMS = [HIDDEN, btoa(HIDDEN)];

const WORDS =
  "namespaces default default secrets secrets hidden configmaps plain watch proxy status finalize control-plane serviceaccounts robot token . .. %2e%2e %73ecrets Secrets"
    .split(" ");

/** Most are made as paths of resources are, for others end at the first word. */
const HOSTILE_TARGETS = fc.tuple(
  fc.constantFrom("GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
  fc.tuple(
    fc.constantFrom("/api/v1", "/api/v1", "/api/v1", "/apis/apps/v1", "/openapi/v3", "/version", "/api", ""),
    fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }),
    fc.constantFrom("/", "/", "/", "/", "/", "/", "//", "\\", "%2f", ";/"),
    fc.constantFrom("", "", "", "/", "?timeoutSeconds=1&watch=1", "?timeoutSeconds=1&watch=0", "?dryRun=All"),
  ).map(([before, words, sign, after]) => [before, ...words].join(sign) + after),
);

/** All that a request could have changed: each object with its version. */
async function everything(world: ResourceWorld): Promise<string> {
  const types =
    "configmaps,secrets,serviceaccounts,namespaces,pods,clusterroles,projects.resourcemanager.miloapis.com";
  const { stdout, stderr } = await world.kubectl("get", types, "-A", "-o", "json");
  assert.equal(stderr, "");
  return stdout;
}

/** Whether nobody listens there. */
async function isRefused(port: number): Promise<boolean> {
  try {
    using _connection = await connect({ hostname: "127.0.0.1", port });
    return false;
  } catch {
    return true;
  }
}

/** What is proved; they share one server, which takes a while to start. */
const STEPS: [name: string, prove: (world: ResourceWorld) => Promise<void>][] = [];
const step = (...one: typeof STEPS[number]) => void STEPS.push(one);

step("at the real API server nothing that changes anything or shows a Secret gets through", async (world) => {
  const proxy = await startProxy(world);
  const { port, host, pathname: key } = new URL(proxy.address);
  const before = await everything(world);
  let shown = 0;
  for (const { refused, method, target } of REQUESTS) {
    for (const body of method === "GET" || method === "HEAD" ? [""] : [JSON.stringify(OBJECTS[0])]) {
      const type = method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
      const answer = await sendRaw(
        { hostname: "127.0.0.1", port: Number(port) },
        rawRequest(method, key + target, { host, "content-type": type, accept: "application/json" }, body),
      );
      const line = `${method} ${target}: ${answer.status}`;
      if (refused !== undefined) assert.equal(answer.status, refused, line);
      else assert.ok(answer.status !== 0 && answer.status !== 401, line);
      for (const hidden of HIDDEN_FORMS) assert.ok(!answer.body.includes(hidden), line);
      if (answer.body.includes(SHOWN)) shown++;
    }
  }
  assert.ok(shown > 5, `${shown} answers show the config map`);
  assert.equal(await everything(world), before);
  const ran = await proxy.stop();
  assert.deepEqual({ code: ran.code, stderr: ran.stderr.split("\n").slice(1) }, { code: 0, stderr: [""] });
  // As the administrator, each of them would have done something.
  assert.match(
    (await world.kubectl("get", "secret", "hidden", "-o", "json")).stdout,
    new RegExp(btoa(HIDDEN)),
  );
});

step("nor do requests that chance makes of the same words", async (world) => {
  const proxy = await startProxy(world);
  const { port, host, pathname: key } = new URL(proxy.address);
  const before = await everything(world);
  const random = fc.sample(HOSTILE_TARGETS, { numRuns: 1500, seed: 14 });
  let passed = 0;
  for (const [method, target] of random) {
    const body = method === "GET" ? "" : JSON.stringify(OBJECTS[0]);
    const answer = await sendRaw(
      { hostname: "127.0.0.1", port: Number(port) },
      rawRequest(method, key + target, { host, "content-type": "application/json" }, body),
    );
    if (answer.status === 200) passed++;
    for (const hidden of HIDDEN_FORMS) assert.ok(!answer.body.includes(hidden), `${method} ${target}`);
  }
  assert.ok(passed > 20, `${passed} requests were answered`);
  assert.equal(await everything(world), before);
  assert.equal((await proxy.stop()).code, 0);
});

step("real kubectl works through the kubeconfig, as far as it may", async (world) => {
  const kubeconfig = `${world.folder}/proxy.kubeconfig`;
  const audit = `${world.folder}/audit.jsonl`;
  const proxy = await startProxy(world, ["--kubeconfig", kubeconfig, "--audit", audit]);
  const { mode } = await Deno.stat(kubeconfig);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  const [, key = ""] = /127\.0\.0\.1:\d+\/([\w-]+)/.exec(await Deno.readTextFile(kubeconfig)) ?? [];
  assert.match(key, /^[\w-]{43}$/);
  assert.match(proxy.stdout(), /^http:\/\/127\.0\.0\.1:\d+\n$/);
  const kubectl = (...args: readonly string[]) =>
    runKubectl([`--cache-dir=${world.folder}/proxied`, ...args], { KUBECONFIG: kubeconfig });
  const good = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await kubectl(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const refused = async (what: RegExp, ...args: readonly string[]) => {
    const { code, stdout, stderr } = await kubectl(...args);
    assert.notEqual(code, 0, args.join(" "));
    assert.match(stderr, what, args.join(" "));
    for (const hidden of HIDDEN_FORMS) assert.ok(!(stdout + stderr).includes(hidden));
  };
  assert.match(await good("get", "configmap", "plain", "-o", "yaml"), new RegExp(SHOWN));
  assert.match(await good("get", "namespaces"), /default/);
  assert.match(await good("auth", "whoami"), /administrator/);
  assert.match(await good("auth", "can-i", "create", "pods"), /yes/);
  assert.match(await good("explain", "configmap.data"), /map\[string\]string/);
  assert.match(await good("version"), /Server Version/);
  assert.match(await good("describe", "configmap", "plain"), new RegExp(SHOWN));
  assert.match(await good("get", "--raw", "/readyz"), /ok/);
  for (const { name, path } of policyKubectls) {
    const { code, stdout, stderr } = await runKubectl(
      [`--cache-dir=${world.folder}/${name}`, "get", "configmap", "plain", "-o", "name"],
      { KUBECONFIG: kubeconfig },
      path,
    );
    assert.deepEqual([name, code, stdout, stderr], [name, 0, "configmap/plain\n", ""]);
  }
  await refused(/Secrets are not shown/, "get", "secrets");
  await refused(/Secrets are not shown/, "get", "secret", "hidden", "-o", "yaml");
  await refused(/read-only/, "create", "configmap", "new", "--from-literal=a=b");
  await refused(/read-only/, "delete", "configmap", "plain");
  await refused(/read-only/, "annotate", "configmap", "plain", "a=b");
  await refused(/makes a credential/, "create", "token", "robot");
  await refused(/somebody else/, "get", "configmaps", "--as=root");
  const { code, stdout } = await proxy.stop();
  assert.equal(code, 0);
  assert.ok(!stdout.includes(key));
  await assert.rejects(Deno.stat(kubeconfig));
  const text = await Deno.readTextFile(audit);
  const entries: AuditEntry[] = text.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(Object.keys(entries[0] ?? {}), ["time", "verb", "path", "status", "bytes"]);
  assert.ok(
    entries.some(({ verb, path, status }) =>
      `${verb} ${path} ${status}` === "list /api/v1/namespaces/default/secrets 403"
    ),
  );
  for (const secret of [key, world.server.admin.token, SHOWN, HIDDEN]) assert.ok(!text.includes(secret));
});

step("with --allow-writes kubectl writes, and each other flag opens what it says", async (world) => {
  const kubeconfig = `${world.folder}/writes.kubeconfig`;
  const open = (...words: readonly string[]) =>
    startProxy(world, ["--kubeconfig", kubeconfig, "--allow-writes", "--namespace=default", ...words]);
  const kubectl = async (...args: readonly string[]) => {
    const ran = await runKubectl([`--cache-dir=${world.folder}/writing`, ...args], {
      KUBECONFIG: kubeconfig,
    });
    return `${ran.code} ${ran.stdout}${ran.stderr}`.trim();
  };
  let proxy = await open();
  assert.equal(await kubectl("create", "configmap", "new", "--from-literal=a=b"), "0 configmap/new created");
  assert.equal(await kubectl("annotate", "configmap", "new", "a=b"), "0 configmap/new annotated");
  assert.match(
    await kubectl("patch", "configmap", "new", "-p", '{"data":{"a":"c"}}'),
    /^0 configmap\/new patched/,
  );
  assert.match(await kubectl("delete", "configmap", "new"), /^0 configmap "new" deleted/);
  assert.match(await kubectl("create", "secret", "generic", "new"), /^1 .*Secrets are not shown/s);
  assert.match(await kubectl("create", "token", "robot"), /^1 .*--allow-connect/s);
  assert.match(await kubectl("create", "configmap", "new", "-n", "kube-system"), /^1 .*--namespace/s);
  assert.match(await kubectl("delete", "namespace", "default"), /^1 .*--namespace/s);
  await proxy.stop();
  proxy = await open("--allow-secrets", "--allow-connect");
  assert.match(await kubectl("get", "secret", "hidden", "-o", "yaml"), new RegExp(btoa(HIDDEN)));
  assert.match(await kubectl("create", "token", "robot"), /^0 eyJ/);
  assert.match(await kubectl("exec", "plain", "--", "id"), /^1 /);
  await proxy.stop();
});

step("a socket of the user's own takes the same requests, and goes with the proxy", async (world) => {
  const socket = `${world.folder}/cloud.sock`;
  const proxy = await startProxy(world, ["--socket", socket, "--namespace", "default"]);
  assert.equal(proxy.address, socket);
  const { mode, isSocket } = await Deno.lstat(socket);
  assert.deepEqual([isSocket, (mode ?? 0) & 0o777], [true, 0o600]);
  assert.deepEqual(
    [...Deno.readDirSync(world.folder)].filter(({ name }) => name.startsWith(".datumctl")),
    [],
  );
  const [, key = ""] = /http:\/\/localhost(\/[\w-]{43})\/version/.exec(proxy.stdout()) ?? [];
  const ask = async (target: string, host = "localhost") =>
    (await sendRaw({ transport: "unix", path: socket }, rawRequest("GET", target, { host }))).status;
  assert.equal(await ask(`${key}/version`), 200);
  assert.equal(await ask("/version"), 401);
  assert.equal(await ask(`${key}/version`, "evil.example"), 403);
  assert.equal(await ask(`${key}/version/../api/v1/secrets`), 400);
  assert.equal(await ask(`${key}/api/v1/namespaces/default/configmaps`), 200);
  assert.equal(await ask(`${key}/api/v1/namespaces/kube-system/configmaps`), 403);
  const second = await world.run(["proxy", "--socket", socket]);
  assert.equal(second.code, 2);
  assert.match(second.stderr, /already/);
  assert.equal((await proxy.stop()).code, 0);
  await assert.rejects(Deno.lstat(socket));
  // What a killed one leaves behind is replaced.
  const left = Deno.listen({ transport: "unix", path: `${world.folder}/other` });
  await Deno.rename(`${world.folder}/other`, socket);
  left.close();
  const third = await startProxy(world, ["--socket", socket]);
  assert.equal(third.address, socket);
  await third.stop();
});

step("it ends by itself when its time is over, and a watch ends in order", async (world) => {
  const proxy = await startProxy(world, ["--for", "3s"]);
  const { port, host, pathname } = new URL(proxy.address);
  using watch = await connect({ hostname: "127.0.0.1", port: Number(port) });
  const target = `${pathname}/api/v1/namespaces?watch=1`;
  await writeAll(watch, rawRequest("GET", target, { host }));
  assert.match(await readUntil(watch, "ADDED"), /ADDED/);
  const began = performance.now();
  const { code } = await proxy.ran;
  assert.equal(code, 0);
  assert.ok(performance.now() - began < 8000);
  assert.match(await readUntil(watch, "0\r\n\r\n", 1000), /0\r\n\r\n$/);
  await assert.rejects(connect({ hostname: "127.0.0.1", port: Number(port) }));
});

step("a kubeconfig of somebody's own is neither replaced nor removed", async (world) => {
  const path = `${world.folder}/own`;
  await Deno.writeTextFile(path, "apiVersion: v1\n");
  const ran = await world.run(["proxy", "--kubeconfig", path]);
  assert.equal(ran.code, 2);
  assert.equal(await Deno.readTextFile(path), "apiVersion: v1\n");
  await Deno.remove(path);
  // Somebody writes there meanwhile.
  const proxy = await startProxy(world, ["--kubeconfig", path]);
  await Deno.writeTextFile(path, "apiVersion: v1\n");
  await proxy.stop();
  assert.equal(await Deno.readTextFile(path), "apiVersion: v1\n");
  await Deno.remove(path);
  // One that a killed proxy left is replaced, and one that is in use is not.
  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await Deno.writeTextFile(path, proxyKubeconfig(`http://127.0.0.1:${gone.addr.port}/key`, undefined));
  gone.close();
  const second = await startProxy(world, ["--kubeconfig", path]);
  assert.match(second.address, /^http:/);
  const third = await world.run(["proxy", "--kubeconfig", path]);
  assert.equal(third.code, 2);
  assert.match(third.stderr, /the kubeconfig of a proxy that runs/);
  await second.stop();
  await assert.rejects(Deno.stat(path));
});

step("flags that contradict each other are wrong usage", async (world) => {
  for (
    const words of [
      "--read-only --allow-writes",
      "--allow-connect",
      "--socket s --port 1",
      "--socket s --kubeconfig k",
      "--port 65536",
      "--port x",
      "--for never",
      "--namespace A",
      "--namespace a/b",
      "--audit /",
      `--socket ${"a".repeat(110)}`,
    ]
  ) {
    const { code, stdout } = await world.run(["proxy", ...words.split(" ")]);
    assert.deepEqual([words, code, stdout], [words, 2, ""]);
  }
});

step("an audit that cannot be written ends the proxy", async (world) => {
  const proxy = await startProxy(world, ["--audit", "/dev/full"]);
  await (await fetch(`${proxy.address}/version`)).text();
  const { code, stderr } = await proxy.ran;
  assert.equal(code, 1);
  assert.match(stderr, /\/dev\/full/);
});

step(
  "SIGTERM ends it in order within five seconds, below a project and with the permissions of the binary",
  async (world) => {
    const kubeconfig = `${world.folder}/stopped.kubeconfig`;
    const authority = `${world.folder}/authority.pem`;
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        ...permissions(Deno.build.target),
        MAIN,
        ...["proxy", "--project=web", "--for=0", "-v", "--kubeconfig", kubeconfig],
      ],
      env: {
        DATUMCTL_TOKEN: world.server.admin.token,
        // The same server below the path of a project.
        DATUMCTL_API_HOSTNAME: world.server.proxy.host,
        DATUMCTL_CERTIFICATE_AUTHORITY: authority,
        DATUMCTL_CONFIG_DIR: `${world.folder}/config`,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const remarks = new Response(process.stderr).text();
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    const line = new TextDecoder().decode(value);
    const port = Number(/^http:\/\/127\.0\.0\.1:(\d+)\n$/.exec(line)?.[1]);
    const [, key = ""] = /127\.0\.0\.1:\d+(\/[\w-]+)/.exec(await Deno.readTextFile(kubeconfig)) ?? [];
    const ask = async (target: string) => {
      const connection = await connect({ hostname: "127.0.0.1", port });
      await writeAll(connection, rawRequest("GET", key + target, { host: `127.0.0.1:${port}` }));
      return connection;
    };
    using watch = await ask("/api/v1/namespaces?watch=1");
    assert.match(await readUntil(watch, "ADDED"), /ADDED/);
    using _silent = await ask("/openapi/v2");
    const began = performance.now();
    process.kill("SIGTERM");
    assert.match(await readUntil(watch, "0\r\n\r\n"), /0\r\n\r\n$/);
    await until(() => isRefused(port));
    assert.equal((await process.status).code, 0);
    assert.ok(performance.now() - began < 7000);
    await reader.cancel();
    await assert.rejects(Deno.stat(kubeconfig));
    const place = "/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane";
    const asked = world.server.proxy.requests.find(({ path }) => path.endsWith("?watch=1"));
    assert.equal(asked?.path, `${place}/api/v1/namespaces?watch=1`);
    assert.equal(asked?.authorization, `Bearer ${world.server.admin.token}`);
    const lines = (await remarks).split("\n");
    assert.match(lines.find((line) => line.includes("Proxy for")) ?? "", /the project "web"/);
    assert.ok(
      lines.some((line) => /^watch \/api\/v1\/namespaces 200, \d+ bytes$/.test(line)),
      lines.join("\n"),
    );
    assert.ok(!lines.some((line) => line.includes(key) || line.includes(world.server.admin.token)));
  },
);

Deno.test("the proxy at the real API server", { ignore: !atHand || Deno.build.os !== "linux" }, async (t) => {
  await using world = await openResourceWorld();
  await world.server.admin.apply(...OBJECTS);
  for (const [name, prove] of STEPS) await t.step(name, () => prove(world));
});
