/** Proves what a sign-in says and stores, and what it owes when something goes wrong: nothing lost, nothing believed. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import { acquireLock } from "../../../src/system/locks.ts";
import { asPersonSession } from "../../../src/sessions/refresh.ts";
import { assertMissing } from "../../scratch.ts";
import { BOUND } from "../../sessions/sandbox.ts";
import { ADA, at, GRACE, openSignedIn, openWorld } from "../world.ts";

const interrupted = () => new AppError("INTERRUPTED", "Interrupted.");

Deno.test("login says who, where, how it is kept, and one next command", async () => {
  await using world = await openWorld();
  const { code, stdout, stderr } = await world.login(ADA);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `Signed in as ${ADA} at ${world.cloud.apiHost}.\n`);
  assert.match(stderr, /key in a key file in /);
  assert.match(
    stderr,
    /Next: datumctl auth update-kubeconfig --project PROJECT_ID\n.*datumctl projects list\n$/,
  );
});

Deno.test("a second person's login makes theirs the active session", async () => {
  await using world = await openSignedIn(GRACE);
  assert.equal(await world.sandbox.store.active(), at(world, GRACE));
});

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
  await Deno.symlink("nowhere/at/all", sessions);
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
  for (
    const [timeout, words] of [["4m", "Waiting for up to 4 min …"], ["1h", "Waiting; the code expires in "]]
  ) {
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

const OIDC = "login --issuer https://127.0.0.1:9 --client-id x";

Deno.test("a file that was named by mistake is not told to be closed to others", async () => {
  await using world = await openWorld();
  const path = `${world.sandbox.folder}/passwd`;
  await Deno.writeTextFile(path, "root:x:0\nada:x:1\n", { mode: 0o644 });
  for (const words of [`login --credentials ${path}`, `${OIDC} --client-secret-file ${path}`]) {
    const { code, stderr } = await world.run(words);
    assert.equal(code, 2, stderr);
    assert.doesNotMatch(stderr, /Other users|chmod/, words);
  }
});

Deno.test("a keyring that there is not is blamed on the flag or the variable that named it", async () => {
  await using world = await openWorld();
  const variable = await world.run(OIDC, { env: { DATUMCTL_KEYRING: "foo" } });
  assert.match(variable.stderr, /^error: DATUMCTL_KEYRING takes auto, system or file/m);
  assert.match((await world.run(`${OIDC} --keyring foo`)).stderr, /^error: --keyring takes/m);
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

Deno.test("a sign-in of another person than the session's stores nothing and takes its grant back", async () => {
  await using world = await openWorld();
  await world.login(ADA, "--profile work");
  const { file } = await world.sandbox.paths("work");
  const before = await Deno.readTextFile(file);
  world.cloud.resetCounts();
  const { code, stdout, stderr } = await world.login(GRACE, "--profile work");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /error: The session "work" belongs to ada@example\.com at .*; grace@example\.com at /);
  assert.equal(await Deno.readTextFile(file), before);
  assert.equal(world.cloud.counts().revocation, 1);
});

Deno.test("a session is renewed at the sealed issuer as the sealed person, whatever its file says", async () => {
  await using world = await openWorld();
  await world.login(ADA, "--profile work");
  const { file } = await world.sandbox.paths("work");
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(
    file,
    text.replaceAll(world.cloud.authHost, "127.0.0.1:9").replace(/"subject": "\d+"/, '"subject": "2"'),
  );
  // Without flags: all that is known comes from the session.
  let url = "";
  const controller = new AbortController();
  const ran = await world.run("login --profile work --browser-command true", {
    interrupted: controller.signal,
    onStderr(said) {
      url ||= /https:\/\/\S+response_type\S+/.exec(said)?.[0] ?? "";
      if (url !== "") controller.abort(new AppError("INTERRUPTED", "Interrupted."));
    },
  });
  assert.equal(ran.code, 130);
  assert.equal(new URL(url).host, world.cloud.authHost);
  assert.equal(new URL(url).searchParams.get("login_hint"), ADA);
});

Deno.test("two people whose sessions would share a name get distinct ones", async () => {
  await using world = await openWorld();
  const { apiHost } = world.cloud;
  await world.sandbox.add({ name: at(world, ADA), subject: "another", session: { apiHost } });
  const { code, stderr } = await world.login(ADA);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Session: ada@example\.com@.*-[0-9a-f]{6}\n/);
  assert.equal((await world.sandbox.store.read(at(world, ADA)))?.user.subject, "another");
  assert.equal((await world.login(ADA)).code, 0);
  assert.equal(JSON.parse(await world.ok("auth list -o json")).length, 2, "and a second sign-in renews it");
});

Deno.test("what would lose a sign-in is refused before anybody is asked", async () => {
  await using world = await openWorld();
  const { sandbox, cloud } = world;
  const config = `${sandbox.folder}/config.json`;
  await Deno.writeTextFile(
    `${sandbox.folder}/key.pem`,
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
  );
  await Deno.writeTextFile(config, '{"schemaVersion":2}');
  const newer = await world.run("login --client-id 1 --browser-command true --hostname auth.example.invalid");
  assert.equal(newer.code, 1);
  assert.match(newer.stderr, /config\.json cannot be used/);
  assert.equal(await Deno.readTextFile(config), '{"schemaVersion":2}');
  await Deno.remove(config);
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["--listen-port 0", /--listen-port takes a port/],
    ["--listen-port 65536", /--listen-port/],
    ["--listen-port x", /--listen-port/],
    ["--timeout 5", /--timeout takes a duration/],
    ["--keyring vault", /--keyring takes auto, system or file/],
    ["--provider nonesuch", /provider "nonesuch" is not known/],
    ["--profile ../x", /cannot be a session's name/],
    ["--hostname http://auth.example.com", /--hostname .* is not an https address/],
    ["--hostname auth.example.com", /client id for auth\.example\.com/],
    [`--certificate-authority ${sandbox.folder}/none.pem`, /does not exist/],
    [`--certificate-authority ${sandbox.folder}/key.pem`, /private key/],
    [`--certificate-authority ${cloud.caFile} --client-id 1 --hostname login.example.com`, /API host/],
  ];
  for (const [flags, message] of wrong) {
    const { code, stdout, stderr } = await world.run(`login ${flags}`);
    assert.deepEqual([code, stdout], [2, ""], `${flags}: ${stderr}`);
    assert.match(stderr, message);
  }
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  assert.equal((await world.run("login --keyring system")).code, 4);
  assert.equal(cloud.counts().total, 0);
});

Deno.test("a session whose keyring is locked is not signed in to for nothing", async () => {
  await using world = await openWorld();
  const { sandbox, cloud } = world;
  await world.login(ADA, "--profile work --keyring system");
  assert.equal((await sandbox.store.read("work"))?.keyStore, "system");
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  cloud.resetCounts();
  const { code, stderr } = await world.run("login --profile work");
  assert.equal(code, 4, stderr);
  assert.equal(cloud.counts().total, 0);
  assert.equal((await world.login(ADA, "--profile work --keyring file")).code, 0);
  assert.equal((await sandbox.store.read("work"))?.keyStore, "file");
});

Deno.test("without a keyring the key goes to a file, which is said at login and ever after", async () => {
  await using world = await openWorld();
  world.sandbox.system.failure = new AppError("KEYRING_UNAVAILABLE", "There is no keyring here.");
  const { code, stderr } = await world.login(ADA, "--keyring auto");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /warning: There is no keyring here\./);
  assert.match(stderr, /Whoever can read your files can use this session/);
  const quiet = await world.login(GRACE, "--keyring auto -q");
  assert.match(
    quiet.stderr,
    /There is no keyring here\.\nCredentials: .* key file in .*\nWhoever can read/,
    "with -q too",
  );
  await world.ok(`auth switch ${ADA}`);
  assert.match(await world.ok("whoami"), /Stored in: +key file/);
  assert.match(await world.ok("auth list -o wide"), /key file/);
});

Deno.test("a session's credentials hold what a refresh needs, and -v shows the claims and no token", async () => {
  await using world = await openWorld();
  const { code, stdout, stderr } = await world.login(ADA, "-v");
  assert.equal(code, 0, stderr);
  const claims = JSON.parse(stdout.slice(stdout.indexOf("{")));
  assert.equal(claims.email, ADA);
  const session = await world.sandbox.store.read(at(world, ADA));
  assert.ok(session !== undefined);
  const { credentials } = await asPersonSession(
    await world.sandbox.store.open(session, BOUND),
    world.sandbox.store,
  );
  assert.equal(credentials.metadata.issuer, world.cloud.issuer);
  assert.ok(credentials.keys !== undefined && credentials.refreshToken !== undefined);
  for (const secret of [credentials.accessToken, credentials.idToken, credentials.refreshToken]) {
    assert.ok(secret !== undefined && !(stdout + stderr).includes(secret));
  }
});
