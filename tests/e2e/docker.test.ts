/** Proves that Docker, crane and skopeo get a registry's credentials from the compiled program, and nobody else does. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { buildCache } from "../../scripts/npm-packages.ts";
import { findProgram } from "../../src/system/processes.ts";
import { buildOnce, goAtHand } from "../apiserver/program.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { leaksBelow, leaksIn, needlesOf } from "./leaks.ts";
import { type Finished, type RunOptions, testInWorld, type World, type WorldOptions } from "./world.ts";

const ORGANIZATION = "12345678-6651-4e5d-9c04-079f6532989b";
const REGISTRY = `${ORGANIZATION}.europe.registry.cloudfleet.dev`;
const TOKEN_ID = "nFYyVdtg8K1aDujwk3YFh1";
const SECRET = "s3cret-of-the-token~0123456789";

const docker = findProgram("docker", Deno.env.get("PATH"));
const skopeo = findProgram("skopeo", Deno.env.get("PATH"));
const strace = findProgram("strace", Deno.env.get("PATH"));
const go = await goAtHand();
for (const [program, name] of [[docker, "docker"], [skopeo, "skopeo"], [strace, "strace"], [go, "Go"]]) {
  // deno-lint-ignore no-console -- a skipped test says so
  if (program === undefined) console.error(`skipped: what takes ${name}`);
}

/** A world with a profile and a folder for programs on PATH. */
interface Stage {
  readonly world: World;
  readonly config: string;
  /** Runs a program as a person's shell does. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Finished>;
  ok(program: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs `auth configure-docker`. */
  configure(...words: string[]): Promise<string>;
}

function testOnStage(
  name: string,
  work: (stage: Stage) => Promise<void>,
  options: WorldOptions & { readonly ignore?: boolean } = {},
): void {
  testInWorld(name, async (world) => {
    const bin = `${world.home}/.local/bin`;
    await Deno.mkdir(bin, { recursive: true });
    const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
    const run: Stage["run"] = (program, args, options = {}) =>
      world.start(program, args, { ...options, env: { ...env, ...options.env } }).finished;
    const ok: Stage["ok"] = async (program, args, options) => {
      const { code, stdout, stderr } = await run(program, args, options);
      assert.equal(code, 0, `${program} ${args.join(" ")}: ${stdout}${stderr}`);
      return stdout;
    };
    await ok(world.binary, [
      ...["auth", "add-profile", "token", "ci", ORGANIZATION, TOKEN_ID],
      ...["--issuer", "https://auth.example.com", "--skip-validation"],
    ], { stdin: SECRET });
    await work({
      world,
      config: `${world.home}/.docker/config.json`,
      run,
      ok,
      configure: (...words) => ok(world.binary, ["auth", "configure-docker", ...words]),
    });
  }, options);
}

let clients: Promise<string | undefined> | undefined;

/** The program of docker-clients/. */
async function clientsProgram(): Promise<string> {
  clients ??= go && buildOnce({
    go,
    module: `${ROOT}tests/e2e/docker-clients`,
    name: "docker-clients",
    flags: ["-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w"],
    cache: buildCache(),
  });
  return await clients ?? assert.fail("it cannot be built");
}

const ANOTHER = { user: "another", password: "a-password-of-another" };

