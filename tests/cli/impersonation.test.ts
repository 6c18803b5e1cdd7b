/** Proves which requests are made as somebody else: those to the API server that a command acts on, and no others. */

import assert from "node:assert/strict";
import { filesBelow } from "../scratch.ts";
import { openCloudfleetWorld } from "./cloudfleet-world.ts";
import { openSignedIn } from "./world.ts";

/** A request: where it went, and the headers that make it somebody else's. */
interface Asked {
  readonly url: string;
  readonly as: Readonly<Record<string, string>>;
}

/** The requests that are made meanwhile. */
async function requestsOf(work: () => Promise<unknown>): Promise<Asked[]> {
  const { fetch } = globalThis;
  const seen: Asked[] = [];
  globalThis.fetch = (input, init) => {
    const headers = [...new Headers(init?.headers)].filter(([name]) => name.startsWith("impersonate-"));
    seen.push({ url: String(input), as: Object.fromEntries(headers) });
    return fetch(input, init);
  };
  try {
    await work();
  } finally {
    globalThis.fetch = fetch;
  }
  return seen;
}

const FLAGS = "--as zoe --as-group a --as-uid 5 --as-user-extra b=c";
const HEADERS = {
  "impersonate-user": "zoe",
  "impersonate-group": "a",
  "impersonate-uid": "5",
  "impersonate-extra-b": "c",
};

/** Where commands go, each with what else it needs. */
const COMMANDS = [
  "get configmaps",
  "get configmaps,namespaces -A -o json",
  "get --raw /version",
  "describe configmap settings",
  "explain configmap",
  "events",
  "api-resources",
  "api-versions",
  "auth whoami",
  "auth can-i get pods",
  "auth can-i --list",
  "apply -f FILE",
  "diff -f FILE",
  "create -f FILE",
  "create namespace three",
  "patch configmap settings -p {}",
  "label configmap settings a=b",
  "annotate configmap settings a=b",
  "edit configmap settings",
  "delete configmap settings",
  "wait --for=create configmap/settings --timeout=0",
  "get projects",
];

Deno.test("every command that asks an API server asks it as --as says, and nobody else so", async (context) => {
  await using world = await openSignedIn();
  const { cloud, sandbox } = world;
  const file = `${sandbox.folder}/one.yaml`;
  await Deno.writeTextFile(file, "{apiVersion: v1, kind: ConfigMap, metadata: {name: one}}");
  await world.ok("ctx use acme/web");
  for (const line of COMMANDS) {
    await context.step(line, async () => {
      const words = `${line.replace("FILE", file)} ${FLAGS}`;
      const seen = await requestsOf(() => world.run(words, { env: { KUBE_EDITOR: "true" } }));
      const plane = seen.filter(({ url }) => url.startsWith(`https://${cloud.apiHost}/`));
      assert.ok(plane.length > 0, words);
      for (const { url, as } of plane) assert.deepEqual(as, HEADERS, url);
      for (const { url, as } of seen.filter((one) => !plane.includes(one))) assert.deepEqual(as, {}, url);
    });
  }
  await context.step("a token that is refused is renewed at the issuer, as oneself", async () => {
    cloud.revokeAccessTokens();
    const seen = await requestsOf(() => world.ok(`auth whoami ${FLAGS}`));
    const host = (asked: Asked) => new URL(asked.url).host;
    assert.deepEqual(
      seen.map((one) => [host(one), one.as]),
      [[cloud.apiHost, HEADERS], [cloud.authHost, {}], [cloud.apiHost, HEADERS]],
    );
  });
});

Deno.test("what one user is shown is not taken for what another one is", async () => {
  await using world = await openSignedIn();
  await world.ok("ctx use acme/web");
  const caches = async (kind: string) =>
    (await filesBelow(world.sandbox.folder)).filter((path) => path.includes(kind)).length;
  const paths = async (line: string) => {
    const seen = await requestsOf(() => world.ok(line));
    return seen.map(({ url }) => new URL(url).pathname.replace(/^.*control-plane/, ""));
  };
  const learned = (paths: readonly string[]) => paths.filter((path) => /^\/(?:apis?$|openapi)/.test(path));
  const count = { discovery: 0, openapi: 0 };
  for (const flags of ["", "--as zoe", "--as grace", "--as zoe --as-group a", "--as zoe --as-uid a"]) {
    const line = `explain configmap ${flags}`.trim();
    assert.ok(learned(await paths(line)).length >= 2, `${line} asks for itself`);
    assert.deepEqual(
      learned(await paths(line)).filter((path) => path !== "/openapi/v3"),
      [],
      `${line} knows`,
    );
    const found = { discovery: await caches(".discovery-"), openapi: await caches(".openapi-") };
    assert.ok(found.discovery > count.discovery && found.openapi > count.openapi, line);
    Object.assign(count, found);
  }
  // With the session everything goes, other users' lists too.
  await world.ok("logout");
  assert.deepEqual([await caches(".discovery-"), await caches(".openapi-")], [0, 0]);
});

