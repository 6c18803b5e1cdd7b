/** Proves what a plug-in is given, for which session, and that a word of ours is never one. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import type { SessionStore } from "../../src/sessions/store.ts";
import { getToken } from "../plugin/call.ts";
import { writeScript } from "../scratch.ts";
import { addressVariables } from "../cloud/variables.ts";
import { edit } from "../sessions/sandbox.ts";
import { openFolders } from "./folder-world.ts";
import { good, type Options, runLine } from "./run-line.ts";
import { openStudioWorld } from "./studio-world.ts";
import { ADA, at, GRACE, keyFile, openSignedIn, openWorld, type World } from "./world.ts";

/** Writes down its arguments and variables, and ends as a variable says. */
const TELLS = `cd "$(dirname "$0")"; for word in "$@"; do printf '<%s>' "$word"; done > words; env > env`;

async function openStage(world: World) {
  const bin = `${world.sandbox.folder}/bin`;
  await Deno.mkdir(bin);
  const write = (name: string, body = TELLS) => writeScript(`${bin}/datumctl-${name}`, body);
  const read = (name: string) => Deno.readTextFile(`${bin}/${name}`);
  await write("hello");
  return {
    bin,
    write,
    async run(words: string | readonly string[], options: Options = {}) {
      for (const name of ["words", "env"]) await Deno.remove(`${bin}/${name}`).catch(() => {});
      return await world.run(words, { ...options, env: { PATH: `${bin}:/usr/bin:/bin`, ...options.env } });
    },
    words: () => read("words"),
    /** The vendor's variables that the plug-in got; the helper without its path. */
    async told() {
      const entries = (await read("env")).split("\n").filter((line) => line.startsWith("DATUM_")).sort();
      return entries.map((line) => line.replace(/(?<=^DATUM_CREDENTIALS_HELPER=)\/.*/, "…"));
    },
    ran: () => read("words").then(() => true, () => false),
  };
}

const ALWAYS = ["DATUM_CREDENTIALS_HELPER=…", "DATUM_PLUGIN_API_VERSION=1"];

/** What a plug-in is told of a session. */
function toldOf(world: World, session: string, ...more: readonly string[]): string[] {
  return [`DATUM_API_HOST=${world.cloud.apiHost}`, ...ALWAYS, `DATUM_SESSION=${session}`, ...more].sort();
}

Deno.test("a plug-in gets the rest of the line as it is, and the session that is in use", async () => {
  await using world = await openSignedIn(GRACE);
  await world.ok(`auth switch ${ADA}`);
  await world.ok("ctx use acme/web");
  const { run, words, told, ran, write } = await openStage(world);
  world.cloud.resetCounts();

  const rest = [
    "a b",
    "",
    "--profile",
    "nobody",
    "-q",
    "--help",
    "--",
    "--",
    "get",
    "*",
    "'\"\\",
    "ü",
    "a\nb",
  ];
  assert.deepEqual(await run(["hello", ...rest]), { code: 0, stdout: "", stderr: "" });
  assert.equal(await words(), rest.map((word) => `<${word}>`).join(""));
  const inUse = ["DATUM_ORG=acme", "DATUM_PROJECT=web"];
  assert.deepEqual(await told(), toldOf(world, at(world, ADA), ...inUse));

  for (const flag of [`--profile ${at(world, GRACE)}`, `-v --session=${at(world, GRACE)} -q`]) {
    assert.equal((await run(`${flag} hello`)).code, 0);
    assert.deepEqual(await told(), toldOf(world, at(world, GRACE)), flag);
  }
  assert.equal((await run("hello", { env: { DATUM_ORGANIZATION: "other" } })).code, 0);
  assert.deepEqual(await told(), toldOf(world, at(world, ADA), "DATUM_ORG=other"));
  assert.match((await run("-v hello")).stderr, /^plug-in: \/.*\/bin\/datumctl-hello$/m);
  assert.deepEqual(
    Object.values(world.cloud.counts()).filter((count) => count > 0),
    [],
    "no server was asked",
  );

  for (
    const [line, env, code, says] of [
      ["--profile nobody hello", {}, 4, /no session nobody here/],
      ["hello", { DATUMCTL_PROFILE: "nobody" }, 4, /no session nobody here/],
      ["hello", { DATUMCTL_TOKEN: "no token" }, 2, /DATUMCTL_TOKEN/],
      ["--error-format xml hello", {}, 2, /xml/],
      ["--profile a --session b hello", {}, 2, /two different sessions/],
      ["--request-timeout soon hello", {}, 2, /--request-timeout/],
      ["hello", { DATUM_PROJECT: "../x" }, 2, /project/],
      ["--project web hello", {}, 2, /--project/],
    ] as const
  ) {
    const { code: ended, stdout, stderr } = await run(line, { env });
    assert.deepEqual([ended, stdout], [code, ""], `${line}: ${stderr}`);
    assert.match(stderr, says);
    assert.equal(await ran(), false, `${line} ran the plug-in`);
  }

  for (const [body, expected] of [["exit 3", 3], ["exit 130", 130], ["kill -9 $$", 137]] as const) {
    await write("ends", body);
    assert.deepEqual(await run("ends"), { code: expected, stdout: "", stderr: "" });
  }
});

