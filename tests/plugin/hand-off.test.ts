/** Proves which credential is left for the launcher, until when, and what takes it away again. */

import assert from "node:assert/strict";
import type { GetTokenFlags } from "../../src/plugin/arguments.ts";
import { leaveHandOff } from "../../src/plugin/hand-off.ts";
import { freshToken } from "../../src/sessions/fresh-token.ts";
import { handleOf, openHandOff, removeHandOffs, storedHandOffs } from "../../src/sessions/hand-off.ts";
import { installLauncher, launcherPath } from "../../src/sessions/launcher.ts";
import { expectRejection } from "../expect-error.ts";
import { modeOf, namesIn } from "../scratch.ts";
import { SUBJECT } from "../sessions/issuer.ts";
import { BOUND, openSandbox, parentOf, type Sandbox } from "../sessions/sandbox.ts";
import type { ParentProcess } from "../../src/system/parent-process.ts";
import { getToken, HOUR, V1, V1BETA1 } from "./call.ts";

const SERVER = "https://api.example.com";
const PARENT = 4711;

/** What kubectl says of the server that asks. */
const asking = (cluster: Record<string, unknown> | null, apiVersion: string = V1) => ({
  KUBERNETES_EXEC_INFO: JSON.stringify({
    kind: "ExecCredential",
    apiVersion,
    spec: { cluster, interactive: false },
  }),
});

/** A sandbox with a session, a runtime folder and a launcher that reads there. */
async function openLaunched(options: Parameters<Sandbox["add"]>[0] = {}) {
  const sandbox = await openSandbox();
  const { issuer, store: { folders } } = sandbox;
  const metadata = { ...issuer.metadata, userinfo_endpoint: `${issuer.url}/userinfo` };
  const { session } = await sandbox.add({ ...options, credentials: { metadata, ...options.credentials } });
  const runtime = `${sandbox.folder}/runtime`;
  await Deno.mkdir(runtime, { mode: 0o700 });
  const folder = `${runtime}/datumctl`;
  await installLauncher(folders, { program: "/opt/datumctl", folder });
  const handle = await handleOf(folders, session.name, undefined);
  const file = `${folder}/${handle}`;
  return {
    sandbox,
    session,
    runtime,
    folder,
    handle,
    file,
    env: (name: string) => name === "XDG_RUNTIME_DIR" ? runtime : undefined,
    /** A call of the launcher. */
    call: (
      flags: GetTokenFlags = {},
      cluster: Record<string, unknown> | null = { server: `${SERVER}/apis` },
      apiVersion: string = V1,
      parent: number | ParentProcess = PARENT,
    ) =>
      getToken(
        sandbox,
        { session: session.name, output: V1, handOff: handle, ...flags },
        asking(cluster, apiVersion),
        { parent },
      ),
    text: () => Deno.readTextFile(file).catch(() => undefined),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

const mtime = async (path: string) => (await Deno.stat(path)).mtime?.getTime() ?? 0;

Deno.test("what was handed out is left in a private file, until the moment of the next refresh", async () => {
  await using launched = await openLaunched();
  const { sandbox, call, file, folder, text } = launched;
  const { code, stdout, stderr } = await call();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(await text(), `credential='${stdout.trimEnd()}'\nserver='${SERVER}'\n`);
  assert.deepEqual([await modeOf(file), await modeOf(folder)], [0o600, 0o700]);
  assert.equal(await mtime(file), sandbox.time + HOUR - 120_000);
  // The launcher could make no note: the folder was missing.
  const note = `${launched.handle}.${PARENT % 64}`;
  assert.deepEqual(await namesIn(folder), [launched.handle, note]);
  assert.equal(await Deno.readTextFile(`${folder}/${note}`), `${PARENT}\n`);
  await Deno.writeTextFile(`${folder}/${note}`, "1\n");
  await call();
  assert.equal(await Deno.readTextFile(`${folder}/${note}`), "1\n", "one that is there stays as it is");
});

Deno.test("its time is that of --min-ttl, and never later than what kubectl is told", async () => {
  await using launched = await openLaunched();
  const { sandbox, call, file } = launched;
  for (const [minimumLife, before] of [["10s", 60_000], ["20m", 20 * 60_000]] as const) {
    assert.equal((await call({ minimumLife })).code, 0);
    assert.equal(await mtime(file), sandbox.time + HOUR - before, minimumLife);
  }
});

Deno.test("nothing is left that the launcher could not, or must not, hand out", async () => {
  await using launched = await openLaunched();
  const { call, handle, sandbox, session, text } = launched;
  const other = await handleOf(sandbox.store.folders, "somebody", undefined);
  const cases: readonly [string, ...Parameters<typeof call>][] = [
    ["another session's handle", { handOff: other }],
    ["another token's handle", { token: "id" }],
    ["a path", { handOff: `../${handle}` }],
    ["no handle", { handOff: undefined }],
    ["another version", {}, { server: SERVER }, V1BETA1],
    ["no server", {}, null],
    ["a proxy", {}, { server: SERVER, "proxy-url": "http://proxy.example.com" }],
    ["a server that is spelled unlike the launcher's pattern", {}, { server: "api.example.com" }],
    ["a server with a query", {}, { server: `${SERVER}?x` }],
  ];
  for (const [name, ...given] of cases) {
    await call(...given);
    assert.equal(await text(), undefined, name);
  }
  const bare = { session: session.name, output: "token", handOff: handle };
  assert.equal((await getToken(sandbox, bare, asking({ server: SERVER }))).stdout, "access-0\n");
  assert.equal(await text(), undefined, "a bare token");
});

Deno.test("a server that the session is not for gets nothing, and nothing is left", async () => {
  await using launched = await openLaunched();
  const { code } = await launched.call({}, { server: "https://evil.example.org" });
  assert.equal(code, 4);
  assert.equal(await launched.text(), undefined);
});

Deno.test("a token that a shell would read otherwise is not left", async () => {
  for (const accessToken of ["it's", "back\\slash"]) {
    await using launched = await openLaunched({ credentials: { accessToken } });
    const { code, stdout } = await launched.call();
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).status.token, accessToken);
    assert.equal(await launched.text(), undefined);
  }
});

