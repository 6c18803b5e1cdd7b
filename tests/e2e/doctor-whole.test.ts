/** Proves what `doctor` says of issuers, and how it behaves where little is there: no network, no disk, no terminal. */

import assert from "node:assert/strict";
import { kubectlPath } from "../../scripts/npm-packages.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { filesBelow } from "../scratch.ts";
import {
  ADA,
  addKubectl,
  type Found,
  type Report,
  report,
  shell,
  shellVariables,
  troublesOf,
} from "./doctor-stage.ts";
import { leaksIn, needlesOf } from "./leaks.ts";
import { testInWorld, type World } from "./world.ts";

const V35 = await kubectlPath("v35").catch(() => undefined);

/** What is found at the world's issuer, before anybody signs in. */
async function atIssuer(world: World, authority = true): Promise<Report> {
  const { issuer, caFile } = world.cloud;
  return await report(world, ["--issuer", issuer, ...authority ? ["--certificate-authority", caFile] : []]);
}

function one({ checks }: Report, check: string): Found {
  const found = checks.filter((finding) => finding.check === check);
  assert.equal(found.length, 1, `${check}: ${JSON.stringify(checks)}`);
  return found[0] ?? assert.fail();
}

testInWorld("doctor --issuer says what an issuer offers, and what is missing for what", async (world, t) => {
  const { cloud } = world;
  await t.step("one that offers everything", async () => {
    const sound = await atIssuer(world);
    assert.deepEqual(sound.checks.map(({ check, verdict }) => [check, verdict]), [
      ["network.proxy-variable", "ok"],
      ["issuer.metadata", "ok"],
      ["issuer.pkce", "ok"],
      ["issuer.device", "ok"],
      ["issuer.offline-access", "ok"],
      ["issuer.revocation", "ok"],
      ["issuer.userinfo", "ok"],
      ["issuer.public-clients", "ok"],
      ["issuer.clock", "ok"],
    ]);
    assert.equal(sound.ok, true);
  });
  await t.step("one without S256 is refused by login, and doctor says so first", async () => {
    await cloud.setFaults({ discoveryAnswer: { code_challenge_methods_supported: ["plain"] } });
    const found = one(await atIssuer(world), "issuer.pkce");
    assert.equal(found.verdict, "fault");
    assert.equal(found.found, "it supports PKCE with plain alone");
    const login = await world.datumctl(["login", ...world.loginFlags]);
    assert.equal(login.code, 1);
    assert.match(login.stderr, /S256/);
  });
  const missing = {
    device_authorization_endpoint: ["issuer.device", "it issues no device codes"],
    revocation_endpoint: ["issuer.revocation", "it has no revocation endpoint"],
    userinfo_endpoint: ["issuer.userinfo", "it has no userinfo endpoint"],
    code_challenge_methods_supported: ["issuer.pkce", "it does not say which PKCE methods it supports"],
  } as const;
  for (const [member, [check, found]] of Object.entries(missing)) {
    await t.step(`one without ${member}`, async () => {
      await cloud.setFaults({ discoveryAnswer: { [member]: null } });
      const seen = await atIssuer(world);
      assert.deepEqual([one(seen, check).verdict, one(seen, check).found], ["note", found]);
      assert.equal(seen.ok, true, "a person can sign in there");
    });
  }
  await t.step("one without offline_access, and for clients with a secret alone", async () => {
    await cloud.setFaults({
      discoveryAnswer: {
        scopes_supported: ["openid"],
        token_endpoint_auth_methods_supported: ["client_secret_basic"],
      },
    });
    const seen = await atIssuer(world);
    assert.equal(one(seen, "issuer.offline-access").verdict, "note");
    assert.equal(one(seen, "issuer.public-clients").verdict, "note");
  });
  for (const clockOffset of [600, -600]) {
    await t.step(`one whose clock is off by ${clockOffset} s`, async () => {
      await cloud.setFaults({ clockOffset });
      const found = one(await atIssuer(world), "issuer.clock");
      assert.equal(found.verdict, "fault");
      assert.match(found.found, /^the clocks disagree by 10 min: it is \S+Z here and \S+Z there$/);
      assert.equal(found.line, "sudo timedatectl set-ntp true");
    });
  }
  await t.step("one that names another", async () => {
    await cloud.setFaults({ discoveryAnswer: { issuer: "https://other.example" } });
    const found = one(await atIssuer(world), "issuer.metadata");
    assert.equal(found.verdict, "fault");
    assert.match(found.found, /names "https:\/\/other\.example"/);
  });
  for (const body of ["html", "huge", "endless", "empty"] as const) {
    await t.step(`one that answers with ${body}`, async () => {
      await cloud.setFaults({ discovery: { body } });
      assert.equal(one(await atIssuer(world), "issuer.reachable").verdict, "fault");
    });
  }
  await cloud.setFaults({});
  await t.step("one of a private authority: the line names it, and typing it mends it", async () => {
    const found = one(await atIssuer(world, false), "issuer.reachable");
    assert.match(found.meaning ?? "", /was issued by CN=Test authority/);
    assert.equal(found.line, `datumctl doctor --issuer ${cloud.issuer} --certificate-authority FILE`);
    const typed = await shell(world, found.line.replace("FILE", cloud.caFile), shellVariables(world));
    assert.equal(typed.code, 0, typed.stdout);
  });
  await t.step("one that is down", async () => {
    await cloud.setFaults({ down: ["issuer"] });
    const seen = await atIssuer(world);
    assert.deepEqual(seen.checks.filter(({ area }) => area === "Issuer").map(({ check }) => check), [
      "issuer.reachable",
    ]);
  });
});

