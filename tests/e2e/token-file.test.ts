/**
 * Proves with the compiled binary that a file is safe with two writers and on a bad disk, and that the unit and the sidecar
 * of docs/fast.md work as they are written, as far as that can be without both hosts.
 */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { addressVariables } from "../cloud/variables.ts";
import { assertMissing, modeOf, namesIn, writeScript } from "../scratch.ts";
import { until } from "../until.ts";
import { atHand, openResourceWorld } from "../cli/resources/world.ts";
import { type Running, testInWorld, type World } from "./world.ts";

const PATH = Deno.env.get("PATH") ?? "";
const DOCUMENTED = "/run/datum/token";

/** A block of the page. */
function block(language: string): string {
  const page = Deno.readTextFileSync(`${ROOT}docs/fast.md`);
  return new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "m").exec(page)?.[1] ?? assert.fail(language);
}

/** Values of a key in a unit. */
const valuesIn = (unit: string, key: string) =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);

/** The variables of a unit. */
const variablesOf = (unit: string): Record<string, string> =>
  Object.fromEntries(valuesIn(unit, "Environment").map((one) => one.split("=")));

interface Service {
  readonly token: string;
  readonly running: Running;
}

/** Starts documented words with the service account's key that they name, in an environment with nothing else. */
async function startService(
  world: World,
  words: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<Service> {
  const key = `${world.temporary}/key.json`;
  await Deno.writeTextFile(key, JSON.stringify(await world.cloud.addServiceAccount()), { mode: 0o600 });
  const token = `${world.temporary}/token`;
  const env: Record<string, string | undefined> = Object.fromEntries(
    Object.keys(world.env).map((name) => [name, undefined]),
  );
  const named = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replace(/^.*\/key\.json$/, key)]),
  );
  const running = world.start(world.binary, words.map((word) => word === DOCUMENTED ? token : word), {
    env: { ...env, PATH: world.env.PATH, ...addressVariables(world.cloud), ...named },
  });
  await Promise.race([
    until(() => Deno.stat(token).then(() => true, () => false), "the token"),
    running.finished.then(({ stderr }) => assert.fail(stderr)),
  ]);
  return { token, running };
}

/** The token is renewed, and goes with SIGTERM. */
async function renewsAndEnds({ token, running }: Service): Promise<void> {
  const first = await Deno.readTextFile(token);
  assert.equal(await modeOf(token), 0o640);
  await until(async () => await Deno.readTextFile(token) !== first, "the next token");
  running.kill("SIGTERM");
  const { code, stdout, stderr } = await running.finished;
  assert.deepEqual([code, stdout, stderr], [0, "", ""]);
  await assertMissing(token);
}

testInWorld(
  "two that renew one file: never half a token, and one's end takes nothing for long",
  async (world) => {
    await world.login("ada@example.com");
    const path = `${world.home}/token`;
    const watch = async () => {
      let said = "";
      const onStderr = (text: string) => void (said = text);
      const running = world.start(world.binary, ["auth", "get-token", "--write", path, "--watch"], {
        onStderr,
      });
      await until(() => said.includes("Renewing the token in"), "the token");
      return running;
    };
    const isThere = () => Deno.stat(path).then(() => true, () => false);
    const [first, second] = [await watch(), await watch()];
    const known = new Set<number>();
    const seen = new Set<string>();
    await until(async () => {
      // On a machine that is too busy to renew in time, it may be missing.
      const token = await Deno.readTextFile(path).catch(() => undefined);
      if (token === undefined) return false;
      known.add(token.length);
      seen.add(token);
      return seen.size > 2;
    }, "two renewals");
    assert.equal(known.size, 1, "each is whole");
    first.kill("SIGTERM");
    assert.equal((await first.finished).code, 0);
    await until(isThere, "the second's token again");
    second.kill("SIGTERM");
    assert.equal((await second.finished).code, 0);
    await assertMissing(path);
    assert.deepEqual((await namesIn(world.home)).filter((name) => name.startsWith("token")), []);
  },
  { cloud: { accessTokenLife: 12 }, ignore: Deno.build.os === "windows" },
);

/** Mounts a file system of 64 KiB for a shell line alone; `$0` is the binary, `$1` its folder. */
const SMALL_DISK = ["-m", "sh", "-c", 'mount -t tmpfs -o size=64k none "$1" && eval "$2"'];
const canMount = (await new Deno.Command("unshare", {
  args: ["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"],
  stderr: "null",
}).output().catch(() => undefined))?.success ?? false;