Deno.test("where nothing can be left, the token comes all the same", async () => {
  await using launched = await openLaunched();
  const { call, runtime, folder, sandbox, text } = launched;
  await Deno.chmod(runtime, 0o755);
  assert.equal((await call()).code, 0);
  assert.equal(await text(), undefined, "a runtime folder that others can look into");
  await Deno.chmod(runtime, 0o700);
  await Deno.writeTextFile(folder, "");
  assert.equal((await call()).code, 0);
  await Deno.remove(folder);
  await Deno.mkdir(folder, { mode: 0o755 });
  await Deno.chmod(folder, 0o755);
  assert.equal((await call()).code, 0);
  assert.equal(await text(), undefined, "a folder that others can look into");
  await Deno.remove(runtime, { recursive: true });
  assert.equal((await call()).code, 0);
  await Deno.mkdir(runtime, { mode: 0o700 });
  await Deno.remove(launcherPath(sandbox.store.folders));
  assert.equal((await call()).code, 0);
  assert.deepEqual(await namesIn(runtime), [], "no launcher would read it");
});

Deno.test("a token that is to be refreshed at once is not left", async () => {
  await using launched = await openLaunched();
  const { code } = await launched.call({ minimumLife: "2h" });
  assert.equal(code, 0);
  assert.equal(await launched.text(), undefined);
});

