/** Proves what SIGKILL leaves behind at every step that changes something: the old state or the new one, and no ruin. */

import assert from "node:assert/strict";
import { CHECKPOINTS } from "../../src/system/checkpoint.ts";
import { signInByHttp } from "../cloud/browser.ts";
import { type Cloudfleet, startCloudfleet } from "../cloud/cloudfleet.ts";
import { startStudio } from "../cloud/studio.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { assertMissing, modeOf, namesIn } from "../scratch.ts";
import { type OnStderr, printedAddress, printedCode, whenPrinted } from "../when-printed.ts";
import { leaksBelow, needlesOf } from "./leaks.ts";
import { type RunOptions, testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const TOKEN = ["auth", "get-token"];

const noKeyring = absentPrograms().length > 0;
// deno-lint-ignore no-console
if (noKeyring) console.error("skipped: kill points with a real keyring, for there is none here");

function test(
  name: string,
  run: Parameters<typeof testInWorld>[1],
  options: Parameters<typeof testInWorld>[2] = {},
): void {
  testInWorld(name, run, { ...options, testHooks: true });
}

/** The checkpoints that some test has killed at. */
const killedAt = new Set<string>();

/** Runs datumctl until it stands still at a checkpoint (`2 file synced`: the second time), and kills it there. */
async function killAt(
  world: World,
  checkpoint: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<void> {
  const mark = `${world.temporary}/stopped`;
  await Deno.remove(mark).catch(() => {});
  const running = world.start(world.binary, args, {
    ...options,
    env: { ...options.env, DATUMCTL_TEST_STOP_AT: checkpoint, DATUMCTL_TEST_STOP_MARK: mark },
  });
  let over = false;
  const finished = running.finished.finally(() => over = true);
  while (!over) {
    const pid = await Deno.readTextFile(mark).catch(() => "");
    if (pid === String(running.pid)) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (over) assert.fail(`${args.join(" ")} never came to "${checkpoint}": ${(await finished).stderr}`);
  running.kill("SIGKILL");
  const { code, stdout } = await finished;
  assert.equal(code, 137);
  assert.equal(stdout, "", "nothing was handed out");
  killedAt.add(checkpoint.replace(/^\d+ /, ""));
}

/** Kills a sign-in at a checkpoint, its person having walked all the way. */
async function killLoginAt(world: World, checkpoint: string): Promise<void> {
  await whenPrinted(
    printedAddress,
    // The browser gets no answer from a program that is killed.
    (address) => signInByHttp(world.cloud, address, ADA).catch(() => {}),
    (onStderr) => killAt(world, checkpoint, ["login", ...world.loginFlags], { onStderr }),
  );
}

/** What there is, said by the program itself; fails when any of it is broken. */
async function sessionsOf(world: World): Promise<{ name: string; email: string; active: boolean }[]> {
  const { code, stdout, stderr } = await world.datumctl(["auth", "list", "-o", "json"]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "", "nothing is damaged");
  return JSON.parse(stdout);
}

/** A token that the issuer made for this user. */
async function goodToken(world: World, flags: readonly string[] = [], email = ADA): Promise<string> {
  const token = (await world.ok([...TOKEN, ...flags])).trimEnd();
  const client = Deno.createHttpClient({ caCerts: [world.cloud.caPem] });
  try {
    const response = await fetch(`${world.cloud.issuer}/oidc/v1/userinfo`, {
      client,
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal((await response.json()).email, email, "the token is that user's");
  } finally {
    client.close();
  }
  return token;
}

async function nothingReadable(world: World): Promise<void> {
  const { leaks } = await leaksBelow([world.home, world.temporary], needlesOf(world.cloud.secrets()));
  assert.deepEqual(leaks, []);
}

/** The files of the program but for locks and what says nothing. */
async function remains(world: World): Promise<string[]> {
  return (await world.files()).filter((path) => path.startsWith(world.config))
    .map((path) => path.slice(world.config.length + 1))
    .filter((path) => !/(?:\.lock|\.gitignore|^config\.json)$/.test(path)).sort();
}

/** Leaves nothing of anybody, and no name. */
async function logOutAll(world: World): Promise<void> {
  await world.ok(["logout", "--all"]);
  assert.deepEqual(await remains(world), []);
  for (const path of await world.files()) {
    assert.ok(!(await Deno.readTextFile(path)).includes(ADA), `${path} names who was there`);
  }
  if (world.keyring !== undefined) assert.deepEqual(await itemsOf(world), []);
}

/** The keyring's accounts of ours. */
async function itemsOf(world: World): Promise<string[]> {
  const { stdout, stderr } = await world.start("secret-tool", ["search", "--all", "service", "datumctl"], {
    env: world.keyring?.env ?? {},
  }).finished;
  return [...`${stdout}${stderr}`.matchAll(/^attribute\.account = (.*)$/gm)].map(([, account = ""]) =>
    account
  );
}

// ---- login and logout ----

const WITH_FILE = [
  ...["sign-in answered", "session locked", "1 file synced", "key stored", "key read back", "room taken"],
  ...["2 file synced", "session renamed", "config locked", "3 file synced", "config renamed"],
];
// What differs there.
const WITH_KEYRING = ["key stored", "key read back", "1 file synced", "session renamed", "2 file synced"];

for (const keyring of [undefined, "real"] as const) {
  const where = keyring === undefined ? "a key file" : "a real keyring";
  const options = keyring === undefined ? {} : { keyring, ignore: noKeyring };
  const steps = keyring === undefined ? WITH_FILE : WITH_KEYRING;

  test(`a first login killed at any step is no session or a whole one, with ${where}`, async (world, t) => {
    for (const checkpoint of steps) {
      await t.step(checkpoint, async () => {
        await killLoginAt(world, checkpoint);
        await nothingReadable(world);
        const stored = steps.indexOf(checkpoint) >= steps.indexOf("session renamed");
        const listed = await sessionsOf(world);
        assert.deepEqual(listed.map(({ email }) => email), stored ? [ADA] : []);
        assert.equal(listed.some(({ active }) => active), checkpoint === "config renamed");
        if (stored) {
          await goodToken(world, ["--session", listed[0]?.name ?? ""]);
          await goodToken(world, ["--session", listed[0]?.name ?? "", "--force-refresh"]);
        } else {
          const none = await world.datumctl(TOKEN);
          assert.equal(none.code, 4);
          assert.match(none.stderr, /datumctl login/);
        }
        assert.equal((await world.login(ADA)).code, 0);
        await goodToken(world, ["--force-refresh"]);
        assert.deepEqual(
          (await remains(world)).map((path) => path.replace(/^.*?\./, "")),
          keyring === undefined ? ["json", "key"] : ["json"],
        );
        await logOutAll(world);
        // And without a login in between.
        await killLoginAt(world, checkpoint);
        if (keyring === undefined || stored) await logOutAll(world);
      });
    }
  }, options);

  test(`a logout killed at any step is finished by the next one, with ${where}`, async (world, t) => {
    const leaving = [
      ...["session locked", "session revoked", "session removed", "key removed"],
      ...["config locked", "file synced", "config renamed"],
    ];
    for (const checkpoint of keyring === undefined ? leaving : ["session removed", "key removed"]) {
      await t.step(checkpoint, async () => {
        assert.equal((await world.login(ADA)).code, 0);
        await killAt(world, checkpoint, ["logout", ADA]);
        await nothingReadable(world);
        const gone = leaving.indexOf(checkpoint) >= leaving.indexOf("session removed");
        assert.deepEqual((await sessionsOf(world)).map(({ email }) => email), gone ? [] : [ADA]);
        const next = await world.datumctl(TOKEN);
        assert.equal(next.code, gone ? 4 : 0, next.stderr);
        if (gone) assert.match(next.stderr, /datumctl login/);
        await logOutAll(world);
        // Signing in again mends it, too.
        assert.equal((await world.login(ADA)).code, 0);
        await killAt(world, checkpoint, ["logout", ADA]);
        assert.equal((await world.login(ADA)).code, 0);
        await goodToken(world, ["--force-refresh"]);
        await logOutAll(world);
      });
    }
  }, options);
}

test(
  "a login that renews a session, killed at any step, keeps the old one or has the new one",
  async (world, t) => {
    assert.equal((await world.login(ADA)).code, 0);
    // The key and the active session stay as they are.
    const renewing = ["sign-in answered", "session locked", "room taken", "file synced", "session renamed"];
    for (const checkpoint of renewing) {
      await t.step(checkpoint, async () => {
        const before = await goodToken(world);
        await killLoginAt(world, checkpoint);
        await nothingReadable(world);
        const after = await goodToken(world);
        assert.equal(after === before, checkpoint !== "session renamed");
        await goodToken(world, ["--force-refresh"]);
        assert.deepEqual((await sessionsOf(world)).map(({ email, active }) => [email, active]), [[
          ADA,
          true,
        ]]);
        assert.ok((await remains(world)).every((path) => !path.includes(".new")), "no half-written file");
      });
    }
    await logOutAll(world);
  },
);

test("a login --force at Studio killed before it revokes the old token leaves that to the next logout", async (world) => {
  await using studio = await startStudio({ interval: 1 });
  const flags = ["--provider", "studio", "--hostname", studio.url, "--certificate-authority", studio.caFile];
  const login = ["login", ...flags, "--name", "mine", "--force"];
  const confirming = <Ran>(run: (onStderr: OnStderr) => Promise<Ran>) =>
    whenPrinted(printedCode, (code) => studio.approve(code), run);
  const first = await confirming((onStderr) => world.datumctl(login, { onStderr }));
  assert.equal(first.code, 0, first.stderr);
  await confirming((onStderr) => killAt(world, "config renamed", login, { onStderr }));
  assert.equal(studio.tokens().length, 2);
  await world.ok(["logout"]);
  assert.deepEqual(studio.tokens(), []);
  assert.deepEqual(await remains(world), []);
});

// ---- refresh ----

test(
  "a refresh killed at any step costs the session only between the issuer's answer and the rename",
  async (world, t) => {
    assert.equal((await world.login(ADA)).code, 0);
    const steps = [
      ...["session locked", "room taken", "refresh begun", "refresh answered", "file synced"],
      "session renamed",
    ];
    for (const checkpoint of steps) {
      await t.step(checkpoint, async () => {
        const name = (await sessionsOf(world))[0]?.name ?? "";
        const before = await goodToken(world);
        await killAt(world, checkpoint, [...TOKEN, "--force-refresh"]);
        await nothingReadable(world);
        const after = await goodToken(world);
        assert.equal(after === before, checkpoint !== "session renamed", "the old state, or the new one");
        const next = await world.datumctl([...TOKEN, "--force-refresh", "--error-format", "json"]);
        if (checkpoint === "refresh answered" || checkpoint === "file synced") {
          onlyPrintedError(next, {
            code: "SESSION_EXPIRED",
            hint: `Sign in again: datumctl login --profile ${name}`,
          });
          assert.equal((await world.login(ADA, ["--profile", name])).code, 0);
        } else assert.equal(next.code, 0, next.stderr);
        await goodToken(world, ["--force-refresh"]);
        assert.deepEqual((await remains(world)).map((path) => path.replace(/^.*?\./, "")), ["json", "key"]);
      });
    }
    await logOutAll(world);
  },
);

// ---- switch ----

test(
  "a use killed at any step leaves the old file or the new one, and either is trusted",
  async (world, t) => {
    const cwd = `${world.home}/folder`;
    await Deno.mkdir(cwd);
    await world.ok(["use", "--project", "before"], { cwd });
    // The list of what is trusted is synced first, then the folder's file.
    for (const checkpoint of ["file synced", "2 file synced"]) {
      await t.step(checkpoint, async () => {
        await killAt(world, checkpoint, ["use", "--project", "after"], { cwd });
        const { followed, project } = JSON.parse(await world.ok(["use", "-o", "json"], { cwd }));
        assert.deepEqual([followed, project], [true, "before"]);
      });
    }
    await world.ok(["use", "--project", "after"], { cwd });
    assert.deepEqual(await namesIn(cwd), [".datumctl.json"], "what the killed ones left is cleared away");
    assert.deepEqual(
      (await namesIn(world.config)).filter((name) => name.startsWith("trusted.json")),
      ["trusted.json", "trusted.json.lock"],
    );
  },
);

test("a switch killed at any step has switched or not", async (world, t) => {
  assert.equal((await world.login("grace@example.com")).code, 0);
  assert.equal((await world.login(ADA)).code, 0);
  for (const checkpoint of ["config locked", "file synced", "config renamed"]) {
    await t.step(checkpoint, async () => {
      await world.ok(["auth", "switch", ADA]);
      await killAt(world, checkpoint, ["auth", "switch", "grace@example.com"]);
      const active = (await sessionsOf(world)).filter((session) => session.active).map(({ email }) => email);
      assert.deepEqual(active, [checkpoint === "config renamed" ? "grace@example.com" : ADA]);
      await goodToken(world, [], active[0]);
      await world.ok(["auth", "switch", "grace@example.com"]);
      await goodToken(world, [], "grace@example.com");
      assert.ok((await world.files()).every((path) => !path.includes(".new")), "no half-written file");
    });
  }
  await logOutAll(world);
});

// ---- kubeconfig ----

test(
  "a kubeconfig write killed at any step leaves the old file or the new one, and a lock that is named",
  async (world, t) => {
    assert.equal((await world.login(ADA)).code, 0);
    const folder = `${world.home}/.kube`;
    const theirs = `apiVersion: v1
kind: Config
users:
- {name: theirs, user: {token: a-secret-of-theirs}} # by hand
`;
    const update = ["auth", "update-kubeconfig", "--project", "web"];
    for (const checkpoint of ["shared files locked", "shared file copied", "shared file renamed"]) {
      await t.step(checkpoint, async () => {
        await Deno.mkdir(folder, { recursive: true });
        await Deno.writeTextFile(world.kubeconfig, theirs, { mode: 0o600 });
        await killAt(world, checkpoint, update);
        const text = await Deno.readTextFile(world.kubeconfig);
        if (checkpoint === "shared file renamed") {
          assert.ok(text.includes("datum-project-web") && text.includes("# by hand"), text);
        } else assert.equal(text, theirs);
        assert.equal(await modeOf(world.kubeconfig), 0o600);
        for (const { name } of Deno.readDirSync(folder)) {
          assert.equal(((await Deno.stat(`${folder}/${name}`)).mode ?? 0) & 0o077, 0, `${name} is private`);
        }

        const held = await world.datumctl(update);
        if (checkpoint === "shared file renamed" && held.code === 0) {
          assert.ok(text.includes("current-context"));
        } else {
          assert.equal(held.code, 1, held.stderr);
          assert.match(held.stderr, /\.kube\/config\.lock, made \d+ s ago/);
          assert.match(held.stderr, /remove that lock file and try again/);
        }
        await Deno.remove(`${world.kubeconfig}.lock`);
        // An hour later: a younger copy could be in use.
        const then = Date.now() / 1000 - 3600;
        for (const { name } of Deno.readDirSync(folder)) await Deno.utime(`${folder}/${name}`, then, then);
        await world.ok(["auth", "update-kubeconfig", "--project", "data"]);
        const whole = await Deno.readTextFile(world.kubeconfig);
        assert.ok(whole.includes("datum-project-data") && whole.includes("# by hand"), whole);
        assert.deepEqual(
          [...Deno.readDirSync(folder)].map(({ name }) => name),
          ["config"],
          "no copy is left",
        );
        await Deno.remove(world.kubeconfig);
      });
    }
  },
);

// ---- API tokens ----

/** Keeps the administrator's token as a profile of that name; the variables that say where its cloud is. */
async function administratorAs(name: string, world: World, cloudfleet: Cloudfleet) {
  const { issuer, apiUrl, caFile, organizationId, administrator: { id, secret } } = cloudfleet;
  const env = {
    CLOUDFLEET_ISSUER: issuer,
    CLOUDFLEET_API_URL: apiUrl,
    DATUMCTL_CERTIFICATE_AUTHORITY: caFile,
  };
  await world.ok(["auth", "add-profile", "token", name, organizationId, id], { env, stdin: secret });
  return env;
}

test(
  "a secret's rotation killed at any step can be run again, by the profile whose secret it is",
  async (world, t) => {
    await using cloudfleet = await startCloudfleet();
    const { organizationId, administrator: { id } } = cloudfleet;
    const env = await administratorAs("ci", world, cloudfleet);
    const rotate = ["tokens", "regenerate", id, "--update-profile", "--yes"];
    const mint = [...TOKEN, "--session", "ci", "--force-refresh"];
    // The first of each is of the token that is made before, so that it outlives the old secret.
    const steps = [
      "2 session locked",
      "2 room taken",
      "secret answered",
      "2 file synced",
      "2 session renamed",
    ];
    for (const checkpoint of steps) {
      await t.step(checkpoint, async () => {
        await killAt(world, checkpoint, rotate, { env });
        const { leaks } = await leaksBelow([world.home, world.temporary], needlesOf(cloudfleet.secrets()));
        assert.deepEqual(leaks, []);
        const lost = checkpoint === "secret answered" || checkpoint === "2 file synced";
        const after = await world.datumctl(mint, { env });
        assert.equal(after.code, lost ? 4 : 0, after.stderr);
        if (lost) assert.match(after.stderr, new RegExp(`auth add-profile token ci ${organizationId} ${id}`));
        await world.ok(rotate, { env });
        await world.ok(mint, { env });
        assert.deepEqual((await remains(world)).map((path) => path.replace(/^.*?\./, "")), ["json", "key"]);
      });
    }
  },
);

test("a token's creation killed after the answer leaves a token that is listed, and no file", async (world) => {
  await using cloudfleet = await startCloudfleet();
  const env = await administratorAs("admin", world, cloudfleet);
  const file = `${world.home}/ci.secret`;
  const create = ["tokens", "create", "--name", "ci", "--role", "User", "--secret-file", file];
  await killAt(world, "secret answered", [...create, "--save-profile", "ci"], { env });
  await assertMissing(file);
  const listed: { id: string; name: string }[] = JSON.parse(
    await world.ok(["tokens", "list", "-o", "json"], { env }),
  );
  const made = listed.find(({ name }) => name === "ci");
  assert.ok(made !== undefined);
  await world.ok(["tokens", "delete", made.id, "--yes"], { env });
  await world.ok([...create, "--save-profile", "ci"], { env });
  await world.ok(["tokens", "list", "--profile", "ci"], { env });
});

test("a secret's file killed before its rename is private, and cleared away by the next run", async (world) => {
  await using cloudfleet = await startCloudfleet();
  const env = await administratorAs("admin", world, cloudfleet);
  const folder = `${world.home}/secrets`;
  await Deno.mkdir(folder);
  const create = [
    "tokens",
    "create",
    "--name",
    "ci",
    "--role",
    "User",
    "--secret-file",
    `${folder}/ci.secret`,
  ];
  await killAt(world, "file synced", create, { env });
  const [left, ...more] = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.deepEqual(more, []);
  assert.match(left ?? "", /^ci\.secret\.new-[0-9a-f]{8}-[0-9a-f-]{36}$/);
  assert.equal(await modeOf(`${folder}/${left}`), 0o600);
  const lost = await Deno.readTextFile(`${folder}/${left}`);
  assert.ok(cloudfleet.secrets().some(({ value }) => value === lost.trim()), "it holds the secret");
  await world.ok(create, { env });
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["ci.secret"]);
  assert.notEqual(await Deno.readTextFile(`${folder}/ci.secret`), lost);
});

Deno.test("every checkpoint of the program was one to kill it at", () => {
  assert.deepEqual([...killedAt].sort(), [...CHECKPOINTS].sort());
});
