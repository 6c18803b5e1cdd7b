/** Proves one call of get-token from its request to what stands on stdout and stderr. */

import assert from "node:assert/strict";
import type { GetTokenFlags } from "../../src/plugin/arguments.ts";
import { EXEC_API_VERSIONS } from "../../src/plugin/exec-credential.ts";
import { type GetTokenContext, remarksWanted, runGetToken } from "../../src/plugin/get-token.ts";
import { AppError } from "../../src/errors.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { SUBJECT } from "../sessions/issuer.ts";
import type { ParentProcess } from "../../src/system/parent-process.ts";
import { openSandbox, parentOf, type Sandbox } from "../sessions/sandbox.ts";
import { WORKLOAD } from "../../src/providers/kinds.ts";
import { CLOUDS } from "../clouds.ts";

const [V1, V1BETA1] = EXEC_API_VERSIONS;
const HOUR = 3600_000;

const exec = (apiVersion: string = V1, interactive = false) => ({
  KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion, spec: { interactive } }),
});

async function getToken(
  { store }: Sandbox,
  request: GetTokenFlags = {},
  env: Record<string, string> = {},
  { parent = 4711, errorFormat = "human", ...more }:
    & Partial<Omit<GetTokenContext, "parent">>
    & { readonly parent?: number | ParentProcess } = {},
) {
  const out: string[] = [];
  let stderr = "";
  const code = await runGetToken(request, {
    store,
    providers: CLOUDS,
    env: (name) => env[name],
    parent: typeof parent === "number" ? parentOf(parent) : parent,
    errorFormat,
    started: performance.now(),
    canAsk: () => false,
    writeOut: (text) => out.push(text),
    writeErr: (text) => {
      stderr += text;
    },
    ...more,
  });
  assert.ok(out.length <= 1, "stdout is written once");
  assert.doesNotMatch(stderr, /access-\d|refresh-\d|eyJ/);
  return { code, stdout: out.join(""), stderr };
}

Deno.test("a bare token with one newline, and silence on stderr", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  await sandbox.store.activate(name);
  assert.deepEqual(await getToken(sandbox), { code: 0, stdout: "access-0\n", stderr: "" });
  const id = await getToken(sandbox, { token: "id" });
  assert.match(id.stdout, /^eyJ[^\n]+\n$/);
});

Deno.test("an exec call gets its own version, whatever -o says, and the token that the session knows", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add({ session: { kubectlToken: "id" } });
  // A parent each: the same token again for one that had it would be a suspicion.
  for (const [parent, version] of EXEC_API_VERSIONS.entries()) {
    const request = { session: name, output: V1 };
    const { code, stdout, stderr } = await getToken(sandbox, request, exec(version), { parent });
    assert.deepEqual([code, stderr], [0, ""]);
    const credential = JSON.parse(stdout);
    assert.equal(credential.apiVersion, version);
    assert.match(credential.status.token, /^eyJ/);
    assert.equal(Date.parse(credential.status.expirationTimestamp), sandbox.time + HOUR - 60_000);
  }
  assert.equal(
    JSON.parse((await getToken(sandbox, { session: name, token: "access" }, exec())).stdout).status.token,
    "access-0",
  );
  assert.equal(
    JSON.parse((await getToken(sandbox, { session: name, output: V1BETA1 })).stdout).apiVersion,
    V1BETA1,
  );
});

Deno.test("-o token needs no exec info, even a broken one; without it a broken one is USAGE", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const env = { KUBERNETES_EXEC_INFO: "{" };
  assert.equal((await getToken(sandbox, { session: name, output: "token" }, env)).stdout, "access-0\n");
  const refused = await getToken(sandbox, { session: name }, env);
  assert.deepEqual([refused.code, refused.stdout], [2, ""]);
  assert.match(refused.stderr, /KUBERNETES_EXEC_INFO/);
});

