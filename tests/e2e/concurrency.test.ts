/** Proves what many processes at once, and signals at every step, do to a session: one refresh, and nothing lost. */

import assert from "node:assert/strict";
import { findProgram } from "../../src/system/processes.ts";
import { expireSession, sessionFile } from "../e2e/expired-session.ts";
import { assertMissing } from "../scratch.ts";
import { until } from "../until.ts";
import { entries, EXEC } from "./kubectl-stage.ts";
import { kubectl } from "./kubectls.ts";
import { type Finished, testInWorld, type World } from "./world.ts";

const linux = Deno.build.os === "linux";
const noKeyring = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"]
  .some((program) => findProgram(program, Deno.env.get("PATH")) === undefined);
// deno-lint-ignore no-console
if (noKeyring) console.error("skipped: many at once with a real keyring, for there is none here");

const TOKEN = ["auth", "get-token"];
const CREDENTIAL = [...TOKEN, "--output=client.authentication.k8s.io/v1"];

const refreshes = (world: World) => world.cloud.counts()["token:refresh_token"];

function allGood(finished: readonly Finished[]): string[] {
  for (const { code, stderr } of finished) {
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
  }
  return finished.map(({ stdout }) => stdout);
}

function many<T>(count: number, start: (index: number) => T): Promise<Awaited<T>[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => start(index)));
}

// ---- many at once ----

for (const keyring of [undefined, "real"] as const) {
  const where = keyring === undefined ? "a key file" : "a real keyring";
  const options = keyring === undefined ? {} : { keyring, ignore: noKeyring };
  testInWorld(
    `50 get-token on an expired token cost one refresh and all get the same token, with ${where}`,
    async (world) => {
      await expireSession(world);
      const tokens = allGood(
        await many(50, (index) => world.datumctl(index % 2 === 0 ? TOKEN : CREDENTIAL, { timeout: 120_000 })),
      ).map((text) => text.startsWith("{") ? JSON.parse(text).status.token : text.trimEnd());
      assert.equal(new Set(tokens).size, 1);
      assert.equal(refreshes(world), 1);
      assert.equal(world.cloud.counts().total, 1, "and the refresh costs one request");
    },
    options,
  );

  testInWorld(
    `20 kubectl on an expired token cost one refresh and all work, with ${where}`,
    async (world) => {
      world.cloud.setTokenLife(3600);
      await world.login("ada@example.com");
      await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
      await expireSession(world);
      const env = { HOME: world.home };
      const lists = allGood(
        await many(20, () => world.start(kubectl, ["get", "namespaces"], { env, timeout: 120_000 }).finished),
      );
      for (const list of lists) assert.match(list, /\nproject-web /);
      assert.equal(refreshes(world), 1);
    },
    { ...options, ignore: kubectl === "" || options.ignore === true },
  );
}

/** Signs Ada in, and writes an entry with the launcher. */
async function openLaunched(world: World) {
  world.cloud.setTokenLife(3600);
  await world.login("ada@example.com");
  const runtime = `${world.temporary}/run`;
  await Deno.mkdir(runtime, { mode: 0o700 });
  const env = { HOME: world.home, XDG_RUNTIME_DIR: runtime };
  await world.ok(["auth", "update-kubeconfig", "--project", "web", "--fast"], { env });
  const { command = "", args = [] } = (await entries(world.kubeconfig)).users[0]?.user.exec ?? {};
  return { env, command, args, file: `${runtime}/datumctl/${args[0]}` };
}

testInWorld(
  "50 kubectl at the moment when the launcher's token is over cost one refresh, and all work",
  async (world) => {
    const { env, file } = await openLaunched(world);
    const get = () => world.start(kubectl, ["get", "namespaces"], { env, timeout: 120_000 }).finished;
    allGood([await get()]);
    const before = await Deno.readTextFile(file);
    await expireSession(world);
    // It lies there, and its time is over.
    await Deno.writeTextFile(file, before, { mode: 0o600 });
    for (const list of allGood(await many(50, get))) assert.match(list, /\nproject-web /);
    assert.equal(refreshes(world), 1);
    assert.notEqual(await Deno.readTextFile(file), before);
  },
  { ignore: kubectl === "" },
);

