/** Proves what `auth update-kubeconfig` writes, refuses and tells: one entry, and where entries meet. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { printedError } from "../../expect-error.ts";
import { assertMissing } from "../../scratch.ts";
import { ADA, at, openSignedIn, openWorld } from "../world.ts";

const UNASKED = "--skip-validation --exec-command datumctl";

Deno.test("exactly one target is needed, of a name that can be", async () => {
  await using world = await openSignedIn();
  for (
    const words of [
      "",
      "--project a --organization b",
      "--project ../x",
      "--project A",
      "--project p --token refresh",
      "--project p --exec-interactive-mode Sometimes",
      "--project p --hostname http://x",
      "--project p --context ",
    ]
  ) {
    assert.equal((await world.run(`auth update-kubeconfig ${words}`)).code, 2, words);
  }
  await assertMissing(world.kubeconfig);
});

Deno.test("--dry-run prints a diff and writes nothing", async () => {
  await using world = await openSignedIn();
  assert.match(await world.ok("auth update-kubeconfig --project web --dry-run"), /\+.*datum-project-web/);
  await assertMissing(world.kubeconfig);
  assert.equal((await world.sandbox.store.read(at(world, ADA)))?.inUse, undefined);
});

Deno.test("the entry names the session, the server and kubectl's version of the plugin", async () => {
  await using world = await openSignedIn();
  const { cloud, kubeconfig, sandbox } = world;
  const stdout = await world.ok("auth update-kubeconfig --project web");
  assert.match(stdout, new RegExp(`^Kubeconfig: +${kubeconfig}\n`));
  assert.match(stdout, /User: +ada@example\.com\n/);
  const file = parse(await Deno.readTextFile(kubeconfig));
  assert.equal(file["current-context"], `datum-project-web-${cloud.apiHost}`);
  assert.equal(file.users.length, 1);
  assert.deepEqual(file.users[0].user.exec.args, [
    "auth",
    "get-token",
    "--output=client.authentication.k8s.io/v1",
    `--session=${at(world, ADA)}`,
  ]);
  assert.equal(new URL(file.clusters[0].cluster.server).host, cloud.apiHost);
  assert.equal((await sandbox.store.read(at(world, ADA)))?.inUse?.project, "web");
  assert.match((await world.run("auth update-kubeconfig --project web")).stdout, /nothing to change/);
});

Deno.test("--no-switch leaves the current context and the project in use alone", async () => {
  await using world = await openSignedIn();
  await world.ok("auth update-kubeconfig --project web");
  await world.ok("auth update-kubeconfig --organization acme --no-switch");
  const file = parse(await Deno.readTextFile(world.kubeconfig));
  assert.equal(file["current-context"], `datum-project-web-${world.cloud.apiHost}`);
  assert.equal((await world.sandbox.store.read(at(world, ADA)))?.inUse?.project, "web");
});

Deno.test("which token the server takes is asked and remembered", async () => {
  await using world = await openSignedIn();
  for (const token of ["id", "access"] as const) {
    world.cloud.setControlPlanes({ acceptedTokens: token });
    await world.ok("auth update-kubeconfig --project web");
    assert.equal((await world.sandbox.store.read(at(world, ADA)))?.kubectlToken, token);
  }
});

Deno.test("a session file whose host was edited neither gets a token sent there nor an entry written", async () => {
  await using world = await openSignedIn();
  const { cloud, kubeconfig, sandbox } = world;
  const asked: string[] = [];
  await using evil = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked.push(request.url);
    return new Response();
  });
  const { file } = await sandbox.paths(at(world, ADA));
  const text = await Deno.readTextFile(file);
  assert.ok(text.includes(`"apiHost": "${cloud.apiHost}"`));
  await Deno.writeTextFile(
    file,
    text.replaceAll(`"apiHost": "${cloud.apiHost}"`, `"apiHost": "127.0.0.1:${evil.addr.port}"`),
  );
  for (const flags of ["", "--skip-validation"]) {
    await world.ok(`auth update-kubeconfig --project web ${flags}`);
    assert.ok(!(await Deno.readTextFile(kubeconfig)).includes(`127.0.0.1:${evil.addr.port}`));
  }
  assert.deepEqual(asked, []);
});

Deno.test("a cluster entry is never led to another host, whatever the names of two targets have in common", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await world.ok(
    `auth update-kubeconfig --project web --hostname api.other.net --context mine ${UNASKED}`,
  );
  const before = await Deno.readTextFile(world.kubeconfig);
  const project = "web-api.other.net";
  for (const flags of [UNASKED, `${UNASKED} --context other`, `${UNASKED} --dry-run`]) {
    const ran = await world.run(
      `auth update-kubeconfig --project ${project} --hostname api.datum.net ${flags} --error-format json`,
    );
    const error = printedError(ran, {
      code: "KUBECONFIG",
      hint: /--kubeconfig PATH.*kubectl config delete-cluster datum-project-web-api\.other\.net$/,
    });
    for (
      const part of ["datum-project-web-api.other.net", "https://api.other.net/", "https://api.datum.net/"]
    ) {
      assert.ok(error.message.includes(part), error.message);
    }
    assert.equal(await Deno.readTextFile(world.kubeconfig), before);
  }
  const apart = `${world.sandbox.folder}/apart`;
  await world.ok(
    `auth update-kubeconfig --project ${project} --hostname api.datum.net ${UNASKED} --kubeconfig ${apart}`,
  );
  assert.match(await Deno.readTextFile(apart), /server: https:\/\/api\.datum\.net\//);
});

Deno.test("another scheme or port is another host; another group or the default port is not", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const servers: readonly (readonly [server: string, code: number])[] = [
    ["http://api.other.net/x", 1],
    ["https://api.other.net:8443/x", 1],
    ["api.other.net", 1],
    ["https://ada:hunter2@k8s.other.net/?key=hunter2", 1],
    ["https://API.other.net:443/apis/old.example.com/v1/projects/web/control-plane", 0],
    ["https://api.other.net", 0],
    ["''", 0],
  ];
  for (const [server, expected] of servers) {
    await Deno.writeTextFile(
      world.kubeconfig,
      `clusters:\n- name: datum-project-web-api.other.net\n  cluster:\n    server: ${server}\n`,
    );
    const { code, stderr } = await world.run(
      `auth update-kubeconfig --project web --hostname api.other.net ${UNASKED}`,
    );
    assert.equal(code, expected, server);
    assert.doesNotMatch(stderr, /hunter2/);
  }
});

Deno.test("--follow-active is refused for a host whose sessions the entry would not follow", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const words = `auth update-kubeconfig --project web --follow-active ${UNASKED}`;
  const { code, stderr } = await world.run(`${words} --hostname api.other.net`);
  assert.equal(code, 2);
  assert.ok(stderr.includes("api.other.net") && stderr.includes(world.cloud.apiHost), stderr);
  await assertMissing(world.kubeconfig);
  await world.ok(`${words} --hostname ${world.cloud.apiHost}`);
  assert.ok((await Deno.readTextFile(world.kubeconfig)).includes(`--active-for=${world.cloud.apiHost}`));
});

Deno.test("a change of the one user entry of a session names the other contexts that it concerns", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const name = at(world, ADA);
  const write = async (words: string) => {
    const { code, stderr } = await world.run(
      `auth update-kubeconfig --skip-validation --exec-command datumctl ${words}`,
    );
    assert.equal(code, 0, stderr);
    return stderr;
  };
  const note = new RegExp(`One user entry, datum-${name}, serves ([^]*?) too`);
  assert.doesNotMatch(await write("--project web --context one"), note);
  assert.doesNotMatch(await write("--project web --context two"), note);
  assert.doesNotMatch(await write("--project web --context three --follow-active"), note);
  for (const flags of ["--exec-interactive-mode Never", "--token id", "--exec-command /opt/datumctl"]) {
    const words = `--project api --context four ${flags}`;
    assert.equal(note.exec(await write(`${words} --dry-run`))?.[1], "one, two", flags);
    assert.equal(note.exec(await write(words))?.[1], "one, two", flags);
    assert.doesNotMatch(await write(words), note, "the second time nothing changes");
    await write("--project api --context four");
  }
  const file = parse(await Deno.readTextFile(world.kubeconfig));
  assert.equal(file.users.length, 2);
});

Deno.test("when nothing is to change, the file that holds the context is named, not the first of the list", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const [none, held] = [`${world.sandbox.folder}/none`, world.kubeconfig];
  await Deno.writeTextFile(held, "kind: Config\n");
  const env = { KUBECONFIG: `${none}:${held}` };
  const words = `auth update-kubeconfig --project web ${UNASKED}`;
  assert.match(await world.ok(words, { env }), new RegExp(`^Kubeconfig: +${held}\n`));
  assert.match(await world.ok(words, { env }), new RegExp(`^Kubeconfig: +${held} \\(nothing to change\\)\n`));
  await assertMissing(none);
});

Deno.test("tokens that were revoked before their time are refreshed once, and the entry is written", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  world.cloud.revokeAccessTokens(ADA);
  world.cloud.resetCounts();
  await world.ok("auth update-kubeconfig --project web --exec-command datumctl");
  assert.equal(world.cloud.counts()["token:refresh_token"], 1);

  world.cloud.revokeAll(ADA);
  const ran = await world.run(
    "auth update-kubeconfig --project data --exec-command datumctl --error-format json",
  );
  printedError(ran, "SESSION_EXPIRED");
});

const UPDATE = "auth update-kubeconfig --project web --exec-command datumctl";

Deno.test("a token that was chosen by hand and is refused: the flag is to be left out", async () => {
  await using world = await openSignedIn();
  const chosen = await world.run(`${UPDATE} --token id`);
  assert.equal(chosen.code, 4, chosen.stderr);
  assert.match(chosen.stderr, /\nLeave out --token id/);
});

Deno.test("a token that is refused without a choice: the sign-in that mends it keeps the host", async () => {
  await using world = await openSignedIn();
  await world.cloud.setFaults({ api: { status: 401 } });
  for (const words of [UPDATE, "auth whoami --project web", "organizations list"]) {
    const { code, stderr } = await world.run(words);
    assert.equal(code, 4, stderr);
    assert.ok(stderr.includes(`Sign in again: datumctl login --profile ${at(world, ADA)}\n`), stderr);
  }
});

Deno.test("the next command names the file that was written, quoted where it has to be", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const path = `${world.sandbox.folder}/it's`;
  const words = `auth update-kubeconfig --project web ${UNASKED} --kubeconfig ${path}`;
  assert.ok(
    (await world.run(words)).stderr.includes(
      `Next: kubectl --kubeconfig '${path.replace("'", `'\\''`)}' get namespaces\n`,
    ),
  );
  assert.ok(
    (await world.run(`${words}2 --no-switch --context mine`)).stderr.includes(
      `2' --context mine get namespaces\n`,
    ),
  );
});

Deno.test("an --exec-command that is not on PATH, or not at its path, is written and told of", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const write = async (command: string) =>
    (await world.run(
      `auth update-kubeconfig --project web --skip-validation --exec-command ${command} --dry-run`,
    )).stderr;
  for (const command of ["nosuch", `${world.sandbox.folder}/nosuch`]) {
    assert.match(await write(command), /no program \S*nosuch/, command);
  }
  for (const command of ["sh", "/bin/sh"]) assert.doesNotMatch(await write(command), /no program/, command);
});

Deno.test("logout --kubeconfig takes every context of the session away, whatever its name, and says which", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await world.ok(`auth update-kubeconfig --project web ${UNASKED} --context mine`);
  const { stdout } = await world.run(`logout ${ADA} --kubeconfig ${world.kubeconfig}`);
  assert.ok(stdout.includes(`Removed its entries from ${world.kubeconfig}, with the context mine`), stdout);
  const file = parse(await Deno.readTextFile(world.kubeconfig));
  assert.deepEqual([file.contexts ?? [], file.users ?? [], file.clusters ?? []], [[], [], []]);
  assert.equal(file["current-context"] || undefined, undefined);
});