Deno.test("a failure under exec: a Status on stdout, one block on stderr for the same parent, the exit code", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR;
  sandbox.issuer.refreshToken = "another";
  const runs = [];
  for (let run = 0; run < 5; run++) runs.push(await getToken(sandbox, { session: name, output: V1 }, exec()));
  assert.deepEqual(runs.map(({ code }) => code), [4, 4, 4, 4, 4]);
  assert.match(
    runs[0]?.stderr ?? "",
    /^error: The session .*\nSign in again: datumctl login --profile .*\n$/,
  );
  assert.deepEqual(runs.slice(1).map(({ stderr }) => stderr), ["", "", "", ""]);
  for (const { stdout } of runs) assert.equal(JSON.parse(stdout).reason, "SESSION_EXPIRED");
  assert.deepEqual(sandbox.issuer.requests, ["/token"], "remembered: one question for five runs");
  const other = await getToken(sandbox, { session: name, output: V1 }, exec(), { parent: 4712 });
  assert.match(other.stderr, /^error: /, "another kubectl is told, too");
  sandbox.time += 10_000;
  await getToken(sandbox, { session: name, output: V1 }, exec());
  assert.equal(sandbox.issuer.requests.length, 2, "and asked again after ten seconds");
});

Deno.test("a sign-in clears the remembered failure at once", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR;
  sandbox.issuer.refreshToken = "another";
  assert.equal((await getToken(sandbox, { session: name }, exec())).code, 4);
  await sandbox.add();
  assert.equal((await getToken(sandbox, { session: name }, exec())).code, 0);
});

Deno.test("-o token neither reads nor writes the memory, and prints every failure", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR;
  sandbox.issuer.respond = () => Response.json({ error: "invalid_client" }, { status: 401 });
  for (let run = 1; run <= 2; run++) {
    const { code, stdout, stderr } = await getToken(sandbox, { session: name, output: "token" });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^error: /);
    assert.equal(sandbox.issuer.requests.length, run);
  }
});

Deno.test("a failure as JSON is one line on stderr", async () => {
  await using sandbox = await openSandbox();
  const ran = await getToken(sandbox, { session: "nobody" }, {}, { errorFormat: "json" });
  onlyPrintedError(ran, "NOT_SIGNED_IN");
});

Deno.test("the variable never overrides a session that the entry names", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add({ name: "ada" });
  await sandbox.add({ name: "grace", subject: "2", credentials: { accessToken: "access-9" } });
  await sandbox.store.activate("grace");
  const env = { DATUMCTL_PROFILE: "grace" };
  assert.equal((await getToken(sandbox, { session: "ada" }, env)).stdout, "access-0\n");
  assert.equal((await getToken(sandbox, {}, { DATUMCTL_PROFILE: "ada" })).stdout, "access-0\n");
  assert.equal((await getToken(sandbox)).stdout, "access-9\n");
});

Deno.test("an entry that follows the active session never gets a token of another host, edited files or not", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add({ name: "ada" });
  const { session: other } = await sandbox.add({
    name: "other",
    subject: "2",
    session: { apiHost: "api.other.example" },
  });
  await sandbox.store.activate("ada");
  const request = { activeFor: "api.example.com", output: V1 };
  assert.equal((await getToken(sandbox, request, exec())).code, 0);
  await sandbox.store.activate("other");
  const refused = await getToken(sandbox, request, exec());
  assert.equal(refused.code, 4);
  assert.equal(JSON.parse(refused.stdout).reason, "WRONG_HOST");
  assert.match(refused.stderr, /"other" belongs to api\.other\.example.*api\.example\.com/);
  assert.equal((await getToken(sandbox, request, { ...exec(), DATUMCTL_PROFILE: "ada" })).code, 4);
  assert.equal(
    (await getToken(sandbox, { session: "other", output: V1 }, exec())).code,
    0,
    "a pinned entry of it goes on",
  );

  const { file } = await sandbox.paths(other.name);
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(
    file,
    text.replace('"apiHost": "api.other.example"', '"apiHost": "api.example.com"'),
  );
  assert.equal((await getToken(sandbox, request, exec())).code, 4, "what is sealed says where it is of");
});