Deno.test("--handed-out counts as the first time that the parent got the token", async () => {
  await using launched = await openLaunched();
  const { call, sandbox, text } = launched;
  const asked = () => sandbox.issuer.requests.filter((path) => path === "/userinfo").length;
  sandbox.issuer.userinfo = () => Response.json({ sub: SUBJECT });
  await getToken(
    sandbox,
    { session: launched.session.name, output: V1, handOff: launched.handle },
    asking({ server: SERVER }),
    { parent: 1 },
  );
  assert.equal(asked(), 0);
  assert.equal((await call({ handedOut: true })).code, 0);
  assert.equal(asked(), 1, "the launcher gave it to this parent before");
  sandbox.time += 6_000;
  sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
  const { stdout } = await call({ handedOut: true });
  assert.equal(JSON.parse(stdout).status.token, "access-1");
  assert.match(await text() ?? "", /"token":"access-1"/, "and the new one is left");
});

Deno.test("--handed-out of another token than the session's, or of one that is gone, asks nobody", async () => {
  await using launched = await openLaunched();
  const { call, sandbox, file } = launched;
  sandbox.issuer.userinfo = () => assert.fail("nobody is asked");
  assert.equal((await call({ handedOut: true })).code, 0);
  await using other = await openLaunched();
  other.sandbox.issuer.userinfo = sandbox.issuer.userinfo;
  await other.call();
  const text = await other.text() ?? "";
  await Deno.writeTextFile(other.file, text.replace("access-0", "access-9"));
  const { code } = await getToken(
    other.sandbox,
    { session: other.session.name, output: V1, handOff: other.handle, handedOut: true },
    asking({ server: SERVER }),
    { parent: 12 },
  );
  assert.equal(code, 0);
  assert.ok((await Deno.stat(file)).isFile);
});

Deno.test("a token that was handed out is checked although no delivery can be recorded", async () => {
  await using launched = await openLaunched();
  const { call, sandbox, session, text } = launched;
  await call({}, undefined, V1, 7);
  const { deliveries } = await sandbox.store.paths(session.name);
  await Deno.remove(deliveries);
  await Deno.mkdir(deliveries);
  sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
  const { stdout } = await call({ handedOut: true });
  assert.equal(JSON.parse(stdout).status.token, "access-1");
  assert.match(await text() ?? "", /"token":"access-1"/);
});

Deno.test("a process that has the number of one that was handed the token before it began asks nobody", async () => {
  await using launched = await openLaunched();
  const { call, sandbox, file } = launched;
  await call({}, undefined, V1, 7);
  const note = `${file}.${PARENT % 64}`;
  await Deno.writeTextFile(note, `${PARENT}\n`);
  await Deno.utime(note, new Date(sandbox.time), new Date(sandbox.time - 60_000));
  const asked = () => sandbox.issuer.requests.filter((path) => path === "/userinfo").length;
  sandbox.issuer.userinfo = () => Response.json({ sub: SUBJECT });
  const begun = (ago: number) => ({
    ...parentOf(PARENT),
    start: () => Promise.resolve({ ticks: "1", ago }),
  });
  await call({ handedOut: true }, undefined, V1, begun(30_000));
  assert.equal(asked(), 0);
  await call({ handedOut: true }, undefined, V1, begun(90_000));
  assert.equal(asked(), 1);
});

Deno.test("a token that was handed out is checked although a renewal of another call takes it away meanwhile", async () => {
  await using launched = await openLaunched({ keyStore: "system" });
  const { call, sandbox, session, handle, file } = launched;
  await call({}, undefined, V1, 7);
  sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
  const store = sandbox.store.with({
    secretStore: () => ({
      ...sandbox.system,
      async get(...given) {
        // The session's file was read by then.
        await Deno.remove(file).catch(() => {});
        return await sandbox.system.get(...given);
      },
    }),
  });
  const flags = { session: session.name, output: V1, handOff: handle, handedOut: true };
  const { stdout } = await getToken({ ...sandbox, store }, flags, asking({ server: SERVER }));
  assert.equal(JSON.parse(stdout).status.token, "access-1");
});