/** A registry on this machine that knows two users, and what it was sent. */
function startRegistry() {
  const users: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const [, basic = ""] = /^Basic (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
    if (basic !== "") users.push(atob(basic));
    if (![`${TOKEN_ID}:${SECRET}`, `${ANOTHER.user}:${ANOTHER.password}`].includes(atob(basic))) {
      return new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } });
    }
    const headers = { "docker-distribution-api-version": "registry/2.0" };
    return Response.json({ name: "app", tags: ["v1"] }, { headers });
  });
  return {
    host: `127.0.0.1:${server.addr.port}`,
    users,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** What `docker login` takes of a daemon: that it lives, and that it asks the registry. */
function startDaemon(registry: string) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/_ping") {
      return new Response("OK", { headers: { "api-version": "1.49", "ostype": "linux" } });
    }
    if (!pathname.endsWith("/auth")) return Response.json({ message: "no such page" }, { status: 404 });
    const { username, password, serveraddress } = await request.json();
    assert.equal(serveraddress, registry);
    const answer = await fetch(`http://${registry}/v2/`, {
      headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
    });
    await answer.body?.cancel();
    return answer.ok
      ? Response.json({ Status: "Login Succeeded", IdentityToken: "" })
      : Response.json({ message: "unauthorized" }, { status: 401 });
  });
  return { host: `tcp://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

testOnStage(
  "Docker's own client and crane's keychain get the credentials, and nobody's for another host",
  async ({ configure, ok, run }) => {
    const program = await clientsProgram();
    await configure();
    const found = `${TOKEN_ID}\n${SECRET}\n`;
    for (const server of [REGISTRY, `https://${REGISTRY}`, `https://${REGISTRY}/v2/`]) {
      assert.equal(await ok(program, ["get", server]), found);
    }
    for (
      const server of [`${REGISTRY}:5000`, `${REGISTRY}.evil.example`, `http://${REGISTRY}`, "docker.io"]
    ) {
      assert.equal(await ok(program, ["get", server]), "anonymous\n", server);
    }
    assert.equal(await ok(program, ["keychain", REGISTRY]), found);
    assert.equal(
      await ok(program, ["keychain", `${ORGANIZATION}.nowhere.registry.cloudfleet.dev`]),
      "anonymous\n",
    );
    const regions = ["apac", "europe", "northamerica"];
    assert.equal(
      await ok(program, ["list"]),
      regions.map((region) => `${ORGANIZATION}.${region}.registry.cloudfleet.dev ${TOKEN_ID}\n`).join(""),
    );
    await ok(program, ["store", REGISTRY, TOKEN_ID], { stdin: SECRET });
    const other = await run(program, ["store", REGISTRY, "somebody"], { stdin: "another secret" });
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      /error storing credentials - err: exit status 1, out: `docker gets the credentials for/,
    );
    await ok(program, ["erase", REGISTRY]);
    assert.equal(await ok(program, ["get", REGISTRY]), found);
    assert.match((await run(program, ["get", " "])).stderr, /no credentials server URL/);
  },
  { ignore: go === undefined },
);

testOnStage(
  "the helper runs the program by its full path, wherever it is called from",
  async ({ configure, ok, run, world }) => {
    await configure("--registry", REGISTRY);
    const text = await Deno.readTextFile(`${world.home}/.local/bin/docker-credential-datumctl`);
    assert.equal(text, `#!/bin/sh\nexec '${world.binary}' docker-credential "$@"\n`);
    const path = `${world.home}/.local/bin`;
    const found = await ok("sh", ["-c", "cd / && docker-credential-datumctl get"], {
      stdin: REGISTRY,
      env: { PATH: `${path}:/usr/bin:/bin` },
    });
    assert.equal(JSON.parse(found).Username, TOKEN_ID);
    // As a package manager calls it whose link is gone.
    await Deno.remove(`${path}/docker-credential-datumctl`);
    const line = ["-c", 'exec -a datumctl "$0" auth configure-docker', world.binary];
    const { code, stderr } = await run("bash", line, { env: { PATH: `${path}:/usr/bin:/bin` } });
    assert.equal(code, 0, stderr);
    assert.ok(
      stderr.includes(`runs ${world.binary}; if an upgrade moves it, run this command again`),
      stderr,
    );
  },
);

testOnStage(
  "docker login needs no password and stores no other login, docker logout ends no session",
  async ({ configure, ok, run, config }) => {
    const program = docker ?? assert.fail();
    await using registry = startRegistry();
    await using daemon = startDaemon(registry.host);
    const env = { DOCKER_HOST: daemon.host };
    await Deno.mkdir(config.replace(/\/[^/]*$/, ""));
    await Deno.writeTextFile(config, '{\n\t"auths": {},\n\t"psFormat": "x"\n}');
    await configure("--registry", registry.host);
    const login = await run(program, ["login", registry.host], { env });
    assert.equal(login.code, 0, login.stderr);
    assert.match(login.stdout, /Login Succeeded/);
    assert.deepEqual([...new Set(registry.users)], [`${TOKEN_ID}:${SECRET}`]);
    const after = JSON.parse(await Deno.readTextFile(config));
    assert.deepEqual(after.credHelpers, { [registry.host]: "datumctl" });
    assert.equal(after.auths[registry.host]?.auth, undefined, "docker keeps no secret");

    const other = await run(program, ["login", "-u", ANOTHER.user, "--password-stdin", registry.host], {
      env,
      stdin: ANOTHER.password,
    });
    assert.equal(registry.users.at(-1), `${ANOTHER.user}:${ANOTHER.password}`, "the registry took it");
    assert.notEqual(other.code, 0, "docker would go on as ci");
    assert.match(other.stderr, /from the profile "ci" of datumctl; others are not stored\. To use another/);
    const logout = await run(program, ["logout", registry.host], { env });
    assert.equal(logout.code, 0, logout.stderr);
    assert.match(logout.stderr, /datumctl: the profile "ci" stays/);
    assert.match(await ok(program, ["login", registry.host], { env }), /Login Succeeded/);
    await configure("--remove");
    const gone = await run(program, ["login", registry.host], { env });
    assert.notEqual(gone.code, 0, "docker asks for a password again");
  },
  { ignore: docker === undefined },
);

