/** Proves that a project folder's own session counts in that folder and nowhere else, and is nobody else's. */

import assert from "node:assert/strict";
import { git } from "../../git.ts";
import { assertMissing, modeOf } from "../../scratch.ts";
import { openStudioWorld, type StudioWorld } from "../studio-world.ts";

const FOREIGN = "KEYRING_ITEM_MISSING";

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
  assert.match(again.stderr, /already signed in at \S+ in \S+one, with/);
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
    new RegExp(
      `In ${folder} and its subfolders, that folder's own session takes precedence over the active one`,
    ),
  );
  assert.match((await run("auth", "switch", at("local"))).stdout, new RegExp(` in ${folder}\\.\n$`));
  assert.match(await world.ok(["whoami"]), /Session: +work/);

  const foreign = await world.run(["logout", "--local"]);
  assert.equal(foreign.code, 4, foreign.stderr);
  const logout = await run("logout", at("own"));
  assert.equal(logout.code, 0, logout.stderr);
  assert.match(logout.stderr, new RegExp(`The session of the project folder ${folder} is kept`));
  const named = await run("logout", "--profile", at("local"));
  assert.equal(named.code, 0, named.stderr);
  assert.deepEqual(world.studio.tokens(), []);
  assert.deepEqual((await world.store.list()).sessions.map(({ name }) => name), ["work"]);
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
  const keys = [...Deno.readDirSync(world.store.folders.sessions)].filter(({ name }) =>
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
  assert.equal((await token(above, "/nowhere")).code, 4, "outside of it nothing above counts");
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
  assert.match(linked.stderr, /repository\/\.datumctl is not used: it is not a plain folder/);
});

/** Every file below a folder, with its text and mode. */
async function snapshot(folder: string): Promise<string> {
  const files: [string, string, number | null][] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    files.push([name, await Deno.readTextFile(path), (await Deno.stat(path)).mode]);
  }
  return JSON.stringify(files.sort());
}

/** Writes fields into the file of a folder's own session, as its owner could. */
async function edit(world: StudioWorld, folder: string, name: string, fields: Record<string, unknown>) {
  const { file } = await world.placeOf(folder).paths(name);
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, JSON.stringify({ ...JSON.parse(text), ...fields }));
}

const EXEC = ["auth", "get-token", "--output=client.authentication.k8s.io/v1"];
const execInfo = (interactive: boolean) => ({
  KUBERNETES_EXEC_INFO: JSON.stringify({
    kind: "ExecCredential",
    apiVersion: "client.authentication.k8s.io/v1",
    spec: { interactive },
  }),
});

const ACTING: readonly string[][] = [
  ["auth", "token"],
  ["auth", "get-token"],
  EXEC,
  ["whoami"],
  ["auth", "team"],
  ["auth", "team", "x"],
  ["auth", "team", "x", "--local"],
  ["ctx"],
  ["ctx", "list"],
  ["ctx", "use", "acme"],
  ["ctx", "use", "acme", "--skip-validation"],
  ["organizations", "list"],
  ["projects", "list", "--organization", "acme"],
  ["get", "projects"],
  ["get", "--raw", "/version", "--organization", "acme"],
  ["api-resources", "--platform-wide"],
  ["auth", "whoami", "--platform-wide"],
  ["auth", "can-i", "get", "pods", "--platform-wide"],
  ["auth", "update-kubeconfig", "--server", "https://127.0.0.1:1", "--skip-validation"],
];

