/** Proves that a project folder's own session counts in that folder and nowhere else, and is nobody else's. */

import assert from "node:assert/strict";
import { listSessions, pathsOf } from "../../src/sessions/store.ts";
import { openStudioWorld, type StudioWorld } from "./studio-world.ts";

const FOREIGN = "KEYRING_ITEM_MISSING";

async function git(folder: string, ...args: string[]): Promise<string> {
  const env = { HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  const { code, stdout, stderr } = await new Deno.Command("git", { args, cwd: folder, env }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function signedIn(world: StudioWorld, folder: string | undefined, name: string): Promise<string> {
  const flags = folder === undefined ? [] : ["--local"];
  const { code, stderr } = await world.login(
    [...flags, "--name", name],
    folder === undefined ? {} : { folder },
  );
  assert.equal(code, 0, stderr);
  return world.studio.tokens().find((token) => token.name === name)?.token ?? assert.fail(name);
}

Deno.test("each folder has its own token, in and below it; elsewhere the person's own counts", async () => {
  await using world = await openStudioWorld();
  const [one, deep, two] = [
    await world.folder("one"),
    await world.folder("one/a/b"),
    await world.folder("two"),
  ];
  const tokens = [
    [world.home, await signedIn(world, undefined, "own")],
    [deep, await signedIn(world, one, "first")],
    [two, await signedIn(world, two, "second")],
  ] as const;
  for (const [folder, token] of tokens) {
    assert.equal(await world.ok(["auth", "token"], { folder }), `${token}\n`, folder);
  }
  assert.match(
    await world.ok(["whoami"], { folder: deep }),
    new RegExp(`Chosen by: +the project folder ${one}\n`),
  );
  assert.match(await world.ok(["whoami"]), /Chosen by: +the active session/);

  const list = await world.ok(["auth", "list"], { folder: deep });
  assert.match(list, /own +Active elsewhere/);
  assert.match(list, new RegExp(`first +Active +${one}\n`));
  assert.doesNotMatch(list, /second/);
  assert.doesNotMatch(await world.ok(["auth", "list"]), /Folder|elsewhere|first/);
  const rows = JSON.parse(await world.ok(["auth", "list", "-o", "json"], { folder: two }));
  assert.deepEqual(
    rows.map(({ name, active, folder }: Record<string, unknown>) => [name, active, folder]),
    [[`own@${world.host}`, false, undefined], [`second@${world.host}`, true, two]],
  );
  const again = await world.login(["--local", "--error-format", "json"], { folder: one });
  assert.match(again.stderr, /signed in at \S+ in \S+one already/);
  assert.match(again.stderr, /datumctl logout --local/);
  // Below it, another folder's may begin, and is nearer.
  const inner = await signedIn(world, deep, "inner");
  assert.equal(await world.ok(["auth", "token"], { folder: deep }), `${inner}\n`);
  await world.ok(["logout", "--local"], { folder: deep });
  assert.equal(await world.ok(["auth", "token"], { folder: deep }), `${tokens[1][1]}\n`);
});

Deno.test("switch and logout act on the place that is meant, and say what goes on to count", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  await signedIn(world, undefined, "own");
  await world.sandbox.add({ name: "work" });
  await signedIn(world, folder, "local");
  const at = (name: string) => `${name}@${world.host}`;
  const run = (...words: string[]) => world.run(words, { folder });

  const own = await run("auth", "switch", "work");
  assert.equal(own.code, 0, own.stderr);
  assert.match(
    own.stderr,
    new RegExp(`In ${folder} and below, that folder's own session comes before the active one`),
  );
  assert.match((await run("auth", "switch", at("local"))).stdout, new RegExp(` in ${folder}\\.\n$`));
  assert.match(await world.ok(["whoami"]), /Session: +work/);

  const foreign = await world.run(["logout", "--local"]);
  assert.equal(foreign.code, 4, foreign.stderr);
  const logout = await run("logout", at("own"));
  assert.equal(logout.code, 0, logout.stderr);
  assert.match(logout.stderr, new RegExp(`The session of ${folder} itself stays`));
  const named = await run("logout", "--profile", at("local"));
  assert.equal(named.code, 0, named.stderr);
  assert.deepEqual(world.studio.tokens(), []);
  assert.deepEqual((await listSessions(world.place)).sessions.map(({ name }) => name), ["work"]);
});

Deno.test("with nobody but the folder signed in, logout names its flag", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  await signedIn(world, folder, "local");
  const { code, stderr } = await world.run(["logout"], { folder });
  assert.equal(code, 4);
  assert.match(stderr, /datumctl logout --local/);
  assert.equal(world.studio.tokens().length, 1);
});

Deno.test("git sees nothing of it, and after the last logout only locks are left", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("repository");
  await git(folder, "init", "-q");
  const { code, stderr } = await world.login(["--local", "--name", "mine", "--export-datachain"], { folder });
  assert.equal(code, 0, stderr);
  assert.equal(await git(folder, "status", "--porcelain", "--ignored"), "!! .datachain/\n!! .datumctl/\n");
  assert.equal(await git(folder, "status", "--porcelain"), "");
  const config = await Deno.readTextFile(`${folder}/.datachain/config`);
  assert.match(config, new RegExp(`token = "${world.studio.tokens()[0]?.token}"`));
  for await (const { name } of Deno.readDir(`${folder}/.datumctl`)) {
    const { mode } = await Deno.stat(`${folder}/.datumctl/${name}`);
    assert.equal((mode ?? 0) & 0o077, 0, name);
  }
  await world.ok(["logout", "--local"], { folder });
  assert.equal(await git(folder, "status", "--porcelain"), "");
  const left = [...Deno.readDirSync(`${folder}/.datumctl`)].map(({ name }) => name.replace(/^\w{16}/, "x"));
  assert.deepEqual(left.sort(), [".gitignore", "config.json.lock", "studio.lock", "x.lock"]);
  assert.doesNotMatch(await Deno.readTextFile(`${folder}/.datachain/config`), /token/);
  const keys = [...Deno.readDirSync(world.place.folders.sessions)].filter(({ name }) =>
    name.endsWith(".key")
  );
  assert.deepEqual(keys, []);
});