Deno.test("a pinned entry acts as its session at its place alone, edited files or not", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ name: "work" });
  const { apiHost, issuer } = session;
  const ask = (activeFor: string, env = exec()) =>
    getToken(sandbox, { session: "work", activeFor, output: V1 }, env);
  for (const pin of [apiHost, issuer]) assert.equal((await ask(pin)).code, 0, pin);
  const others = ["api.other.example", `${issuer}/`, `${issuer}/realms/other`, "https://api.example.com", ""];
  for (const pin of others) {
    for (const env of [exec(), exec(V1, true)]) {
      const { code, stdout } = await ask(pin, env);
      assert.equal(code, 4, pin);
      const { reason, message } = JSON.parse(stdout);
      assert.equal(reason, "WRONG_HOST");
      const there = pin.includes("://") ? issuer : apiHost;
      assert.ok(
        message.includes(`"work" belongs to ${there}, but`) && message.includes(`for ${pin}`),
        message,
      );
    }
  }
  // The bare token of the line is held to the place, too.
  assert.equal((await getToken(sandbox, { session: "work", activeFor: "api.other.example" })).code, 4);

  const { file } = await sandbox.paths("work");
  const fields = { apiHost: "api.other.example", issuer: "https://other.example" };
  await Deno.writeTextFile(file, JSON.stringify({ ...JSON.parse(await Deno.readTextFile(file)), ...fields }));
  for (const pin of Object.values(fields)) {
    assert.equal((await ask(pin)).code, 4, "what is sealed says where it belongs");
  }
});

Deno.test("an entry that follows the active session can be held to an issuer", async () => {
  await using sandbox = await openSandbox();
  const { session: { issuer } } = await sandbox.add({ name: "work" });
  await sandbox.store.activate("work");
  assert.equal((await getToken(sandbox, { activeFor: issuer, output: V1 }, exec())).code, 0);
  const refused = await getToken(sandbox, { activeFor: "https://other.example", output: V1 }, exec());
  assert.match(JSON.parse(refused.stdout).message, /active session "work" .*https:\/\/other\.example/);
});

Deno.test("nobody is asked to sign in to what the entry would refuse afterwards", async () => {
  await using sandbox = await openSandbox();
  const session = "ada@example.com@api.datum.net";
  for (const activeFor of ["api.other.example", "https://other.example"]) {
    const { code, stdout, stderr } = await getToken(sandbox, { session, activeFor, output: V1 }, {
      ...exec(V1, true),
      BROWSER: "true",
    }, { canAsk: () => true });
    assert.deepEqual([code, JSON.parse(stdout).reason], [4, "NOT_SIGNED_IN"]);
    assert.doesNotMatch(stderr, /Nobody is signed in as/);
  }
});

Deno.test("where the session is missing, the line comes from the entry, and needs no memory of the session", async () => {
  await using sandbox = await openSandbox();
  const ask = async (request: GetTokenFlags) =>
    await getToken(sandbox, { ...request, output: V1 }, exec(), { parent: Math.random() });
  const issuer = "https://id.example.com/realms/main";
  const line = `datumctl login --profile work --issuer ${issuer} --client-id`;
  const known = await ask({ session: "work", activeFor: issuer, clientId: "kube" });
  assert.equal(known.code, 4);
  assert.equal(known.stderr, `error: There is no session work here.\nSign in: ${line} kube\n`);
  const old = await ask({ session: "work", activeFor: issuer });
  assert.ok(old.stderr.includes(`\nSign in: ${line} ID (ID is the client at that issuer`), old.stderr);
  for (const { stderr, stdout } of [known, old]) {
    assert.doesNotMatch(stderr + stdout, /AUTH_HOST|--api-hostname|--hostname/);
  }
  const datum = await ask({ session: "work", activeFor: "api.example.com" });
  assert.match(datum.stderr, /--profile work --hostname auth\.example\.com --client-id ID\n$/);
  await sandbox.add();
  const beside = await ask({ session: "work", activeFor: issuer, clientId: "kube" });
  assert.ok(beside.stderr.endsWith(`Pick one of these, or sign in: ${line} kube\n`), beside.stderr);
});

