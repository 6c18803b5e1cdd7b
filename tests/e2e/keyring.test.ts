/** Proves with the compiled binary and a real gnome-keyring where secrets are, and what happens without it. */

import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/errors.ts";
import { readKeyText, unseal } from "../../src/sessions/seal.ts";
import { fileNameOf } from "../../src/sessions/name.ts";
import { signInByHttp } from "../cloud/browser.ts";
import { absentPrograms, type Keyring } from "../keyring/gnome-keyring.ts";
import { ROOT } from "../../scripts/compile.ts";
import { leaksBelow, needlesOf } from "./leaks.ts";
import { type Finished, openWorld, type RunOptions, type World } from "./world.ts";

const ADA = "ada@example.com";

const absent = absentPrograms();
// deno-lint-ignore no-console -- a skipped test says so
if (absent.length > 0) console.error(`skipped: no keyring tests here without ${absent.join(", ")}`);

interface KeyringWorld {
  readonly world: World;
  readonly keyring: Keyring;
  /** A `secret-tool` of a person's own. */
  secretTool(...args: string[]): Promise<Finished>;
}

function keyringTest(name: string, test: (parts: KeyringWorld) => Promise<void>): void {
  Deno.test({
    name,
    ignore: absent.length > 0,
    async fn() {
      await using world = await openWorld({ keyring: "real" });
      assert.ok(world?.keyring !== undefined);
      await test({
        world,
        keyring: world.keyring,
        secretTool: (...args) => world.start("secret-tool", args).finished,
      });
    },
  });
}

function nameOf({ cloud }: World): string {
  return `${ADA}@${cloud.apiHost}`;
}

/** The session's file: the only one. */
async function sessionFile(world: World): Promise<{ readonly path: string; readonly text: string }> {
  const paths = (await world.files()).filter((path) => path.endsWith(".json") && path.includes("/sessions/"));
  assert.equal(paths.length, 1, paths.join(", "));
  const [path = ""] = paths;
  return { path, text: await Deno.readTextFile(path) };
}

async function keyFiles(world: World): Promise<string[]> {
  return (await world.files()).filter((path) => path.endsWith(".key"));
}

/** The error of a command that was told `--error-format json`, and that it has this code and exit code. */
function assertError(
  { stderr, stdout, code: exit }: Finished,
  expected: {
    readonly code: ErrorCode;
    readonly exit: number;
    readonly words?: RegExp;
    readonly retryable?: boolean;
  },
): void {
  const line = stderr.trimEnd().split("\n").at(-1) ?? "";
  const { error: { code, message, hint, retryable } } = JSON.parse(line);
  assert.deepEqual([code, exit], [expected.code, expected.exit], stderr);
  assert.equal(retryable, expected.retryable ?? false);
  if (expected.words !== undefined) assert.match(`${message} ${hint}`, expected.words);
  assert.doesNotMatch(`${message} ${hint}`, /not signed in/i);
  assert.doesNotMatch(stdout, /eyJ|"token"/);
}

const JSON_ERRORS = ["--error-format", "json"];
const EXEC = "client.authentication.k8s.io/v1";

