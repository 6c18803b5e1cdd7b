/** Proves that every kubectl at hand works through the entries, each as the user and with the token that are meant. */

import assert from "node:assert/strict";
import { startCloud } from "../cloud/cloud.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { entries, EXEC, execInfo, good, signIn, testWithKubectl } from "./kubectl-stage.ts";
import { kubectl, kubectls } from "./kubectls.ts";
import { openWorld } from "./world.ts";

const CONFIG_MAP = (value: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "greeting", namespace: "default" },
    data: { text: value },
  });

Deno.test({
  name: "every kubectl gets, applies, and asks who it is and what it may, with entries of v1 and v1beta1",
  ignore: kubectls.length === 0,
  fn: async (t) => {
    await using world = await openWorld();
    assert.ok(world !== undefined);
    await signIn(world, "ada@example.com");
    await world.ok(["auth", "update-kubeconfig", "--organization", "acme"]);
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    const organization = `datum-organization-acme-${world.cloud.apiHost}`;
    const written = await Deno.readTextFile(world.kubeconfig);
    const beta = `${world.home}/beta`;
    await Deno.writeTextFile(
      beta,
      written.replace(`apiVersion: ${EXEC}/v1\n`, `apiVersion: ${EXEC}/v1beta1\n`),
    );
    assert.equal((await entries(beta)).users[0]?.user.exec?.apiVersion, `${EXEC}/v1beta1`);
    const manifest = `${world.home}/map.json`;

    for (const { name, path, minor } of kubectls) {
      await t.step(name, async () => {
        for (const kubeconfig of [world.kubeconfig, beta]) {
          const run = async (...args: string[]): Promise<string> => {
            const { code, stdout, stderr } = await world.start(path, args, {
              env: { KUBECONFIG: kubeconfig },
            })
              .finished;
            assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
            // The dispatcher has words of its own there; nothing is said by datumctl.
            if (minor !== undefined) assert.equal(stderr.replace(/^Warning: .*\n/gm, ""), "");
            assert.doesNotMatch(stderr, /datumctl|error/);
            return stdout;
          };
          assert.match(await run("get", "namespaces"), /\nproject-web +Active/);
          assert.match(
            await run("--context", organization, "get", "namespaces"),
            /\norganization-acme +Active/,
          );
          if (kubeconfig === beta) continue;
          await Deno.writeTextFile(manifest, CONFIG_MAP(`from ${name}`));
          assert.match(await run("apply", "-f", manifest), /^configmap\/greeting (?:created|configured)\n$/);
          assert.equal(await run("apply", "-f", manifest), "configmap/greeting unchanged\n");
          assert.equal(
            await run("get", "configmap", "greeting", "-o", "jsonpath={.data.text}"),
            `from ${name}`,
          );
          assert.equal(await run("auth", "can-i", "delete", "configmaps"), "yes\n");
          // Older ones do not know the word yet.
          if (minor === undefined || minor >= 28) {
            assert.match(await run("auth", "whoami"), /Username +ada@example\.com/);
          }
        }
      });
    }
  },
});

testWithKubectl("control planes under either group name get an entry that works", async (world, run) => {
  await signIn(world, "ada@example.com");
  for (
    const [groups, path] of [
      ["datumapis", "/apis/resourcemanager.datumapis.com/v1alpha/projects/web/control-plane"],
      ["miloapis", "/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane"],
    ] as const
  ) {
    world.cloud.setControlPlanes({ groups });
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    const { clusters } = await entries(world.kubeconfig);
    assert.deepEqual(clusters.map(({ cluster }) => cluster.server), [
      `https://${world.cloud.apiHost}${path}`,
    ]);
    assert.match(await run("get", "namespaces"), /\nproject-web /);
  }
});