Deno.test("a folder that came from somebody else is neither opened, believed nor written to", async () => {
  await using world = await openStudioWorld();
  const [theirs, mine] = [await world.folder("theirs"), await world.folder("mine")];
  await signedIn(world, theirs, "shared");
  await signedIn(world, undefined, "own");
  const shared = `shared@${world.host}`;
  // Cloned: the files without the key, and with words of theirs in them.
  await Deno.mkdir(`${mine}/.datumctl`);
  for await (const { name, isFile } of Deno.readDir(`${theirs}/.datumctl`)) {
    if (!isFile || name.endsWith(".lock")) continue;
    await Deno.writeTextFile(
      `${mine}/.datumctl/${name}`,
      await Deno.readTextFile(`${theirs}/.datumctl/${name}`),
      { mode: 0o600 },
    );
  }
  const phish = {
    issuer: "https://phish.example",
    authHost: "phish.example",
    apiHost: "phish.example",
    clientId: "phish",
    user: { subject: "phish", email: "phish@phish.example" },
    team: "phish-team",
    inUse: { organization: "phish-org" },
    exportedTo: `${world.home}/phish`,
    expires: new Date(world.sandbox.time + 3 * 86_400_000).toISOString(),
  };
  const kinds = [["studio", "studio"], ["user", "datum"], ["api-token", "cloudfleet"]] as const;
  for (const [kind, provider] of kinds) {
    await edit(world, mine, shared, { ...phish, kind, provider });
    const before = await snapshot(`${mine}/.datumctl`);
    world.studio.resetRequests();
    for (const words of ACTING) {
      const ran = await world.run([...words, "--error-format", "json"], { folder: mine });
      assert.equal(ran.code, 4, `${words.join(" ")}: ${ran.stderr}`);
      const told = ran.stdout + ran.stderr;
      if (words !== EXEC) {
        assert.equal(ran.stdout, "");
        assert.match(ran.stderr, new RegExp(FOREIGN));
      }
      assert.match(told, new RegExp(`${mine}/\\.datumctl is not used: you hold no key for it`));
      assert.match(
        told,
        new RegExp(`Remove ${mine}/\\.datumctl, or act as a session of your own: --profile NAME`),
      );
      assert.doesNotMatch(told, /phish/, words.join(" "));
    }
    for (
      const words of [["auth", "list"], ["auth", "switch", shared], ["auth", "switch", "--profile", shared]]
    ) {
      const ran = await world.run(words, { folder: mine });
      assert.match(ran.stderr, /you hold no key for it/);
      assert.doesNotMatch(ran.stdout + ran.stderr, /phish/, words.join(" "));
      if (words[1] === "list") assert.doesNotMatch(ran.stdout, /shared/);
      else assert.equal(ran.stdout, "");
    }
    assert.deepEqual(world.studio.requests(), []);
    assert.equal(await snapshot(`${mine}/.datumctl`), before);
  }
  assert.match(await world.ok(["whoami", "--profile", `own@${world.host}`], { folder: mine }), /Token: +own/);

  const env = { DATACHAIN_STUDIO_URL: "" };
  const login = await world.login(["--local", "--force", "-H", world.studio.url, "--name", "new"], {
    folder: mine,
    env,
  });
  assert.equal(login.code, 0, login.stderr);
  assert.match(await world.ok(["whoami"], { folder: mine }), /Token: +new/);
});

Deno.test("of a folder's own session that was edited, what is sealed is told; of one that is damaged, nothing", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  const soon = await world.login(["--local", "--name", "local", "--expires-in", "5"], { folder });
  assert.equal(soon.code, 0, soon.stderr);
  const name = `local@${world.host}`;
  await edit(world, folder, name, { issuer: "https://phish.example", apiHost: "phish.example" });
  for (const words of [["auth", "list"], ["auth", "token"], ["auth", "team"], ["whoami"]]) {
    world.sandbox.time += 86_400_000;
    const { code, stdout, stderr } = await world.run(words, { folder });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /--hostname 127\.0\.0\.1:\d+ --local --force/, words.join(" "));
    assert.doesNotMatch(stdout + stderr, /phish/);
  }
  const { file } = await world.placeOf(folder).paths(name);
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, text.replace(/"credentials": ?"([^"]+)[^".]{4}"/, '"credentials":"$1AAAA"'));
  for (const words of ACTING) {
    const { code, stdout, stderr } = await world.run(words, { folder });
    assert.notEqual(code, 0, words.join(" "));
    assert.match(stdout + stderr, /are damaged/, words.join(" "));
    assert.match(stdout + stderr, new RegExp(`Remove ${folder}/\\.datumctl`));
    assert.doesNotMatch(stdout + stderr, /phish/);
  }
  await Deno.writeTextFile(file, "{}");
  const { stderr } = await world.run(["auth", "token"], { folder });
  assert.match(stderr, /is not a session file/);
  assert.match(stderr, new RegExp(`Remove ${folder}/\\.datumctl`));
  await world.run(["auth", "get-token", "-o", "client.authentication.k8s.io/v1"], { folder });
  const remembered = await Deno.readTextFile(`${world.sandbox.store.folders.sessions}/no-session.failure`);
  assert.ok(!remembered.includes(folder), remembered);
});

