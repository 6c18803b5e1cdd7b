/** Proves `auth update-kubeconfig --fast`: what it writes, refuses and tells, and how its entries are known and mended. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { handleOf } from "../../../src/sessions/hand-off.ts";
import { launcherPath, launcherText, readLauncher } from "../../../src/sessions/launcher.ts";
import { assertMissing, modeOf, namesIn, writeScript } from "../../scratch.ts";
import { good } from "../run-line.ts";
import { ADA, at, GRACE, openSignedIn, type World } from "../world.ts";

const EXEC = "client.authentication.k8s.io/v1";

/** A world with a runtime folder, and a program that stands for this one. */
async function openFast(...others: readonly string[]) {
  const world = await openSignedIn(...others);
  const { sandbox } = world;
  const runtime = `${sandbox.folder}/runtime`;
  await Deno.mkdir(runtime, { mode: 0o700 });
  const program = `${sandbox.folder}/datumctl`;
  await writeScript(program, 'test "$*" = version');
  const env = { XDG_RUNTIME_DIR: runtime };
  const line = (words: string) => words.split(" ");
  return {
    ...world,
    runtime,
    program,
    env,
    launcher: launcherPath(sandbox.store.folders),
    folder: `${runtime}/datumctl`,
    write: (flags = "--fast", more: Readonly<Record<string, string>> = {}) =>
      world.run([
        ...line(`auth update-kubeconfig --project web --exec-command ${program} --skip-validation`),
        ...flags === "" ? [] : line(flags),
      ], { env: { ...env, ...more } }),
    user: async (name: string) => {
      const { users } = parse(await Deno.readTextFile(world.kubeconfig));
      return users.find((user: { readonly name: string }) => user.name === name)?.user.exec;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** Lets get-token leave a credential as it does for the launcher. */
async function leave(world: World, handle: string, env: Readonly<Record<string, string>>, email = ADA) {
  const info = {
    apiVersion: EXEC,
    kind: "ExecCredential",
    spec: { cluster: { server: `https://${world.cloud.apiHost}/x` }, interactive: false },
  };
  good(
    await world.run(
      ["auth", "get-token", `--output=${EXEC}`, `--session=${at(world, email)}`, `--hand-off=${handle}`],
      { env: { ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) } },
    ),
  );
}

Deno.test("the entry runs the launcher, with its handle first; what is readable is said", async () => {
  await using world = await openFast();
  const { sandbox, launcher, program, folder } = world;
  const { stderr } = good(await world.write());
  const handle = await handleOf(sandbox.store.folders, at(world, ADA), undefined);
  const exec = await world.user(`datum-${at(world, ADA)}`);
  assert.equal(exec.command, launcher);
  assert.deepEqual(exec.args, [
    handle,
    "auth",
    "get-token",
    `--output=${EXEC}`,
    `--session=${at(world, ADA)}`,
  ]);
  assert.equal(exec.provideClusterInfo, true);
  assert.equal(await Deno.readTextFile(launcher), launcherText({ program, folder }));
  assert.deepEqual([await modeOf(launcher), await modeOf(`${sandbox.folder}/bin`)], [0o755, 0o700]);
  assert.ok(stderr.includes(`${folder}/${handle}, until it is renewed or you log out`), stderr);
  // The same again changes nothing; another kind of token has another handle.
  assert.match(good(await world.write()).stdout, /nothing to change/);
  good(await world.write("--fast --token id"));
  assert.notEqual((await world.user(`datum-${at(world, ADA)}`)).args[0], handle);
});

Deno.test("--fast is refused with the reason, and writes nothing", async () => {
  await using world = await openFast();
  const { runtime, sandbox } = world;
  const refused = async (says: RegExp, ...[flags, env]: Parameters<typeof world.write>) => {
    const { code, stderr } = await world.write(flags, env);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
  };
  await refused(/--follow-active/, "--fast --follow-active");
  await refused(/XDG_RUNTIME_DIR is not set.*\nWithout --fast everything works/, "--fast", {
    XDG_RUNTIME_DIR: "",
  });
  await refused(/is not the full path of a program/, "--fast --exec-command datumctl");
  await Deno.chmod(runtime, 0o755);
  await refused(/does not have the mode 0700/);
  await Deno.chmod(runtime, 0o700);
  const token = "a.b.c";
  await refused(/comes from a variable/, "--fast", {
    DATUMCTL_TOKEN: token,
    DATUMCTL_API_HOSTNAME: world.cloud.apiHost,
  });
  await assertMissing(`${sandbox.folder}/bin`);
  await Deno.chmod(world.program, 0o644);
  await refused(/ended with the exit code 126/);
  await Deno.remove(world.program);
  await refused(/ended with the exit code 127/);
  await assertMissing(world.kubeconfig);
});

Deno.test("a project folder's session is not handed out by a launcher, which knows no folders", async () => {
  await using world = await openFast();
  const workingFolder = `${world.sandbox.folder}/project`;
  await Deno.mkdir(workingFolder);
  const store = world.sandbox.store.with({
    host: { ...world.sandbox.store.host, workingFolder: () => workingFolder },
  });
  const { session: { name } } = await world.sandbox.add({
    name: "theirs",
    session: { apiHost: world.cloud.apiHost },
  });
  const local = store.forProject(workingFolder);
  await Deno.mkdir(local.folders.sessions, { mode: 0o700 });
  const { file, key } = await world.sandbox.paths(name);
  const base = file.replace(/^.*\//, "");
  await Deno.rename(file, `${local.folders.sessions}/${base}`);
  await Deno.writeTextFile(
    `${local.folders.config}/config.json`,
    JSON.stringify({ schemaVersion: 1, activeSession: name }),
    { mode: 0o600 },
  );
  const own = local.secretStore("file");
  await own.set(local.account(name), (await Deno.readTextFile(key)).trim(), { timeout: 5_000 });
  const { code, stderr } = await world.run(
    [
      "auth",
      "update-kubeconfig",
      "--project",
      "web",
      "--skip-validation",
      "--fast",
      "--exec-command",
      world.program,
    ],
    { env: world.env, store },
  );
  assert.equal(code, 2, stderr);
  assert.match(stderr, /this one belongs to a project folder/);
});

Deno.test("a launcher that cannot be run is no entry's", async () => {
  await using world = await openFast();
  // The same error as where the home is mounted noexec.
  await Deno.mkdir(`${world.sandbox.folder}/bin`);
  const { launcher, program, folder } = world;
  const text = launcherText({ program, folder }).replace(/^(# datumctl-credential) \d+/m, "$1 99")
    .replace("#!/bin/sh", "#!/no/such/shell");
  await Deno.writeTextFile(launcher, text, { mode: 0o755 });
  const { code, stderr } = await world.write();
  assert.equal(code, 2, stderr);
  assert.match(stderr, /cannot be run; its file system may be mounted noexec/);
  await assertMissing(world.kubeconfig);
});

Deno.test("an authority that is too large to tell its server refuses --fast", async () => {
  await using world = await openFast();
  const large = `${world.sandbox.folder}/large.pem`;
  const authority = await Deno.readTextFile(world.cloud.caFile);
  await Deno.writeTextFile(large, authority.repeat(Math.ceil(17 * 1024 / authority.length)));
  const { code, stderr } = await world.write(`--fast --certificate-authority ${large}`);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /too large for kubectl to tell which server asks/);
  await assertMissing(world.kubeconfig);
  await assertMissing(world.launcher);
});

Deno.test("--dry-run shows the launcher's entry, handle and all, and writes no launcher", async () => {
  await using world = await openFast();
  const { stdout } = good(await world.write("--fast --dry-run"));
  const handle = await handleOf(world.sandbox.store.folders, at(world, ADA), undefined);
  assert.ok(new RegExp(`- "?${handle}`).test(stdout) && stdout.includes(world.launcher), stdout);
  await assertMissing(world.launcher);
});

Deno.test("without --fast the entry runs the program again, and nothing is left to hand out", async () => {
  await using world = await openFast();
  good(await world.write());
  const [handle] = (await world.user(`datum-${at(world, ADA)}`)).args;
  await leave(world, handle, world.env);
  assert.ok((await namesIn(world.folder)).includes(handle));
  good(await world.write(""));
  assert.equal((await world.user(`datum-${at(world, ADA)}`)).command, world.program);
  assert.deepEqual(await namesIn(world.folder), []);
});

Deno.test("a launcher that is gone is told of, and the next update-kubeconfig writes it again", async () => {
  await using world = await openFast(GRACE);
  const { env, launcher, program } = world;
  good(await world.write("--fast", {}));
  const told = async () => ({
    list: await world.run("auth list -o wide", { env }),
    json: JSON.parse(await world.ok("auth list -o json", { env })),
    whoami: await world.run("whoami", { env }),
  });
  // Grace, who signed in last, is the active one.
  const before = await told();
  assert.match(before.list.stdout, /HANDED OUT BY/i);
  assert.match(before.whoami.stdout, /Handed out by: +the launcher\n/);
  assert.equal(before.list.stderr, "");
  const handed = before.json.filter((one: { readonly handedOutBy?: string }) =>
    one.handedOutBy !== undefined
  );
  assert.deepEqual(
    handed.map((one: { readonly name: string; readonly handedOutBy: string }) => [one.name, one.handedOutBy]),
    [
      [at(world, GRACE), "launcher"],
    ],
  );
  await Deno.remove(launcher);
  const after = await told();
  assert.match(after.list.stdout, /launcher, gone/);
  assert.match(after.list.stderr, /its launcher .*datumctl-credential is gone/);
  assert.match(after.whoami.stdout, /Handed out by: +a launcher, which is gone\n/);
  // Of another session, and without --fast.
  const other = await world.run(
    `auth update-kubeconfig --profile ${
      at(world, ADA)
    } --project other --exec-command ${program} --skip-validation`,
    { env },
  );
  assert.match(good(other).stderr, /The launcher of datum-grace.* was gone; it is there again/);
  assert.equal((await readLauncher(world.sandbox.store.folders))?.program, program);
  assert.equal((await told()).list.stderr, "");
});

Deno.test("a launcher whose program is gone is told of, and the next update-kubeconfig mends it", async () => {
  await using world = await openFast();
  const { env, program, sandbox, launcher } = world;
  good(await world.write());
  const moved = `${sandbox.folder}/datumctl-2`;
  await Deno.rename(program, moved);
  const { stdout, stderr } = await world.run("whoami", { env });
  assert.match(stdout, /Handed out by: +a launcher, whose program is gone\n/);
  assert.ok(stderr.includes(`its launcher leads to ${program}, which is gone`), stderr);
  const other = `auth update-kubeconfig --project other --skip-validation --fast --exec-command ${moved}`;
  good(await world.run(other, { env }));
  assert.equal(await Deno.readTextFile(launcher), launcherText({ program: moved, folder: world.folder }));
  assert.equal((await world.run("whoami", { env })).stderr, "");
});

Deno.test("what lies in another runtime folder, or for another token, goes when the entry is written again", async () => {
  await using world = await openFast();
  const { env, sandbox, folder } = world;
  const handleNow = async () => (await world.user(`datum-${at(world, ADA)}`)).args[0];
  good(await world.write());
  const handle = await handleNow();
  await leave(world, handle, env);
  // The same entry again leaves it.
  good(await world.write());
  assert.ok((await namesIn(folder)).includes(handle));
  good(await world.write("--fast --token id"));
  assert.deepEqual(await namesIn(folder), []);
  good(await world.write());
  await leave(world, handle, env);
  const elsewhere = `${sandbox.folder}/elsewhere`;
  await Deno.mkdir(elsewhere, { mode: 0o700 });
  good(await world.write("--fast", { XDG_RUNTIME_DIR: elsewhere }));
  assert.equal((await readLauncher(sandbox.store.folders))?.folder, `${elsewhere}/datumctl`);
  assert.deepEqual(await namesIn(folder), [], "no logout would find it from now on");
});

Deno.test("a launcher that comes back hands out nothing from before", async () => {
  await using world = await openFast();
  good(await world.write());
  const [handle] = (await world.user(`datum-${at(world, ADA)}`)).args;
  await leave(world, handle, world.env);
  await Deno.remove(world.launcher);
  // Without a launcher a renewal does not look for what lies there.
  good(await world.write());
  assert.deepEqual(await namesIn(world.folder), []);
});

Deno.test("whoami says where a token is readable, and until when; a plain list reads no kubeconfig", async () => {
  await using world = await openFast();
  const { env } = world;
  good(await world.write());
  const [handle] = (await world.user(`datum-${at(world, ADA)}`)).args;
  await leave(world, handle, env);
  assert.match(
    await world.ok("whoami", { env }),
    new RegExp(`Handed out by: +the launcher; readable in ${world.folder}/${handle} until 20\\d\\d-.*Z\n`),
  );
  await Deno.writeTextFile(world.kubeconfig, "{");
  assert.doesNotMatch(await world.ok("auth list", { env }), /launcher/);
  // The entry is elsewhere; the token lies there all the same.
  assert.match(await world.ok("auth list -o wide", { env }), /launcher/);
});

Deno.test("logout removes what lies there, and with --kubeconfig the launcher's entry", async () => {
  await using world = await openFast();
  const { env, kubeconfig } = world;
  good(await world.write());
  const [handle] = (await world.user(`datum-${at(world, ADA)}`)).args;
  await leave(world, handle, env);
  await Deno.writeTextFile(`${world.folder}/${handle}.5`, "5\n");
  await world.ok(`logout --kubeconfig ${kubeconfig}`, { env });
  assert.deepEqual(await namesIn(world.folder), []);
  const { users, contexts } = parse(await Deno.readTextFile(kubeconfig));
  assert.deepEqual([users ?? [], contexts ?? []], [[], []]);
});

Deno.test("commands follow the context of a launcher's entry", async () => {
  await using world = await openFast();
  good(await world.write());
  const shown = JSON.parse(await world.ok("ctx -o json", { env: world.env }));
  assert.match(JSON.stringify(shown), /web/);
});
