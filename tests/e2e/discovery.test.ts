/** Proves discovery and `get --raw` side by side with real kubectl, and under everything that a server can do. */

import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/errors.ts";
import { ROOT } from "../../scripts/compile.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { meaning, SAME } from "./discovery-lines.ts";
import { kubectl } from "./kubectls.ts";
import { openWorld, type World } from "./world.ts";

async function signedIn(controlPlanes = {}): Promise<World> {
  const world = await openWorld({ cloud: { controlPlanes } });
  assert.ok(world !== undefined);
  const { code, stderr } = await world.login("ada@example.com");
  assert.equal(code, 0, stderr);
  return world;
}

Deno.test({
  name: "api-resources, api-versions and get --raw print what kubectl prints",
  ignore: kubectl === "",
  async fn(context) {
    await using world = await signedIn();
    for (const target of [["--organization", "acme"], ["--project", "web"]] as const) {
      await world.ok(["auth", "update-kubeconfig", ...target]);
      for (const line of target[1] === "acme" ? SAME : SAME.filter((_, at) => at % 6 === 0)) {
        await context.step(`${line} (${target[1]})`, async () => {
          const words = line.split(" ");
          world.cloud.resetCounts();
          const theirs = await world.start(kubectl, words).finished;
          const { api: allowed = 0 } = world.cloud.counts();
          world.cloud.resetCounts();
          const ours = await world.datumctl(words);
          const { api: asked = 0 } = world.cloud.counts();
          assert.equal(ours.code, theirs.code, ours.stderr);
          assert.deepEqual(meaning(line, ours.stdout), meaning(line, theirs.stdout));
          assert.ok(asked <= allowed, `${asked} requests, where kubectl makes ${allowed}`);
        });
      }
    }
  },
});

