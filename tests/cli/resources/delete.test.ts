/** Proves that `delete` deletes and prints what kubectl does, asks where it must, and says what holds an object back. */

import assert from "node:assert/strict";
import { interruptedError } from "../../../src/errors.ts";
import { besideKubectl, configMap } from "./beside-kubectl.ts";
import { atHand, openResourceWorld } from "./world.ts";

const LINES: readonly (readonly [line: string, more?: readonly string[]])[] = [
  ["delete cm a --dry-run=client"],
  ["delete cm a --dry-run=server"],
  ["delete --dry-run cm a"],
  ["delete cm a -o name --dry-run=server"],
  ["delete cm a"],
  ["delete cm a"],
  ["delete cm a --ignore-not-found"],
  ["delete configmap/b cm/c"],
  ["delete cm,secret d"],
  ["delete cm/e cm/nothing cm/f"],
  ["delete cm g -o name"],
  ["delete cm h --grace-period=0 --force"],
  ["delete cm i --now --wait=false"],
  ["delete cm j --grace-period=0"],
  ["delete cm j2 --grace-period=30 --force"],
  ["delete cm j2 --now --grace-period=5"],
  ["delete cm j2 --cascade=foreground --timeout=30s"],
  ["delete cm k --cascade=false"],
  ["delete cm l --cascade=nonsense"],
  ["delete cm l --cascade"],
  ["delete cm l -o yaml"],
  ["delete cm"],
  ["delete"],
  ["delete nonsense x"],
  ["delete cm x --all"],
  ["delete cm/x --all", ["--yes"]],
  ["delete cm --all -l app=web", ["--yes"]],
  ["delete cm m -A"],
  ["delete cm -l app=none", ["--yes"]],
  ["delete cm -l app=web", ["--yes"]],
  ["delete cm --field-selector=metadata.name=n", ["--yes"]],
  ["delete -f FOLDER/some.yaml"],
  ["delete -f FOLDER/some.yaml"],
  ["delete -f FOLDER/some.yaml --ignore-not-found"],
  ["delete -f FOLDER/some.yaml cm q"],
  ["delete -f FOLDER/nowhere.yaml"],
  ["delete -f FOLDER/unknown.yaml"],
  ["delete -f FOLDER/labels.yaml -l app=web", ["--yes"]],
  ["delete dnszones --all", ["--yes"]],
  ["delete secrets --all", ["--yes"]],
  ["delete cm q --timeout=5"],
];

const ZONE = {
  apiVersion: "dns.networking.miloapis.com/v1alpha1",
  kind: "DNSZone",
  metadata: { name: "z" },
  spec: { domainName: "z.example.com" },
};

