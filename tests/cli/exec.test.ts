/** Proves what a command behind `exec` is given, that its end is its own, and that nothing is left behind. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Acting, childVariables } from "../../src/cli/child-variables.ts";
import { singleTargetKubeconfig } from "../../src/kubeconfig/single-target.ts";
import { DATUM } from "../../src/providers/datum/facts.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";
import { kubectl } from "../kube/kubectl.ts";
import { namesIn, writeScript } from "../scratch.ts";
import { until } from "../until.ts";
import { SESSION } from "../sessions/plain-session.ts";
import { ADA, at, GRACE, openSignedIn, openWorld, type World } from "./world.ts";

/** A folder for what runs leave, and scripts in it. */
async function openStage(world: World) {
  const folder = `${world.sandbox.folder}/exec`;
  const runtime = `${folder}/runtime`;
  await Deno.mkdir(runtime, { recursive: true, mode: 0o700 });
  const env = { XDG_RUNTIME_DIR: runtime };
  return {
    folder,
    runtime,
    env,
    /** Runs a shell script behind `exec`. */
    async run(flags: string, body: string, more: Readonly<Record<string, string>> = {}) {
      await writeScript(`${folder}/script`, body);
      return await world.run(`exec ${flags} -- ${folder}/script one -q --profile two`, {
        env: { ...env, ...more },
      });
    },
    read: (name: string) => Deno.readTextFile(`${folder}/${name}`),
  };
}

