/** Proves auth whoami and auth can-i side by side with a real kubectl, on the same control plane. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { kubectl } from "./kubectls.ts";
import { type Finished, testInWorld, type World } from "./world.ts";

/** Everything that both are asked in the same words. */
const ASKED = [
  "whoami",
  "whoami -o json",
  "whoami -o yaml",
  "whoami -o name",
  "can-i get configmaps",
  "can-i get cm",
  "can-i get ConfigMap",
  "can-i create configmap",
  "can-i delete cm/settings -n kube-system",
  "can-i get cm/settings",
  "can-i list configmaps -A",
  "can-i list namespaces",
  "can-i create ns -A",
  "can-i get configmaps --subresource=status",
  "can-i get pods/log",
  "can-i create selfsubjectreviews.authentication.k8s.io",
  "can-i create selfsubjectreviews.v1beta1.authentication.k8s.io",
  "can-i list organizationmemberships.resourcemanager.miloapis.com",
  "can-i get widgets.example.com",
  "can-i frob cm",
  "can-i approve cm -A",
  "can-i get users",
  "can-i impersonate groups",
  "can-i get users.example.com",
  "can-i get /healthz",
  "can-i frob /healthz",
  "can-i * *",
  "can-i list *",
  "can-i get cm -q",
  "can-i create cm -q",
  "can-i --list",
  "can-i --list --no-headers",
  "can-i --list -n kube-system",
];

const words = (line: string) => ["auth", ...line.split(" ")];
const ofKubectl = (world: World, line: string) => world.start(kubectl, words(line)).finished;

/** Asks both at once: kubectl's end and ours. */
function both(world: World, line: string): Promise<[Finished, Finished]> {
  return Promise.all([ofKubectl(world, line), world.datumctl(words(line))]);
}

/** What kubectl and we warn of, without the word that each begins it with. */
function warnings({ stderr }: Finished): string[] {
  return stderr.split("\n").filter((line) => line !== "").map((line) => line.replace(/^warning: /i, ""))
    .sort();
}

function assertAlike(line: string, theirs: Finished, ours: Finished): void {
  assert.equal(ours.code, theirs.code, `${line}: ${ours.stderr}`);
  if (/-o (?:json|yaml)/.test(line)) assert.deepEqual(parse(ours.stdout), parse(theirs.stdout), line);
  else assert.equal(ours.stdout, theirs.stdout, line);
  // With -q we are silent; kubectl still warns.
  if (!line.endsWith("-q")) assert.deepEqual(warnings(ours), warnings(theirs), line);
}

/** A test in a world in which somebody is signed in and kubectl's context is a project. */
function testSignedIn(
  name: string,
  email: string,
  run: (world: World, context: Deno.TestContext) => Promise<void>,
): void {
  testInWorld(name, async (world, context) => {
    const { code, stderr } = await world.login(email);
    assert.equal(code, 0, stderr);
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    await run(world, context);
  }, { ignore: kubectl === "" });
}

for (const name of ["ada", "grace", "zoe"]) {
  // One of them asks everything; of the others, what differs with what they may do.
  const lines = name === "grace" ? ASKED : ASKED.filter((line) => /json|get cm$|\* \*|--list$/.test(line));
  testSignedIn(`${name} is told what kubectl tells`, `${name}@example.com`, async (world, context) => {
    for (const line of lines) {
      await context.step(`auth ${line}`, async () => {
        const [theirs, ours] = await both(world, line);
        assertAlike(line, theirs, ours);
      });
    }
  });
}

const ZOE = "zoe@example.com";

testSignedIn("rules with names, several groups and sub-resources are ordered alike", ZOE, async (world) => {
  world.cloud.setControlPlanes({
    rules: {
      resourceRules: [
        { verbs: ["get", "list"], apiGroups: ["", "apps"], resources: ["pods", "pods/log"] },
        { verbs: ["list", "watch"], apiGroups: [""], resources: ["pods"] },
        { verbs: ["update"], apiGroups: [""], resources: ["configmaps"], resourceNames: ["b", "a"] },
        { verbs: ["get"], apiGroups: [""], resources: ["configmaps"], resourceNames: ["a"] },
        { verbs: ["*"], apiGroups: ["*"], resources: ["*/scale"] },
      ],
      nonResourceRules: [{ verbs: ["get", "head"], nonResourceURLs: ["/healthz", "*"] }],
      incomplete: true,
      evaluationError: "webhook authorizer does not support user rule resolution",
    },
  });
  const line = "can-i --list";
  const [theirs, ours] = await both(world, line);
  assertAlike(line, theirs, ours);
  assert.match(ours.stderr, /the list may be incomplete: webhook authorizer/);
  const { status } = JSON.parse(await world.ok(words("can-i --list -o json")));
  assert.equal(status.incomplete, true);
});

testSignedIn("where it differs from kubectl, docs/identity.md says so", ZOE, async (world) => {
  for (
    const line of [
      "can-i get",
      "can-i --list -q",
      "can-i get cm --no-headers",
      "can-i get /x --subresource=y",
    ]
  ) {
    const [theirs, ours] = await both(world, line);
    assert.deepEqual([theirs.code, ours.code], [1, 2], line);
  }
  assert.equal((await ofKubectl(world, "can-i get cm settings")).code, 1);
  assert.equal((await world.datumctl(words("can-i get cm settings"))).stdout, "no - no rule allows it\n");
});

testSignedIn("with a warm cache, no more requests than kubectl makes", ZOE, async (world) => {
  for (const line of ["whoami", "can-i get cm", "can-i --list"]) {
    await both(world, line);
    const requests = async (run: () => Promise<unknown>) => {
      world.cloud.resetCounts();
      await run();
      return world.cloud.counts().api ?? NaN;
    };
    const theirs = await requests(() => ofKubectl(world, line));
    const ours = await requests(() => world.datumctl(words(line)));
    assert.ok(ours >= 1 && ours <= theirs, `${line}: ${ours} requests, kubectl made ${theirs}`);
  }
});

testSignedIn("both are refused alike: as nobody with 4 here, not allowed with 5", ZOE, async (world) => {
  world.cloud.setControlPlanes({ acceptedTokens: "id", rejection: "anonymous" });
  assert.equal((await ofKubectl(world, "can-i get cm")).code, 1);
  const rejected = await world.datumctl(words("can-i get cm"));
  assert.equal(rejected.code, 4);
  assert.match(rejected.stderr, /does not accept a fresh token of zoe@example\.com/);
  world.cloud.setControlPlanes({ acceptedTokens: "access", rejection: "unauthorized" });
  const unknown = await world.datumctl(words("whoami --project nothing"));
  assert.equal(unknown.code, 5);
  assert.match(unknown.stderr, /project "nothing"/);
});