Deno.test("a failure at one server is not told at another: what a kubeconfig leads to is of one call", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const at = (server: string) => ({
    KUBERNETES_EXEC_INFO: JSON.stringify({
      kind: "ExecCredential",
      apiVersion: V1,
      spec: { interactive: false, cluster: { server } },
    }),
  });
  const request = { session: name, output: V1 };
  for (let run = 0; run < 2; run++) {
    const strange = await getToken(sandbox, request, at("https://other.example"));
    assert.deepEqual([strange.code, JSON.parse(strange.stdout).reason], [4, "WRONG_HOST"]);
    assert.equal(strange.stderr === "", run > 0, "told once to one parent");
    assert.equal((await getToken(sandbox, request, at("https://api.example.com"))).code, 0);
  }
  // The bare token is a person's own business.
  assert.equal(
    (await getToken(sandbox, { session: name, output: "token" }, at("https://x.example"))).code,
    0,
  );
});

Deno.test("a token that runs out is not refreshed for a server that gets none", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR;
  const spec = { interactive: true, cluster: { server: "https://other.example" } };
  const info = { KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion: V1, spec }) };
  const { code } = await getToken(sandbox, { session: name, output: V1 }, info, { canAsk: () => true });
  assert.deepEqual([code, sandbox.issuer.requests], [4, []]);
});

Deno.test("one CI job's remembered failure is not told to another job of the same machine", async () => {
  await using sandbox = await openSandbox();
  const { file } = await sandbox.paths("job");
  await sandbox.add({ name: "job", keyStore: "system" });
  const stored = JSON.parse(await Deno.readTextFile(file));
  const workload = (subject: string) =>
    Deno.writeTextFile(file, JSON.stringify({ ...stored, kind: WORKLOAD, user: { subject } }));
  const tokenFile = `${sandbox.folder}/token`;
  const rows: readonly (readonly [subject: string, set: (job: string) => Promise<Record<string, string>>])[] =
    [
      ["github:aud", (job) => Promise.resolve({ ACTIONS_ID_TOKEN_REQUEST_TOKEN: job })],
      ["gitlab:JOB_TOKEN:https://aud", (job) => Promise.resolve({ JOB_TOKEN: job })],
      [`file:${tokenFile}:aud`, (job) => Deno.writeTextFile(tokenFile, job).then(() => ({}))],
    ];
  for (const [subject, set] of rows) {
    await workload(subject);
    const words = async (job: string, failure: string) => {
      sandbox.system.failure = new AppError("KEYRING_LOCKED", failure);
      const env = await set(job);
      const place = sandbox.store.with({ host: { ...sandbox.store.host, env: (name) => env[name] } });
      const { stdout } = await getToken(
        sandbox,
        { session: "job", output: V1 },
        { ...exec(), ...env },
        { store: place },
      );
      return JSON.parse(stdout).message;
    };
    assert.equal(await words("one", "of job one"), "of job one", subject);
    assert.equal(await words("one", "not asked again"), "of job one", subject);
    assert.equal(await words("two", "of job two"), "of job two", subject);
    sandbox.time += 60_000;
  }
});

