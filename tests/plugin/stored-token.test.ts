/** Proves which calls the short way answers, and that it leaves all others to the long one, with which `getToken` compares it. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import type { GetTokenFlags } from "../../src/plugin/arguments.ts";
import { runStoredToken } from "../../src/plugin/stored-token.ts";
import { API_TOKEN, CLOUDFLEET } from "../../src/providers/cloudfleet/facts.ts";
import { STUDIO } from "../../src/providers/studio/facts.ts";
import { saveMachine } from "../../src/sessions/save.ts";
import type { TokenSource } from "../../src/sessions/source-credentials.ts";
import { RUNS } from "../fuzz.ts";
import { BOUND, edit, openSandbox, parentOf, type Sandbox } from "../sessions/sandbox.ts";
import { exec, getToken, HOUR, storedToken, V1, V1BETA1 } from "./call.ts";

const NAME = "ada@example.com@api.example.com";

async function withSession(run: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  await using sandbox = await openSandbox();
  await sandbox.add({ name: NAME });
  await sandbox.store.activate(NAME);
  await run(sandbox);
}

const cluster = (server: string, more = {}) => ({
  KUBERNETES_EXEC_INFO: JSON.stringify({
    kind: "ExecCredential",
    apiVersion: V1,
    spec: { interactive: true, cluster: { server, ...more } },
  }),
});

Deno.test("the short way answers what kubectl, scripts and entries of the active session ask all day", async () => {
  await withSession(async ({ store }) => {
    const usual: readonly (readonly [flags: GetTokenFlags, env?: Readonly<Record<string, string>>])[] = [
      [{ session: NAME }],
      [{ session: NAME, output: "token" }],
      [{ session: NAME, token: "id" }],
      [{ session: NAME, output: V1 }],
      [{ session: NAME, output: V1BETA1 }, exec()],
      [{ session: NAME, output: V1 }, exec(V1, true)],
      [{ session: NAME, output: V1 }, cluster("https://api.example.com/apis")],
      [{ session: NAME, activeFor: "api.example.com", output: V1 }, exec()],
      [{ activeFor: "api.example.com", output: V1, clientId: "kubernetes" }, exec()],
      [{ session: NAME, minimumLife: "30m", requestTimeout: "5s", quiet: true }],
      // What names a session has no say beside the line's own, and the other folders' have none.
      [{ session: NAME }, { DATUMCTL_PROFILE: "other", DATUMCTL_TOKEN: "other" }],
    ];
    for (const [flags, env] of usual) {
      const called = await storedToken(store, flags, env);
      assert.equal(called?.code, 0, JSON.stringify([flags, env]));
      assert.equal(called?.stderr, "");
    }
    const line = ["auth", "get-token", "--session", NAME];
    let printed = "";
    const env: Readonly<Record<string, string>> = { DATUMCTL_CONFIG_DIR: store.folders.config };
    const full = () => {
      throw new Error("no space");
    };
    const context = {
      env: (name: string) => env[name],
      now: store.host.now,
      parent: parentOf(1),
      writeErr: (text: string) => void (printed += text),
    };
    assert.notEqual(await runStoredToken(line, { ...context, writeOut: full }), 0);
    assert.match(printed, /^error: /, "what stdout does not take is told, and not printed again");
    assert.doesNotMatch(printed, /access-/);
  });
});

Deno.test("any other flag, and a variable that decides, is for the long way", async () => {
  await withSession(async ({ store }) => {
    const session = NAME;
    const others: readonly (readonly [flags: GetTokenFlags, env?: Readonly<Record<string, string>>])[] = [
      [{}],
      [{ profile: session }],
      [{ session, credentialsFile: "key.json" }],
      [{ session, errorFormat: "json" }],
      [{ session, forceRefresh: true }],
      [{ session, claims: true }],
      [{ session, write: "/tmp/token" }],
      [{ session, handOff: "x" }],
      [{ session, handedOut: true }],
      [{ session, verbose: true }],
      [{ session, token: "refresh" }],
      [{ session, output: "yaml" }],
      [{ session, minimumLife: "soon" }],
      [{ session, minimumLife: "2h" }],
      [{ session: "nobody" }],
      [{ session: "env:DATUMCTL_TOKEN" }],
      [{ session: "../x" }],
      [{ session, activeFor: "api.other.example" }],
      [{ session, activeFor: "" }],
      [{ session }, { DATUMCTL_ERROR_FORMAT: "json" }],
      [{ session, output: V1 }, { KUBERNETES_EXEC_INFO: "{" }],
      [{ session, output: V1 }, cluster("https://api.other.example")],
      [{ session, output: V1 }, cluster("http://api.example.com")],
      [{ session, output: V1 }, cluster("https://api.example.com", { "proxy-url": "http://proxy:3128" })],
      [{ activeFor: "api.example.com", output: V1 }, { ...exec(), DATUMCTL_TOKEN: "x" }],
      [{ session }, {
        DATUM_PLUGIN_API_VERSION: "1",
        DATUM_SESSION: NAME,
        DATUM_API_HOST: "api.other.example",
      }],
    ];
    for (const [flags, env] of others) {
      assert.equal(await storedToken(store, flags, env), undefined, JSON.stringify([flags, env]));
    }
    assert.equal(await runStoredToken(["auth", "get-token", "--help"]), undefined);
    assert.equal(await runStoredToken(["get", "pods", "get-token"]), undefined);
  });
});

/** What makes it a case of the long way, each in a place of its own. */
const OTHERS: Readonly<Record<string, (sandbox: Sandbox) => unknown>> = {
  "a token that is nearly over": (sandbox) => sandbox.time += HOUR - 60_000,
  "a failure a moment ago": async (sandbox) => await fail(sandbox),
  "a failure by a clock that was put back": async (sandbox) => {
    await fail(sandbox);
    sandbox.time -= 60_000;
  },
  "a memory of failures that cannot be read": async ({ paths }) =>
    await Deno.writeTextFile((await paths(NAME)).failure, "x", { mode: 0o600 }),
  "a session file that others can read": async ({ paths }) =>
    await Deno.chmod((await paths(NAME)).file, 0o644),
  "a key file that others can read": async ({ paths }) => await Deno.chmod((await paths(NAME)).key, 0o640),
  "a folder that others can read": ({ folder }) => Deno.chmod(`${folder}/sessions`, 0o755),
  "a session file that is a link": async ({ paths }) => await linked((await paths(NAME)).file),
  "a key file that is a link": async ({ paths }) => await linked((await paths(NAME)).key),
  "no key file": async ({ paths }) => await Deno.remove((await paths(NAME)).key),
  "another key": async ({ paths }) => await Deno.writeTextFile((await paths(NAME)).key, "A".repeat(43)),
  "a key that is none": async ({ paths }) => await Deno.writeTextFile((await paths(NAME)).key, "A"),
  "a broken session": async ({ paths }) => await Deno.writeTextFile((await paths(NAME)).file, "{"),
  "a session of a newer datumctl": async ({ paths }) =>
    await edit((await paths(NAME)).file, (session) => ({ ...session, schemaVersion: 99 })),
  "another session's file": async ({ paths }) =>
    await edit((await paths(NAME)).file, (session) => ({ ...session, name: "other" })),
  "credentials that were changed": async ({ paths }) =>
    await edit((await paths(NAME)).file, ({ credentials, ...session }) => ({
      ...session,
      credentials: String(credentials).replace(/.{4}$/, "AAAA"),
    })),
  "credentials with a part that ours lack": async ({ paths }) =>
    await edit((await paths(NAME)).file, ({ credentials, ...session }) => ({
      ...session,
      credentials: String(credentials).replace("..", ".AAAA."),
    })),
  "a key in the keyring": async ({ store, paths }) => {
    await edit((await paths(NAME)).file, (session) => ({ ...session, keyStore: "system" }));
    assert.equal((await store.read(NAME))?.keyStore, "system");
  },
};