testInWorld("a full disk and a read-only one are told, and leave nothing", async (world) => {
  await world.login("ada@example.com");
  const disk = `${world.temporary}/disk`;
  await Deno.mkdir(disk);
  const cases = [
    ['head -c 200k /dev/zero > "$1/full" 2>&-', /^error: Cannot write .*\/disk\/token: the disk is full\.$/m],
    ['mount -o remount,ro "$1"', /^error: Cannot write .*\/disk\/token: the file system is read-only\.$/m],
  ] as const;
  for (const [line, says] of cases) {
    for (const more of ["", "--watch"]) {
      const run =
        `${line}; "$0" auth get-token --write "$1/token" ${more}; code=$?; ls "$1" | grep token; exit $code`;
      const { code, stdout, stderr } = await world.start("unshare", [...SMALL_DISK, world.binary, disk, run])
        .finished;
      assert.deepEqual([code, stdout], [1, ""], stderr);
      assert.match(stderr, says);
    }
  }
}, { ignore: !canMount });

testInWorld(
  "the unit: systemd understands it, and its service renews the token that it told of",
  async (world, context) => {
    const unit = block("ini");
    const [line = ""] = valuesIn(unit, "ExecStart");
    const [program = "", ...words] = line.split(" ");
    await context.step({
      name: "systemd-analyze finds nothing wrong with it",
      ignore: findProgram("systemd-analyze", PATH) === undefined,
      fn: async () => {
        const path = `${world.temporary}/datum-token.service`;
        await Deno.writeTextFile(path, unit.replace(program, world.binary));
        const { code, stderr } = await world.start("systemd-analyze", ["verify", "--man=no", path]).finished;
        assert.deepEqual([code, stderr], [0, ""]);
      },
    });
    await context.step({
      name: "systemd's own program tells a real socket",
      ignore: findProgram("systemd-notify", PATH) === undefined || findProgram("perl", PATH) === undefined,
      fn: async () => {
        const socket = `${world.temporary}/notify`;
        // The second message is a question whether the first has arrived, which its end answers.
        const listen = `$s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
          for (1, 2) { $s->recv($text, 999); print "$text\n"; }`;
        const heard = world.start("perl", ["-MIO::Socket::UNIX", "-e", listen, socket]);
        await until(() => Deno.stat(socket).then(() => true, () => false), "the socket");
        await renewsAndEnds(
          await startService(world, words, { NOTIFY_SOCKET: socket, ...variablesOf(unit) }),
        );
        assert.equal((await heard.finished).stdout, "READY=1\nBARRIER=1\n");
      },
    });
    await context.step("it runs", async () => {
      const told = `${world.temporary}/told`;
      await writeScript(`${world.temporary}/systemd-notify`, `echo "$NOTIFY_SOCKET $*" > ${told}`);
      const service = await startService(world, words, {
        ...variablesOf(unit),
        NOTIFY_SOCKET: "/run/notify",
        PATH: `${world.temporary}:${PATH}`,
      });
      await until(() => Deno.stat(told).then(() => true, () => false), "readiness");
      assert.equal(await Deno.readTextFile(told), "/run/notify --ready\n");
      await renewsAndEnds(service);
    });
  },
  { cloud: { accessTokenLife: 15 }, ignore: Deno.build.os !== "linux" },
);

testInWorld("the sidecar: its words renew the token, and its probe waits for it", async (world) => {
  const { spec: { initContainers: [sidecar], containers: [app], volumes } } = parse(block("yaml"));
  const [program, ...words] = sidecar.command;
  assert.equal(program, "datumctl");
  const variables = Object.fromEntries(
    sidecar.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
  );
  const service = await startService(world, words, variables);
  const probe = sidecar.startupProbe.exec.command.map((word: string) =>
    word === DOCUMENTED ? service.token : word
  );
  assert.equal((await world.start(probe[0], probe.slice(1)).finished).code, 0);
  await renewsAndEnds(service);
  assert.equal((await world.start(probe[0], probe.slice(1)).finished).code, 1);

  const mounts = (container: { volumeMounts: { name: string; mountPath: string }[] }) =>
    container.volumeMounts.map(({ name, mountPath }) => `${name} ${mountPath}`);
  assert.deepEqual(mounts(sidecar), ["token /run/datum", "key /run/secrets/datum"]);
  assert.deepEqual(mounts(app), ["token /run/datum"], "the key is the sidecar's alone");
  assert.equal(volumes[0].emptyDir.medium, "Memory");
}, { cloud: { accessTokenLife: 15 }, ignore: Deno.build.os !== "linux" });

Deno.test(
  { name: "the sidecar: a real API server takes its manifest as it is written", ignore: !atHand },
  async () => {
    await using world = await openResourceWorld();
    const path = `${world.folder}/pod.yaml`;
    await Deno.writeTextFile(path, block("yaml"));
    const { code, stdout, stderr } = await world.kubectl("apply", "--dry-run=server", "-f", path);
    assert.deepEqual([code, stdout, stderr], [0, "pod/with-token created (server dry run)\n", ""]);
  },
);
