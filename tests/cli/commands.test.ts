/** Proves the commands of sign-in from source, against a cloud in this process. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { AppError } from "../../src/errors.ts";
import { asPersonSession } from "../../src/sessions/refresh.ts";
import { assertMissing } from "../scratch.ts";
import { BOUND } from "../sessions/sandbox.ts";
import { ADA, at, GRACE, openWorld } from "./world.ts";

Deno.test("login, list, whoami, switch and logout", async (test) => {
  await using world = await openWorld();
  const { cloud, sandbox } = world;

  await test.step("login says who, where, how it is kept, and one next command", async () => {
    const { code, stdout, stderr } = await world.login(ADA);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `Signed in as ${ADA} at ${cloud.apiHost}.\n`);
    assert.match(stderr, /key in a key file in /);
    assert.match(
      stderr,
      /Next: datumctl auth update-kubeconfig --project PROJECT_ID\n.*datumctl projects list\n$/,
    );
    assert.equal((await world.login(GRACE)).code, 0);
    assert.equal(await sandbox.store.active(), at(world, GRACE));
  });

  await test.step("auth list in every format", async () => {
    const rows = JSON.parse(await world.ok("auth list -o json"));
    assert.deepEqual(rows[0], {
      name: at(world, ADA),
      email: ADA,
      subject: cloud.users[0]?.sub,
      provider: "datum",
      kind: "user",
      issuer: cloud.issuer,
      apiHost: cloud.apiHost,
      active: false,
      storage: "file",
      expires: null,
    });
    assert.deepEqual(parse(await world.ok("auth ls -o yaml")), rows);
    assert.equal(await world.ok("auth list -o name"), `${at(world, ADA)}\n${at(world, GRACE)}\n`);
    const table = await world.ok("auth list");
    assert.match(table, /^Name +Email +Status\n/);
    assert.match(table, /Grace Hopper +grace@example\.com +Active\n/);
    assert.match(
      await world.ok("auth list -o wide"),
      /Session +Kind +Host +Stored in +Expires\n.*key file +renews itself/,
    );
  });

  await test.step("whoami is told offline, with where the identity came from", async () => {
    const before = cloud.counts();
    assert.match(
      await world.ok("whoami"),
      /^User: +grace@example\.com\n[^]*Chosen by: +the active session\n/,
    );
    assert.equal(
      JSON.parse(await world.ok(`whoami -o json --profile ${at(world, ADA)}`)).source,
      "--profile",
    );
    const env = { DATUMCTL_PROFILE: at(world, ADA) };
    const variable = JSON.parse(await world.ok("whoami -o json", { env }));
    assert.deepEqual([variable.user, variable.source, variable.storage], [ADA, "DATUMCTL_PROFILE", "file"]);
    assert.deepEqual(cloud.counts(), before);
  });

  await test.step("auth switch by e-mail, by name, by picking; and not to a stranger", async () => {
    assert.equal(
      await world.ok(`auth switch ${ADA.toUpperCase()}`),
      `Switched to ${ADA} at ${cloud.apiHost}.\n`,
    );
    await world.ok(`auth switch ${at(world, GRACE)}`);
    assert.match(await world.ok("auth switch", { keys: ["a", "d", "a", "\r"] }), /Switched to ada/);
    const left = await world.run("auth switch", { keys: ["\u0003"] });
    assert.equal(left.code, 130);
    const nobody = await world.run("auth switch nobody@example.com");
    assert.deepEqual([nobody.code, nobody.stdout], [1, ""]);
    assert.match(nobody.stderr, /nobody@example\.com is not signed in here\.\nSigned in: ada@/);
    const blind = await world.run("auth switch");
    assert.equal(blind.code, 2);
    assert.match(blind.stderr, /datumctl auth switch ada@example\.com@/);
  });

  await test.step("an e-mail with several sessions names them", async () => {
    assert.equal((await world.login(ADA, "--profile work")).code, 0);
    const several = await world.run(`auth switch ${ADA}`);
    assert.equal(several.code, 2);
    assert.ok(several.stderr.includes(`${at(world, ADA)}, work`), several.stderr);
    assert.equal((await world.run(`logout ${ADA}`)).code, 2);
    await world.ok("logout work");
  });

  await test.step("logout revokes at the issuer and leaves nothing here", async () => {
    cloud.resetCounts();
    assert.match(
      await world.ok(`logout ${ADA}`),
      /^Revoked at the issuer and removed here: ada@example\.com/,
    );
    assert.equal(cloud.counts().revocation, 1, "the refresh token, and the access token with it");
    assert.equal(await sandbox.store.read(at(world, ADA)), undefined);
    const gone = await world.run(`auth get-token --session ${at(world, ADA)}`);
    assert.equal(gone.code, 4);
    assert.match(gone.stderr, /datumctl login --profile ada/);
    await world.ok("logout --all");
    assert.equal(await world.ok("auth list -o json"), "[]\n");
    assert.equal(await world.ok("logout --all"), "Nobody was signed in.\n");
    const nobody = await world.run("logout");
    assert.equal(nobody.code, 4);
    assert.equal((await world.run("logout --all ada")).code, 2);
  });
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

Deno.test("a renewed session is asked of the sealed issuer as the sealed person, whatever its file was made to say", async () => {
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

Deno.test("a session whose keyring is locked is not signed in to for nothing, and moves to a file only by name", async () => {
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

Deno.test("logout with the issuer out of reach removes here and exits 6, unless it is to keep", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await world.cloud.setFaults({ down: ["issuer"] });
  const kept = await world.run("logout --keep");
  assert.equal(kept.code, 6, kept.stderr);
  assert.match(kept.stderr, /stays signed in/);
  assert.ok(await world.sandbox.store.read(at(world, ADA)) !== undefined);
  const gone = await world.run("logout");
  assert.equal(gone.code, 6);
  assert.match(gone.stdout, /^Removed here: ada/);
  assert.match(
    gone.stderr,
    /still valid at 127\.0\.0\.1:\d+ until it expires or is revoked there \(its access token: 20\S+Z\): /,
  );
  assert.equal(await world.sandbox.store.read(at(world, ADA)), undefined);
});

Deno.test("logout with the keyring locked removes the file, names the item, and tells what is still valid", async () => {
  await using world = await openWorld();
  await world.login(ADA, "--keyring system");
  world.sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  assert.equal((await world.run("logout --keep")).code, 4, "kept: it could not be revoked");
  world.sandbox.system.failing = "delete";
  await world.cloud.setFaults({ down: ["issuer"] });
  const { code, stderr } = await world.run("logout -q");
  assert.equal(code, 6, "the grant that lives on weighs most");
  assert.match(
    stderr,
    /^error: ada@example\.com is still valid at .*: .* ada@example\.com is signed out here, but/,
  );
  assert.match(stderr, /item "ada@example\.com@.*" \(service datumctl\) was left behind/);
  assert.equal(await world.sandbox.store.read(at(world, ADA)), undefined);
});

Deno.test("update-kubeconfig writes, shows and remembers", async (test) => {
  await using world = await openWorld();
  const { cloud, kubeconfig, sandbox } = world;
  await world.login(ADA);
  const name = at(world, ADA);

  await test.step("exactly one target is needed, of a name that can be", async () => {
    for (
      const words of [
        "",
        "--project a --organization b",
        "--project ../x",
        "--project A",
        "--project p --token refresh",
      ]
    ) {
      const { code } = await world.run(`auth update-kubeconfig ${words}`);
      assert.equal(code, 2, words);
    }
    for (const words of ["--exec-interactive-mode Sometimes", "--hostname http://x", "--context "]) {
      assert.equal((await world.run(`auth update-kubeconfig --project p ${words}`)).code, 2, words);
    }
    await assertMissing(kubeconfig);
  });

  await test.step("--dry-run prints a diff and writes nothing", async () => {
    assert.match(await world.ok("auth update-kubeconfig --project web --dry-run"), /\+.*datum-project-web/);
    await assertMissing(kubeconfig);
    assert.equal((await sandbox.store.read(name))?.inUse, undefined);
  });

  await test.step("the entry names the session, the server and kubectl's version of the plugin", async () => {
    const stdout = await world.ok("auth update-kubeconfig --project web");
    assert.match(stdout, new RegExp(`^Kubeconfig: +${kubeconfig}\n`));
    assert.match(stdout, /User: +ada@example\.com\n/);
    const file = parse(await Deno.readTextFile(kubeconfig));
    assert.equal(file["current-context"], `datum-project-web-${cloud.apiHost}`);
    assert.deepEqual(file.users[0].user.exec.args, [
      "auth",
      "get-token",
      "--output=client.authentication.k8s.io/v1",
      `--session=${name}`,
    ]);
    assert.equal(new URL(file.clusters[0].cluster.server).host, cloud.apiHost);
    assert.equal((await sandbox.store.read(name))?.inUse?.project, "web");
    assert.match((await world.run("auth update-kubeconfig --project web")).stdout, /nothing to change/);
  });

  await test.step("--no-switch leaves the current context and the project in use alone", async () => {
    await world.ok("auth update-kubeconfig --organization acme --no-switch");
    const file = parse(await Deno.readTextFile(kubeconfig));
    assert.equal(file["current-context"], `datum-project-web-${cloud.apiHost}`);
    assert.equal((await sandbox.store.read(name))?.inUse?.project, "web");
  });

  await test.step("which token the server takes is asked and remembered", async () => {
    cloud.setControlPlanes({ acceptedTokens: "id" });
    await world.ok("auth update-kubeconfig --project web");
    assert.equal((await sandbox.store.read(name))?.kubectlToken, "id");
    cloud.setControlPlanes({ acceptedTokens: "access" });
    await world.ok("auth update-kubeconfig --project web");
    assert.equal((await sandbox.store.read(name))?.kubectlToken, "access");
  });

  await test.step("a file whose host was edited neither gets a token sent there nor an entry written", async () => {
    const asked: string[] = [];
    const evil = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      asked.push(request.url);
      return new Response();
    });
    const { file } = await sandbox.paths(name);
    const text = await Deno.readTextFile(file);
    assert.ok(text.includes(`"apiHost": "${cloud.apiHost}"`));
    await Deno.writeTextFile(
      file,
      text.replaceAll(`"apiHost": "${cloud.apiHost}"`, `"apiHost": "127.0.0.1:${evil.addr.port}"`),
    );
    for (const flags of ["", "--skip-validation"]) {
      await world.ok(`auth update-kubeconfig --project web ${flags}`);
      assert.ok(!(await Deno.readTextFile(kubeconfig)).includes(`127.0.0.1:${evil.addr.port}`));
    }
    assert.deepEqual(asked, []);
    await evil.shutdown();
  });

  await test.step("logout --kubeconfig takes the session's entries along", async () => {
    const before = parse(await Deno.readTextFile(kubeconfig));
    assert.equal(before.users.length, 1);
    await world.ok(`logout --kubeconfig ${kubeconfig}`);
    const after = await Deno.readTextFile(kubeconfig);
    assert.ok(!after.includes(`datum-${name}`), after);
  });
});

Deno.test("a damaged or newer session file is told of and hides no other", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const folder = world.sandbox.store.folders.sessions;
  await Deno.writeTextFile(`${folder}/aaaaaaaaaaaaaaaa.json`, "{");
  await Deno.writeTextFile(`${folder}/bbbbbbbbbbbbbbbb.json`, '{"schemaVersion":9}');
  const { code, stdout, stderr } = await world.run("auth list -o name");
  assert.deepEqual([code, stdout], [0, `${at(world, ADA)}\n`]);
  assert.match(stderr, /warning: .*aaaaaaaaaaaaaaaa\.json is not a session file/);
  assert.match(stderr, /warning: .*bbbbbbbbbbbbbbbb\.json was written by a newer datumctl/);
  assert.equal((await world.run("auth list -q")).stderr, "");
  await world.ok("logout --all");
  assert.equal(await Deno.readTextFile(`${folder}/bbbbbbbbbbbbbbbb.json`), '{"schemaVersion":9}');
});

Deno.test("names that would steer a terminal are printed without that, in every format", async () => {
  await using world = await openWorld();
  await world.sandbox.add({
    name: "x",
    session: { user: { subject: "1", email: "a\u001b[2J\u202e@b", name: "N\u009b" } },
  });
  for (
    const words of [
      "auth list",
      "auth list -o wide",
      "auth list -o json",
      "auth list -o yaml",
      "whoami --profile x",
      "whoami --profile x -o json",
      "auth switch x",
    ]
  ) {
    const { code, stdout, stderr } = await world.run(words);
    assert.equal(code, 0, stderr);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout + stderr, /[\u001b\u202e\u009b]/, words);
  }
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