async function fail({ paths, time }: Sandbox): Promise<void> {
  const failure = { at: time, code: "NETWORK", message: "It is down.", hint: "", told: [] };
  await Deno.writeTextFile((await paths(NAME)).failure, JSON.stringify(failure), { mode: 0o600 });
}

Deno.test("a failure that is no longer remembered, and any for a script, leaves the short way open", async () => {
  await withSession(async (sandbox) => {
    await fail(sandbox);
    assert.equal((await getToken(sandbox, { session: NAME })).code, 0);
    assert.ok(await storedToken(sandbox.store, { session: NAME }) !== undefined);
    sandbox.time += 10_000;
    assert.ok(await storedToken(sandbox.store, { session: NAME, output: V1 }, exec()) !== undefined);
    assert.equal((await getToken(sandbox, { session: NAME, output: V1 }, exec())).code, 0);
  });
});

Deno.test("a session file of a variable's name gives nothing", async () => {
  await withSession(async (sandbox) => {
    const [from, to] = [await sandbox.paths(NAME), await sandbox.paths("env:DATUMCTL_TOKEN")];
    await edit(from.file, (session) => ({ ...session, name: "env:DATUMCTL_TOKEN" }));
    await Deno.rename(from.file, to.file);
    await Deno.rename(from.key, to.key);
    assert.equal((await getToken(sandbox, { session: "env:DATUMCTL_TOKEN" })).code, 4);
  });
});

Deno.test("an entry's place counts for what a file says, too, not only for what is sealed", async () => {
  await withSession(async (sandbox) => {
    await edit((await sandbox.paths(NAME)).file, (session) => ({ ...session, apiHost: "api.other.example" }));
    const flags = { session: NAME, activeFor: "api.example.com", output: V1 };
    assert.equal((await getToken(sandbox, flags, exec())).code, 4);
  });
});

async function linked(path: string): Promise<void> {
  await Deno.rename(path, `${path}.elsewhere`);
  await Deno.symlink(`${path}.elsewhere`, path);
}

for (const [what, change] of Object.entries(OTHERS)) {
  Deno.test(`the long way's: ${what}`, async () => {
    await withSession(async (sandbox) => {
      const flags = { session: NAME, output: V1 };
      assert.ok(await storedToken(sandbox.store, flags, exec()) !== undefined);
      await change(sandbox);
      assert.equal(await storedToken(sandbox.store, flags, exec()), undefined);
      await getToken(sandbox, { session: NAME });
    });
  });
}

