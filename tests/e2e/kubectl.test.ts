/** Proves the contract with kubectl: the entries that are written, and every kubectl at hand working through them. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { signInByHttp } from "../cloud/browser.ts";
import { type Cloud, startCloud } from "../cloud/cloud.ts";
import { kubectl, kubectls } from "./kubectls.ts";
import { type Finished, openWorld, printedAddress, type RunOptions, type World } from "./world.ts";

/** As much of a kubeconfig as these tests look at. */
interface Entries {
  readonly "current-context"?: string;
  readonly clusters: readonly { readonly name: string; readonly cluster: { readonly server: string } }[];
  readonly contexts: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string };
  }[];
  readonly users: readonly {
    readonly name: string;
    readonly user: {
      readonly token?: string;
      readonly exec?: {
        readonly apiVersion: string;
        readonly command: string;
        readonly args: readonly string[];
        readonly interactiveMode: string;
        readonly provideClusterInfo: boolean;
        readonly env: unknown;
        readonly installHint: string;
      };
    };
  }[];
}

async function entries(path: string): Promise<Entries> {
  return parse(await Deno.readTextFile(path)) as Entries;
}

function test(name: string, run: (world: World, t: Deno.TestContext) => Promise<void>): void {
  Deno.test(name, async (t) => {
    await using world = await openWorld();
    assert.ok(world !== undefined);
    await run(world, t);
  });
}

/** A test that takes the newest pinned kubectl, which it is given as a function of kubectl's words. */
function testWithKubectl(
  name: string,
  run: (world: World, run: (...args: string[]) => Promise<string>) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: kubectl === "",
    fn: async () => {
      await using world = await openWorld();
      assert.ok(world !== undefined);
      await run(world, (...args) => good(world, kubectl, args));
    },
  });
}