Deno.test("--claims tells what a token says, never the token", async () => {
  await using sandbox = await openSandbox();
  sandbox.issuer.claims = { name: "Ada\u202e\u009b" };
  const { session: { name } } = await sandbox.add();
  const told = await getToken(sandbox, { session: name, claims: true, token: "id" });
  const value = JSON.parse(told.stdout);
  assert.deepEqual([value.token, value.audience, value.secondsLeft], ["id", "client-1", 3600]);
  assert.equal(value.claims.sub, "318271931245953281");
  assert.doesNotMatch(told.stdout, /[\u202e\u009b]|eyJ/);
  const opaque = JSON.parse((await getToken(sandbox, { session: name, claims: true })).stdout);
  assert.deepEqual([opaque.token, opaque.claims], ["access", null]);
});

Deno.test("a warning is for people: on stderr without exec, silence with it", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const request = { session: name, minimumLife: "2h" };
  assert.match((await getToken(sandbox, request)).stderr, /^warning: .*--min-ttl/);
  const kubectl = await getToken(sandbox, { ...request, output: V1 }, exec());
  assert.deepEqual([kubectl.code, kubectl.stderr], [0, ""]);
});

Deno.test("a remembered outage hides no stored token that is still good", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR - 60_000;
  sandbox.issuer.respond = () => new Response("no", { status: 503, headers: { "retry-after": "999" } });
  for (let run = 0; run < 2; run++) {
    const { code, stdout } = await getToken(sandbox, { session: name, output: V1 }, exec());
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).status.token, "access-0");
  }
});

Deno.test("a keyring that is locked is told so, under exec too, and nothing else is tried", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add({ keyStore: "system" });
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.", { hint: "Unlock it." });
  const { code, stdout, stderr } = await getToken(sandbox, { session: name, output: V1 }, exec(V1, true));
  assert.equal(code, 4);
  assert.equal(JSON.parse(stdout).reason, "KEYRING_LOCKED");
  assert.equal(stderr, "error: The keyring is locked.\nUnlock it.\n");
});

Deno.test("a damaged config.json or session file is STORAGE with its path, not signed-out", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const { file } = await sandbox.paths(name);
  await Deno.writeTextFile(`${sandbox.folder}/config.json`, "{");
  const active = await getToken(sandbox);
  assert.equal(active.code, 1);
  assert.match(active.stderr, /config\.json cannot be used/);
  assert.equal((await getToken(sandbox, { session: name })).code, 0, "a named session needs no config.json");
  await Deno.writeTextFile(file, "{");
  const named = await getToken(sandbox, { session: name, output: V1 }, exec());
  assert.equal(named.code, 1);
  assert.equal(JSON.parse(named.stdout).reason, "STORAGE");
});

Deno.test("a wrong entry is told once to each kubectl, and on stdout every time", async () => {
  await using sandbox = await openSandbox();
  for (
    const [parent, flags] of [
      { token: "foo" },
      { minimumLife: "abc" },
      { session: "a", profile: "b" },
      { requestTimeout: "0s" },
    ].entries()
  ) {
    const shown: string[] = [];
    for (let run = 0; run < 5; run++) {
      const { code, stdout, stderr } = await getToken(sandbox, { output: V1, ...flags }, exec(), { parent });
      assert.equal(code, 2);
      assert.equal(JSON.parse(stdout).reason, "USAGE");
      shown.push(stderr);
    }
    assert.match(shown[0] ?? "", /^error: /, JSON.stringify(flags));
    assert.deepEqual(shown.slice(1), ["", "", "", ""]);
  }
  const plain = await getToken(sandbox, { token: "foo" });
  assert.deepEqual([plain.code, plain.stdout], [2, ""]);
});

Deno.test("where nobody ever signed in, an entry is told of it once to each kubectl", async () => {
  await using sandbox = await openSandbox();
  const runs = [];
  for (let run = 0; run < 5; run++) {
    runs.push(await getToken(sandbox, { session: "ada@example.com@api.example.com", output: V1 }, exec()));
  }
  assert.deepEqual(runs.map(({ stderr }) => stderr !== ""), [true, false, false, false, false]);
});