Deno.test("a token that another call renewed while the issuer was asked about it is not renewed once more", async () => {
  await using launched = await openLaunched();
  const { call, sandbox, session: { name } } = launched;
  await call({}, undefined, V1, 7);
  sandbox.issuer.userinfo = async () => {
    sandbox.issuer.userinfo = () => Response.json({ sub: SUBJECT });
    await getToken(sandbox, { session: name, forceRefresh: true });
    return new Response(null, { status: 401 });
  };
  const { stdout } = await call({ handedOut: true });
  assert.equal(JSON.parse(stdout).status.token, "access-1");
});

Deno.test("the notes of who got a token stay as long as it can be handed out", async () => {
  await using launched = await openLaunched();
  const { sandbox, session, file, folder, handle } = launched;
  await Deno.mkdir(`${file}/that cannot be removed`, { recursive: true, mode: 0o700 });
  const notes = Array.from({ length: 64 }, (_, note) => `${handle}.${note}`);
  for (const note of notes) await Deno.writeTextFile(`${folder}/${note}`, "7\n");
  await expectRejection(removeHandOffs(sandbox.store.folders, session.name), "STORAGE");
  assert.equal((await namesIn(folder)).length, 65);
});

Deno.test("a refused token that cannot be replaced is not left either", async () => {
  await using launched = await openLaunched();
  const { call, sandbox, text, folder } = launched;
  await call();
  await Deno.writeTextFile(`${launched.file}.7`, "7\n");
  sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
  sandbox.issuer.refreshToken = "another";
  const { code } = await call({ handedOut: true });
  assert.equal(code, 4);
  assert.equal(await text(), undefined);
  assert.deepEqual(await namesIn(folder), []);
});

