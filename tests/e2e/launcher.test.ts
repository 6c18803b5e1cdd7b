/** Proves the launcher with real kubectl: no program of ours at a good token, a fresh one after a 401, nothing after a logout. */

import assert from "node:assert/strict";
import { findProgram } from "../../src/system/processes.ts";
import { modeOf } from "../scratch.ts";
import { type Kubectl, kubectl, kubectls } from "./kubectls.ts";
import { leaksBelow, needlesOf } from "./leaks.ts";
import { entries } from "./kubectl-stage.ts";
import { type Finished, type RunOptions, testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const withStrace = findProgram("strace", Deno.env.get("PATH")) !== undefined;
// deno-lint-ignore no-console -- a skipped check says so
if (!withStrace) console.error("skipped: without strace, which programs kubectl starts is not looked at");

/** A world with a runtime folder, whose entry was written with --fast. */
interface Fast {
  readonly env: Readonly<Record<string, string>>;
  /** The stored credential. */
  readonly file: string;
  readonly launcher: string;
  kubectl(each: Pick<Kubectl, "path">, wrapped?: readonly string[]): Promise<Finished>;
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
}

function test(
  name: string,
  run: (world: World, fast: Fast) => Promise<void>,
  { ignore = false, kind }: { readonly ignore?: boolean; readonly kind?: "access" | "id" } = {},
): void {
  testInWorld(name, async (world) => {
    if (kind !== undefined) world.cloud.setControlPlanes({ acceptedTokens: kind });
    assert.equal((await world.login(ADA)).code, 0);
    const runtime = `${world.temporary}/run`;
    await Deno.mkdir(runtime, { mode: 0o700 });
    const env = { XDG_RUNTIME_DIR: runtime };
    const flags = kind === undefined ? [] : ["--token", kind];
    await world.ok(["auth", "update-kubeconfig", "--project", "web", "--fast", ...flags], { env });
    const { command = "", args = [] } = (await entries(world.kubeconfig)).users[0]?.user.exec ?? {};
    await run(world, {
      env,
      file: `${runtime}/datumctl/${args[0]}`,
      launcher: command,
      kubectl: ({ path }, wrapped = []) => {
        const [program = "", ...words] = [...wrapped, path, "get", "namespaces"];
        return world.start(program, words, { env: { ...env, HOME: world.home } }).finished;
      },
      ok: (words, options) => world.ok(words, { ...options, env: { ...env, ...options?.env } }),
    });
  }, { ignore });
}

function worked(finished: Finished): void {
  assert.equal(finished.code, 0, finished.stderr);
  assert.match(finished.stdout, /^project-web +Active/m);
}

for (const each of kubectls.filter(({ minor }) => minor !== undefined)) {
  test(`${each.name} gets its token from the launcher, and starts nothing of ours`, async (world, fast) => {
    worked(await fast.kubectl(each));
    const text = await Deno.readTextFile(fast.file);
    assert.ok(text.startsWith("credential='{"), "the first call left its credential");
    assert.equal(await modeOf(fast.file), 0o600);
    world.cloud.resetCounts();
    const trace = `${world.temporary}/trace`;
    const strace = ["strace", "-f", "-e", "trace=execve", "-o", trace];
    worked(await fast.kubectl(each, withStrace ? strace : []));
    assert.equal(await Deno.readTextFile(fast.file), text);
    if (!withStrace) return;
    const started = [...(await Deno.readTextFile(trace)).matchAll(/execve\("([^"]+)"/g)].map(([, path]) =>
      path
    );
    assert.deepEqual(started, [each.path, fast.launcher]);
  });

  for (const kind of ["access", "id"] as const) {
    test(
      `${each.name} after a 401: the launcher does not hand out that ${kind} token again`,
      async (world, fast) => {
        worked(await fast.kubectl(each));
        const before = await Deno.readTextFile(fast.file);
        if (kind === "access") world.cloud.revokeAccessTokens(ADA);
        else await world.cloud.rotateKeys();
        world.cloud.resetCounts();
        const refused = await fast.kubectl(each);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /Unauthorized/);
        assert.equal(
          world.cloud.counts()["token:refresh_token"],
          1,
          "one refresh, from within that very call",
        );
        const after = await Deno.readTextFile(fast.file);
        assert.notEqual(after, before);
        worked(await fast.kubectl(each));
        assert.equal(world.cloud.counts()["token:refresh_token"], 1);
        assert.equal(await Deno.readTextFile(fast.file), after);
      },
      { kind },
    );
  }
}