Deno.test("what the person does with their own sessions takes no project's key away", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  const token = await signedIn(world, folder, "local");
  await signedIn(world, undefined, "own");
  await world.ok(["logout"]);
  assert.equal(await world.ok(["auth", "token"], { folder }), `${token}\n`);
});

Deno.test("it is looked for up to the repository's root or the home, and no further; links are passed by", async () => {
  await using world = await openStudioWorld();
  const home = await world.folder("ada");
  const repository = await world.folder("ada/repository/sub");
  await signedIn(world, home, "outer");
  await signedIn(world, world.home, "above");
  const link = `${world.home}/link`;
  await Deno.symlink(home, link);
  const token = (folder: string, home = link) =>
    world.run(["auth", "token"], { folder, env: { HOME: home } });
  const above = await world.folder("ada-not");
  assert.equal((await token(above, above)).code, 4, "the home ends it");
  assert.equal((await token(above, "/nowhere")).code, 0);
  const outer = await token(repository);
  assert.equal(outer.code, 0, outer.stderr);
  const inHome = `${world.studio.tokens().find(({ name }) => name === "outer")?.token}\n`;
  assert.equal(outer.stdout, inHome);
  await Deno.rename(`${home}/.datumctl`, `${home}/aside`);
  assert.equal((await token(repository)).code, 4, "the home ends it, by its link too");
  await Deno.rename(`${home}/aside`, `${home}/.datumctl`);
  await Deno.mkdir(`${home}/repository/.git`);
  assert.equal((await token(repository)).code, 4, "the repository's root ends it");
  await Deno.symlink(`${home}/.datumctl`, `${home}/repository/.datumctl`);
  assert.equal((await token(repository)).code, 4, "a link is not followed");
  const linked = await world.login(["--local"], { folder: `${home}/repository` });
  assert.equal(linked.code, 1, linked.stderr);
  assert.match(linked.stderr, /repository\/\.datumctl is not used: it is no folder of its own/);
});