testInWorld(
  "eight that come back to the launcher with a revoked token, at once, all get the one fresh token",
  async (world) => {
    const { env, command, args } = await openLaunched(world);
    const spec = { cluster: { server: `https://${world.cloud.apiHost}/x` }, interactive: false };
    const asked = JSON.stringify({ kind: "ExecCredential", apiVersion: `${EXEC}/v1`, spec });
    // One process each, as kubectl is one for all of its calls.
    const calls = async (times: number) => {
      const script = 'i=0; while [ $i -lt "$0" ]; do "$@" || exit; i=$((i + 1)); done';
      const options = { env: { ...env, KUBERNETES_EXEC_INFO: asked }, timeout: 120_000 };
      const words = ["-c", script, `${times}`, command, ...args];
      const [stdout = ""] = allGood([await world.start("sh", words, options).finished]);
      return stdout.trimEnd().split("\n").map((line) => JSON.parse(line).status.token);
    };
    const [revoked] = await calls(1);
    world.cloud.revokeAccessTokens("ada@example.com");
    world.cloud.resetCounts();
    const fresh = new Set((await many(8, () => calls(2))).map(([, second]) => second));
    assert.equal(fresh.size, 1);
    assert.ok(!fresh.has(revoked));
    assert.equal(refreshes(world), 1);
    assert.deepEqual(await calls(1), [...fresh]);
  },
  { ignore: Deno.build.os === "windows" },
);

testInWorld(
  "50 get-token of a machine whose token has ended make one token, and all get it",
  async (world) => {
    const { cloud, home } = world;
    const key = `${home}/key.json`;
    await Deno.writeTextFile(key, JSON.stringify(await cloud.addServiceAccount()), { mode: 0o600 });
    cloud.setTokenLife(1);
    const at = ["--hostname", cloud.authHost, "--api-hostname", cloud.apiHost];
    await world.ok(["login", ...at, "--certificate-authority", cloud.caFile, "--credentials", key]);
    cloud.setTokenLife(3600);
    const { tokenExpires } = JSON.parse(await Deno.readTextFile(await sessionFile(world)));
    await until(() => Date.now() > Date.parse(tokenExpires));
    cloud.resetCounts();
    const tokens = allGood(await many(50, () => world.datumctl(TOKEN, { timeout: 120_000 })));
    assert.equal(new Set(tokens).size, 1);
    assert.deepEqual([cloud.counts()["token:jwt-bearer"], cloud.counts().total], [1, 1]);
  },
);

testInWorld(
  "10 forced refreshes that wait for each other cost one, and leave a session that works",
  async (world) => {
    await world.login("ada@example.com");
    world.cloud.resetCounts();
    await using held = await holdLock(world);
    const forced = Array.from({ length: 10 }, () => world.start(world.binary, [...TOKEN, "--force-refresh"]));
    await Promise.all(forced.map(({ pid }) => opened(pid, held.path)));
    held.release();
    assert.equal(new Set(allGood(await Promise.all(forced.map(({ finished }) => finished)))).size, 1);
    assert.equal(refreshes(world), 1);
    await world.ok([...TOKEN, "--force-refresh"]);
    assert.equal(refreshes(world), 2, "the refresh token that was kept is the issuer's last one");
  },
  { ignore: !linux },
);

testInWorld(
  "logout while others wait for a refresh: the session stays gone, and its name with it",
  async (world) => {
    await expireSession(world);
    const { apiHost } = world.cloud;
    await using held = await holdLock(world);
    const waiting = Array.from({ length: 8 }, () => world.start(world.binary, CREDENTIAL));
    const leaving = world.start(world.binary, ["logout", "ada@example.com"]);
    // All of them have come as far as the lock when they sleep between two looks at it.
    await Promise.all([...waiting, leaving].map(({ pid }) => opened(pid, held.path)));
    held.release();
    const [left, ...ended] = await Promise.all([
      leaving.finished,
      ...waiting.map(({ finished }) => finished),
    ]);
    assert.equal(left?.code, 0, left?.stderr);
    for (const { code, stderr } of ended) assert.ok(code === 0 || code === 4, stderr);
    assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n");
    const after = await world.datumctl(CREDENTIAL);
    assert.equal(after.code, 4, after.stderr);
    for (const path of await world.files()) {
      assert.ok(!(await Deno.readTextFile(path)).includes(`ada@example.com@${apiHost}`), path);
      assert.doesNotMatch(path, /\.json\.new|\.key$/);
    }
  },
  { ignore: !linux },
);