Deno.test("the variable says the version even where -o names what there is not", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const { code, stdout } = await getToken(sandbox, { session: name, output: "json" }, exec(V1BETA1));
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).apiVersion, V1BETA1);
  assert.equal((await getToken(sandbox, { session: name, output: "json" })).code, 2);
});

Deno.test("a certificate that is not trusted is explained, in what is printed and remembered", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const failure = new AppError("UNTRUSTED_CERTIFICATE", "Cannot reach it.", { hint: "Look." });
  const explainCertificate = (error: AppError) =>
    Promise.resolve(new AppError(error.code, error.message, { hint: "SHA-256 of it" }));
  const place = sandbox.store.with({
    secretStore: () => ({ ...sandbox.system, get: () => Promise.reject(failure) }),
  });
  const first = await getToken(sandbox, { session: name, output: V1 }, exec(), {
    store: place,
    explainCertificate,
  });
  assert.match(first.stderr, /SHA-256 of it/);
  const again = await getToken(sandbox, { session: name, output: V1 }, exec(), { store: place });
  assert.match(JSON.parse(again.stdout).message, /SHA-256 of it/);
});

Deno.test("while nobody is asked again that is said once, however often a token is wanted", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR;
  sandbox.issuer.refreshToken = "another";
  const { signIn } = await sandbox.paths(name);
  await Deno.writeTextFile(signIn, JSON.stringify({ at: sandbox.time, ended: true }));
  const env = { ...exec(V1, true), BROWSER: "true" };
  for (let parent = 1; parent <= 3; parent++) {
    const { code, stderr } = await getToken(sandbox, { session: name, output: V1 }, env, { parent });
    assert.equal(code, 4);
    assert.equal(stderr.match(/A sign-in failed or was abandoned/g)?.length, 1, stderr);
    assert.match(stderr, new RegExp(`^error: The session "${name}" has expired: `));
    sandbox.time += 1_000;
  }
  const alone = await getToken(sandbox, { session: name, output: V1 }, exec(), { parent: 4 });
  assert.match(alone.stderr, new RegExp(`\\.\nSign in again: datumctl login --profile ${name}\n$`));
  assert.doesNotMatch(alone.stderr, /given up/, "who cannot be asked at all hears the failure alone");
});

Deno.test("-q silences get-token's warnings and remarks, but no error", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const { code, stderr } = await getToken(sandbox, { session: name, minimumLife: "2h", quiet: true });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match((await getToken(sandbox, { session: "nobody", quiet: true })).stderr, /^error: /);
  assert.equal(remarksWanted({}, () => undefined), true);
  assert.equal(remarksWanted({ quiet: true }, () => undefined), false);
  assert.equal(remarksWanted({ output: V1 }, () => undefined), false);
  assert.equal(remarksWanted({}, () => exec().KUBERNETES_EXEC_INFO), false);
});

Deno.test("an output that takes nothing more is STORAGE once, and no failure of the session", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const writeOut = () => {
    throw new AppError("STORAGE", "Cannot write the output: the disk is full.");
  };
  const full = await getToken(sandbox, { session: name, output: V1 }, exec(), { writeOut });
  assert.deepEqual([full.code, full.stderr], [1, "error: Cannot write the output: the disk is full.\n"]);
  assert.equal((await getToken(sandbox, { session: name, output: V1 }, exec(), { parent: 2 })).code, 0);
});

Deno.test("a fault of our own shows its frames under -v, never its words", async () => {
  await using sandbox = await openSandbox();
  const place = sandbox.store.with({
    secretStore: () => {
      throw new TypeError("secret-word");
    },
  });
  const { session: { name } } = await sandbox.add();
  for (const verbose of [false, true]) {
    const { stderr } = await getToken(sandbox, { session: name, verbose }, {}, { store: place });
    assert.match(stderr, /^error: Something went wrong inside datumctl/);
    assert.equal(/\n\s+at /.test(stderr), verbose);
    assert.doesNotMatch(stderr, /secret-word/);
  }
});