keyringTest(
  "after login the keyring has one item under the session's name, nothing readable lies anywhere, and logout leaves nothing",
  async ({ world, secretTool }) => {
    const login = await world.login(ADA);
    assert.equal(login.code, 0, login.stderr);
    assert.match(login.stderr, /their key in the keyring/);
    const name = nameOf(world);

    const found = await secretTool("search", "--all", "service", "datumctl");
    const listing = found.stdout + found.stderr;
    assert.equal(listing.match(/^\[\S*\/\d+\]$/gm)?.length, 1, listing);
    assert.ok(listing.includes(`attribute.account = ${name}\n`), listing);
    const key = (await secretTool("lookup", "service", "datumctl", "account", name)).stdout.trim();
    assert.equal(key.length, 43);

    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    const bare = (await world.ok(["auth", "get-token"])).trim();
    const exec = JSON.parse(await world.ok(["auth", "get-token", "-o", EXEC])).status.token;
    const refreshed = (await world.ok(["auth", "get-token", "--force-refresh"])).trim();
    assert.notEqual(refreshed, bare);

    const secrets = world.cloud.secrets();
    for (const token of [bare, exec, refreshed]) {
      assert.ok(
        secrets.some(({ value }) => value === token),
        "the cloud knows every token that was handed out",
      );
    }
    const runtime = world.env["XDG_RUNTIME_DIR"] ?? "";
    const folders = [world.home, world.temporary, runtime, world.keyring?.env["HOME"] ?? "", ROOT];
    const search = await leaksBelow(folders, needlesOf(secrets, [key]));
    assert.deepEqual(search.leaks, []);
    assert.ok(search.files > 50, "nothing was searched");

    const { path, text } = await sessionFile(world);
    const sealingKey = await readKeyText(key);
    assert.ok(sealingKey !== undefined);
    const credentials = JSON.parse(await unseal(JSON.parse(text).credentials, sealingKey) ?? "null");
    assert.ok(
      secrets.some(({ kind, value }) => kind === "refresh_token" && value === credentials.refreshToken),
    );
    assert.equal(await userInfoStatus(world, credentials.accessToken), 200);

    const out = await world.ok(["logout", "--kubeconfig", world.kubeconfig]);
    assert.match(out, /^Revoked at the issuer and removed here: ada@example\.com/m);
    const after = await secretTool("search", "--all", "service", "datumctl");
    assert.equal(after.stdout, "", "the item is gone");
    assert.deepEqual((await world.files()).filter((left) => left === path), [], "the file is gone");
    assert.equal(await refreshError(world, credentials.refreshToken), "invalid_request", "the grant is gone");
    assert.equal(await userInfoStatus(world, credentials.accessToken), 401, "the access token is gone");
    const names = [{ what: "the e-mail", bytes: ADA }, { what: "the subject", bytes: credentials.subject }];
    assert.deepEqual(
      (await leaksBelow([world.home, world.temporary], names)).leaks,
      [],
      "no name stays behind",
    );
  },
);

keyringTest(
  "a session with a name beyond ASCII has its item under its base32 id, serves kubectl's plugin, and leaves nothing",
  async ({ world, secretTool }) => {
    const name = "аня-李-नेहा@bücher.example";
    const login = await world.login(ADA, ["--profile", name]);
    assert.equal(login.code, 0, login.stderr);
    const found = await secretTool("search", "--all", "service", "datumctl");
    const listing = found.stdout + found.stderr;
    assert.ok(listing.includes(`attribute.account = ${await fileNameOf(name)}\n`), listing);
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    assert.ok((await Deno.readTextFile(world.kubeconfig)).includes(`--session=${name}`));
    for (const flags of [[`--session=${name}`], ["--profile", name], ["--session", name.normalize("NFD")]]) {
      const exec = await world.ok(["auth", "get-token", "-o", EXEC, ...flags]);
      assert.equal(JSON.parse(exec).kind, "ExecCredential");
    }
    await world.ok(["auth", "get-token", "--force-refresh", "--session", name]);
    await world.ok(["logout", name, "--kubeconfig", world.kubeconfig]);
    assert.equal((await secretTool("search", "--all", "service", "datumctl")).stdout, "", "the item is gone");
    assert.ok(!(await Deno.readTextFile(world.kubeconfig)).includes(name));
  },
);

/** What the issuer says to a refresh token; undefined when it takes it. */
async function refreshError({ cloud }: World, refreshToken: string): Promise<unknown> {
  using client = Deno.createHttpClient({ caCerts: [cloud.caPem] });
  const form = { grant_type: "refresh_token", client_id: cloud.clientId, refresh_token: refreshToken };
  const body = new URLSearchParams(form);
  const response = await fetch(`${cloud.issuer}/oauth/v2/token`, { client, method: "POST", body });
  return (await response.json()).error;
}

async function userInfoStatus({ cloud }: World, accessToken: string): Promise<number> {
  using client = Deno.createHttpClient({ caCerts: [cloud.caPem] });
  const headers = { authorization: `Bearer ${accessToken}` };
  const response = await fetch(`${cloud.issuer}/oidc/v1/userinfo`, { client, headers });
  await response.body?.cancel();
  return response.status;
}

