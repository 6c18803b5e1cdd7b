/** Proves what is done about a token that its server refuses before its time, and what that costs nobody else. */

import assert from "node:assert/strict";
import { modeOf } from "../scratch.ts";
import { type Kubectl, kubectls } from "./kubectls.ts";
import { type Finished, testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const API = "client.authentication.k8s.io/v1";
const INFO = JSON.stringify({ kind: "ExecCredential", apiVersion: API, spec: { interactive: false } });

function test(
  name: string,
  run: (world: World) => Promise<void>,
  options?: Parameters<typeof testInWorld>[2],
): void {
  testInWorld(name, async (world) => {
    const { code, stderr } = await world.login(ADA);
    assert.equal(code, 0, stderr);
    await run(world);
  }, options);
}

/** One parent that runs the plugin so many times; what each printed. */
async function calls(world: World, times: number, more: readonly string[] = []): Promise<string[]> {
  const { code, stdout, stderr } = await world.start("/bin/sh", [
    ...["-c", `for i in ${"x ".repeat(times)}; do "$@" || exit 1; done; exit 0`, "sh"],
    ...[world.binary, "auth", "get-token", ...more],
  ], { env: { KUBERNETES_EXEC_INFO: INFO } }).finished;
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  return stdout.split("\n").slice(0, -1).map((line) =>
    line.startsWith("{") ? JSON.parse(line).status.token : line
  );
}

/** Requests for tokens by refresh, and questions about a token, since the counts were reset. */
function asked(world: World): readonly [refreshes: number | undefined, questions: number | undefined] {
  const counts = world.cloud.counts();
  return [counts["token:refresh_token"], counts.userinfo];
}

async function handouts(world: World): Promise<string | undefined> {
  return (await world.files()).find((path) => path.endsWith(".handouts"));
}

/** Lets the time pass for which the issuer's last word about a token serves, or its silence. */
async function afterItsWord(world: World): Promise<void> {
  const path = await handouts(world);
  if (path === undefined) return;
  const { asked: _, ...notes } = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify(notes));
}

const namespaces = (world: World, { path }: Kubectl, home = world.home): Promise<Finished> =>
  world.start(path, ["get", "namespaces"], { env: { HOME: home } }).finished;

// ---- kubectl ----

for (const each of kubectls) {
  const direct = each.minor !== undefined;
  for (const kind of direct ? ["access", "id"] as const : ["access"] as const) {
    test(
      `${each.name}, ${kind} token refused early: ${
        direct ? "the first call shows its 401, " : ""
      }the next one works`,
      async (world) => {
        world.cloud.setControlPlanes({ acceptedTokens: kind });
        await world.ok(["auth", "update-kubeconfig", "--project", "web", "--token", kind]);
        const before = await namespaces(world, each);
        assert.equal(before.code, 0, before.stderr);
        const old = (await world.ok(["auth", "get-token", "--token", kind])).trimEnd();
        if (kind === "access") world.cloud.revokeAccessTokens(ADA);
        else await world.cloud.rotateKeys();
        await afterItsWord(world);
        world.cloud.resetCounts();
        const first = await namespaces(world, each);
        assert.equal(asked(world)[0], 1, "one refresh, from within that very call");
        if (direct) {
          // client-go runs the plugin again after the 401, for requests to come, and hands the 401 on.
          assert.equal(first.code, 1);
          assert.equal(first.stderr, "error: You must be logged in to the server (Unauthorized)\n");
        } else assert.equal(first.code, 0, "its two runs of the plugin come before the server is asked");
        const next = await namespaces(world, each);
        assert.equal(next.code, 0, next.stderr);
        assert.match(next.stdout, /^project-web +Active/m);
        assert.notEqual((await world.ok(["auth", "get-token", "--token", kind])).trimEnd(), old);
        assert.equal(asked(world)[0], 1, "and no more than that one");
      },
    );
  }

  test(`${each.name} with a good token causes no refresh`, async (world) => {
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    world.cloud.resetCounts();
    for (let times = 0; times < 3; times++) {
      const { code, stderr } = await namespaces(world, each);
      assert.equal(code, 0, stderr);
    }
    const [refreshes, questions] = asked(world);
    assert.equal(refreshes, 0);
    if (direct) assert.equal(questions, 0, "nor a question");
    // It runs the plugin twice each time; an answer serves for some seconds.
    else assert.ok(questions !== undefined && questions >= 1 && questions <= 3, `${questions} questions`);
  });
}

