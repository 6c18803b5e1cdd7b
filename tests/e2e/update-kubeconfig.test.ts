/** Proves what `update-kubeconfig` writes and where, what it leaves alone, and that `logout` takes it away again. */

import assert from "node:assert/strict";
import { assertMissing, modeOf } from "../scratch.ts";
import { entries, EXEC, good, refused, signIn, testWithKubectl } from "./kubectl-stage.ts";
import { kubectl } from "./kubectls.ts";
import { testInWorld } from "./world.ts";

testInWorld(
  "update-kubeconfig writes an exec entry of client.authentication.k8s.io/v1, without a token",
  async (world) => {
    await signIn(world, "ada@example.com");
    const out = await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    const { apiHost } = world.cloud;
    const session = `ada@example.com@${apiHost}`;
    const name = `datum-project-web-${apiHost}`;
    const config = await entries(world.kubeconfig);
    assert.deepEqual(config.users, [{
      name: `datum-${session}`,
      user: {
        exec: {
          apiVersion: `${EXEC}/v1`,
          command: world.binary,
          args: ["auth", "get-token", `--output=${EXEC}/v1`, `--session=${session}`],
          interactiveMode: "IfAvailable",
          provideClusterInfo: true,
          env: null,
          installHint: config.users[0]?.user.exec?.installHint,
        },
      },
    }]);
    assert.match(config.users[0]?.user.exec?.installHint ?? "", /datumctl/);
    assert.deepEqual(config.contexts, [{ name, context: { cluster: name, user: `datum-${session}` } }]);
    assert.equal(config["current-context"], name);
    for (const told of [world.kubeconfig, "ada@example.com", `https://${apiHost}/`]) {
      assert.ok(out.includes(told), out);
    }
    assert.equal(await modeOf(world.kubeconfig), 0o600);
    const text = await Deno.readTextFile(world.kubeconfig);
    for (const kind of ["access", "id"]) {
      assert.ok(!text.includes((await world.ok(["auth", "get-token", "--token", kind])).trimEnd()));
    }

    const asDefault = await world.ok([
      ...["auth", "update-kubeconfig", "--project", "web", "--hostname", "api.datum.net"],
      ...["--skip-validation", "--dry-run"],
    ]);
    assert.match(asDefault, /^\+.*name: datum-project-web$/m, "the default host needs no suffix");
  },
);

testWithKubectl(
  "--exec-interactive-mode and --exec-command stand in the entry, and it works",
  async (world, run) => {
    await signIn(world, "ada@example.com");
    const update = ["auth", "update-kubeconfig", "--project", "web", "--exec-interactive-mode", "Never"];
    await world.ok(update);
    assert.equal((await entries(world.kubeconfig)).users[0]?.user.exec?.interactiveMode, "Never");
    assert.match(await run("get", "namespaces"), /\nproject-web /);

    await Deno.mkdir(`${world.home}/bin`);
    await Deno.symlink(world.binary, `${world.home}/bin/our-tool`);
    await world.ok([...update, "--exec-command", "our-tool"]);
    assert.equal((await entries(world.kubeconfig)).users[0]?.user.exec?.command, "our-tool");
    const env = { PATH: `${world.home}/bin:${world.env.PATH}` };
    assert.match(await good(world, kubectl, ["get", "namespaces"], { env }), /\nproject-web /);

    refused(
      await world.datumctl([
        "auth",
        "update-kubeconfig",
        "--project",
        "web",
        "--exec-interactive-mode",
        "Often",
      ]),
      2,
    );
  },
);

testInWorld(
  "--dry-run prints a unified diff and writes nothing; --no-switch leaves what is current",
  async (world) => {
    await signIn(world, "ada@example.com");
    const diff = await world.ok(["auth", "update-kubeconfig", "--project", "web", "--dry-run"]);
    assert.match(diff, /^--- /);
    assert.match(diff, /^\+.*current-context: datum-project-web/m);
    await assertMissing(world.kubeconfig);
    assert.equal(JSON.parse(await world.ok(["whoami", "-o", "json"])).project ?? null, null);

    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    const before = await Deno.readTextFile(world.kubeconfig);
    await world.ok(["auth", "update-kubeconfig", "--project", "data", "--dry-run"]);
    assert.equal(await Deno.readTextFile(world.kubeconfig), before);
    await world.ok(["auth", "update-kubeconfig", "--project", "data", "--no-switch"]);
    const after = await entries(world.kubeconfig);
    assert.equal(after["current-context"], `datum-project-web-${world.cloud.apiHost}`);
    assert.equal(after.contexts.length, 2);
    assert.match(await world.ok(["whoami", "-o", "json"]), /"web"/);
  },
);

testInWorld(
  "--context names the context; making it again for another account re-points it and says so",
  async (world) => {
    await signIn(world, "ada@example.com");
    const update = ["auth", "update-kubeconfig", "--project", "web"];
    await world.ok([...update, "--context", "prod"]);
    await world.ok(update);
    await signIn(world, "grace@example.com");
    const { code, stderr } = await world.datumctl(update);
    assert.equal(code, 0, stderr);
    const ada = `datum-ada@example.com@${world.cloud.apiHost}`;
    const grace = `datum-grace@example.com@${world.cloud.apiHost}`;
    assert.ok(stderr.includes(ada) && stderr.includes(grace), stderr);
    const { contexts, users } = await entries(world.kubeconfig);
    assert.deepEqual(
      contexts.map(({ name, context }) => [name, context.user]),
      [["prod", ada], [`datum-project-web-${world.cloud.apiHost}`, grace]],
      "the first account's other context keeps its user",
    );
    assert.deepEqual(users.map(({ name }) => name), [ada, grace]);
    const again = await world.datumctl(update);
    assert.ok(!again.stderr.includes("before"), "nothing is re-pointed the second time");
  },
);