/** For the troubles of secret-tool: an open item is read without it where the bus is known. */
const WITHOUT_BUS = { DBUS_SESSION_BUS_ADDRESS: "" };

/** A keyring that cannot be used, and what a session made with it then gives. */
interface Trouble {
  readonly name: string;
  /** Brings the trouble about; returns the variables of those who meet it. */
  readonly arrange: (parts: KeyringWorld) => Promise<NonNullable<RunOptions["env"]>>;
  readonly code: ErrorCode;
  readonly exit: number;
  readonly retryable?: boolean;
  readonly words: RegExp;
}

const TROUBLES: readonly Trouble[] = [
  {
    name: "a locked keyring",
    arrange: async ({ keyring }) => (await keyring.lock(), {}),
    code: "KEYRING_LOCKED",
    exit: 4,
    words: /locked.*unlock/i,
  },
  {
    name: "no D-Bus session",
    arrange: () => Promise.resolve({ DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined }),
    code: "KEYRING_LOCKED",
    exit: 4,
    words: /no D-Bus session.*dbus-run-session/,
  },
  {
    name: "no keyring daemon",
    arrange: async ({ keyring }) => (await keyring.stopDaemon(), {}),
    code: "KEYRING_LOCKED",
    exit: 4,
    words: /no keyring service.*gnome-keyring-daemon/,
  },
  {
    name: "no secret-tool",
    arrange: ({ world }) => Promise.resolve({ PATH: world.temporary, ...WITHOUT_BUS }),
    code: "KEYRING_LOCKED",
    exit: 4,
    words: /secret-tool is not installed.*libsecret-tools/,
  },
  {
    name: "a secret-tool that hangs, and a child of it that keeps the pipe",
    arrange: async ({ world }) => {
      const script = `#!/bin/sh\nsleep 600 &\necho $! >> ${world.temporary}/children\nwait\n`;
      await Deno.writeTextFile(`${world.temporary}/secret-tool`, script, { mode: 0o755 });
      return { PATH: `${world.temporary}:${world.env["PATH"]}`, ...WITHOUT_BUS };
    },
    code: "KEYRING_TIMEOUT",
    exit: 1,
    retryable: true,
    words: /did not answer within/,
  },
];

/** The bound of one call of the keyring's tool is 15 s; this much more is for a busy machine. */
const CALL = 15_000;
const ROOM = 15_000;