Deno.test("what is written of a folder's session goes into the folder, not to the person's of that name", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  await signedIn(world, folder, "local");
  const name = `local@${world.host}`;
  await world.sandbox.add({ name });
  const { file } = await world.store.paths(name);
  const before = await Deno.readTextFile(file);
  await world.ok(["auth", "team", "ml-team"], { folder });
  await world.ok(["ctx", "use", "acme", "--skip-validation"], { folder });
  assert.equal(await Deno.readTextFile(file), before);
  assert.match(await world.ok(["auth", "team"], { folder }), /^ml-team\n$/);
});

Deno.test("what a folder's session fails with is told of no other session, and is noted nowhere", async () => {
  await using world = await openStudioWorld();
  await world.sandbox.add({ name: "mine" });
  await world.ok(["auth", "switch", "mine"]);
  const folder = await world.folder("project");
  await signedIn(world, folder, "local");
  const keys = [...Deno.readDirSync(world.store.folders.sessions)].filter(({ name }) =>
    /^local-.*key$/.test(name)
  );
  assert.equal(keys.length, 1);
  for (const what of ["a Studio session", "a lost key"]) {
    const before = await snapshot(`${folder}/.datumctl`);
    const told: string[] = [];
    for (let run = 0; run < 3; run++) {
      const { code, stderr } = await world.run(EXEC, { folder, env: execInfo(run === 1) });
      assert.equal(code, what === "a lost key" ? 4 : 2, stderr);
      told.push(stderr);
    }
    assert.deepEqual(told.map((text) => text === ""), [false, true, true], `${what} is told once`);
    for (const words of [EXEC, [...EXEC, "--session=mine"]]) {
      const elsewhere = await world.ok(words);
      assert.equal(JSON.parse(elsewhere).status.token, "access-0", what);
    }
    assert.equal(await snapshot(`${folder}/.datumctl`), before);
    const notes = await snapshot(world.store.folders.sessions);
    assert.ok(!notes.includes("local@") && !notes.includes(folder), notes);
    // Another kubectl may have seen the first: here it is the same one, ten seconds later.
    world.sandbox.time += 11_000;
    for (const { name } of keys) {
      await Deno.remove(`${world.store.folders.sessions}/${name}`).catch(() => {});
    }
  }
});

Deno.test("where a folder's token has ended, kubectl begins no sign-in of the person's own session", async () => {
  await using world = await openStudioWorld();
  await world.sandbox.add({ name: "mine" });
  await world.ok(["auth", "switch", "mine"]);
  const folder = await world.folder("project");
  const login = await world.login(["--local", "--expires-in", "1"], { folder });
  assert.equal(login.code, 0, login.stderr);
  world.sandbox.time += 2 * 86_400_000;
  const { code, stderr } = await world.run(EXEC, { folder, env: { ...execInfo(true), BROWSER: "true" } });
  assert.equal(code, 2, stderr);
  assert.doesNotMatch(stderr, /has expired|Nobody is signed in|mine/);
  const { signIn } = await world.store.paths("mine");
  await assertMissing(signIn);
});