testWithKubectl(
  "a server that takes ID tokens alone gets them, for the session remembers it",
  async (world, run) => {
    world.cloud.setControlPlanes({ acceptedTokens: "id" });
    await signIn(world, "ada@example.com");
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    const [user] = (await entries(world.kubeconfig)).users;
    assert.ok(!user?.user.exec?.args.some((arg) => arg.startsWith("--token")), "the entry does not say so");
    assert.match(await run("auth", "whoami"), /Username +ada@example\.com/);
    const id = (await world.ok(["auth", "get-token", "--token", "id"])).trimEnd();
    const credential = JSON.parse(await world.ok(["auth", "get-token"], { env: execInfo(`${EXEC}/v1`) }));
    assert.equal(credential.status.token, id);

    world.cloud.setControlPlanes({ acceptedTokens: "access" });
    const turned = await world.start(kubectl, ["get", "namespaces"]).finished;
    assert.notEqual(turned.code, 0, "a server that turned to access tokens refuses the ID token");
    await world.ok(["auth", "update-kubeconfig", "--project", "web", "--token", "access"]);
    assert.match(await run("get", "namespaces"), /\nproject-web /);
  },
);

testWithKubectl(
  "after auth switch the pinned entry still acts as the first user, the following one as the second",
  async (world, run) => {
    const whoami = async (context: string) =>
      /Username +(\S+)/.exec(await run("--context", context, "auth", "whoami"))?.[1];
    await signIn(world, "ada@example.com");
    await world.ok(["auth", "update-kubeconfig", "--project", "web", "--context", "pinned"]);
    await world.ok([
      "auth",
      "update-kubeconfig",
      "--project",
      "web",
      "--context",
      "follows",
      "--follow-active",
    ]);
    assert.equal(await whoami("pinned"), "ada@example.com");
    assert.equal(await whoami("follows"), "ada@example.com");
    await signIn(world, "grace@example.com");
    assert.equal(await whoami("pinned"), "ada@example.com");
    assert.equal(await whoami("follows"), "grace@example.com");
    await world.ok(["auth", "switch", "ada@example.com"]);
    assert.equal(await whoami("follows"), "ada@example.com");
    // The variable of a shell never beats a session that is written in a kubeconfig.
    await world.ok(["auth", "switch", "grace@example.com"]);
    const env = { DATUMCTL_PROFILE: `grace@example.com@${world.cloud.apiHost}` };
    const pinned = await good(world, kubectl, ["--context", "pinned", "auth", "whoami"], { env });
    assert.match(pinned, /Username +ada@example\.com/);
  },
);

testWithKubectl(
  "a following entry hands no token to another host's server, and says both hosts",
  async (world, run) => {
    await using other = await startCloud();
    await signIn(world, "ada@example.com");
    await world.ok(["auth", "update-kubeconfig", "--project", "web", "--follow-active"]);
    await signIn(world, "ada@example.com", other);
    await world.ok(["auth", "update-kubeconfig", "--project", "data", "--context", "theirs"]);
    await run("config", "use-context", `datum-project-web-${world.cloud.apiHost}`);

    const before = world.cloud.counts().api;
    const { code, stderr } = await world.start(kubectl, ["get", "namespaces"]).finished;
    assert.notEqual(code, 0);
    assert.equal(stderr.match(/^error: The active session/gm)?.length, 1, stderr);
    assert.ok(stderr.includes(world.cloud.apiHost) && stderr.includes(other.apiHost), stderr);
    assert.equal(world.cloud.counts().api, before, "nothing was sent to the entry's server");
    assert.match(await run("--context", "theirs", "get", "namespaces"), /\nproject-data /);

    const args = ["auth", "get-token", `--active-for=${world.cloud.apiHost}`];
    const direct = await world.datumctl([...args, "--error-format", "json"]);
    assert.equal(direct.stdout, "");
    onlyPrintedError(direct, { code: "WRONG_HOST", exitCode: 4 });
    await world.ok(["auth", "switch", `ada@example.com@${world.cloud.apiHost}`]);
    assert.match(await run("get", "namespaces"), /\nproject-web /, "and nothing of the refusal stays");
  },
);

testWithKubectl("kubectl acts as a session with a name beyond ASCII", async (world, run) => {
  const name = "аня-李-नेहा@bücher.example";
  const { code, stderr } = await world.login("ada@example.com", ["--profile", name]);
  assert.equal(code, 0, stderr);
  await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
  assert.match(await run("get", "namespaces"), /\nproject-web +Active/);
  const { users: [user] } = await entries(world.kubeconfig);
  assert.ok(user?.user.exec?.args.includes(`--session=${name}`), JSON.stringify(user));
});
