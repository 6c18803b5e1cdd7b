/** Proves that a cloud is one folder: with it in the registry every command knows it. */

import assert from "node:assert/strict";
import { ALL, providersOf } from "../../src/providers/registry.ts";
import { runLine } from "../cli/run-line.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { TOY_PROVIDER } from "./toy/provider.ts";

const providers = providersOf([...ALL, TOY_PROVIDER]);

const run = ({ store }: Sandbox, words: string) =>
  runLine(words.split(" "), { store: store.with({ providers }), providers });

async function ok(sandbox: Sandbox, words: string): Promise<string> {
  const { code, stdout, stderr } = await run(sandbox, words);
  assert.equal(code, 0, `${words}: ${stderr}`);
  return stdout;
}

async function moored(): Promise<Sandbox> {
  const sandbox = await openSandbox();
  sandbox.time = Date.now();
  await ok(sandbox, "login --profile boat --berth 7 --keyring file");
  return sandbox;
}

Deno.test("login signs in with a fifth cloud's own flag, which names it", async () => {
  await using sandbox = await openSandbox();
  const { code, stdout, stderr } = await run(sandbox, "login --berth 7 --keyring file");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "Moored at berth 7.\n");
  assert.match(stderr, /Credentials: encrypted on this machine/);
});

Deno.test("login's help shows a fifth cloud and its flag", async () => {
  await using sandbox = await openSandbox();
  const help = (await ok(sandbox, "login --help")).replace(/\s+/g, " ");
  assert.match(help, /kind of cloud: datum, oidc, studio, cloudfleet, toy/);
  assert.match(help, /--berth <name> toy: the berth to moor at/);
  assert.match(await ok(sandbox, "help login"), /--berth <name>/);
});

Deno.test("a fifth cloud's flag is refused elsewhere, and leads to it", async () => {
  await using sandbox = await openSandbox();
  const { code, stderr } = await run(sandbox, "login --provider datum --berth 7");
  assert.equal(code, 2);
  assert.match(stderr, /--berth is not for the provider datum/);
  assert.match(stderr, /It is for the provider toy: --provider toy/);
});

Deno.test("a fifth cloud's session is listed, and told of by whoami", async () => {
  await using sandbox = await moored();
  const [row] = JSON.parse(await ok(sandbox, "auth list -o json"));
  assert.deepEqual([row.name, row.provider, row.kind, row.apiHost], ["boat", "toy", "berth", "toy.example"]);
  const who = JSON.parse(await ok(sandbox, "whoami -o json"));
  assert.deepEqual([who.provider, who.kind, who.subject], ["toy", "berth", "7"]);
});

Deno.test("get-token hands out a fifth cloud's token, also to kubectl", async () => {
  await using sandbox = await moored();
  assert.equal(await ok(sandbox, "auth get-token"), "moored-at-7\n");
  const line = "auth get-token --session boat -o client.authentication.k8s.io/v1";
  assert.equal(JSON.parse(await ok(sandbox, line)).status.token, "moored-at-7");
});

Deno.test("a fifth cloud's token that ended is told with the cloud's own line", async () => {
  await using sandbox = await moored();
  sandbox.time += 2 * 3600_000;
  const { code, stderr } = await run(sandbox, "auth get-token");
  assert.equal(code, 4);
  assert.match(stderr, /Moor again: datumctl login --profile boat --provider toy --berth 7/);
});

Deno.test("a command that needs a project says what a fifth cloud has instead", async () => {
  await using sandbox = await moored();
  const { code, stderr } = await run(sandbox, "get --raw /version");
  assert.equal(code, 2);
  assert.match(stderr, /A harbour has no projects\..*Moor elsewhere\./s);
});

Deno.test("logout ends a fifth cloud's session in its words", async () => {
  await using sandbox = await moored();
  const { code, stdout, stderr } = await run(sandbox, "logout");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Cast off from berth 7: boat at toy\.example\.\n$/);
  assert.match(stderr, /The berth itself stays reserved\./);
  assert.equal((await sandbox.store.with({ providers }).list()).sessions.length, 0);
});

Deno.test("a program without a cloud reports its stored session as damaged, and leaves it", async () => {
  await using sandbox = await moored();
  const { sessions, damaged } = await sandbox.store.list();
  assert.equal(sessions.length, 0);
  assert.match(damaged[0]?.message ?? "", /provider is wrong/);
  assert.equal((await sandbox.store.with({ providers }).list()).sessions.length, 1);
});