Deno.test("a plug-in runs where nobody is signed in, and without asking a locked keyring", async () => {
  await using world = await openWorld();
  const { run, told } = await openStage(world);
  assert.deepEqual(await run("hello"), { code: 0, stdout: "", stderr: "" });
  assert.deepEqual(await told(), ALWAYS);

  const { system } = world.sandbox;
  await world.login(ADA, "--keyring system");
  system.calls.length = 0;
  assert.equal((await run("hello")).code, 0);
  assert.deepEqual(await told(), toldOf(world, at(world, ADA)));
  assert.deepEqual(system.calls, []);

  await Deno.writeTextFile(world.kubeconfig, "a: [", { mode: 0o600 });
  const broken = await run("hello");
  assert.equal(broken.code, 0);
  assert.match(broken.stderr, /^warning: The plug-in is told of no organization or project\. .*\n$/);
  assert.deepEqual(await told(), toldOf(world, at(world, ADA)));
  assert.equal((await run("-q hello")).stderr, "");

  const config = `${world.sandbox.folder}/config.json`;
  await Deno.writeTextFile(config, "{", { mode: 0o600 });
  const damaged = await run("hello");
  assert.equal(damaged.code, 0, damaged.stderr);
  assert.match(damaged.stderr, /^warning: The plug-in runs without a session\. .*config\.json/);
  assert.deepEqual(await told(), ALWAYS);
});

Deno.test("a plug-in does not run without the session that is wanted, where the helper would take another", async () => {
  await using world = await openWorld();
  const { run, ran } = await openStage(world);
  await world.login(ADA);
  const { file } = await world.sandbox.paths(at(world, ADA));
  await Deno.remove(file);
  const { code, stderr } = await run("hello");
  assert.equal(code, 4, stderr);
  assert.equal(await ran(), false);
});

Deno.test("a plug-in does not run without the session that its folder names, with another active too", async () => {
  await using there = await openFolders();
  const folder = await there.folder("work");
  const bin = await there.folder("bin");
  await writeScript(`${bin}/datumctl-hello`, "echo ran");
  const env = { PATH: `${bin}:/usr/bin:/bin` };
  await there.write(folder, { session: "gone" });
  await there.ok(folder, "trust");
  for (const active of [true, false]) {
    if (!active) await there.ok(folder, `logout ${ADA}`);
    const { code, stdout, stderr } = await there.run(folder, "hello", { env });
    assert.deepEqual([code, stdout], [4, ""], stderr);
    assert.match(stderr, /gone/);
  }
});

Deno.test("a project folder's session is opened without asking, and where that fails none is told", async () => {
  await using world = await openStudioWorld();
  const { sandbox: { system }, store } = world;
  const folder = await world.folder("project");
  good(await world.login(["--local", "--keyring", "system"], { folder }));
  const bin = `${folder}/bin`;
  await Deno.mkdir(bin);
  await writeScript(`${bin}/datumctl-hello`, `echo "told \${DATUM_SESSION-none}" > ${folder}/told`);
  const quiet: unknown[] = [];
  const secretStore: SessionStore["secretStore"] = () => ({
    ...system,
    get(account, limits) {
      quiet.push(limits.quiet);
      return system.get(account, limits);
    },
  });
  const hello = async () => {
    const here = store.with({ host: { ...store.host, workingFolder: () => folder }, secretStore });
    const ran = await runLine(["hello"], { store: here, env: { HOME: world.home, PATH: bin } });
    return [ran.code, ran.stderr, await Deno.readTextFile(`${folder}/told`)];
  };
  const [code, stderr, told] = await hello();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(String(told), /^told (?!none)/);
  assert.deepEqual(quiet, [true]);
  system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  const [lockedCode, warning, nothing] = await hello();
  assert.deepEqual([lockedCode, nothing], [0, "told none\n"]);
  assert.match(String(warning), /^warning: The plug-in runs without a session\. The keyring is locked\./);
});

Deno.test("a key file is handed on by its path, a bare token is not, and that is said", async () => {
  await using world = await openWorld();
  const { run, told } = await openStage(world);
  const path = await keyFile(world);
  const variables = addressVariables(world.cloud);
  const handedOn = toldOf(world, "env:DATUM_CREDENTIALS_FILE", `DATUM_CREDENTIALS_FILE=${path}`);
  for (
    const [line, env] of [
      [`--credentials-file ${path} hello`, {}],
      ["hello", { DATUMCTL_CREDENTIALS_FILE: path }],
    ] as const
  ) {
    const { code, stderr } = await run(line, { env: { ...variables, ...env } });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(await told(), handedOn, line);
  }
  const env = { ...variables, DATUMCTL_CREDENTIALS_FILE: path };
  const token = (await world.ok("auth get-token", { env })).trim();
  const { code, stderr } = await run("hello", { env: { ...variables, DATUMCTL_TOKEN: token } });
  assert.equal(code, 0);
  assert.match(stderr, /^warning: The session comes from DATUMCTL_TOKEN, which no plug-in is given: .*\n$/);
  assert.deepEqual(await told(), toldOf(world, "env:DATUMCTL_TOKEN"));
});