Deno.test("a command behind exec: its words, its kubeconfig, its folder, its exit code", async (context) => {
  await using world = await openSignedIn(GRACE);
  await world.ok(`auth switch ${ADA}`);
  const { folder, runtime, run, read } = await openStage(world);
  const { apiHost } = world.cloud;

  await context.step(
    "its words are its own; the kubeconfig is private and leads to the one target",
    async () => {
      const { code, stdout, stderr } = await run(
        "--project web",
        `cd ${folder}; printf '%s\\n' "$*" > words; cat "$KUBECONFIG" > config; dirname "$KUBECONFIG" > where
      stat -c %a "$(dirname "$KUBECONFIG")" "$KUBECONFIG" "$(dirname "$KUBECONFIG")/token" > modes
      cat "$(dirname "$KUBECONFIG")/token" > token; env > env`,
      );
      assert.deepEqual([code, stdout, stderr], [0, "", ""]);
      assert.equal(await read("words"), "one -q --profile two\n");
      assert.equal(await read("modes"), "700\n600\n600\n");
      const where = (await read("where")).trim();
      assert.ok(where.startsWith(`${runtime}/datumctl-exec-`), where);
      const config = parse(await read("config"));
      const name = `datum-project-web-${apiHost}`;
      assert.equal(config["current-context"], name);
      assert.deepEqual(config.contexts, [{
        name,
        context: { cluster: name, user: `datum-token-file-${at(world, ADA)}` },
      }]);
      assert.deepEqual(config.users.map(({ user }: { user: unknown }) => user), [{
        tokenFile: `${where}/token`,
        "token-file": `${where}/token`,
        extensions: [{ name: "datumctl", extension: { session: at(world, ADA) } }],
      }]);
      const [{ cluster }] = config.clusters;
      assert.match(cluster.server, new RegExp(`^https://${apiHost}/apis/.*/projects/web/control-plane$`));
      assert.equal(atob(cluster["certificate-authority-data"]), await Deno.readTextFile(world.cloud.caFile));
      const env = await read("env");
      assert.match(env, /^DATUM_PROJECT=web$/m);
      // Terraform's providers look there, and nowhere else.
      assert.ok(env.includes(`\nKUBE_CONFIG_PATH=${where}/kubeconfig\n`));
      assert.doesNotMatch(env, /KUBE_CONFIG_PATHS/);
      assert.ok(env.includes(`\nDATUM_SESSION=${at(world, ADA)}\n`));
      const token = await read("token");
      assert.ok(token.length > 10 && !env.includes(token));
      assert.deepEqual(await namesIn(runtime), []);
    },
  );

  await context.step(
    "its exit code, and 128 and the signal's number for one that a signal ended",
    async () => {
      for (
        const [body, expected] of [["exit 3", 3], ["exit 130", 130], ["kill -9 $$", 137], [
          "kill $$",
          143,
        ]] as const
      ) {
        assert.deepEqual(await run("--project web", body), { code: expected, stdout: "", stderr: "" });
        assert.deepEqual(await namesIn(runtime), []);
      }
    },
  );

  await context.step({
    name: "real kubectl inside, with two accounts at once",
    ignore: kubectl === undefined,
    fn: async () => {
      const whoami = (file: string) =>
        `${kubectl} --cache-dir=${folder}/cache-${file} auth whoami -o jsonpath='{.status.userInfo.username}' ` +
        `> ${folder}/${file} 2>&1`;
      await writeScript(`${folder}/ada`, whoami("as-ada"));
      await writeScript(`${folder}/grace`, whoami("as-grace"));
      const lines = [ADA, GRACE].map((email) =>
        world.run(
          `exec --profile ${at(world, email)} --project web -- ${folder}/${email.split("@")[0]}`,
          { env: { XDG_RUNTIME_DIR: runtime } },
        )
      );
      for (const { code, stderr } of await Promise.all(lines)) {
        assert.equal(code, 0, `${stderr}${await read("as-ada")}${await read("as-grace")}`);
      }
      assert.deepEqual([await read("as-ada"), await read("as-grace")], [ADA, GRACE]);
      assert.deepEqual(await namesIn(runtime), []);
    },
  });

  await context.step("--token-env puts the token where it is named, and says what that means", async () => {
    const body =
      `printf %s "$MY_TOKEN" > ${folder}/named; cat "$(dirname "$KUBECONFIG")/token" > ${folder}/token`;
    const { code, stderr } = await run("--project web --token-env MY_TOKEN", body);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /^warning: The token is in the variable MY_TOKEN, too: every program .* not renewed\.\n$/,
    );
    assert.equal(await read("named"), await read("token"));
    for (
      const name of ["KUBECONFIG", "KUBE_CONFIG_PATH", "LD_PRELOAD", "PATH", "DATUM_SESSION", "1A", "a=b"]
    ) {
      assert.equal((await run(`--project web --token-env ${name}`, "true")).code, 2);
    }
  });

  await context.step("a runtime folder that others may look into is not used", async () => {
    await Deno.chmod(runtime, 0o755);
    const TMPDIR = `${folder}/tmp`;
    await Deno.mkdir(TMPDIR);
    assert.equal((await run("--project web", `dirname "$KUBECONFIG" > ${folder}/where`, { TMPDIR })).code, 0);
    assert.ok((await read("where")).startsWith(`${TMPDIR}/datumctl-exec-`));
    const up = Deno.cwd().replaceAll(/\/[^/]+/g, "../");
    assert.equal(
      (await run("--project web", `cd /; test -s "$KUBECONFIG"`, { TMPDIR: `${up}${TMPDIR.slice(1)}` })).code,
      0,
      "a relative TMPDIR",
    );
    if (Deno.uid() === 0) {
      await Deno.chown(TMPDIR, 12_345, null);
      const { code, stderr } = await run("--project web", `touch ${folder}/ran`, { TMPDIR });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /temporary folder .*\/tmp belongs to another user/);
      assert.ok(!(await namesIn(folder)).includes("ran"));
    }
    await Deno.chmod(runtime, 0o700);
  });

  await context.step("a dead run's folder is swept: unlocked, and a minute old", async () => {
    const made = (name: string) => `${runtime}/datumctl-exec-${name}`;
    const old = new Date(world.sandbox.time - 61_000);
    for (const name of ["dead", "locked", "young", "without-lock"]) {
      await Deno.mkdir(made(name), { mode: 0o700 });
      await Deno.writeTextFile(`${made(name)}/token`, "token");
      if (name !== "without-lock") await Deno.writeTextFile(`${made(name)}/lock`, "");
      if (name !== "young") await Deno.utime(made(name), old, old);
    }
    await Deno.mkdir(`${runtime}/another`);
    await Deno.utime(`${runtime}/another`, old, old);
    await Deno.symlink(`${runtime}/another`, made("link"));
    {
      using lock = await Deno.open(`${made("locked")}/lock`, { write: true });
      await lock.lock(true);
      assert.equal((await run("--project web", "true")).code, 0);
    }
    const left = ["another", "datumctl-exec-link", "datumctl-exec-locked", "datumctl-exec-young"];
    assert.deepEqual(await namesIn(runtime), left);
    await Deno.remove(runtime, { recursive: true });
    await Deno.mkdir(runtime, { mode: 0o700 });
  });

  await context.step("what cannot be run is told, and leaves nothing", async () => {
    for (
      const [line, code, says] of [
        ["exec --project web -- no-such-program x", 1, /"no-such-program" is not installed/],
        [`exec --project web -- ${folder}/token`, 1, /cannot be started/],
        [
          "exec --project web kubectl get ns",
          2,
          /behind --\.\nFor example: datumctl exec -- kubectl get ns$/m,
        ],
        ["exec kubectl -- get ns", 2, /behind --/],
        ["exec --project web", 2, /behind --/],
        ["exec --project web --", 2, /behind --/],
        ["exec --project web --own -- true", 2, /cannot be (?:used|combined) with/],
        ["exec --project web --nonsense -- true", 2, /--nonsense/],
        ["exec --profile nobody@example.com -- true", 4, /no session/],
      ] as const
    ) {
      const ran = await world.run(line, { env: { XDG_RUNTIME_DIR: runtime } });
      assert.deepEqual([ran.code, ran.stdout], [code, ""], ran.stderr);
      assert.match(ran.stderr, says, line);
    }
    assert.deepEqual(await namesIn(runtime), []);
  });

  await context.step(
    "a context of the kubeconfig, only where it leads to a server of the session's",
    async () => {
      await world.ok("auth update-kubeconfig --project web --context here");
      assert.equal((await run("--context here", `cat "$KUBECONFIG" > ${folder}/config`)).code, 0);
      assert.equal(parse(await read("config"))["current-context"], "here");
      const config = await Deno.readTextFile(world.kubeconfig);
      await Deno.writeTextFile(world.kubeconfig, config.replace(apiHost, "elsewhere.example.com"));
      const { code, stderr } = await run("--context here", `touch ${folder}/ran`);
      assert.equal(code, 4, stderr);
      assert.match(stderr, /elsewhere\.example\.com.*No token goes there/);
      assert.ok(!(await namesIn(folder)).includes("ran"));
      assert.deepEqual(await namesIn(runtime), []);
    },
  );
});