testWithKubectl(
  "with a KUBECONFIG list, new entries go to the first file there is, old ones stay",
  async (world, run) => {
    await signIn(world, "ada@example.com");
    const [absent, first, second] = ["absent", "first", "second"].map((name) => `${world.home}/${name}`) as [
      string,
      string,
      string,
    ];
    const other = "apiVersion: v1\nkind: Config # theirs\nclusters: []\n";
    await Deno.writeTextFile(first, other);
    await world.ok(["auth", "update-kubeconfig", "--project", "web", "--kubeconfig", second]);
    const held = await Deno.readTextFile(second);
    const env = { KUBECONFIG: `${absent}::${first}:${second}` };
    await world.ok(["auth", "update-kubeconfig", "--project", "data"], { env });
    await assertMissing(absent);
    const { clusters, users } = await entries(first);
    assert.deepEqual(clusters.map(({ name }) => name), [`datum-project-data-${world.cloud.apiHost}`]);
    assert.equal(users ?? null, null, "the user's entry is in the second file and stays there");
    assert.match(await Deno.readTextFile(first), /kind: Config # theirs/);
    assert.equal(await Deno.readTextFile(second), held);
    assert.match(await good(world, kubectl, ["get", "namespaces"], { env }), /\nproject-data /);
    assert.match(await run("--kubeconfig", second, "get", "namespaces"), /\nproject-web /);
  },
);

testInWorld("an unknown project is an error, and nothing is written", async (world) => {
  await signIn(world, "ada@example.com");
  for (const unknownId of ["forbidden", "bad-request"] as const) {
    world.cloud.setControlPlanes({ unknownId });
    const finished = await world.datumctl(["auth", "update-kubeconfig", "--project", "nowhere"]);
    refused(finished, unknownId === "forbidden" ? 5 : 1);
    assert.match(finished.stderr, /nowhere/);
    assert.equal(finished.stdout, "");
  }
  refused(await world.datumctl(["auth", "update-kubeconfig", "--project", "../web"]), 2);
  refused(
    await world.datumctl(["auth", "update-kubeconfig", "--project", "web", "--organization", "acme"]),
    2,
  );
  refused(await world.datumctl(["auth", "update-kubeconfig"]), 2);
  await assertMissing(world.kubeconfig);
});

testWithKubectl(
  "a program called through a link on PATH keeps the link's path in the entry",
  async (world, run) => {
    await signIn(world, "ada@example.com");
    const bin = `${world.home}/bin`;
    await Deno.mkdir(bin);
    await Deno.symlink(world.binary, `${bin}/datumctl`);
    const env = { PATH: `${bin}:${world.env.PATH}` };
    for (const [program, how] of [["datumctl", "by its name"], [`${bin}/datumctl`, "by its path"]] as const) {
      // A shell passes on the word that was typed, as a person's does.
      const finished = await world.start("/bin/sh", [
        ...["-c", `exec ${program} auth update-kubeconfig --project web`],
      ], { env }).finished;
      assert.equal(finished.code, 0, finished.stderr);
      assert.doesNotMatch(finished.stderr, /upgrade/);
      assert.equal((await entries(world.kubeconfig)).users[0]?.user.exec?.command, `${bin}/datumctl`, how);
      await Deno.remove(world.kubeconfig);
    }
    await world.start("/bin/sh", ["-c", "exec datumctl auth update-kubeconfig --project web"], { env })
      .finished;
    assert.match(await run("get", "namespaces"), /\nproject-web /);
  },
);

testInWorld("logout --kubeconfig takes away the session's entries and no others", async (world) => {
  await Deno.mkdir(`${world.home}/.kube`);
  const theirs = `apiVersion: v1
kind: Config
clusters:
- {name: theirs, cluster: {server: "https://theirs.example.com"}} # by hand
users:
- name: theirs
  user: {token: secret}
- name: vendor
  user: {exec: {apiVersion: ${EXEC}/v1, command: gcloud, args: [auth, get-token], interactiveMode: Never}}
contexts:
- {name: theirs, context: {cluster: theirs, user: theirs}}
current-context: theirs
`;
  await Deno.writeTextFile(world.kubeconfig, theirs);
  await signIn(world, "ada@example.com");
  await world.ok(["auth", "update-kubeconfig", "--project", "web", "--no-switch"]);
  await signIn(world, "grace@example.com");
  await world.ok(["auth", "update-kubeconfig", "--project", "data", "--no-switch"]);
  const logout = (user: string) => world.ok(["logout", user, "--kubeconfig", world.kubeconfig]);
  await logout("ada@example.com");
  const left = await entries(world.kubeconfig);
  assert.deepEqual(left.users.map(({ name }) => name), [
    "theirs",
    "vendor",
    `datum-grace@example.com@${world.cloud.apiHost}`,
  ]);
  await logout("grace@example.com");
  assert.equal(await Deno.readTextFile(world.kubeconfig), theirs, "byte for byte what it was");
});
