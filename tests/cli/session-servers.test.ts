/** Proves that sessions and entries of before there were lists of servers work on, and get theirs when one is named. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { kubeconfigText } from "../cloud/strange-kubeconfigs.ts";
import { startStranger } from "../cloud/stranger.ts";
import {
  BEFORE,
  type Before,
  execArgs,
  kubeconfigOf,
  writeSessions,
} from "../fixtures/sessions-without-servers.ts";
import { BOUND, opened, openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { runLine } from "./run-line.ts";

interface World extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly kubeconfig: string;
  run(words: string | readonly string[], env?: Readonly<Record<string, string>>): ReturnType<typeof runLine>;
}

async function openWorld(): Promise<World> {
  const sandbox = await openSandbox();
  await writeSessions(sandbox.folder);
  const kubeconfig = `${sandbox.folder}/kubeconfig`;
  return {
    sandbox,
    kubeconfig,
    run: (words, env = {}) =>
      runLine(typeof words === "string" ? words.split(" ") : words, {
        store: sandbox.store,
        env: { KUBECONFIG: kubeconfig, PATH: Deno.env.get("PATH") ?? "", ...env },
      }),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

const KINDS = Object.keys(BEFORE) as Before[];

function asking(server?: string): Record<string, string> {
  const spec = { interactive: false, cluster: server === undefined ? undefined : { server } };
  const info = { kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v1", spec };
  return { KUBERNETES_EXEC_INFO: JSON.stringify(info) };
}

/** The code of an entry's call, or that it came to a token. */
async function outcome({ run }: World, args: readonly string[], server?: string): Promise<string> {
  const { stdout } = await run(args, asking(server));
  const { kind, reason, status } = JSON.parse(stdout);
  if (kind === "ExecCredential") assert.match(status.token, /^\S+$/);
  return kind === "ExecCredential" ? "token" : reason;
}

async function serversOf({ sandbox }: World, name: string): Promise<string[] | undefined> {
  const session = await sandbox.store.read(name);
  assert.ok(session !== undefined);
  const { servers } = (await sandbox.store.open(session, BOUND)).session;
  return servers?.map(({ origin }) => origin);
}

Deno.test("an entry of before gets its token, told which server asks or not", async () => {
  await using world = await openWorld();
  for (const before of KINDS) {
    const { name, host } = BEFORE[before];
    const args = execArgs(await kubeconfigOf(before));
    assert.equal(await outcome(world, args), "token", before);
    assert.equal(await outcome(world, args, `https://${host}/base`), "token", before);
    const strange = await outcome(world, args, "https://other.example");
    assert.equal(strange, before === "datum" ? "WRONG_HOST" : "token", before);
    assert.equal(await serversOf(world, name), undefined, "being asked makes no list");
  }
});

Deno.test("a context of before is followed by our own commands, outside Datum to wherever it led", async () => {
  await using world = await openWorld();
  await using server = await startStranger();
  const place = { url: server.https, caPem: server.caPem };
  for (const before of ["oidc", "cloudfleet"] as const) {
    const text = await kubeconfigOf(before, place);
    const [context] = parse(text).contexts;
    await Deno.writeTextFile(
      world.kubeconfig,
      text.replace(/current-context: .*|$/, `current-context: ${context.name}\n`),
    );
    server.forget();
    const { code, stdout, stderr } = await world.run(`get --raw /version --profile ${BEFORE[before].name}`);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /"v1\.35\.0"/);
    assert.deepEqual([server.tokens.length, /^Bearer eyJ/.test(server.tokens[0] ?? "")], [1, true]);
  }
});