for (const { name, arrange, ...expected } of TROUBLES) {
  keyringTest(
    `${name}: said as such within its bound, and the session is neither lost nor moved`,
    async (parts) => {
      const { world } = parts;
      assert.equal((await world.login(ADA)).code, 0);
      const session = nameOf(world);
      const before = await sessionFile(world);
      const env = await arrange(parts);
      try {
        const [bare, exec, whoami, list, other, system] = await Promise.all([
          world.datumctl(["auth", "get-token", ...JSON_ERRORS], { env }),
          world.datumctl(["auth", "get-token", "-o", EXEC, ...JSON_ERRORS], { env }),
          world.ok(["whoami", "-o", "json", "--profile", session], { env }),
          world.ok(["auth", "list", "-o", "json"], { env }),
          world.login("grace@example.com", [], { env }),
          world.login("zoe@example.com", ["--keyring", "system", ...JSON_ERRORS], { env }),
        ]);
        for (const finished of [bare, exec]) {
          assertError(finished, expected);
          assert.ok(finished.took < CALL + ROOM, `it took ${finished.took} ms`);
        }
        assert.equal(bare.stdout, "");
        assert.equal(JSON.parse(whoami).storage, "keyring");
        assert.ok(JSON.parse(list).some((one: { name: string }) => one.name === session));

        assert.equal(other.code, 0, other.stderr);
        assert.match(other.stderr, /^warning: .*(locked|cannot be reached|did not answer)/im);
        assert.match(other.stderr, /their key in a key file/);
        assert.ok(other.took < CALL + ROOM, `it took ${other.took} ms`);
        assert.equal((await keyFiles(world)).length, 1);
        assert.match(await world.ok(["auth", "list", "-o", "wide"], { env }), /grace@example\.com.*key file/);

        assert.notEqual(system.code, 0);
        assert.match(system.stderr, /"code":"KEYRING_(?:LOCKED|TIMEOUT|UNAVAILABLE)"/);
        assert.ok(system.took < 2 * CALL + ROOM, `it took ${system.took} ms`);
        assert.doesNotMatch(await world.ok(["auth", "list"], { env }), /zoe/);

        // Neither by name nor by coming back as the same person.
        for (const flags of [["--profile", session], []]) {
          const again = await world.login(ADA, [...flags, ...JSON_ERRORS], { env });
          assertError(again, expected);
          assert.ok(again.took < CALL + ROOM, `it took ${again.took} ms`);
        }
        assert.equal(await Deno.readTextFile(before.path), before.text, "the session's file is as it was");
        assert.equal((await keyFiles(world)).length, 1, "its key was not moved to a file");

        const logout = await world.datumctl(["logout", ADA, ...JSON_ERRORS], { env });
        assert.equal(logout.code, 1, logout.stderr);
        assert.match(logout.stderr, /could not be revoked/);
        assert.ok(
          logout.stderr.includes(`item \\"${session}\\" (service datumctl) was left behind`),
          logout.stderr,
        );
        assert.ok(logout.took < 2 * CALL + ROOM, `it took ${logout.took} ms`);
        assert.ok(!(await world.files()).includes(before.path), "the file goes all the same");
      } finally {
        const children = await Deno.readTextFile(`${world.temporary}/children`).catch(() => "");
        for (const pid of children.split("\n").filter((line) => line !== "")) {
          Deno.kill(Number(pid), "SIGKILL");
        }
      }
    },
  );
}

keyringTest(
  "an item deleted or exchanged by hand is KEYRING_ITEM_MISSING, and a sign-in mends it",
  async (parts) => {
    const { world, secretTool } = parts;
    assert.equal((await world.login(ADA)).code, 0);
    const session = nameOf(world);
    const item = ["service", "datumctl", "account", session];
    const expected = {
      code: "KEYRING_ITEM_MISSING",
      exit: 4,
      words: /datumctl login --profile ada@/,
    } as const;
    const exchange = () =>
      world.start("secret-tool", ["store", "--label=x", ...item], { stdin: "A".repeat(43) }).finished;
    for (const spoil of [() => secretTool("clear", ...item), exchange]) {
      assert.equal((await spoil()).code, 0);
      assertError(await world.datumctl(["auth", "get-token", ...JSON_ERRORS]), expected);
      assertError(await world.datumctl(["auth", "get-token", "-o", EXEC, ...JSON_ERRORS]), expected);
      assert.equal(JSON.parse(await world.ok(["whoami", "-o", "json"])).session, session);
      assert.equal(JSON.parse(await world.ok(["auth", "list", "-o", "json"])).length, 1);
      const again = await world.login(ADA, ["--profile", session]);
      assert.equal(again.code, 0, again.stderr);
      await world.ok(["auth", "get-token"]);
      assert.deepEqual(await keyFiles(world), []);
    }
  },
);

keyringTest(
  "a refused sign-in leaves no item, and a renewed session keeps its key",
  async ({ world, secretTool }) => {
    await world.cloud.setFaults({ forgery: "aud" });
    const refused = world.startLogin();
    await (await signInByHttp(world.cloud, await refused.address, ADA)).body?.cancel();
    assert.equal((await refused.finished).code, 1);
    assert.equal((await secretTool("search", "--all", "service", "datumctl")).stdout, "");

    await world.cloud.setFaults({});
    const lookup = async () =>
      (await secretTool("lookup", "service", "datumctl", "account", nameOf(world))).stdout;
    assert.equal((await world.login(ADA)).code, 0);
    const key = await lookup();
    assert.equal(key.length, 43);
    assert.equal((await world.login(ADA, ["--profile", nameOf(world)])).code, 0);
    assert.equal(await lookup(), key);
  },
);