Deno.test("with a fresh token, the keyring is asked once and no server before the command starts", async () => {
  await using world = await openWorld();
  assert.equal((await world.login(ADA, "--keyring system")).code, 0);
  const { run } = await openStage(world);
  const { cloud, sandbox: { system } } = world;
  // The first run learns how the platform names its control planes.
  assert.equal((await run("--project web", "true")).code, 0);
  system.calls.length = 0;
  cloud.resetCounts();
  assert.deepEqual(await run("--project web", "true"), { code: 0, stdout: "", stderr: "" });
  assert.deepEqual(system.calls, ["get"]);
  assert.deepEqual(Object.values(cloud.counts()).filter((count) => count > 0), []);
});

Deno.test("a renewal that had begun is waited for after the command's end, with a word", async () => {
  await using world = await openWorld();
  const { cloud } = world;
  cloud.setTokenLife(30);
  assert.equal((await world.login(ADA)).code, 0);
  const { env, folder } = await openStage(world);
  await world.ok("exec --project web -- true", { env });
  cloud.resetCounts();
  await cloud.setFaults({ token: { slow: 4_000 } });
  await writeScript(
    `${folder}/script`,
    `touch ${folder}/started; while ! test -e ${folder}/asked; do sleep 0.1; done; exit 3`,
  );
  const running = world.run(`exec --project web -- ${folder}/script`, { env });
  await until(async () => (await namesIn(folder)).includes("started"), "the command");
  // Nearly over: the next one is asked for at the next look.
  world.sandbox.time += 15_000;
  await until(() => (cloud.counts()["token"] ?? 0) > 0, "the renewal");
  await Deno.writeTextFile(`${folder}/asked`, "");
  const { code, stderr } = await running;
  assert.equal(code, 3);
  assert.match(stderr, /^The command has ended; waiting for the answer to a renewal/m);
  await cloud.setFaults({});
  cloud.resetCounts();
  assert.match(await world.ok("auth get-token"), /./);
  assert.equal(cloud.counts()["token"] ?? 0, 0, "what came is stored");
});