Deno.test("an entry that follows the active session follows the person's, in a project's folder too", async () => {
  await using world = await openStudioWorld();
  await world.sandbox.add({ name: "mine" });
  await world.ok(["auth", "switch", "mine"]);
  const folder = await world.folder("project");
  await signedIn(world, folder, "local");
  const credential = await world.ok([...EXEC, "--active-for=api.example.com"], {
    folder,
    env: execInfo(false),
  });
  assert.equal(JSON.parse(credential).status.token, "access-0");

  const kubeconfig = `${world.home}/config`;
  const line =
    `auth update-kubeconfig --server https://127.0.0.1:1 --skip-validation --kubeconfig ${kubeconfig}`;
  await world.ok([...line.split(" "), "--follow-active"], { folder });
  assert.match(await Deno.readTextFile(kubeconfig), /--active-for=api\.example\.com/);
  const pinned = await world.run(line.split(" "), { folder });
  assert.equal(pinned.code, 2, "one that follows nobody is not made for the folder's");
});

Deno.test("outside of home and repository the working folder alone counts, and what is above stops no command", async () => {
  await using world = await openStudioWorld();
  await signedIn(world, undefined, "own");
  const below = await world.folder("shared/below");
  const shared = `${world.home}/shared`;
  const elsewhere = { HOME: "/nowhere" };
  const config = `${shared}/.datumctl/config.json`;
  await Deno.mkdir(`${shared}/.datumctl`);
  await Deno.writeTextFile(config, "nonsense");
  await Deno.chmod(config, 0o666);
  for (const words of [["whoami"], ["auth", "token"], ["auth", "get-token"], ["auth", "list"]]) {
    await world.ok(words, { folder: below, env: elsewhere });
  }
  assert.equal(await modeOf(config), 0o666);
  assert.equal((await world.run(["whoami"], { folder: shared, env: elsewhere })).code, 1, "there it counts");
  assert.equal((await world.run(["whoami"], { folder: below })).code, 1, "and within the home");
  await Deno.mkdir(`${shared}/.git`);
  assert.equal((await world.run(["whoami"], { folder: below, env: elsewhere })).code, 1, "or a repository");
});

Deno.test("a folder's sessions that belong to another user are passed by, left alone, and not added to", {
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
}, async () => {
  await using world = await openStudioWorld();
  await signedIn(world, undefined, "own");
  const folder = await world.folder("project");
  await signedIn(world, folder, "local");
  const sessions = `${folder}/.datumctl`;
  for (const path of [`${sessions}/config.json`, sessions]) {
    await Deno.chown(path, 65534, 65534);
    await Deno.chmod(path, path === sessions ? 0o777 : 0o666);
    assert.match(await world.ok(["whoami"], { folder }), /Token: +own/, path);
    const { code, stderr } = await world.run(["logout", "--local"], { folder });
    assert.deepEqual([code, /No project folder here/.test(stderr)], [4, true], stderr);
    assert.equal(await modeOf(path), path === sessions ? 0o777 : 0o666);
    if (path !== sessions) await Deno.chown(path, 0, 0);
  }
  const login = await world.login(["--local"], { folder });
  assert.equal(login.code, 1);
  assert.match(login.stderr, /project\/\.datumctl is not used: it belongs to someone else/);
  await Deno.chown(sessions, 0, 0);
  assert.match(await world.ok(["whoami"], { folder }), /Token: +local/);
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
  const { file, leaving } = await world.placeOf(folder).paths(`first@${world.host}`);
  await Deno.rename(file, leaving);
  const { code, stderr } = await world.run(["logout", "--local"], { folder });
  assert.equal(code, 4, stderr);
  await assertMissing(leaving);
  await assertMissing(`${folder}/.datumctl/config.json`);
  const keys = [...Deno.readDirSync(world.store.folders.sessions)].filter(({ name }) =>
    name.endsWith(".key")
  );
  assert.deepEqual(keys, []);
});
