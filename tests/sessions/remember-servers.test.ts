/** Proves that what a session is for is sealed, bounded, kept by a sign-in, and changed by one process at a time. */

import assert from "node:assert/strict";
import { MOST_SERVERS, rememberServer, withServer } from "../../src/sessions/remember-servers.ts";
import { freshToken } from "../../src/sessions/fresh-token.ts";
import { asJson } from "../as-json.ts";
import { expectRejection } from "../expect-error.ts";
import { BOUND, edit, opened, openSandbox, type SessionOptions } from "./sandbox.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";

const A = { origin: "https://a.example.com" };
const B = { origin: "https://b.example.com:6443" };
const OIDCS: SessionOptions = { name: "ada", session: { provider: OIDC } };

Deno.test("a server is kept once, the latest last, with what was ever learned of it", () => {
  const added = (...given: Parameters<typeof withServer>) => asJson(withServer(...given));
  assert.deepEqual(added([], A), { kept: [A], dropped: [] });
  assert.deepEqual(added([A, B], A).kept, [B, A]);
  const accepted = { ...A, accepted: true as const };
  assert.deepEqual(added([accepted, B], A).kept, [B, accepted], "a server that accepted once did");
  assert.deepEqual(added([A], accepted).kept, [accepted]);
  const proxied = { ...A, proxy: "http://proxy.example" };
  assert.deepEqual(added([A], proxied).kept, [A, proxied], "another way is another one");
  const many = Array.from({ length: MOST_SERVERS }, (_, at) => ({ origin: `https://${at}.example.com` }));
  const full = added(many, A);
  assert.deepEqual([full.kept.length, full.kept.at(-1), full.dropped], [MOST_SERVERS, A, many.slice(0, 1)]);
});

Deno.test("a list is sealed: an edited file adds nothing to it and takes nothing away", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add(OIDCS);
  const { file } = await sandbox.paths("ada");
  const servers = async () => (await opened(sandbox, "ada")).session.servers;
  await edit(file, (value) => ({ ...value, servers: [B] }));
  assert.equal(await servers(), undefined, "none is sealed, so there is none");
  await rememberServer(sandbox.store, "ada", { named: A }, BOUND);
  assert.deepEqual(await servers(), [A]);
  for (const edited of [[B], [], undefined]) {
    await edit(file, (value) => ({ ...value, servers: edited }));
    assert.deepEqual(await servers(), [A]);
  }
});

Deno.test("a list of servers outlives refreshes, changes of public fields, and signing in again", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add(OIDCS);
  await rememberServer(sandbox.store, "ada", { named: A }, BOUND);
  const { session } = await opened(sandbox, "ada");
  await freshToken(sandbox.store, session, { force: true }, sandbox.bound());
  await sandbox.store.update("ada", () => ({ kubectlToken: "id" }));
  assert.deepEqual((await opened(sandbox, "ada")).session.servers, [A]);
  for (const keyStore of ["file", "system", "system"] as const) {
    const { session } = await sandbox.add({ ...OIDCS, keyStore });
    assert.deepEqual(session.servers, [A], keyStore);
    assert.deepEqual((await opened(sandbox, "ada")).credentials.servers, [A]);
  }
  sandbox.system.items.clear();
  const { session: last } = await sandbox.add({ ...OIDCS, keyStore: "system" });
  assert.equal(last.servers, undefined, "what no key opens is not believed");
});

Deno.test("outside Datum the first list takes in what was there; later ones, and a Datum's, do not", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add(OIDCS);
  await sandbox.add({ name: "grace", subject: "2" });
  const remember = async (name: string, named: typeof A, adopted: (typeof A)[]) =>
    asJson(await rememberServer(sandbox.store, name, { named, adopted }, BOUND)).servers;
  assert.deepEqual(await remember("ada", A, [B]), [B, A]);
  assert.deepEqual(await remember("ada", A, [{ origin: "https://c.example.com" }]), [B, A]);
  assert.deepEqual(await remember("grace", A, [B]), [A]);
  assert.equal(await remember("env:DATUMCTL_TOKEN", A, []), undefined);
  assert.equal(await remember("nobody", A, []), undefined, "a session that is gone stays gone");
});

Deno.test("where nothing changes nothing is written, and a failed write leaves what was", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add({ ...OIDCS, keyStore: "system" });
  const { file } = await sandbox.paths("ada");
  await rememberServer(sandbox.store, "ada", { named: A }, BOUND);
  const before = await Deno.readTextFile(file);
  await rememberServer(sandbox.store, "ada", { named: A, adopted: [B] }, BOUND);
  assert.equal(await Deno.readTextFile(file), before);
  await edit(file, (value) => ({ ...value, credentials: "a..b.c.d" }));
  const damaged = await Deno.readTextFile(file);
  await expectRejection(rememberServer(sandbox.store, "ada", { named: B }, BOUND));
  assert.equal(await Deno.readTextFile(file), damaged);
});

Deno.test("many who name servers at once lose none", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add(OIDCS);
  const names = Array.from({ length: 8 }, (_, at) => ({ origin: `https://${at}.example.com` }));
  await Promise.all(names.map((named) => rememberServer(sandbox.store, "ada", { named }, BOUND)));
  const { session } = await opened(sandbox, "ada");
  assert.deepEqual(session.servers?.map(({ origin }) => origin).sort(), names.map(({ origin }) => origin));
});