Deno.test("what ends a token takes it away, and the notes of who got it", async () => {
  type Launched = Awaited<ReturnType<typeof openLaunched>>;
  const ends: Readonly<Record<string, (launched: Launched) => Promise<unknown>>> = {
    "a forced refresh": ({ sandbox, session: { name } }) =>
      getToken(sandbox, { session: name, forceRefresh: true }),
    "a logout": ({ sandbox, session }) => sandbox.store.remove(session, BOUND),
    "a new sign-in": ({ sandbox }) => sandbox.add(),
    "a session that is not renewed": async ({ sandbox, session: { name } }) => {
      sandbox.issuer.refreshToken = "another";
      assert.equal((await getToken(sandbox, { session: name, forceRefresh: true })).code, 4);
    },
    "a session that came without a refresh token": async (launched) => {
      const { sandbox, session: { name } } = launched;
      await sandbox.add({ credentials: { refreshToken: undefined } });
      await launched.call();
      assert.notEqual(await launched.text(), undefined);
      assert.equal((await getToken(sandbox, { session: name, forceRefresh: true })).code, 4);
    },
    "a lost key": async ({ sandbox, session }) => {
      await Deno.remove((await sandbox.paths(session.name)).key);
      await expectRejection(sandbox.store.open(session, BOUND), "KEYRING_ITEM_MISSING");
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    await using launched = await openLaunched();
    await launched.call();
    for (let note = 0; note < 64; note++) await Deno.writeTextFile(`${launched.file}.${note}`, "7\n");
    await Deno.writeTextFile(`${launched.folder}/another`, "");
    assert.equal((await namesIn(launched.folder)).length, 66);
    await end(launched);
    assert.deepEqual(await namesIn(launched.folder), ["another"], name);
  }
});

Deno.test("a call of an older launcher replaces it", async () => {
  await using launched = await openLaunched();
  const path = launcherPath(launched.sandbox.store.folders);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace(/^# datumctl-credential \d+:/m, "# datumctl-credential 0:"));
  await launched.call();
  assert.equal(await Deno.readTextFile(path), text);
  assert.notEqual(await launched.text(), undefined);
});

Deno.test("what a killed logout left there goes with the next one", async () => {
  await using launched = await openLaunched();
  const { sandbox, session, folder } = launched;
  await launched.call();
  const { file, leaving } = await sandbox.paths(session.name);
  await Deno.rename(file, leaving);
  await sandbox.store.clearLeftovers(BOUND);
  assert.deepEqual(await namesIn(folder), []);
});

Deno.test("a credential that a call stores while the session is signed out goes at the end of that", async () => {
  await using launched = await openLaunched({ keyStore: "system" });
  const { sandbox, session, folder } = launched;
  await launched.call();
  let stored = 0;
  const store = sandbox.store.with({
    secretStore: () => ({
      ...sandbox.system,
      async delete(...given) {
        // The call was stopped before it looked whether the session is still there.
        stored = (await namesIn(folder)).push(launched.handle);
        await Deno.writeTextFile(launched.file, "late");
        return await sandbox.system.delete(...given);
      },
    }),
  });
  assert.equal((await store.remove(session, BOUND)).leftBehind, undefined);
  assert.equal(stored, 1, "what was there before was gone by then");
  assert.deepEqual(await namesIn(folder), []);
});

Deno.test("a logout finds what lies there although the launcher is gone", async () => {
  await using launched = await openLaunched();
  const { sandbox, session, folder, env } = launched;
  const { folders } = sandbox.store;
  await launched.call();
  assert.deepEqual(await storedHandOffs(folders, session.name, env), [
    { path: launched.file, until: sandbox.time + HOUR - 120_000 },
  ]);
  await Deno.remove(launcherPath(folders));
  await removeHandOffs(folders, session.name);
  assert.equal((await namesIn(folder)).length, 2, "a renewal does not look for it");
  await removeHandOffs(folders, session.name, env);
  assert.deepEqual(await namesIn(folder), []);
});

Deno.test("a credential that is stored just after its session went, or got another token, is taken away again", async () => {
  type Launched = Awaited<ReturnType<typeof openLaunched>>;
  const changes: Readonly<Record<string, (launched: Launched) => Promise<unknown>>> = {
    "signed out": ({ sandbox, session }) => sandbox.store.remove(session, BOUND),
    "refreshed": ({ sandbox, session: { name } }) => getToken(sandbox, { session: name, forceRefresh: true }),
    "refused": ({ sandbox, session: { name } }) =>
      sandbox.store.update(name, () => ({ renewalRefused: new Date(sandbox.time).toISOString() })),
  };
  for (const [name, change] of Object.entries(changes)) {
    await using launched = await openLaunched();
    const { sandbox, session, handle } = launched;
    const token = await freshToken(sandbox.store, session, { kind: "access" }, sandbox.bound());
    const call = {
      store: sandbox.store,
      parent: parentOf(PARENT),
      deadline: performance.now() + 9_500,
      form: {
        output: V1,
        info: {
          apiVersion: V1,
          interactive: false,
          server: { address: SERVER, proxy: undefined, tlsServerName: undefined, unverified: false },
        },
      },
      request: {
        handOff: handle,
        handedOut: false,
        forceRefresh: false,
        claims: false,
        verbose: false,
        quiet: false,
      },
    } as const;
    await leaveHandOff(token, call);
    assert.notEqual(await launched.text(), undefined);
    await change(launched);
    await leaveHandOff(token, call);
    assert.equal(await launched.text(), undefined, name);
  }
});

Deno.test("sessions of one name in two folders have a credential each", async () => {
  await using one = await openLaunched();
  await using other = await openLaunched();
  assert.equal(one.session.name, other.session.name);
  assert.notEqual(one.handle, other.handle);
  assert.match(one.handle, /^[a-z2-7]{16}$/);
  const { folders } = one.sandbox.store;
  assert.notEqual(await handleOf(folders, one.session.name, "id"), one.handle);
  // However the folder is written.
  const written = {
    ...folders,
    sessions: `${folders.config}/../${folders.sessions.slice(folders.config.lastIndexOf("/") + 1)}`,
  };
  assert.equal(await handleOf(written, one.session.name, undefined), one.handle);
  assert.ok(await openHandOff(folders, one.handle) !== undefined);
});