Deno.test("an error format that there is not is wrong usage in the variable, too", async () => {
  await using sandbox = await openSandbox();
  const { code, stderr } = await getToken(sandbox, {}, { DATUMCTL_ERROR_FORMAT: "xml" });
  assert.equal(code, 2);
  assert.match(stderr, /DATUMCTL_ERROR_FORMAT takes human, json or yaml/);
});

/** A sandbox whose session's token can be asked about, and calls of one parent that comes back for it. */
async function askable(sandbox: Sandbox) {
  const { issuer } = sandbox;
  const metadata = { ...issuer.metadata, userinfo_endpoint: `${issuer.url}/userinfo` };
  const { session: { name } } = await sandbox.add({ credentials: { metadata } });
  return {
    name,
    asked: () => issuer.requests.filter((path) => path === "/userinfo").length,
    call: (parent = 4711) => getToken(sandbox, { session: name, output: V1 }, exec(), { parent }),
  };
}

Deno.test("what the issuer said of a token that comes back serves every process for 5 s, its silence for a minute", async () => {
  const answers = [
    [() => Response.json({ sub: SUBJECT }), 5_000],
    [() => new Response(null, { status: 500 }), 60_000],
  ] as const;
  for (const [answer, serves] of answers) {
    await using sandbox = await openSandbox();
    const { call, asked } = await askable(sandbox);
    sandbox.issuer.userinfo = answer;
    for (const parent of [1, 1, 1, 2, 2]) assert.equal((await call(parent)).code, 0);
    assert.equal(asked(), 1);
    sandbox.time += serves - 1;
    await call(1);
    assert.equal(asked(), 1);
    sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
    sandbox.time += 1;
    const { stdout } = await call(1);
    assert.equal(asked(), 2);
    assert.equal(JSON.parse(stdout).status.token, "access-1", "revoked meanwhile, it is found so now");
  }
});

Deno.test("a token revoked 6 s after the issuer called it good is replaced at the next call", async () => {
  await using sandbox = await openSandbox();
  const { call, asked } = await askable(sandbox);
  sandbox.issuer.userinfo = () => Response.json({ sub: SUBJECT });
  const token = async () => JSON.parse((await call()).stdout).status.token;
  assert.equal(await token(), "access-0");
  assert.equal(await token(), "access-0");
  assert.equal(asked(), 1);
  sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
  sandbox.time += 6_000;
  assert.equal(await token(), "access-1");
});

Deno.test("a token that the issuer refuses, of a session that it does not renew: SESSION_EXPIRED, not the dead token", async () => {
  await using sandbox = await openSandbox();
  const { name, call } = await askable(sandbox);
  sandbox.issuer.userinfo = () => new Response(null, { status: 401 });
  sandbox.issuer.refreshToken = "another";
  assert.equal((await call()).code, 0, "the first is under no suspicion");
  const { code, stdout, stderr } = await call();
  assert.equal(code, 4);
  assert.equal(JSON.parse(stdout).reason, "SESSION_EXPIRED");
  assert.match(stderr, /^error: The session .*\nSign in again: datumctl login --profile .*\n$/);
  assert.equal(
    (await sandbox.store.read(name))?.renewalRefused,
    new Date(sandbox.time).toISOString(),
  );

  // An issuer that cannot be asked for another is an outage.
  await sandbox.add({
    credentials: {
      metadata: { ...sandbox.issuer.metadata, userinfo_endpoint: `${sandbox.issuer.url}/userinfo` },
    },
  });
  assert.equal((await sandbox.store.read(name))?.renewalRefused, undefined, "a sign-in clears it");
  sandbox.issuer.respond = () => new Response(null, { status: 503 });
  assert.deepEqual([(await call()).code, (await call()).code], [0, 0]);
});