Deno.test("a child's variables: the person's without credentials, the vendor's for the target", () => {
  const all = {
    HOME: "/home/ada",
    LD_LIBRARY_PATH: "/opt/lib",
    DATUMCTL_CONFIG_DIR: "/config",
    DATUMCTL_TOKEN: "t",
    DATUMCTL_CREDENTIALS_FILE: "f",
    CLOUDFLEET_ACCESS_TOKEN_ID: "i",
    CLOUDFLEET_ACCESS_TOKEN_SECRET: "s",
    KUBERNETES_EXEC_INFO: "{}",
    DATUMCTL_PROFILE: "another",
    DATUM_ORGANIZATION: "another",
    DATUM_PROJECT: "another",
    DATUM_API_HOST: "another",
  };
  const kept = { HOME: "/home/ada", LD_LIBRARY_PATH: "/opt/lib", DATUMCTL_CONFIG_DIR: "/config" };
  const own = {
    DATUM_API_HOST: SESSION.apiHost,
    DATUM_SESSION: SESSION.name,
    DATUM_PLUGIN_API_VERSION: "1",
    DATUM_CREDENTIALS_HELPER: "/bin/datumctl",
  };
  const of = (target: Acting["target"], provider = DATUM) =>
    childVariables(all, { session: { ...SESSION, provider }, target }, "/bin/datumctl");
  const source = "a test";
  assert.deepEqual(of({ kind: "project", id: "web", organization: "acme", source }), {
    ...kept,
    ...own,
    DATUM_ORG: "acme",
    DATUM_PROJECT: "web",
  });
  assert.deepEqual(of({ kind: "organization", id: "acme", source }), { ...kept, ...own, DATUM_ORG: "acme" });
  assert.deepEqual(of({ kind: "platform", source }), { ...kept, ...own });
  const { DATUM_API_HOST: _, ...ofOtherCloud } = own;
  assert.deepEqual(of(undefined, OIDC), { ...kept, ...ofOtherCloud }, "no host of another session's");
  const ofFile = (name: string, keyFile: string) =>
    childVariables(all, { session: { ...SESSION, name }, target: undefined, keyFile }, "/bin/datumctl");
  const handedOn = { DATUM_SESSION: "env:DATUM_CREDENTIALS_FILE", DATUM_CREDENTIALS_FILE: "/k.json" };
  for (const name of ["env:--credentials-file", "env:DATUMCTL_CREDENTIALS_FILE"]) {
    assert.deepEqual(ofFile(name, "/k.json"), { ...kept, ...own, ...handedOn });
    assert.equal(ofFile(name, "./k.json")["DATUM_CREDENTIALS_FILE"], `${Deno.cwd()}/k.json`);
  }
  assert.deepEqual(ofFile(SESSION.name, "/k.json"), { ...kept, ...own }, "another session is in force");
  const without = childVariables(all, undefined, "/bin/datumctl");
  assert.deepEqual(Object.keys(all).filter((name) => !(name in without)), [
    "DATUMCTL_TOKEN",
    "DATUMCTL_CREDENTIALS_FILE",
    "CLOUDFLEET_ACCESS_TOKEN_ID",
    "CLOUDFLEET_ACCESS_TOKEN_SECRET",
    "KUBERNETES_EXEC_INFO",
  ]);
});

Deno.test("a kubeconfig of one target says nothing of what is not there", () => {
  const text = singleTargetKubeconfig({
    name: "c",
    server: "https://k8s.example.com",
    certificateAuthority: undefined,
    namespace: "n",
    user: "u",
    owner: { session: "ada", activeFor: "https://login.example.com" },
    tokenFile: "/run/token",
    userFields: {},
  });
  assert.deepEqual(JSON.parse(text), {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: "https://k8s.example.com" } }],
    users: [{
      name: "u",
      user: {
        tokenFile: "/run/token",
        "token-file": "/run/token",
        extensions: [{
          name: "datumctl",
          extension: { session: "ada", activeFor: "https://login.example.com" },
        }],
      },
    }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u", namespace: "n" } }],
    "current-context": "c",
  });
});