Deno.test("a Datum's group is learned as oneself, and what is asked there as somebody else", async () => {
  await using world = await openSignedIn();
  const { apiHost } = world.cloud;
  const token = (await world.ok("auth get-token")).trim();
  const env = {
    DATUMCTL_TOKEN: token,
    DATUMCTL_API_HOSTNAME: apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: world.cloud.caFile,
  };
  const seen = await requestsOf(() => world.ok("get --raw /api --project web --as zoe", { env }));
  assert.deepEqual(
    seen.map(({ url, as }) => [new URL(url).pathname.replace(/^.*control-plane/, ""), as]),
    [["/version", {}], ["/api", { "impersonate-user": "zoe" }]],
  );
});

Deno.test("Cloudfleet's own API is asked as oneself, its cluster as somebody else", async () => {
  await using world = await openCloudfleetWorld();
  const [cluster] = world.cloudfleet.clusters;
  assert.ok(cluster !== undefined);
  await world.addAdministrator("ci");
  const seen = await requestsOf(() => world.ok(`auth whoami --cluster ${cluster.id} ${FLAGS}`));
  const host = new URL(String(cluster.endpoint)).host;
  assert.ok(seen.some(({ url }) => url.startsWith(world.cloudfleet.apiUrl)));
  for (const { url, as } of seen) assert.deepEqual(as, new URL(url).host === host ? HEADERS : {}, url);
});

Deno.test("on a terminal a write says as whom, and -v does for each request", async () => {
  await using world = await openSignedIn();
  await world.ok("ctx use acme/web");
  const { stderr } = await world.run("create namespace four --as zoe --as-group a -v", { keys: [] });
  assert.match(
    stderr,
    /^in the project "web" of \S+ as zoe, groups a, namespace default unless another is named$/m,
  );
  const requests = stderr.split("\n").filter((line) => /^(?:GET|POST) /.test(line));
  assert.ok(requests.length > 0);
  for (const line of requests) assert.match(line, / in \d+ ms as zoe, groups a$/);
});

Deno.test("commands that act as somebody else take the flags, and those that cannot do not", async () => {
  await using world = await openSignedIn();
  for (
    const line of [
      "whoami",
      "exec",
      "ctx list",
      "ctx use acme",
      "organizations list",
      "projects list",
      "auth list",
      "auth get-token",
      "auth update-kubeconfig",
      "clusters list",
      "tokens list",
    ]
  ) {
    const { code, stderr } = await world.run(`${line} --as zoe`);
    assert.deepEqual([code, /nknown option '--as'|--as/.test(stderr)], [2, true], `${line}: ${stderr}`);
  }
  for (const line of ["create", "create configmap", "edit", "proxy"]) {
    assert.match(await world.ok(`${line} --help`), /--as-user-extra|flags of create/, line);
  }
});

Deno.test("a kubeconfig's own `as` is told by whoami and ctx, and a wrong one by what asks", async () => {
  await using world = await openSignedIn();
  await world.ok("auth update-kubeconfig --project web --no-switch");
  const written = await Deno.readTextFile(world.kubeconfig);
  const context = /^ +name: (datum-project-web\S*)$/m.exec(written)?.[1] ?? assert.fail(written);
  const text = `current-context: ${context}\n${written.replace(/^current-context:.*\n/m, "")}`;
  const write = (fields: string) =>
    Deno.writeTextFile(world.kubeconfig, text.replace("    exec:", `    ${fields}\n    exec:`));
  const flags = `--context ${context}`;
  assert.equal("actingAs" in JSON.parse(await world.ok(`whoami -o json ${flags}`)), false);
  await write("as: grace\n    as-groups: [x]");
  for (const line of ["whoami", "ctx"]) {
    assert.match(
      await world.ok(`${line} ${line === "ctx" ? "" : flags}`),
      /^Acting as: +grace, groups x$/m,
      line,
    );
  }
  assert.equal(JSON.parse(await world.ok(`whoami -o json ${flags}`)).actingAs, "grace, groups x");
  const seen = await requestsOf(() => world.ok(`auth whoami ${flags}`));
  assert.deepEqual(seen.map(({ as }) => as), [{ "impersonate-user": "grace", "impersonate-group": "x" }]);
  await write("as: [grace]");
  assert.doesNotMatch(await world.ok(`whoami ${flags}`), /Acting as/);
  const { code, stderr } = await world.run(`auth whoami ${flags}`);
  assert.equal(code, 1);
  assert.match(stderr, /^error: as of the user entry ".*" is not what kubectl writes there\.\nLook at it/);
});
