/** Proves that the unit and the sidecar of docs/fast.md work as they are written, as far as that can be without both hosts. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { addressVariables } from "../cloud/variables.ts";
import { assertMissing, modeOf, writeScript } from "../scratch.ts";
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
    await context.step("it runs", async () => {
      const told = `${world.temporary}/told`;
      await writeScript(`${world.temporary}/systemd-notify`, `echo "$NOTIFY_SOCKET $*" > ${told}`);
      const variables = Object.fromEntries(valuesIn(unit, "Environment").map((one) => one.split("=")));
      const service = await startService(world, words, {
        ...variables,
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
