/** Proves how a failed get-token is told, and how often. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { openSandbox } from "../sessions/sandbox.ts";
import { exec, getToken, HOUR, V1 } from "./call.ts";

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

Deno.test("one CI job's remembered failure is not told to another job of the same machine", async () => {
  await using sandbox = await openSandbox();
  const { file } = await sandbox.paths("job");
  await sandbox.add({ name: "job", keyStore: "system" });
  const stored = JSON.parse(await Deno.readTextFile(file));
  const workload = (subject: string) =>
    Deno.writeTextFile(file, JSON.stringify({ ...stored, kind: "workload", user: { subject } }));
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