Deno.test({ name: "delete beside kubectl at the real API server", ignore: !atHand }, async (context) => {
  await using world = await openResourceWorld();
  const { run, server, kubectl, folder } = world;
  const text = (...names: readonly string[]) =>
    names.map((name) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`).join("---\n");
  await Deno.writeTextFile(`${folder}/some.yaml`, text("o", "p"));
  await Deno.writeTextFile(
    `${folder}/unknown.yaml`,
    `apiVersion: example.com/v1\nkind: Nothing\nmetadata:\n  name: x\n---\n${text("r")}`,
  );
  await Deno.writeTextFile(
    `${folder}/labels.yaml`,
    `${text("s")}---\n${text("t")}  labels:\n    app: web\n`,
  );

  await context.step("kubectl's lines and its success or failure", async () => {
    const names = "a b c d e f g h i j j2 k l m n o p q r s t".split(" ");
    const labels = { app: "web" };
    const beside = await besideKubectl(world, [
      ...names.map((name) => configMap(name)),
      ...["w1", "w2"].map((name) => configMap(name, { metadata: { labels } })),
      { apiVersion: "v1", kind: "Secret", metadata: { name: "d" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "d2" } },
      ZONE,
    ]);
    await beside.sameAll(LINES.map(([line, more]) => [line, { more }]));
    const left = async (namespace: string) =>
      (await kubectl("-n", namespace, "get", "cm,secrets,dnszones", "-o", "name")).stdout;
    assert.equal(await left(beside.ours), await left(beside.theirs));
  });

  await context.step("--all and selectors ask on a terminal, and need --yes elsewhere", async () => {
    const { ours } = await besideKubectl(world, [configMap("a"), configMap("b")]);
    const refused = await run(`delete cm --all -n ${ours}`);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--yes/);
    const there = async () => (await kubectl("-n", ours, "get", "cm", "-o", "name")).stdout;
    const all = await there();
    assert.match(all, /configmap\/a\nconfigmap\/b\n/);
    const no = await run(`delete cm --all -n ${ours}`, { keys: ["n", "\r"] });
    assert.equal(no.code, 1);
    assert.match(no.stderr, /These \d objects are to be deleted:\n {2}configmap\/a in namespace ours-/);
    assert.match(no.stderr, /in .*, namespace ours-/);
    assert.equal(no.stdout, "");
    assert.equal(await there(), all);
    const yes = await run(`delete cm --all -n ${ours}`, { keys: ["y", "\r"] });
    assert.equal(yes.code, 0, yes.stderr);
    assert.match(yes.stdout, /configmap "a" deleted from ours-\d+ namespace\nconfigmap "b" deleted/);
    assert.equal(await there(), "");
    assert.equal((await run(`delete cm --all --dry-run=server -n ${ours}`)).code, 0);
  });

  await context.step(
    "a dry run says that what is not there is not deleted, where kubectl says that it is",
    async () => {
      const line = "delete cm nothing --dry-run=client".split(" ");
      assert.equal((await kubectl(...line)).code, 0);
      assert.match((await run(line)).stderr, /"nothing" not found/);
    },
  );

  await context.step("-A deletes in every namespace", async () => {
    const labels = { everywhere: "yes" };
    const objects = [configMap("x", { metadata: { labels } })];
    const [one, two] = [await besideKubectl(world, objects), await besideKubectl(world, objects)];
    const { stdout, code } = await run("delete cm -l everywhere=yes -A --yes");
    assert.equal(code, 0);
    for (const name of [one.ours, one.theirs, two.ours, two.theirs]) {
      assert.match(stdout, new RegExp(`configmap "x" deleted from ${name} namespace\n`));
    }
  });

  await context.step(
    "what holds an object back is named when the wait ends, and while it lasts",
    async () => {
      const finalizers = ["example.com/hold"];
      const { ours } = await besideKubectl(world, [configMap("held", { metadata: { finalizers } })]);
      const held = await run(`delete cm held -n ${ours} --timeout=1s`);
      assert.equal(held.code, 1);
      assert.equal(held.stdout, `configmap "held" deleted from ${ours} namespace\n`);
      assert.match(
        held.stderr,
        /Deleted but still there: configmap\/held, held back by example\.com\/hold\./,
      );
      const stop = new AbortController();
      const waiting = await run(`delete cm held -n ${ours}`, {
        interrupted: stop.signal,
        onStderr: (text) => /Waiting until/.test(text) ? stop.abort(interruptedError()) : undefined,
      });
      assert.equal(waiting.code, 130);
      assert.match(
        waiting.stderr,
        /^Waiting until these are gone: configmap\/held, held back by example\.com\/hold\.$/m,
      );
      const free = { metadata: { finalizers: null } };
      await kubectl("-n", ours, "patch", "cm", "held", "--type=merge", "-p", JSON.stringify(free));
    },
  );

  await context.step("a warning where -n narrows nothing", async () => {
    await server.admin.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "going" } });
    const { stdout, stderr } = await run("delete ns going -n default --dry-run=server");
    assert.equal(stdout, 'namespace "going" deleted (server dry run)\n');
    assert.match(stderr, /warning: deleting cluster-scoped resources/);
  });
});