Deno.test("a token for a cloud without a Kubernetes API is for scripts alone", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add({ name: "studio", session: { provider: STUDIO } });
  assert.equal(await storedToken(sandbox.store, { session: "studio", output: V1 }, exec()), undefined);
});

Deno.test("a machine's stored token is answered; a CI job's is for the long way, which knows the job", async () => {
  await using sandbox = await openSandbox();
  const sources: readonly (readonly [TokenSource, answered: boolean])[] = [
    [{ kind: "client-credentials", tokenEndpoint: sandbox.issuer.metadata.token_endpoint }, true],
    [{ kind: "workload", source: { kind: "variable", name: "JOB" }, audience: "a" }, false],
  ];
  for (const [tokenSource, answered] of sources) {
    const name = tokenSource.kind;
    const session = { provider: CLOUDFLEET, kind: API_TOKEN, user: { subject: "machine-1" }, scopes: [] };
    const credentials = {
      issuer: sandbox.issuer.url,
      apiHost: "api.example.com",
      clientId: "id-1",
      subject: "machine-1",
      tokenSource,
      accessToken: "access-1",
      received: sandbox.time,
      accessTokenExpires: sandbox.time + HOUR,
    };
    await saveMachine(
      sandbox.store,
      { session, credentials, label: name },
      { wantedName: name, keyStores: ["file"], moveKey: false, activate: false },
      BOUND,
    );
    const called = await storedToken(sandbox.store, { session: name, output: V1 }, exec());
    assert.equal(called !== undefined, answered, name);
    assert.equal((await getToken(sandbox, { session: name, output: V1 }, exec())).code, answered ? 0 : 4);
  }
});

Deno.test("a process that comes back for its token is for the long way; another, or a later one of its number, is not", async () => {
  await withSession(async (sandbox) => {
    const flags = { session: NAME, output: V1 };
    const first = parentOf(7);
    assert.equal((await getToken(sandbox, flags, exec(), { parent: first })).code, 0);
    assert.equal(await storedToken(sandbox.store, flags, exec(), { parent: first }), undefined);
    assert.ok(await storedToken(sandbox.store, flags, exec(), { parent: parentOf(8) }) !== undefined);
    sandbox.time += 60_000;
    const later = { ...first, start: () => Promise.resolve({ ticks: "1", ago: 1000 }) };
    assert.ok(await storedToken(sandbox.store, flags, exec(), { parent: later }) !== undefined);
  });
});

Deno.test("whatever the session, the time and the caller, both ways give the same token or the long one decides", async () => {
  let short = 0;
  let long = 0;
  const server = fc.constantFrom(
    ...[
      "https://api.example.com",
      "https://API.example.com:443/x",
      "https://api.other.example",
      "http://api.example.com",
    ],
    ...["", "api.example.com"],
  );
  const env = fc.oneof(
    fc.constant({}),
    fc.constantFrom(exec(), exec(V1, true), exec(V1BETA1)),
    fc.tuple(
      server,
      fc.constantFrom({}, { "insecure-skip-tls-verify": true }, { "tls-server-name": "api.example.com" }),
    )
      .map(([address, more]) => cluster(address, more)),
  );
  const flags: fc.Arbitrary<GetTokenFlags> = fc.record({
    session: fc.constantFrom(NAME, NAME, undefined),
    output: fc.constantFrom(undefined, "token", V1, V1BETA1),
    token: fc.constantFrom(undefined, undefined, "access", "id"),
    activeFor: fc.constantFrom(undefined, undefined, "api.example.com", "api.other.example"),
    minimumLife: fc.constantFrom(undefined, undefined, "0s", "59m"),
  });
  const state = fc.record({
    life: fc.integer({ min: -10, max: 4000 }),
    passed: fc.integer({ min: -60, max: 4000 }),
    kubectlToken: fc.constantFrom(undefined, "access" as const, "id" as const),
    expires: fc.constantFrom(undefined, "2000-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"),
    idToken: fc.boolean(),
    ends: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(flags, env, state, async (flags, env, { life, passed, idToken, ends, ...session }) => {
      await using sandbox = await openSandbox();
      const { time } = sandbox;
      await sandbox.add({
        name: NAME,
        session,
        credentials: {
          accessTokenExpires: ends ? time + life * 1000 : undefined,
          ...(idToken ? {} : { idToken: undefined }),
        },
      });
      await sandbox.store.activate(NAME);
      sandbox.time = time + passed * 1000;
      const answered = await storedToken(sandbox.store, flags, env) !== undefined;
      const asked = sandbox.issuer.requests.length;
      const { code } = await getToken(sandbox, flags, env);
      if (!answered) return void long++;
      short++;
      assert.equal(code, 0);
      assert.equal(sandbox.issuer.requests.length, asked, "the long way asks nobody either");
    }),
    { numRuns: RUNS },
  );
  assert.ok(short > RUNS / 10 && long > RUNS / 10, `${short} short, ${long} long`);
});