Deno.test({
  name: "where it differs from kubectl, it does so as docs/resources.md says",
  ignore: kubectl === "",
  async fn() {
    await using world = await signedIn();
    await world.ok(["auth", "update-kubeconfig", "--organization", "acme"]);
    const page =
      Deno.readTextFileSync(`${ROOT}docs/resources.md`).split("## Where this differs from kubectl")[1] ?? "";
    const both = async (...words: string[]) => ({
      theirs: await world.start(kubectl, words).finished,
      ours: await world.datumctl(words),
    });
    const empty = await both("api-resources", "--api-group=nothing", "-o", "json");
    assert.equal(JSON.parse(empty.theirs.stdout).resources, null);
    assert.deepEqual(JSON.parse(empty.ours.stdout).resources, []);
    assert.match(page, /`api-resources -o wide`, `-o json` .*`null`/);

    const usage = await both("api-resources", "--sort-by=bogus");
    assert.deepEqual([usage.theirs.code, usage.ours.code], [1, 2]);
    assert.match(page, /exit codes .* 1 .* 2 wrong usage/);

    const prefix = `/apis/resourcemanager.miloapis.com/v1alpha1/organizations/acme/control-plane`;
    const whole = await both("get", "--raw", `${prefix}/version`);
    assert.deepEqual([whole.theirs.code, whole.ours.code], [1, 0]);
    assert.equal(JSON.parse(whole.ours.stdout).major, "1");
    assert.match(page, /control plane's prefix/);

    world.cloud.setControlPlanes({ aggregatedDiscovery: "plain" });
    const unlabelled = await both("api-resources", "-o", "name");
    assert.deepEqual([unlabelled.theirs.code, unlabelled.theirs.stdout], [0, ""]);
    assert.match(unlabelled.ours.stdout, /^namespaces$/m);
    assert.match(page, /discovery that a server labels wrongly/);

    world.cloud.setControlPlanes({
      aggregatedDiscovery: "labelled",
      failingGroups: ["authorization.k8s.io"],
    });
    const stale = await both("api-versions");
    assert.doesNotMatch(stale.theirs.stdout, /authorization/);
    assert.match(stale.ours.stdout, /^authorization\.k8s\.io\/v1$/m);
    assert.match(page, /a group whose server does not answer/);
  },
});

for (const groups of ["miloapis", "datumapis"] as const) {
  const place = groups === "miloapis"
    ? "resourcemanager.miloapis.com/v1alpha1"
    : "resourcemanager.datumapis.com/v1alpha";
  Deno.test(`OpenAPI under ${place}: by curl with get-token, and by get --raw; its addresses lack the prefix`, async () => {
    await using world = await signedIn({ groups, rejection: "anonymous" });
    const prefix = `/apis/${place}/organizations/acme/control-plane`;
    const base = `https://${world.cloud.apiHost}${prefix}`;
    const curl = async (url: string, more: string) => {
      const line = `curl -sS --cacert '${world.cloud.caFile}' '${url}' ${more}`;
      const path = `${world.binary.replace(/\/[^/]*$/, "")}:${world.env.PATH}`;
      const { code, stdout, stderr } = await world.start("sh", ["-c", line], { env: { PATH: path } })
        .finished;
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const token = `-H "Authorization: Bearer $(datumctl auth get-token)"`;
    const index = await curl(`${base}/openapi/v3`, token);
    assert.equal(await world.ok(["get", "--raw", "/openapi/v3", "--organization", "acme"]), index);
    const { paths } = JSON.parse(index);
    const address = paths[`apis/${place}`].serverRelativeURL;
    assert.match(address, /^\/openapi\/v3\/apis\//);
    const document = await curl(`${base}${address}`, token);
    assert.equal(JSON.parse(document).openapi, "3.0.0");
    for (const path of [address, `${prefix}${address}`]) {
      assert.equal(await world.ok(["get", "--raw", path, "--organization", "acme"]), document);
    }
    assert.equal(
      JSON.parse(await curl(`${base}/openapi/v3`, "")).message,
      'forbidden: User "system:anonymous" cannot get path "/openapi/v3"',
    );
  });
}

// ---- what a server can do: each has its sentence and exit code ----

const ORGANIZATION = ["--organization", "acme"];

/** Runs a command that must fail so, with a next step; its stdout. */
async function fails(
  world: World,
  args: readonly string[],
  exitCode: number,
  code: ErrorCode,
  message: RegExp,
): Promise<string> {
  const ran = await world.datumctl([...args, "--error-format", "json"]);
  onlyPrintedError(ran, { exitCode, code, message, hint: /./ });
  return ran.stdout;
}

/** A test of a server, in a world in which Ada is signed in. */
function testServer(name: string, run: (world: World) => Promise<void>): void {
  Deno.test(name, async () => {
    await using world = await signedIn();
    await run(world);
  });
}

testServer("a 401 in the middle is a token renewed once, and done", async (world) => {
  await world.ok(["api-versions", ...ORGANIZATION]);
  world.cloud.revokeAccessTokens("ada@example.com");
  world.cloud.resetCounts();
  await world.ok(["api-versions", ...ORGANIZATION]);
  assert.equal(world.cloud.counts()["token:refresh_token"], 1);
});

for (const rejection of ["unauthorized", "anonymous"] as const) {
  testServer(`a session that is refused for good (${rejection}) is SESSION_REJECTED`, async (world) => {
    world.cloud.setControlPlanes({ acceptedTokens: "id", rejection });
    const words = /fresh token of ada@example\.com/;
    await fails(world, ["api-versions", ...ORGANIZATION], 4, "SESSION_REJECTED", words);
  });
}

testServer("an unknown project is FORBIDDEN, or INVALID where it is a bad request", async (world) => {
  const version = ["get", "--raw", "/version", "--project", "nowhere"];
  await fails(world, version, 5, "FORBIDDEN", /the project "nowhere" .*access denied/);
  world.cloud.setControlPlanes({ unknownId: "bad-request" });
  await fails(world, version, 1, "INVALID", /HTTP 400: project "nowhere"/);
});

testServer("a path that is not there is NOT_FOUND", async (world) => {
  const words = /the organization "acme" .*could not find/;
  await fails(world, ["get", "--raw", "/nothing", ...ORGANIZATION], 1, "NOT_FOUND", words);
});

testServer("an outage that stays is NETWORK, and one that passes is outlasted", async (world) => {
  const version = ["get", "--raw", "/version", ...ORGANIZATION];
  await world.cloud.setFaults({ api: { status: 503 } });
  await fails(world, version, 6, "NETWORK", /HTTP 503: fault/);
  await world.cloud.setFaults({ api: { status: 429, retryAfter: 1, times: 1 } });
  await world.ok(version);
});

testServer("a captive portal's page is NETWORK", async (world) => {
  await world.cloud.setFaults({ api: { body: "html" } });
  await fails(world, ["api-resources", ...ORGANIZATION], 6, "NETWORK", /"text\/html"/);
});

const NAMES = ["api-resources", "-o", "name", ...ORGANIZATION];

for (const aggregatedDiscovery of ["plain", "none"] as const) {
  const how = aggregatedDiscovery === "none" ? "not aggregated" : "labelled plain JSON";
  testServer(`discovery that is ${how} lists the same`, async (world) => {
    const whole = await world.ok(NAMES);
    world.cloud.setControlPlanes({ aggregatedDiscovery });
    assert.equal(await world.ok(NAMES), whole);
  });
}

for (const aggregatedDiscovery of ["labelled", "none"] as const) {
  testServer(
    `half of the groups failing (${aggregatedDiscovery}) is INCOMPLETE, and the rest is listed`,
    async (world) => {
      const whole = await world.ok(NAMES);
      const failing = ["authorization.k8s.io", "resourcemanager.datumapis.com"];
      world.cloud.setControlPlanes({ aggregatedDiscovery, failingGroups: failing });
      const missing =
        /^The organization "acme" .*Missing: authorization\.k8s\.io\/v1, resourcemanager\.datumapis\.com\/v1alpha /;
      const printed = await fails(world, NAMES, 1, "INCOMPLETE", missing);
      const there = whole.split("\n").filter((name) => !failing.some((group) => name.endsWith(group)));
      assert.deepEqual(printed.split("\n"), there);
    },
  );
}

testServer("20,000 resources are listed, and without the server from what was kept", async (world) => {
  const whole = await world.ok(NAMES);
  world.cloud.setControlPlanes({ moreResources: 20_000 });
  const names = await world.ok(NAMES);
  assert.equal(names.split("\n").length, whole.split("\n").length + 20_000);
  await world.cloud.setFaults({ down: ["api"] });
  assert.equal(await world.ok(["api-resources", "--cached", "-o", "name", ...ORGANIZATION]), names);
  await fails(world, ["api-versions", ...ORGANIZATION], 6, "NETWORK", /refused/);
});

testServer("get of nothing, and --raw that is no path, are wrong usage", async (world) => {
  await fails(world, ["get"], 2, "USAGE", /which type of resource/);
  await fails(world, ["get", "--raw", "api"], 2, "USAGE", /slash/);
  await fails(world, ["get", "--raw", "/api", "namespaces"], 2, "USAGE", /no other words/);
});

testServer("nothing in use is said", async (world) => {
  await fails(world, ["api-versions"], 2, "USAGE", /No organization or project is in use/);
});

testServer("nothing of what was discovered stays behind a logout", async (world) => {
  const kept = async () => (await world.files()).some((path) => path.includes(".discovery-"));
  await world.ok(NAMES);
  assert.ok(await kept());
  await world.ok(["logout", "--all"]);
  assert.ok(!await kept());
});