testInWorld("a session whose file is removed while the issuer answers is not written back", async (world) => {
  await expireSession(world);
  await world.cloud.setFaults({ token: { slow: 1_000 } });
  const refreshing = world.start(world.binary, TOKEN);
  await until(() => (world.cloud.counts().token ?? 0) > 0);
  const file = await sessionFile(world);
  await Deno.remove(file);
  const { code, stderr } = await refreshing.finished;
  assert.equal(code, 0, stderr);
  await assertMissing(file);
  assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n");
});

testInWorld("two users who sign in at the same time are both kept", async (world) => {
  const logins = await Promise.all(
    ["ada@example.com", "grace@example.com"].map((email) => world.login(email)),
  );
  for (const { code, stderr } of logins) assert.equal(code, 0, stderr);
  const listed = JSON.parse(await world.ok(["auth", "list", "-o", "json"]));
  assert.deepEqual(listed.map(({ email }: { email: string }) => email), [
    "ada@example.com",
    "grace@example.com",
  ]);
  assert.equal(listed.filter(({ active }: { active: boolean }) => active).length, 1);
  for (const { name } of listed) await world.ok([...TOKEN, "--session", name]);
});

testInWorld("switches beside sign-ins leave a config.json that is whole at every moment", async (world) => {
  await world.login("ada@example.com");
  await world.login("grace@example.com");
  const config = `${world.config}/config.json`;
  let over = false;
  const reader = (async () => {
    let reads = 0;
    for (; !over; reads++) {
      assert.equal(JSON.parse(await Deno.readTextFile(config)).schemaVersion, 1);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return reads;
  })();
  const switches = many(10, async (index) => {
    const user = index % 2 === 0 ? "ada@example.com" : "grace@example.com";
    return await world.datumctl(["auth", "switch", user]);
  });
  const logins = ["ada@example.com", "grace@example.com", "zoe@example.com"].map((email) =>
    world.login(email)
  );
  for (const { code, stderr } of [...await switches, ...await Promise.all(logins)]) {
    assert.equal(code, 0, stderr);
  }
  over = true;
  assert.ok(await reader > 10);
  const listed = JSON.parse(await world.ok(["auth", "list", "-o", "json"]));
  assert.equal(listed.length, 3);
  assert.equal(listed.filter(({ active }: { active: boolean }) => active).length, 1);
});

// ---- signals ----

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The next call works, and cost the issuer that many refreshes in all. */
async function nobodyIsSignedOut(world: World, inAll: number): Promise<void> {
  const { code, stdout, stderr } = await world.datumctl(TOKEN);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\S+\n$/);
  assert.equal(refreshes(world), inAll);
  // The refresh token that is kept is the issuer's last one.
  world.cloud.resetCounts();
  await world.ok([...TOKEN, "--force-refresh"]);
  const left = (await world.files()).filter((path) => path.includes(".new"));
  assert.deepEqual(left, [], "no leftover");
}

for (const signal of [...SIGNALS, "SIGKILL"] as const) {
  testInWorld(`${signal} before the request ends the process, and the next one refreshes`, async (world) => {
    await expireSession(world);
    {
      await using held = await holdLock(world);
      const waiting = world.start(world.binary, CREDENTIAL);
      await opened(waiting.pid, held.path);
      waiting.kill(signal);
      assert.notEqual((await waiting.finished).code, 0);
    }
    assert.equal(world.cloud.counts().token, 0);
    await nobodyIsSignedOut(world, 1);
  }, { ignore: !linux });
}

