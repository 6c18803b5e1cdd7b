/** Proves what a sign-in owes when something goes wrong around it: nothing lost, nothing believed, nobody asked in vain. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import { acquireLock } from "../../../src/system/locks.ts";
import { assertMissing } from "../../scratch.ts";
import { ADA, openWorld } from "../world.ts";

const interrupted = () => new AppError("INTERRUPTED", "Interrupted.");

Deno.test("a session that is stored and cannot be made active keeps its grant", async () => {
  await using world = await openWorld();
  // A folder in the lock's place: the config cannot be changed.
  const lock = `${world.sandbox.store.folders.config}/config.json.lock`;
  await Deno.mkdir(lock, { recursive: true });
  const { code, stderr } = await world.login(ADA, "--profile work");
  assert.equal(code, 1, stderr);
  assert.match(stderr, /"work" is signed in and stored, but it could not be made the active one/);
  assert.match(stderr, /datumctl auth switch work/);
  assert.equal(world.cloud.counts().revocation ?? 0, 0);
  const token = await world.run("auth get-token --profile work --force-refresh");
  assert.equal(token.code, 0, token.stderr);
});

Deno.test("a sign-in at Datum that renews a session revokes the refresh token that it replaced", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const { stderr } = await world.login(ADA, "-v");
  assert.match(
    stderr,
    /^The refresh token that this sign-in replaces in the session "ada@\S+" is revoked\.$/m,
  );
  assert.equal(world.cloud.counts().revocation, 1);
  await world.ok("auth get-token --force-refresh");
});

Deno.test("a host without a discovery document is told with how an issuer with a path is named", async () => {
  await using world = await openWorld();
  const { authHost } = world.cloud;
  await world.cloud.setFaults({ discovery: { status: 404 } });
  const { code, stderr } = await world.login(ADA);
  assert.equal(code, 1);
  assert.match(stderr, /has none \(status 404\)/);
  assert.ok(stderr.includes(`datumctl login --issuer https://${authHost}/PATH --client-id ID\n`), stderr);
});

Deno.test("an edited file whose seal is broken runs no program and names no issuer", async () => {
  await using world = await openWorld();
  await world.login(ADA, "--profile work");
  const { file } = await world.sandbox.paths("work");
  const session = JSON.parse(await Deno.readTextFile(file));
  const mark = `${world.sandbox.folder}/mark`;
  session.signIn = { browserCommand: `/usr/bin/touch ${mark}` };
  session.credentials = session.credentials.slice(0, -4) + "AAAA";
  await Deno.writeTextFile(file, JSON.stringify(session));
  world.cloud.resetCounts();
  const { code, stderr } = await world.run("login --profile work");
  assert.equal(code, 2, stderr);
  assert.match(stderr, /its file is not trusted to say where to sign in/);
  assert.match(stderr, /--hostname 127\.0\.0\.1:\d+ --api-hostname 127\.0\.0\.1:\d+ --client-id/);
  assert.equal(world.cloud.counts().total, 0);
  await assertMissing(mark);
});

Deno.test("what stands in an unsealed file comes out of the line to paste as whole words that run nothing", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using world = await openWorld();
  await world.login(ADA, "--profile work");
  const { file, key } = await world.sandbox.paths("work");
  const session = JSON.parse(await Deno.readTextFile(file));
  await Deno.remove(key);
  const planted = [
    "k; touch pwned #",
    "k' touch pwned '",
    "k\ntouch pwned",
    `$(touch pwned)${"x".repeat(400)}`,
  ];
  for (const clientId of planted) {
    for (
      const { provider, flags } of [
        { provider: "datum", flags: ["--hostname", session.authHost, "--api-hostname", session.apiHost] },
        { provider: "oidc", flags: ["--issuer", session.issuer] },
      ]
    ) {
      await Deno.writeTextFile(file, JSON.stringify({ ...session, provider, clientId }));
      const { code, stderr } = await world.run("login --profile work");
      assert.equal(code, 2, stderr);
      const line = /^If this is the right place, run: (datumctl .*)\n/m.exec(stderr)?.[1] ??
        assert.fail(stderr);
      const ran = await new Deno.Command("sh", {
        args: ["-c", `datumctl() { printf '%s\\0' "$@"; }\n${line}`],
        cwd: world.sandbox.folder,
      }).output();
      const words = new TextDecoder().decode(ran.stdout).split("\0").slice(0, -1);
      assert.deepEqual(words, [
        ...["login", "--profile", "work", ...flags, "--client-id", clientId.replace("\n", " ")],
        ...["--certificate-authority", "FILE"],
      ]);
      await assertMissing(`${world.sandbox.folder}/pwned`);
    }
  }
});

Deno.test("a variable does not move a session's key out of a keyring that is locked", async () => {
  await using world = await openWorld();
  await world.login(ADA, "--profile work --keyring system");
  world.sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  const { code, stderr } = await world.run("login --profile work", { env: { DATUMCTL_KEYRING: "file" } });
  assert.equal(code, 4, stderr);
  assert.equal((await world.sandbox.store.read("work"))?.keyStore, "system");
});

Deno.test("a variable does not move the key of a person who signs in again", async () => {
  await using world = await openWorld();
  await world.login(ADA, "--keyring system");
  const [name] = JSON.parse(await world.ok("auth list -o json")).map(({ name }: { name: string }) => name);
  const again = await world.login(ADA, "--keyring auto", { env: { DATUMCTL_KEYRING: "file" } });
  assert.equal(again.code, 0, again.stderr);
  assert.equal((await world.sandbox.store.read(name))?.keyStore, "system");
});

Deno.test("nobody signs in for nothing where our folder cannot be written", async () => {
  await using world = await openWorld();
  const { sessions } = world.sandbox.store.folders;
  await Deno.mkdir(sessions.replace(/\/[^/]+$/, ""), { recursive: true });
  await Deno.writeTextFile(sessions, "not a folder");
  world.cloud.resetCounts();
  const { code, stderr } = await world.run(
    `login --hostname ${world.cloud.authHost} --api-hostname ${world.cloud.apiHost} --client-id 1 --no-browser`,
  );
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Cannot create the folder/);
  assert.equal(world.cloud.counts().total, 0);
});

Deno.test("Ctrl-C ends the wait for a session's lock", async () => {
  await using world = await openWorld();
  await world.login(ADA, "--profile work");
  const { lock } = await world.sandbox.paths("work");
  const held = await acquireLock(lock, { timeout: 0, guards: "a test" });
  const controller = new AbortController();
  const waiting = world.run(
    "logout",
    { interrupted: controller.signal },
  );
  controller.abort(interrupted());
  const { code } = await waiting;
  held.release();
  assert.equal(code, 130);
  assert.ok(await world.sandbox.store.read("work") !== undefined);
});

Deno.test("a wait is told as the shorter of the code's life and the sign-in's own bound", async () => {
  await using world = await openWorld();
  const { authHost, apiHost, clientId, caFile } = world.cloud;
  const login =
    `login --no-browser --hostname ${authHost} --api-hostname ${apiHost} --client-id ${clientId} ` +
    `--certificate-authority ${caFile} --keyring file`;
  for (const [timeout, words] of [["4m", "Waiting for 4 min …"], ["1h", "Waiting; the code expires in "]]) {
    const stop = new AbortController();
    const ran = await world.run(`${login} --timeout ${timeout}`, {
      interrupted: stop.signal,
      onStderr(soFar) {
        if (/^Waiting/m.test(soFar)) stop.abort(interrupted());
      },
    });
    assert.equal(ran.code, 130, ran.stderr);
    assert.ok(ran.stderr.includes(`\n${words}`), ran.stderr);
  }
});

Deno.test("a file that was named by mistake is not told to be closed to others; a variable is blamed by its name", async () => {
  await using world = await openWorld();
  const path = `${world.sandbox.folder}/passwd`;
  await Deno.writeTextFile(path, "root:x:0\nada:x:1\n", { mode: 0o644 });
  const oidc = "login --issuer https://127.0.0.1:9 --client-id x";
  for (const words of [`login --credentials ${path}`, `${oidc} --client-secret-file ${path}`]) {
    const { code, stderr } = await world.run(words);
    assert.equal(code, 2, stderr);
    assert.doesNotMatch(stderr, /Other users|chmod/, words);
  }
  const variable = await world.run(oidc, { env: { DATUMCTL_KEYRING: "foo" } });
  assert.match(variable.stderr, /^error: DATUMCTL_KEYRING takes auto, system or file/m);
  assert.match((await world.run(`${oidc} --keyring foo`)).stderr, /^error: --keyring takes/m);
});

Deno.test("a folder where a kubeconfig belongs is called a folder", async () => {
  await using world = await openWorld();
  await world.sandbox.add({ name: "work" });
  const { code, stderr } = await world.run(
    `auth update-kubeconfig --profile work --server https://127.0.0.1:9 --skip-validation ` +
      `--kubeconfig ${world.sandbox.folder}`,
  );
  assert.equal(code, 1, stderr);
  assert.match(stderr, /: it is a folder\.\nName a file\.\n$/);
});