testInWorld("doctor without a network has a line for each server, and no more", async (world) => {
  await addKubectl(world, V35);
  assert.equal((await world.login(ADA)).code, 0);
  for (const project of ["web", "ops"]) {
    await world.datumctl(["auth", "update-kubeconfig", "--project", project, "--skip-validation"]);
  }
  await world.cloud.setFaults({ down: ["issuer", "api"] });
  const seen = await report(world, ["--refresh"]);
  const troubles = seen.checks.filter(({ verdict }) => verdict === "fault" || verdict === "warning");
  assert.deepEqual(troubles.map(({ check }) => check), ["issuer.reachable", "kubeconfig.reachable"]);
  assert.equal(one(seen, "sessions.refresh").found, "its issuer does not answer");
});

testInWorld(
  "doctor --refresh renews the session once; without it and without a terminal it does not",
  async (world) => {
    assert.equal((await world.login(ADA)).code, 0);
    world.cloud.resetCounts();
    assert.equal(one(await report(world, []), "sessions.refresh").verdict, "skipped");
    assert.equal(world.cloud.counts().token ?? 0, 0);
    const tried = one(await report(world, ["--refresh"]), "sessions.refresh");
    assert.equal(tried.verdict, "ok");
    assert.match(tried.found, /^the issuer renewed it: its token is good for \d+ min$/);
    assert.equal(world.cloud.counts().token, 1);
  },
);

/** What lies below a folder: paths, modes, times and contents. */
async function stateOf(folder: string): Promise<unknown> {
  const paths = (await filesBelow(folder)).filter((path) => !/\/\.cache\//.test(path)).sort();
  return await Promise.all(paths.map(async (path) => {
    const { mode, mtime } = await Deno.stat(path);
    return [path, mode, mtime?.getTime(), await Deno.readTextFile(path)];
  }));
}

testInWorld("doctor changes nothing, and prints no secret with -v either", async (world) => {
  await addKubectl(world, V35);
  assert.equal((await world.login(ADA)).code, 0);
  await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
  for await (const { name } of Deno.readDir(`${world.config}/sessions`)) {
    await Deno.chmod(`${world.config}/sessions/${name}`, 0o644);
  }
  const before = await stateOf(world.home);
  const seen = await report(world, []);
  assert.equal(troublesOf(seen, "files.private").length, 1);
  const spoken = await shell(world, "datumctl doctor -v; datumctl doctor -v -o yaml", shellVariables(world));
  assert.deepEqual(await stateOf(world.home), before);
  const needles = needlesOf(world.cloud.secrets());
  for (const text of [JSON.stringify(seen), spoken.stdout, spoken.stderr]) {
    assert.deepEqual(leaksIn(text, needles), []);
  }
});

testInWorld(
  "doctor leaves nothing of its round trip in a real keyring, also when it runs twice",
  async (world) => {
    const reports = await Promise.all([report(world), report(world), report(world)]);
    for (const seen of reports) assert.equal(one(seen, "keyring.store").verdict, "ok", JSON.stringify(seen));
    const left = await shell(world, "secret-tool search --all service datumctl", world.env);
    assert.equal(left.stdout + left.stderr, "");
    await world.keyring?.lock();
    const locked = one(await report(world), "keyring.store");
    assert.equal(locked.verdict, "warning");
    assert.match(locked.found, /is locked$/);
    await world.keyring?.stopDaemon();
    assert.equal(one(await report(world), "keyring.store").verdict, "note");
  },
  { keyring: "real", ignore: absentPrograms().length > 0 },
);

testInWorld("doctor works where hardly anything is there, and says what to do first", async (world) => {
  const bare = await world.start(world.binary, ["doctor"], {
    env: { HOME: undefined, PATH: undefined, KUBECONFIG: undefined, TMPDIR: undefined, LANG: undefined },
  }).finished;
  assert.equal(bare.code, 1);
  assert.equal(bare.stderr, "");
  assert.match(bare.stdout, /^✗ FAULT {2}Files +Cannot tell where to keep sessions: HOME is not set\./m);
  assert.match(bare.stdout, /^ {2}datumctl login$/m);
  assert.ok(!bare.stdout.includes("\u001b"), "no colour outside a terminal");
  const named = await world.datumctl(["doctor", "--offline", "-o", "name"]);
  assert.match(named.stdout, /^sessions\.signed-in$/m);
  for (
    const wrong of [
      ["--offline", "--refresh"],
      ["--offline", "--issuer", "https://a.example"],
      ["--certificate-authority", world.cloud.caFile],
      ["--issuer", "http://login.example.com"],
      ["-o", "wide"],
    ]
  ) {
    assert.equal((await world.datumctl(["doctor", ...wrong])).code, 2, wrong.join(" "));
  }
});

const canMount = Deno.uid() === 0 &&
  await new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);

testInWorld("doctor on a read-only disk says so", async (world) => {
  assert.equal((await world.login(ADA)).code, 0);
  const script = `mount --bind ${world.home} ${world.home} && mount -o remount,bind,ro ${world.home} && ` +
    `exec ${world.binary} doctor --offline -o json`;
  const { code, stdout, stderr } = await world.start("unshare", ["-m", "sh", "-c", script]).finished;
  assert.equal(code, 1, stderr);
  assert.equal(one(JSON.parse(stdout), "files.locks").found, "its file system is read-only");
}, { ignore: !canMount });