testOnStage(
  "skopeo gets the credentials by docker's file and by its own",
  async ({ configure, run, world }) => {
    await using registry = startRegistry();
    const tags = (env = {}) =>
      run(skopeo ?? "", ["list-tags", "--tls-verify=false", `docker://${registry.host}/app`], { env });
    const nobody = await tags();
    assert.notEqual(nobody.code, 0, nobody.stdout);
    await configure("--registry", registry.host);
    const byDockers = await tags();
    assert.equal(byDockers.code, 0, byDockers.stderr);
    assert.deepEqual(JSON.parse(byDockers.stdout).Tags, ["v1"]);
    await configure("--remove");
    const own = `${world.home}/auth.json`;
    await configure("--registry", registry.host, "--config", own);
    const byIts = await tags({ REGISTRY_AUTH_FILE: own });
    assert.equal(byIts.code, 0, byIts.stderr);
  },
  { ignore: skopeo === undefined },
);

testOnStage(
  "a locked keyring is an error that docker shows, in bounded time, and nobody is asked",
  async ({ configure, run, world }) => {
    await configure();
    const get = () => run("docker-credential-datumctl", ["get"], { stdin: REGISTRY });
    assert.equal(JSON.parse((await get()).stdout).Secret, SECRET);
    await world.keyring?.lock();
    const locked = await get();
    assert.equal(locked.code, 1);
    assert.match(locked.stdout, /^[^\n]*the keyring is locked\. Unlock it[^\n]*\n$/);
    assert.doesNotMatch(locked.stdout + locked.stderr, new RegExp(SECRET));
  },
  { keyring: "real", ignore: absentPrograms().length > 0 },
);

testOnStage(
  "whatever is sent, and a pipe that never closes, gets an end",
  async ({ run, ok, world }) => {
    await ok(world.binary, ["auth", "configure-docker"]);
    for (const action of ["get", "store", "erase"]) {
      const { code, stdout } = await run("docker-credential-datumctl", [action], {
        stdin: "a".repeat(60_000),
      });
      assert.deepEqual([code, /^[^\n]{0,400}\n?$/.test(stdout)], [action === "erase" ? 0 : 1, true], action);
      const large = await run("sh", ["-c", `yes | docker-credential-datumctl ${action}`]);
      assert.equal(large.code, 1);
      assert.match(large.stdout, /too long for a credential helper/);
    }
    // The pipe stays open as long as the other end sleeps.
    const silent = await run("sh", [
      "-c",
      "(sleep 50 & echo $!; wait) | { read -r pid; docker-credential-datumctl get; kill $pid; }",
    ]);
    assert.match(silent.stdout, /^Nothing came on standard input/);
  },
);

testOnStage(
  "the secret stands on stdout alone: in no argument, environment, file or message",
  async ({ configure, run, world }) => {
    const needles = needlesOf([{ kind: "client_secret", value: SECRET }]);
    await configure("--registry", REGISTRY, "--registry", "registry.acme.example");
    const trace = `${world.temporary}/trace`;
    const calls: readonly (readonly [action: string, stdin: string])[] = [
      ["get", REGISTRY],
      ["get", "registry.acme.example"],
      ["get", `${REGISTRY}.evil.example`],
      ["list", ""],
      ["store", JSON.stringify({ ServerURL: REGISTRY, Username: TOKEN_ID, Secret: SECRET })],
      ["store", JSON.stringify({ ServerURL: REGISTRY, Username: "x", Secret: SECRET })],
      ["erase", REGISTRY],
    ];
    for (const [action, stdin] of calls) {
      const { stdout, stderr } = await run("strace", [
        ...["-f", "-v", "-s", "65536", "-e", "trace=execve", "-o", trace],
        ...["docker-credential-datumctl", action],
      ], { stdin, env: { DATUMCTL_ERROR_FORMAT: "json" } });
      const said = stdout.includes('"Secret"') ? stderr : stdout + stderr;
      assert.deepEqual(leaksIn(said, needles), [], action);
      const seen = await Deno.readTextFile(trace);
      assert.match(seen, /execve\(.*"docker-credential"/);
      assert.deepEqual(leaksIn(seen, needles), [], action);
    }
    const { leaks, files } = await leaksBelow([world.home, world.temporary], needles);
    assert.deepEqual(leaks, []);
    assert.ok(files > 3);
  },
  { ignore: strace === undefined },
);
