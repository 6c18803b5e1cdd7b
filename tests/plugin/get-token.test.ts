/** Proves one call of get-token from its request to what stands on stdout and stderr. */

import assert from "node:assert/strict";
import type { GetTokenFlags } from "../../src/plugin/arguments.ts";
import { EXEC_API_VERSIONS } from "../../src/plugin/exec-credential.ts";
import { remarksWanted } from "../../src/plugin/get-token.ts";
import { AppError } from "../../src/errors.ts";
import { openSandbox } from "../sessions/sandbox.ts";
import { exec, getToken, HOUR, V1, V1BETA1 } from "./call.ts";

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

Deno.test("a variable that is no text is not read where the line names the session", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const env = (variable: string) => {
    if (variable === "DATUMCTL_PROFILE") throw new AppError("USAGE", "It is no text in UTF-8.");
    return undefined;
  };
  assert.equal((await getToken(sandbox, { session: name }, {}, { env })).stdout, "access-0\n");
  assert.equal((await getToken(sandbox, {}, {}, { env })).code, 2);
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

Deno.test("a token that runs out is not refreshed for a server that gets none", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  sandbox.time += HOUR;
  const spec = { interactive: true, cluster: { server: "https://other.example" } };
  const info = { KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion: V1, spec }) };
  const { code } = await getToken(sandbox, { session: name, output: V1 }, info, { canAsk: () => true });
  assert.deepEqual([code, sandbox.issuer.requests], [4, []]);
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

Deno.test("the variable says the version even where -o names what there is not", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const { code, stdout } = await getToken(sandbox, { session: name, output: "json" }, exec(V1BETA1));
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).apiVersion, V1BETA1);
  assert.equal((await getToken(sandbox, { session: name, output: "json" })).code, 2);
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

Deno.test("an error format that there is not is wrong usage in the variable, too", async () => {
  await using sandbox = await openSandbox();
  const { code, stderr } = await getToken(sandbox, {}, { DATUMCTL_ERROR_FORMAT: "xml" });
  assert.equal(code, 2);
  assert.match(stderr, /DATUMCTL_ERROR_FORMAT takes human, json or yaml/);
});