Deno.test("the first server that is named takes in those of the contexts that share the entry", async () => {
  await using world = await openWorld();
  const { name, host } = BEFORE.oidc;
  await Deno.writeTextFile(world.kubeconfig, await kubeconfigOf("oidc"));
  const update =
    `auth update-kubeconfig --profile ${name} --skip-validation --exec-command datumctl --server`;
  const first = await world.run(`${update} https://new.example.com:6443`);
  assert.equal(first.code, 0, first.stderr);
  assert.doesNotMatch(first.stderr, /gets no token/);
  assert.deepEqual(await serversOf(world, name), [`https://${host}`, "https://new.example.com:6443"]);
  const written = await Deno.readTextFile(world.kubeconfig);
  const { exec } = parse(written).users[0].user;
  assert.equal(exec.provideClusterInfo, true);
  assert.equal(exec.args.at(-1), "--client-id=kubernetes");
  for (const server of [`https://${host}`, "https://new.example.com:6443/base"]) {
    assert.equal(await outcome(world, exec.args, server), "token", server);
  }
  assert.equal(await outcome(world, exec.args, "https://other.example"), "WRONG_HOST");
  const old = execArgs(await kubeconfigOf("oidc"));
  assert.equal(await outcome(world, old), "token", "an entry elsewhere that was not written again goes on");

  // From now on only what is named counts.
  await Deno.writeTextFile(
    world.kubeconfig,
    `${
      written.replace(
        "\nclusters:\n",
        "\nclusters:\n- name: theirs\n  cluster: {server: https://theirs.example.com}\n",
      )
    }`
      .replace(
        "\ncontexts:\n",
        `\ncontexts:\n- name: theirs\n  context: {cluster: theirs, user: "datum-${name}@127.0.0.1:45913"}\n`,
      ),
  );
  const second = await world.run(`${update} https://newer.example.com`);
  assert.equal(second.code, 0, second.stderr);
  assert.ok(
    second.stderr.includes(
      `warning: The cluster theirs shares the user entry datum-${name}@127.0.0.1:45913 and leads to ` +
        "https://theirs.example.com, which the session is not known to be for: kubectl gets no token there. " +
        `If it is: datumctl auth update-kubeconfig --cluster theirs --no-switch --profile ${name}\n`,
    ),
    second.stderr,
  );
  assert.equal(await outcome(world, exec.args, "https://theirs.example.com"), "WRONG_HOST");
  const named = await world.run(
    `auth update-kubeconfig --cluster theirs --profile ${name} --skip-validation --exec-command datumctl`,
  );
  assert.equal(named.code, 0, named.stderr);
  assert.equal(await outcome(world, exec.args, "https://theirs.example.com"), "token");
});

Deno.test("a Datum's tunnel of before is told of when its entry is written again, and is named by its cluster", async () => {
  await using world = await openWorld();
  const { name, host } = BEFORE.datum;
  await Deno.writeTextFile(world.kubeconfig, await kubeconfigOf("datum"));
  const update = `auth update-kubeconfig --profile ${name} --skip-validation --exec-command datumctl`;
  const { code, stderr } = await world.run(`${update} --project web`);
  assert.equal(code, 0, stderr);
  const cluster = "datum-project-data-tunnel.example.com";
  const line = `datumctl auth update-kubeconfig --cluster ${cluster} --no-switch --profile ${name}`;
  assert.ok(stderr.includes(`The cluster ${cluster} shares the user entry`) && stderr.includes(line), stderr);
  const { args } = parse(await Deno.readTextFile(world.kubeconfig)).users[0].user.exec;
  assert.deepEqual(await serversOf(world, name), [`https://${host}`]);
  assert.equal(await outcome(world, args, "https://tunnel.example.com/apis"), "WRONG_HOST");
  const again = await world.run(`${line.slice("datumctl ".length)} --skip-validation`);
  assert.equal(again.code, 0, again.stderr);
  assert.doesNotMatch(again.stderr, /gets no token/);
  assert.equal(await outcome(world, args, "https://tunnel.example.com/apis"), "token");
  assert.equal(await outcome(world, args, `https://${host}`), "token");
});

Deno.test("a kubeconfig of a stranger's gets no token of the active session by an entry that names nobody", async () => {
  await using world = await openWorld();
  const nameless = ["auth", "get-token", "--output=client.authentication.k8s.io/v1"];
  const { name, host } = BEFORE.oidc;
  for (const before of KINDS) {
    await world.run(`auth switch ${BEFORE[before].name}`);
    assert.equal(await outcome(world, nameless), "token", "where nobody tells, as before");
    assert.equal(await outcome(world, nameless, "https://other.example"), "WRONG_HOST", before);
    const own = await outcome(world, nameless, `https://${BEFORE[before].host}`);
    assert.equal(own, before === "datum" ? "token" : "WRONG_HOST", before);
  }
  await world.run(`auth switch ${name}`);
  await world.run(
    `auth update-kubeconfig --server https://${host} --skip-validation --exec-command datumctl --profile ${name}`,
  );
  assert.equal(await outcome(world, nameless, `https://${host}`), "token");
  assert.equal(await outcome(world, nameless, "https://other.example"), "WRONG_HOST");
  assert.ok((await opened(world.sandbox, name)).session.servers);
  // The variable of the person's own names the session, and no server.
  const { stdout } = await world.run(nameless, {
    ...asking("https://other.example"),
    DATUMCTL_PROFILE: name,
  });
  assert.equal(JSON.parse(stdout).reason, "WRONG_HOST");
  await Deno.writeTextFile(world.kubeconfig, kubeconfigText({ server: "https://other.example" }, []));
  assert.equal((await world.run("get --raw /version")).code, 2, "nor do our own commands follow it");
});