Deno.test("a folder that came from somebody else opens nothing, and says nothing of where to sign in", async () => {
  await using world = await openStudioWorld();
  const [theirs, mine] = [await world.folder("theirs"), await world.folder("mine")];
  await signedIn(world, theirs, "shared");
  await signedIn(world, undefined, "own");
  // Cloned: the files without the key, and with an address of theirs in them.
  await Deno.mkdir(`${mine}/.datumctl`);
  for await (const { name, isFile } of Deno.readDir(`${theirs}/.datumctl`)) {
    if (!isFile || name.endsWith(".lock")) continue;
    const text = await Deno.readTextFile(`${theirs}/.datumctl/${name}`);
    const edited = text.replace(/"issuer": ".*"/, '"issuer": "https://phish.example"')
      .replace(/"apiHost": ".*"/, '"apiHost": "phish.example"');
    await Deno.writeTextFile(`${mine}/.datumctl/${name}`, edited);
  }
  world.studio.resetRequests();
  for (const words of [["auth", "token"], ["auth", "get-token"], ["whoami"]]) {
    const ran = await world.run([...words, "--error-format", "json"], { folder: mine });
    assert.equal(ran.code, 4, ran.stderr);
    assert.equal(ran.stdout, "");
    assert.match(
      ran.stderr,
      new RegExp(`${FOREIGN}.*${mine}/\\.datumctl is not used: you hold no key for it`),
    );
    assert.match(
      ran.stderr,
      new RegExp(`Remove ${mine}/\\.datumctl, or act as a session of your own: --profile NAME`),
    );
    assert.doesNotMatch(ran.stderr, /phish/);
  }
  const list = await world.run(["auth", "list"], { folder: mine });
  assert.match(list.stderr, /warning: .*you hold no key for it/);
  assert.doesNotMatch(list.stdout, /shared|phish/);
  assert.match(await world.ok(["whoami", "--profile", `own@${world.host}`], { folder: mine }), /Token: +own/);

  const env = { DATACHAIN_STUDIO_URL: "" };
  const login = await world.login(["--local", "--force", "-H", world.studio.url, "--name", "new"], {
    folder: mine,
    env,
  });
  assert.equal(login.code, 0, login.stderr);
  assert.match(await world.ok(["whoami"], { folder: mine }), /Token: +new/);
});

Deno.test("a folder whose name cannot be shown has no sessions, and what is damaged in one is told", async () => {
  await using world = await openStudioWorld();
  await signedIn(world, undefined, "own");
  const odd = await world.folder("a\u001b[2Jb");
  await Deno.mkdir(`${odd}/.datumctl`);
  await Deno.writeTextFile(`${odd}/.datumctl/config.json`, "nonsense");
  assert.match(await world.ok(["whoami"], { folder: odd }), /Token: +own/);
  const login = await world.login(["--local"], { folder: odd });
  assert.equal(login.code, 1);
  assert.match(login.stderr, /characters in its name that cannot be shown/);
  assert.ok(!login.stderr.includes("\u001b"));

  const plain = await world.folder("plain");
  await Deno.mkdir(`${plain}/.datumctl`);
  for (const text of ["nonsense", '{"schemaVersion":99}', '{"schemaVersion":1,"activeSession":7}']) {
    await Deno.writeTextFile(`${plain}/.datumctl/config.json`, text);
    const { code, stdout, stderr } = await world.run(["auth", "token"], { folder: plain });
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, /plain\/\.datumctl\/config\.json cannot be used/);
  }
  // Nobody is active there: the person's own is.
  await Deno.writeTextFile(`${plain}/.datumctl/config.json`, '{"schemaVersion":1,"activeSession":"nobody"}');
  assert.match(await world.ok(["whoami"], { folder: plain }), /Token: +own/);
});

Deno.test("a failed sign-in leaves no folder behind; a killed logout is finished by the next", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  const failed = await world.login(["--local"], { folder, onCode: (code) => world.studio.deny(code) });
  assert.equal(failed.code, 1, failed.stderr);
  assert.deepEqual([...Deno.readDirSync(folder)], []);

  await signedIn(world, folder, "first");
  const { file, leaving } = await pathsOf(world.placeOf(folder).folders, `first@${world.host}`);
  await Deno.rename(file, leaving);
  const { code, stderr } = await world.run(["logout", "--local"], { folder });
  assert.equal(code, 4, stderr);
  await assert.rejects(Deno.stat(leaving), Deno.errors.NotFound);
  await assert.rejects(Deno.stat(`${folder}/.datumctl/config.json`), Deno.errors.NotFound);
  const keys = [...Deno.readDirSync(world.place.folders.sessions)].filter(({ name }) =>
    name.endsWith(".key")
  );
  assert.deepEqual(keys, []);
});