Deno.test("a word of ours runs no other program, and a near miss is told as before", async () => {
  await using world = await openWorld();
  const { run, write, ran, bin } = await openStage(world);
  for (const name of ["get", "auth", "help", "version", "project", "GET", "__complete"]) await write(name);
  for (
    const line of ["get", "auth", "auth hello", "help", "help get", "version", "project", "GET", "__complete"]
  ) {
    await run(line);
    assert.equal(await ran(), false, line);
  }
  const near = await run("gett");
  assert.deepEqual([near.code, near.stderr], [2, "error: Unknown command 'gett'.\nDid you mean get?\n"]);
  assert.match(
    (await run("hallo")).stderr,
    /^error: Unknown command 'hallo'\.\nDid you mean the plug-in hello\?\n$/,
  );
  await Deno.writeTextFile(`${bin}/datumctl-gett`, "", { mode: 0o644 });
  assert.match((await run("gett")).stderr, /chmod \+x .*\/datumctl-gett$/m);
  await Deno.chmod(`${bin}/datumctl-gett`, 0o755);
  assert.equal((await run("gett")).code, 0);

  await Deno.mkdir(`${bin}/datumctl-folder`);
  assert.match((await run("folder")).stderr, /Unknown command 'folder'/);
  const work = `${world.sandbox.folder}/work`;
  await Deno.mkdir(work);
  await writeScript(`${work}/datumctl-here`, `touch ${work}/ran`);
  const from = work.split("/").length - 1;
  for (const path of ["", ".", `${"../".repeat(from)}${work.slice(1)}`, ":/usr/bin"]) {
    assert.equal((await run("here", { env: { PATH: path } })).code, 2, path);
  }
  await writeScript(`${bin}/datumctl-bad`, "");
  await Deno.writeTextFile(`${bin}/datumctl-bad`, "#!/no/such/interpreter\n");
  const bad = await run("bad");
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /datumctl-bad" cannot be started\.\n.*first line/);
});

Deno.test("help plugins lists the plug-ins on stdout, and on stderr what is none; help NAME says where its help is", async () => {
  await using world = await openWorld();
  const { run, write, bin } = await openStage(world);
  await write("get");
  const { code, stdout, stderr } = await run("help plugins");
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^hello +${bin}/datumctl-hello$`, "m"));
  assert.doesNotMatch(stdout, /-get/);
  assert.equal(stderr, `warning: ${bin}/datumctl-get is never run: "get" is a command of datumctl's own.\n`);
  assert.deepEqual(await run("-q help plugins"), { code, stdout, stderr: "" });
  const none = await run("help plugins", { env: { PATH: "" } });
  assert.deepEqual([none.code, none.stderr], [0, ""]);
  assert.match(none.stdout, /\nThere is none\.\n$/);
  const help = await run("help hello sub");
  assert.equal(help.code, 2);
  assert.match(help.stderr, /^It is a plug-in: datumctl hello sub --help$/m);
});

Deno.test("a plug-in that was told another host, by an edited file, gets no token of the session", async () => {
  await using world = await openWorld();
  const { sandbox } = world;
  const { session: { name, apiHost } } = await sandbox.add();
  const { run, told } = await openStage(world);
  const { file } = await sandbox.paths(name);
  await world.ok(`auth switch ${name}`);
  await edit(file, (session) => ({ ...session, apiHost: "elsewhere.example.com" }));
  assert.equal((await run("hello")).code, 0);
  const given = Object.fromEntries((await told()).map((line) => line.split("=", 2)));
  assert.equal(given["DATUM_API_HOST"], "elsewhere.example.com");
  const refused = await getToken(sandbox, { session: name }, given);
  assert.deepEqual([refused.code, refused.stdout], [4, ""]);
  assert.match(refused.stderr, new RegExp(`belongs to ${apiHost}, but the plug-in was told elsewhere`));
  for (const host of [apiHost, `https://${apiHost}/`]) {
    const env = { ...given, DATUM_API_HOST: host };
    assert.equal((await getToken(sandbox, { session: name }, env)).code, 0, host);
  }
  const { DATUM_API_HOST: _, ...untold } = given;
  assert.equal((await getToken(sandbox, { session: name }, untold)).code, 0);
  const another = { ...given, DATUM_SESSION: "another" };
  assert.equal(
    (await getToken(sandbox, { session: name }, another)).code,
    0,
    "it was told nothing of this one",
  );
});