for (const each of kubectls.filter(({ minor }) => minor === undefined)) {
  test(`${each.name} with a good ID token, about which nobody can be asked, causes one refresh in ten minutes`, async (world) => {
    world.cloud.setControlPlanes({ acceptedTokens: "id" });
    await world.ok(["auth", "update-kubeconfig", "--project", "web", "--token", "id"]);
    world.cloud.resetCounts();
    for (let times = 0; times < 4; times++) {
      const { code, stderr } = await namespaces(world, each);
      assert.equal(code, 0, stderr);
    }
    assert.deepEqual(asked(world), [1, 0]);
  });
}

// ---- the plugin alone ----

test("a good token that comes back is asked about, and handed out again", async (world) => {
  world.cloud.resetCounts();
  const tokens = await calls(world, 2);
  assert.equal(new Set(tokens).size, 1);
  assert.deepEqual(asked(world), [0, 1]);
  await afterItsWord(world);
  await calls(world, 1);
  assert.deepEqual(asked(world), [0, 1], "another process is under no suspicion");
  await calls(world, 2);
  assert.deepEqual(asked(world), [0, 2]);
});

test("a revoked access token that comes back is refreshed once, and the new one is not suspected", async (world) => {
  await calls(world, 1);
  world.cloud.revokeAccessTokens(ADA);
  world.cloud.resetCounts();
  const [first, second, third] = await calls(world, 3);
  assert.notEqual(second, first);
  assert.equal(third, second);
  assert.deepEqual(asked(world), [1, 2], "the new one is asked about when it comes back, and is good");
  assert.deepEqual(await calls(world, 1), [second]);
});

test("a token that is revoked after the issuer called it good is replaced at the next call", async (world) => {
  // The test itself is the parent of each.
  const call = async () => {
    const { code, stdout, stderr } = await world.datumctl(["auth", "get-token"], {
      env: { KUBERNETES_EXEC_INFO: INFO },
    });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).status.token;
  };
  const good = await call();
  assert.equal(await call(), good);
  world.cloud.revokeAccessTokens(ADA);
  const path = await handouts(world);
  assert.ok(path !== undefined);
  const notes = JSON.parse(await Deno.readTextFile(path));
  assert.equal(notes.asked.answered, true);
  // Six seconds later.
  const asked = { ...notes.asked, at: notes.asked.at - 6_000 };
  await Deno.writeTextFile(path, JSON.stringify({ ...notes, asked }));
  const next = await call();
  assert.notEqual(next, good);
  assert.equal(await call(), next);
});

test("with nobody to ask, a refresh comes of it once in ten minutes for the session", async (world) => {
  world.cloud.resetCounts();
  const tokens = await calls(world, 5, ["--token", "id"]);
  assert.deepEqual(asked(world), [1, 0]);
  assert.equal(new Set(tokens).size, 2);
  assert.equal(new Set(tokens.slice(1)).size, 1);
  await calls(world, 3, ["--token", "id"]);
  assert.deepEqual(asked(world), [1, 0], "another parent's suspicion included");
  const path = await handouts(world);
  assert.ok(path !== undefined);
  const notes = JSON.parse(await Deno.readTextFile(path));
  const earlier = { ...notes, refreshed: notes.refreshed - 10 * 60_000 };
  await Deno.writeTextFile(path, JSON.stringify(earlier));
  await calls(world, 2, ["--token", "id"]);
  assert.deepEqual(asked(world), [2, 0], "and ten minutes later again");
});

test("the same token for the same process after ten minutes is no suspicion", async (world) => {
  // The test itself is the parent of each.
  const call = () => world.datumctl(["auth", "get-token"], { env: { KUBERNETES_EXEC_INFO: INFO } });
  await call();
  const path = await handouts(world);
  assert.ok(path !== undefined);
  const notes = JSON.parse(await Deno.readTextFile(path));
  assert.match(notes.rows[0].parent, new RegExp(`^${Deno.pid}@[0-9a-f]{8}$`));
  world.cloud.resetCounts();
  // Nine minutes ago this process had not begun: another of its number was given the token. A long run of all tests is older.
  const before = await ownAge() < 8.5 * 60_000 ? [[9 * 60_000, 0]] as const : [];
  const ages = [[10 * 60_000, 0], ...before, [500, 1], [-60_000, 1]] as const;
  for (const [age, questions] of ages) {
    const rows = [{ ...notes.rows[0], at: Date.now() - age }];
    await Deno.writeTextFile(path, JSON.stringify({ rows }));
    assert.equal((await call()).code, 0);
    assert.equal(asked(world)[1], questions);
  }
});