test("every kubectl gets, applies and asks who it is by the launcher's token", async (world, fast) => {
  if (kubectl === "") return;
  const manifest = `${world.home}/map.json`;
  worked(await fast.kubectl({ path: kubectl }));
  const token = await Deno.readTextFile(fast.file);
  for (const { name, path, minor } of kubectls.filter(({ minor }) => minor !== undefined)) {
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await world.start(path, args, {
        env: { ...fast.env, HOME: world.home },
      })
        .finished;
      assert.equal(code, 0, `${name}: ${stderr}`);
      assert.equal(stderr.replace(/^Warning: .*\n/gm, ""), "", name);
      return stdout;
    };
    const metadata = { name: "greeting", namespace: "default" };
    await Deno.writeTextFile(
      manifest,
      JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { text: name } }),
    );
    assert.match(await run("apply", "-f", manifest), /^configmap\/greeting (?:created|configured)\n$/);
    assert.equal(await run("get", "configmap", "greeting", "-o", "jsonpath={.data.text}"), name);
    if ((minor ?? 0) >= 28) assert.match(await run("auth", "whoami"), /Username +ada@example\.com/);
  }
  assert.equal(await Deno.readTextFile(fast.file), token, "no call of theirs was datumctl's");
});

test("what lies readable is one access token; after a logout nothing is", async (world, fast) => {
  const [each] = kubectls.filter(({ minor }) => minor !== undefined).toReversed();
  if (each === undefined) return;
  worked(await fast.kubectl(each));
  const keys = (await world.files()).filter((path) => path.endsWith(".key"));
  const key = (await Deno.readTextFile(keys[0] ?? "")).trim();
  const search = async () => {
    const folders = [world.home, world.temporary];
    const { leaks } = await leaksBelow(folders, needlesOf(world.cloud.secrets(), [key]));
    return leaks.filter((leak) => !leak.startsWith(keys[0] ?? "?"));
  };
  assert.deepEqual(await search(), [`${fast.file}: access_token`]);
  await fast.ok(["auth", "get-token", "--force-refresh"]);
  assert.deepEqual(await search(), [], "after a forced refresh");
  worked(await fast.kubectl(each));
  assert.deepEqual(await search(), [`${fast.file}: access_token`]);
  world.cloud.revokeAll(ADA);
  assert.equal((await fast.kubectl(each)).code, 1);
  assert.deepEqual(await search(), [], "after the issuer refused token and session");
  assert.equal((await world.login(ADA)).code, 0);
  worked(await fast.kubectl(each));
  await fast.ok(["logout", "--kubeconfig", world.kubeconfig]);
  assert.deepEqual(await search(), []);
  const left = [...Deno.readDirSync(fast.file.replace(/\/[^/]*$/, ""))];
  assert.deepEqual(left, []);
  assert.deepEqual((await entries(world.kubeconfig)).users ?? [], []);
});

test(
  "several kubectl at once, with nothing stored, are all served and leave one credential",
  async (world, fast) => {
    const [each] = kubectls.filter(({ minor }) => minor !== undefined).toReversed();
    if (each === undefined) return;
    world.cloud.resetCounts();
    const all = await Promise.all(Array.from({ length: 8 }, () => fast.kubectl(each)));
    for (const finished of all) worked(finished);
    assert.equal(world.cloud.counts()["token:refresh_token"], 0);
    const names = [...Deno.readDirSync(fast.file.replace(/\/[^/]*$/, ""))].map(({ name }) => name);
    assert.deepEqual(names.filter((name) => !/\.\d+$/.test(name)), [fast.file.replace(/^.*\//, "")]);
  },
);

test(
  "a forced refresh takes the credential away, and the next kubectl leaves the new one",
  async (_, fast) => {
    const [each] = kubectls.filter(({ minor }) => minor !== undefined).toReversed();
    if (each === undefined) return;
    worked(await fast.kubectl(each));
    const token = (await fast.ok(["auth", "get-token", "--force-refresh"])).trim();
    await assert.rejects(Deno.stat(fast.file), Deno.errors.NotFound);
    worked(await fast.kubectl(each));
    assert.ok((await Deno.readTextFile(fast.file)).includes(`"token":"${token}"`));
    assert.match(await fast.ok(["whoami"]), /Handed out by: +the launcher; readable in /);
  },
);

const canMount = Deno.build.os === "linux" && Deno.uid() === 0 &&
  await new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
const NO_MOUNT = "skipped: --fast on a noexec mount, for unshare is not permitted here";
// deno-lint-ignore no-console -- a skipped test says so
if (!canMount) console.error(NO_MOUNT);

test(
  "in a home that is mounted noexec --fast is refused, and the entry stays as it was",
  async (world, fast) => {
    await fast.ok(["auth", "update-kubeconfig", "--project", "web"]);
    const before = await Deno.readTextFile(world.kubeconfig);
    const { code, stderr } = await world.start("unshare", [
      ...["-m", "sh", "-ec", 'mount -t tmpfs -o noexec,mode=0700 tmpfs "$1"; shift; exec "$@"', "sh"],
      ...[`${world.config}/bin`, world.binary, "auth", "update-kubeconfig", "--project", "web", "--fast"],
    ], { env: fast.env }).finished;
    assert.equal(code, 2, stderr);
    assert.match(stderr, /datumctl-credential cannot be run; its file system may be mounted noexec/);
    assert.equal(await Deno.readTextFile(world.kubeconfig), before);
  },
  { ignore: !canMount },
);