/** The stdout of a program that must end well. */
async function good(world: World, program: string, args: readonly string[], options?: RunOptions) {
  const { code, stdout, stderr } = await world.start(program, args, options).finished;
  assert.equal(code, 0, `${program} ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

async function signIn(world: World, email: string, cloud: Cloud = world.cloud): Promise<void> {
  let walk: Promise<unknown> | undefined;
  const flags = [
    ...["--hostname", cloud.authHost, "--api-hostname", cloud.apiHost],
    ...["--client-id", cloud.clientId, "--certificate-authority", cloud.caFile],
  ];
  await world.ok(["login", ...flags], {
    onStderr(soFar) {
      const url = printedAddress(soFar);
      if (url !== undefined) walk ??= signInByHttp(cloud, url, email).then((answer) => answer.body?.cancel());
    },
  });
  await walk;
}

const EXEC = "client.authentication.k8s.io";

function execInfo(apiVersion: string, interactive = false): Record<string, string> {
  return {
    KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion, spec: { interactive } }),
  };
}

function refused(finished: Finished, code: number): void {
  assert.equal(finished.code, code, finished.stderr);
}

// ---- kubectl at work ----

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
  "a following entry hands no token to another host's server, says both hosts, and spoils no other entry",
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
    refused(direct, 4);
    assert.equal(direct.stdout, "");
    assert.equal(JSON.parse(direct.stderr).error.code, "WRONG_HOST");
    await world.ok(["auth", "switch", `ada@example.com@${world.cloud.apiHost}`]);
    assert.match(await run("get", "namespaces"), /\nproject-web /, "and nothing of the refusal stays");
  },
);

// ---- what update-kubeconfig writes ----

test("the entry is what exec-plugin.md says, and says nothing of the token", async (world) => {
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
        provideClusterInfo: false,
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
  assert.equal(((await Deno.stat(world.kubeconfig)).mode ?? 0) & 0o777, 0o600);
  const text = await Deno.readTextFile(world.kubeconfig);
  for (const kind of ["access", "id"]) {
    assert.ok(!text.includes((await world.ok(["auth", "get-token", "--token", kind])).trimEnd()));
  }

  const asDefault = await world.ok([
    ...["auth", "update-kubeconfig", "--project", "web", "--hostname", "api.datum.net"],
    ...["--skip-validation", "--dry-run"],
  ]);
  assert.match(asDefault, /^\+.*name: datum-project-web$/m, "the default host needs no suffix");
});

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

test("--dry-run prints a unified diff and writes nothing; --no-switch leaves what is current", async (world) => {
  await signIn(world, "ada@example.com");
  const diff = await world.ok(["auth", "update-kubeconfig", "--project", "web", "--dry-run"]);
  assert.match(diff, /^--- /);
  assert.match(diff, /^\+.*current-context: datum-project-web/m);
  await assert.rejects(Deno.stat(world.kubeconfig), Deno.errors.NotFound);
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
});

test("--context names the context; making it again for another account re-points it and says so", async (world) => {
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
});

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
    await assert.rejects(Deno.stat(absent), Deno.errors.NotFound);
    const { clusters, users } = await entries(first);
    assert.deepEqual(clusters.map(({ name }) => name), [`datum-project-data-${world.cloud.apiHost}`]);
    assert.equal(users ?? null, null, "the user's entry is in the second file and stays there");
    assert.match(await Deno.readTextFile(first), /kind: Config # theirs/);
    assert.equal(await Deno.readTextFile(second), held);
    assert.match(await good(world, kubectl, ["get", "namespaces"], { env }), /\nproject-data /);
    assert.match(await run("--kubeconfig", second, "get", "namespaces"), /\nproject-web /);
  },
);

test("an unknown project is an error, and nothing is written", async (world) => {
  await signIn(world, "ada@example.com");
  for (const unknownId of ["forbidden", "bad-request"] as const) {
    world.cloud.setControlPlanes({ unknownId });
    const finished = await world.datumctl(["auth", "update-kubeconfig", "--project", "nowhere"]);
    refused(finished, 1);
    assert.match(finished.stderr, /nowhere/);
    assert.equal(finished.stdout, "");
  }
  refused(await world.datumctl(["auth", "update-kubeconfig", "--project", "../web"]), 2);
  refused(
    await world.datumctl(["auth", "update-kubeconfig", "--project", "web", "--organization", "acme"]),
    2,
  );
  refused(await world.datumctl(["auth", "update-kubeconfig"]), 2);
  await assert.rejects(Deno.stat(world.kubeconfig), Deno.errors.NotFound);
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

test("logout --kubeconfig takes away the session's entries and no others", async (world) => {
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

// ---- get-token as client-go calls it ----

test("the version in KUBERNETES_EXEC_INFO wins over -o, and -o token over all", async (world) => {
  await signIn(world, "ada@example.com");
  const token = await world.ok(["auth", "get-token"]);
  const read = async (flags: string[], env?: Record<string, string>) => {
    const { code, stdout, stderr } = await world.datumctl(
      ["auth", "get-token", ...flags],
      env ? { env } : {},
    );
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "", "silent on success");
    assert.ok(stdout.endsWith("\n") && !stdout.slice(0, -1).includes("\n"), "one line, one newline");
    return stdout;
  };
  for (const version of ["v1", "v1beta1"]) {
    const spoken = JSON.parse(await read([`--output=${EXEC}/v1`], execInfo(`${EXEC}/${version}`)));
    assert.equal(spoken.kind, "ExecCredential");
    assert.equal(spoken.apiVersion, `${EXEC}/${version}`);
    assert.deepEqual(Object.keys(spoken).sort(), ["apiVersion", "kind", "status"]);
    assert.equal(`${spoken.status.token}\n`, token);
    assert.equal(JSON.parse(await read([], execInfo(`${EXEC}/${version}`))).apiVersion, `${EXEC}/${version}`);
    assert.equal(JSON.parse(await read(["-o", `${EXEC}/${version}`])).apiVersion, `${EXEC}/${version}`);
  }
  assert.equal(await read(["-o", "token"], execInfo(`${EXEC}/v1`)), token);
  assert.equal(await read([]), token);
});

test("expirationTimestamp is RFC 3339, a minute or a sixth of the life before the token's end", async (world) => {
  await signIn(world, "ada@example.com");
  for (const [life, early] of [[3600, 60], [60, 10]] as const) {
    world.cloud.setTokenLife(life);
    await world.ok(["auth", "get-token", "--force-refresh"]);
    const { expires } = JSON.parse(await world.ok(["auth", "get-token", "--claims"]));
    const { status } = JSON.parse(await world.ok(["auth", "get-token", "-o", `${EXEC}/v1`]));
    assert.match(status.expirationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const difference = (Date.parse(expires) - Date.parse(status.expirationTimestamp)) / 1000;
    assert.ok(difference >= early && difference < early + 1, `${difference} s, not ${early} s`);
  }
});

test("a KUBERNETES_EXEC_INFO that is none is wrong usage, with nothing handed out", async (world) => {
  await signIn(world, "ada@example.com");
  for (
    const [text, why] of [
      ["{", /not a JSON object/],
      ["[]", /kind/],
      ["null", /not a JSON object/],
      [JSON.stringify({ kind: "Pod", apiVersion: `${EXEC}/v1` }), /kind/],
      [JSON.stringify({ kind: "ExecCredential", apiVersion: `${EXEC}/v1alpha1` }), /v1alpha1/],
      [JSON.stringify({ kind: "ExecCredential", apiVersion: `${EXEC}/v2` }), /v2/],
      [JSON.stringify({ kind: "ExecCredential" }), /not known/],
    ] as const
  ) {
    const env = { KUBERNETES_EXEC_INFO: text };
    const asked = ["auth", "get-token", `--output=${EXEC}/v1`, "--error-format", "json"];
    const finished = await world.datumctl(asked, { env });
    refused(finished, 2);
    // Of stderr one parent gets one block only, as the next test shows.
    const status = JSON.parse(finished.stdout);
    assert.equal(status.kind, "Status");
    assert.equal(status.reason, "USAGE");
    assert.match(status.message, why);
  }
  refused(await world.datumctl(["auth", "get-token", "-o", `${EXEC}/v3`]), 2);
});

test("a failure is a Status on stdout, and one block on stderr for each parent", async (world) => {
  await signIn(world, "ada@example.com");
  const missing = ["auth", "get-token", `--output=${EXEC}/v1`, "--session=nobody@nowhere"];
  const env = execInfo(`${EXEC}/v1`);
  // The test is the parent of both; a shell is another one.
  const first = await world.datumctl(missing, { env });
  const second = await world.datumctl(missing, { env });
  const shell = await world.start("/bin/sh", ["-c", '"$0" "$@"; exit $?', world.binary, ...missing], { env })
    .finished;
  for (const finished of [first, second, shell]) {
    refused(finished, 4);
    const { kind, apiVersion, status, reason, code, message } = JSON.parse(finished.stdout);
    assert.deepEqual([kind, apiVersion, status, reason, code], [
      "Status",
      "v1",
      "Failure",
      "NOT_SIGNED_IN",
      401,
    ]);
    assert.match(message, /datumctl login --profile nobody@nowhere/);
  }
  for (const told of [first, shell]) assert.match(told.stderr, /^error: .*\n.*datumctl login.*\n$/);
  assert.equal(second.stderr, "");
  // The bare token is for a person, who gets words each time and nothing on stdout.
  for (let times = 0; times < 2; times++) {
    const bare = await world.datumctl(["auth", "get-token", "--session=nobody@nowhere"]);
    refused(bare, 4);
    assert.equal(bare.stdout, "");
    assert.match(bare.stderr, /^error: /);
  }
});