test("-o token, and a call without the variable, neither read nor write the notes", async (world) => {
  world.cloud.resetCounts();
  const plain = await world.ok(["auth", "get-token"]);
  assert.deepEqual(await calls(world, 3, ["-o", "token"]), Array(3).fill(plain.trimEnd()));
  for (let times = 0; times < 3; times++) await world.ok(["auth", "get-token", `--output=${API}`]);
  assert.equal(await handouts(world), undefined);
  assert.deepEqual(asked(world), [0, 0]);
});

test("an issuer that is down, slow or broken: the token is handed out anyway, in time and in silence", async (world) => {
  await calls(world, 1);
  const alone = (await timed(() => calls(world, 2)))[1];
  for (
    const [faults, bound] of [
      [{ down: ["issuer"] }, 0],
      [{ userinfo: { slow: 60_000 } }, 3_000],
      [{ userinfo: { status: 500 } }, 0],
      [{ userinfo: { body: "html" } }, 0],
      [{ userinfo: { status: 403 } }, 0],
    ] as const
  ) {
    await world.cloud.setFaults(faults);
    await afterItsWord(world);
    world.cloud.resetCounts();
    const [[first, second], took] = await timed(() => calls(world, 2));
    assert.equal(second, first, JSON.stringify(faults));
    assert.equal(asked(world)[0], 0, JSON.stringify(faults));
    assert.ok(took < alone + bound + 3_000, `${JSON.stringify(faults)} took ${took} ms, not ${alone}`);
  }
  // The refresh that fails on suspicion leaves no failure to remember.
  await world.cloud.setFaults({ token: { status: 503 } });
  await afterItsWord(world);
  world.cloud.revokeAccessTokens(ADA);
  const [first, second] = await calls(world, 2);
  assert.equal(second, first);
  await world.cloud.setFaults({});
  const [third, fourth] = await calls(world, 2);
  assert.equal(third, first);
  assert.notEqual(fourth, first);
});

test("revoked with its grant, a token is not handed out again: kubectl is told, and whoami shows it", async (world) => {
  await world.ok(["auth", "update-kubeconfig", "--project", "web", "--exec-interactive-mode", "Never"]);
  world.cloud.revokeAll(ADA);
  const path = kubectls[0]?.path;
  assert.ok(path !== undefined);
  const { code, stderr } = await world.start(path, ["get", "namespaces"]).finished;
  assert.equal(code, 1);
  assert.match(stderr, /error: The session .* has expired[^]*\nSign in again: datumctl login --profile /);
  assert.match(
    await world.ok(["whoami"]),
    /Token expires: +\S+ \(valid, cannot be renewed: sign in again\)\n/,
  );
  assert.match(await world.ok(["auth", "list", "-o", "wide"]), / cannot be renewed: sign in again\n$/);
  assert.equal((await world.login(ADA)).code, 0);
  assert.match(await world.ok(["whoami"]), /\(valid, renews itself\)/);
  assert.equal((await world.start(path, ["get", "namespaces"]).finished).code, 0);
});

test("the notes are private, hold no token, sixteen rows at most, and go with the session", async (world) => {
  const [token = ""] = await calls(world, 1);
  for (let parents = 0; parents < 18; parents++) await calls(world, 1);
  const path = await handouts(world);
  assert.ok(path !== undefined);
  assert.equal(await modeOf(path), 0o600);
  const text = await Deno.readTextFile(path);
  const { rows } = JSON.parse(text);
  assert.equal(rows.length, 16);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const mark = new Uint8Array(digest).slice(0, 8).toBase64({ alphabet: "base64url", omitPadding: true });
  for (const row of rows) {
    assert.deepEqual(Object.keys(row).sort(), ["at", "mark", "parent"]);
    assert.equal(row.mark, mark);
  }
  assert.ok(!text.includes(token) && !text.includes(ADA));
  await world.ok(["logout", ADA]);
  assert.equal(await handouts(world), undefined);
});

test("notes that are damaged or cannot be written cost nobody their token", async (world) => {
  await calls(world, 1);
  const path = await handouts(world);
  assert.ok(path !== undefined);
  for (const text of ["", "{", "[]", '{"rows":7}', '{"rows":[{"parent":"x"}],"refreshed":"y"}', "\0\xff"]) {
    await Deno.writeTextFile(path, text);
    assert.equal((await calls(world, 2)).length, 2);
  }
  await Deno.remove(path);
  await Deno.mkdir(path);
  assert.equal((await calls(world, 2)).length, 2);
});

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now();
  return [await work(), performance.now() - started];
}

/** How long this process has run, in milliseconds. */
async function ownAge(): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "etimes=", "-p", String(Deno.pid)] })
    .output();
  return Number(new TextDecoder().decode(stdout)) * 1000;
}