for (const signal of SIGNALS) {
  testInWorld(
    `${signal} while the issuer is slow to answer is held back until the new tokens are kept`,
    async (world) => {
      await expireSession(world);
      await world.cloud.setFaults({ token: { slow: 800 } });
      const refreshing = world.start(world.binary, CREDENTIAL);
      await until(() => (world.cloud.counts().token ?? 0) > 0);
      refreshing.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, 20));
      refreshing.kill(signal);
      const { code, stdout } = await refreshing.finished;
      assert.equal(code, 130);
      assert.equal(JSON.parse(stdout).reason, "INTERRUPTED");
      await world.cloud.setFaults({});
      await nobodyIsSignedOut(world, 1);
    },
  );

  testInWorld(`${signal} right after the answer loses nothing`, async (world) => {
    await expireSession(world);
    const refreshing = world.start(world.binary, CREDENTIAL);
    // Counted when the tokens have rotated and the answer is on its way.
    await until(() => (refreshes(world) ?? 0) > 0);
    try {
      refreshing.kill(signal);
    } catch {
      // It was faster.
    }
    await refreshing.finished;
    await nobodyIsSignedOut(world, 1);
  });
}

testInWorld("a signal at any moment of a refresh signs nobody out", async (world) => {
  await expireSession(world);
  world.cloud.setTokenLife(3600);
  // From before the program's first line to after its last one.
  for (let delay = 0; delay <= 300; delay += 15) {
    const refreshing = world.start(world.binary, [...CREDENTIAL, "--force-refresh"]);
    await new Promise((resolve) => setTimeout(resolve, delay));
    try {
      refreshing.kill(SIGNALS[delay / 15 % 3] ?? "SIGINT");
    } catch {
      // It had ended.
    }
    const { code, stderr } = await refreshing.finished;
    assert.ok([0, 129, 130, 143].includes(code), `${code} after ${delay} ms: ${stderr}`);
  }
  world.cloud.resetCounts();
  await nobodyIsSignedOut(world, 0);
});

testInWorld("SIGKILL while the issuer has not begun to answer costs nothing", async (world) => {
  await expireSession(world);
  await world.cloud.setFaults({ token: { slow: 1_500 } });
  const refreshing = world.start(world.binary, TOKEN);
  await until(() => (world.cloud.counts().token ?? 0) > 0);
  refreshing.kill("SIGKILL");
  assert.notEqual((await refreshing.finished).code, 0);
  await world.cloud.setFaults({});
  await nobodyIsSignedOut(world, 1);
});

testInWorld("Ctrl-C in kubectl, which reaches the plugin too, signs nobody out", async (world) => {
  await world.login("ada@example.com");
  await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
  await expireSession(world);
  await world.cloud.setFaults({ token: { slow: 800 } });
  // A process group of its own, as a terminal's job is one.
  const running = world.start("setsid", [kubectl, "get", "namespaces"]);
  await until(() => (world.cloud.counts().token ?? 0) > 0);
  Deno.kill(-running.pid, "SIGINT");
  assert.notEqual((await running.finished).code, 0);
  // kubectl goes at once; its plugin is still to keep what the issuer gave.
  await until(() => (refreshes(world) ?? 0) > 0);
  await world.cloud.setFaults({});
  await nobodyIsSignedOut(world, 1);
  assert.match((await world.start(kubectl, ["get", "namespaces"]).finished).stdout, /\nproject-web /);
}, { ignore: kubectl === "" || !linux });

/** Resolves when a process has a file open. */
async function opened(pid: number, path: string): Promise<void> {
  const folder = `/proc/${pid}/fd`;
  const real = await Deno.realPath(path);
  let found = false;
  for (const most = performance.now() + 15_000; !found;) {
    assert.ok(performance.now() < most, `process ${pid} did not come to ${path} within 15 s`);
    for (const { name } of Deno.readDirSync(folder)) {
      try {
        found ||= Deno.readLinkSync(`${folder}/${name}`) === real;
      } catch {
        // Closed meanwhile.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface HeldLock extends AsyncDisposable {
  readonly path: string;
  release(): void;
}

/** The session's lock, in this process's hand: every refresh waits. */
async function holdLock(world: World): Promise<HeldLock> {
  const path = (await sessionFile(world)).replace(/json$/, "lock");
  const file = await Deno.open(path, { create: true, read: true, write: true });
  await file.lock(true);
  let open = true;
  const release = () => {
    if (open) file.close();
    open = false;
  };
  return { path, release, [Symbol.asyncDispose]: () => Promise.resolve(release()) };
}
