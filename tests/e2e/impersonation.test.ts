/** Proves acting as somebody else by the compiled binary, beside a real kubectl at a real Kubernetes API server. */

import assert from "node:assert/strict";
import { parse, stringify } from "yaml";
import { type Stage, testAtApiServer } from "./apiserver-stage.ts";
import { until } from "../until.ts";
import { bad } from "./issuer-stage.ts";
import { kubectl } from "./kubectls.ts";
import { startProxy } from "./proxied.ts";
import type { Finished } from "./world.ts";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";
const ZOE = "zoe@example.com";
const RBAC = "rbac.authorization.k8s.io";

/** Lets Grace act as Zoë, and as nobody else. */
const DEPUTY = [
  {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRole",
    metadata: { name: "deputy" },
    rules: [{ apiGroups: [""], resources: ["users"], resourceNames: [ZOE], verbs: ["impersonate"] }],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "deputy" },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "deputy" },
    subjects: [{ apiGroup: RBAC, kind: "User", name: GRACE }],
  },
];

const CONFIG_MAP = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "one", namespace: "default" },
  data: { color: "blue" },
};

/** Runs a line by both. */
async function both(
  { world, kubectl }: Stage,
  words: readonly string[],
): Promise<readonly [Finished, Finished]> {
  return [await kubectl(...words), await world.datumctl(words)];
}

/** Runs a line by both: the same is printed, and it ends alike. */
async function same(stage: Stage, words: readonly string[]): Promise<void> {
  const [theirs, ours] = await both(stage, words);
  const told = `${words.join(" ")}\n${theirs.stderr}\n${ours.stderr}`;
  assert.equal(ours.stdout, theirs.stdout, told);
  assert.equal(ours.code === 0, theirs.code === 0, told);
}

testAtApiServer("who may act as one user acts as that one, and as nobody else", async (stage, context) => {
  const { world, server } = stage;
  await server.admin.apply(...DEPUTY, CONFIG_MAP);
  await stage.signInAtIssuer(GRACE);
  await world.ok(["auth", "update-kubeconfig", "--server", server.url]);

  const mayImpersonate = ["auth", "can-i", "impersonate", "users", ZOE];
  await until(async () => (await world.datumctl(mayImpersonate)).code === 0, "the role");
  await context.step("as the user that may be impersonated", async () => {
    await same(stage, ["auth", "whoami", "--as", ZOE]);
    await same(stage, ["auth", "can-i", "get", "configmaps", "--as", ZOE]);
    await same(stage, ["auth", "can-i", "get", "configmaps"]);
    await same(stage, ["get", "configmap", "one", "--as", ZOE]);
    bad(
      await world.datumctl(["get", "configmap", "one", "--as", ZOE]),
      5,
      new RegExp(
        `^error: Not allowed: ${GRACE} as ${ZOE} may not do this .*configmaps "one" is forbidden: User "${ZOE}" ` +
          "cannot get resource .*\n.*datumctl auth can-i --list .*--as=zoe@example\\.com",
      ),
    );
  });
  for (
    const flags of [
      ["--as", ADA],
      ["--as", ZOE, "--as-group", "system:masters"],
      ["--as", ZOE, "--as-uid", "5"],
      ["--as", ZOE, "--as-user-extra", "reason=x"],
      ["--as", "system:serviceaccount:default:robot"],
    ]
  ) {
    await context.step(`refused: ${flags.join(" ")}`, async () => {
      const words = ["get", "configmap", "one", ...flags];
      const [theirs, ours] = await both(stage, words);
      bad(theirs, 1, /cannot impersonate resource/);
      bad(ours, 5, /RBAC verb impersonate .*datumctl auth can-i --list/);
      const said = /\(Forbidden\): (.*)\n/.exec(theirs.stderr)?.[1] ?? assert.fail(theirs.stderr);
      assert.ok(ours.stderr.includes(said), `${said}\n${ours.stderr}`);
    });
  }
});

testAtApiServer("acting as anybody else costs no token", async (stage, context) => {
  const { world, server } = stage;
  await server.admin.apply(CONFIG_MAP);
  await stage.signInAtIssuer(ADA);
  await world.ok(["auth", "update-kubeconfig", "--server", server.url]);
  const renewals = () => world.cloud.counts()["token:refresh_token"] ?? 0;

  await context.step("system:anonymous may do little, and the session is good", async () => {
    world.cloud.resetCounts();
    await same(stage, ["get", "configmap", "one", "--as", "system:anonymous"]);
    bad(
      await world.datumctl(["get", "configmap", "one", "--as", "system:anonymous"]),
      5,
      /User "system:anonymous" cannot/,
    );
    await same(stage, ["get", "--raw", "/version", "--as", "system:anonymous"]);
    assert.equal(renewals(), 0);
  });

  await context.step("groups, uid, extras and letters of any script arrive one by one", async () => {
    await same(stage, [
      ...["auth", "whoami", "--as", "zoë 小", "--as-group", "a,b", "--as-group", "ölçü", "--as-uid", "5"],
      ...["--as-user-extra", "reason=x,y", "--as-user-extra", "reason=z", "--as-user-extra", "Ü/%=1"],
    ]);
  });

  await context.step("flags may stand anywhere behind the command", async () => {
    assert.equal(
      await world.ok(["auth", "whoami", "--as=grace", "-v"]),
      await world.ok(["-q", "auth", "whoami", "--as", "grace"]),
    );
  });

  await context.step("a watch goes on as the other one", async () => {
    const { promise: listed, resolve: hasListed } = Promise.withResolvers<void>();
    const { promise: told, resolve: hasTold } = Promise.withResolvers<void>();
    const watching = world.start(
      world.binary,
      ["get", "configmaps", "-w", "--as", GRACE, "--as-group", "readers", "-o", "name"],
      {
        onStdout(soFar) {
          if (soFar.includes("configmap/one\n")) hasListed();
          if (soFar.includes("configmap/two\n")) hasTold();
        },
      },
    );
    await Promise.race([listed, watching.finished]);
    await server.admin.apply({ ...CONFIG_MAP, metadata: { name: "two", namespace: "default" } });
    await Promise.race([told, watching.finished]);
    watching.kill("SIGINT");
    const { code, stdout, stderr } = await watching.finished;
    assert.equal(code, 130, stderr);
    assert.match(stdout, /^configmap\/one\n[^]*configmap\/two\n$/);
    bad(await world.datumctl(["get", "configmaps", "-w", "--as", ZOE]), 5, /User "zoe@example\.com" cannot/);
  });

  await context.step("TAB offers what the other one may see", async () => {
    const offered = async (flags: string) =>
      await world.ok(["__complete", "fish"], {
        env: { DATUMCTL_COMPLETION_TIMEOUT: "60s" },
        stdin: `datumctl get configmaps ${flags}o`,
      });
    assert.match(await offered(""), /^\w+\none/);
    assert.match(await offered(`--as ${GRACE} `), /^\w+\none/);
    assert.doesNotMatch(await offered(`--as ${ZOE} `), /one/);
    assert.doesNotMatch(await offered("--as "), /one/);
  });

  await context.step(
    "a kubeconfig's own `as` counts as it does for kubectl, each part below its flag",
    async () => {
      const text = await Deno.readTextFile(world.kubeconfig);
      const config = parse(text);
      Object.assign(config.users[0].user, {
        as: "grace",
        "as-uid": "7",
        "as-groups": ["x", "v"],
        "as-user-extra": { a: ["1", "2"], b: ["3"] },
      });
      await Deno.writeTextFile(world.kubeconfig, stringify(config));
      for (
        const flags of [
          [],
          ["--as", "zoe"],
          ["--as-group", "z"],
          ["--as-uid", "8"],
          ["--as-user-extra", "a=4", "--as-user-extra", "c=5"],
          ["--as", "zoe", "--as-group", "z", "--as-uid", "8", "--as-user-extra", "b=6"],
        ]
      ) {
        await same(stage, ["auth", "whoami", ...flags]);
      }
      const whoami = await world.ok(["auth", "whoami"]);
      assert.match(whoami, /^Username +grace$/m);
      assert.equal(await world.ok(["exec", "--", kubectl, "auth", "whoami"]), whoami);
      await Deno.writeTextFile(world.kubeconfig, text);
    },
  );

  await context.step("a program at the proxy is somebody else, and cannot choose who", async () => {
    const file = `${world.home}/agent.kubeconfig`;
    const proxy = await startProxy(world, [
      ...["--kubeconfig", file, "--as", "agent", "--as-group", "x", "--as-group", "y"],
    ]);
    const through = (...words: readonly string[]) => stage.kubectl("--kubeconfig", file, ...words);
    const { code, stdout, stderr } = await through("auth", "whoami");
    assert.deepEqual([code, stdout.replace(/ +/g, " ")], [
      0,
      "ATTRIBUTE VALUE\nUsername agent\nGroups [x y system:authenticated]\n",
    ], stderr);
    bad(await through("get", "configmaps"), 1, /User "agent" cannot list resource/);
    bad(await through("get", "configmaps", "--as", ADA), 1, /would act as somebody else/);
    assert.match(
      (await proxy.stop()).stderr,
      new RegExp(`as ${ADA}, acting as agent, groups x and y, for 15 min`),
    );
  });
});
