/** Proves that `wait` waits for what kubectl waits for, and ends as it does. */

import assert from "node:assert/strict";
import { interruptedError } from "../../../src/errors.ts";
import { pause } from "../../../src/system/clock.ts";
import { besideKubectl, configMap } from "./beside-kubectl.ts";
import { atHand, openResourceWorld } from "./world.ts";

const LINES: readonly (string | readonly string[])[] = [
  "wait cm/a --for=create",
  "wait cm a --for=create --timeout=0",
  "wait cm a b --for=create -o name",
  "wait cm,secret a --for=create --timeout=0",
  "wait cm/a secret/a --for=jsonpath={.metadata.name}=a",
  "wait cm/a --for=jsonpath={.data.x}",
  "wait cm/a --for=jsonpath={.data.x}=1 -o jsonpath={.data.x}",
  ["wait", "cm/a", "cm/b", "--for=jsonpath={.metadata.name}", "-o", 'jsonpath={.metadata.name}{"\\n"}'],
  "wait cm/nothing --for=jsonpath={.data.x}",
  "wait cm/nothing --for=create --timeout=0",
  "wait cm/nothing --for=create --timeout=1s",
  "wait cm/nothing --for=delete",
  "wait cm/a --for=delete --timeout=0",
  "wait cm/a --for=delete --timeout=1s",
  "wait cm/a cm/nothing cm/b --for=jsonpath={.metadata.name}",
  "wait cm -l app=web --for=jsonpath={.metadata.name}",
  "wait cm -l app=none --for=jsonpath={.metadata.name}",
  "wait cm -l app=none --for=delete",
  "wait cm -l app=none --for=create --timeout=1s",
  "wait cm --field-selector=metadata.name=b --for=jsonpath={.metadata.name}",
  "wait cm --all --for=jsonpath={.metadata.namespace}=nowhere --timeout=0",
  "wait cm --all -l app=web --for=create",
  "wait cm a -l app=web --for=create",
  "wait cm a -A --for=create",
  "wait cm --for=create",
  "wait --for=create",
  "wait cm/a",
  "wait cm/a --for=nonsense",
  "wait nonsense/a --for=create --timeout=0",
  "wait -f FOLDER/some.yaml --for=jsonpath={.data.x}=1",
  "wait -f FOLDER/some.yaml --for=delete --timeout=0",
  "wait -f FOLDER/some.yaml cm/a --for=create",
  "wait dz/z --for=condition=Ready --timeout=1s",
  "wait dz/z --for=condition=Ready=False",
  "wait cm/a --for=create --timeout=5",
  "wait cm/a --for=create -o wide",
  "wait cm/a --for=create --timeout=-1s",
];

Deno.test({ name: "wait beside kubectl at the real API server", ignore: !atHand }, async (context) => {
  await using world = await openResourceWorld();
  const { run, kubectl, folder } = world;
  await Deno.writeTextFile(
    `${folder}/some.yaml`,
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n",
  );
  await Deno.writeTextFile(
    `${folder}/late.yaml`,
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: late\n  labels:\n    late: "yes"\n',
  );
  const labels = { app: "web" };
  const beside = await besideKubectl(world, [
    configMap("a", { data: { x: "1" }, metadata: { labels } }),
    configMap("b", { data: { x: "2" } }),
    { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } },
    {
      apiVersion: "dns.networking.miloapis.com/v1alpha1",
      kind: "DNSZone",
      metadata: { name: "z" },
      spec: { domainName: "z.example.com" },
    },
  ]);
  const condition = {
    type: "Ready",
    status: "False",
    reason: "No",
    message: "",
    lastTransitionTime: "2026-01-02T03:04:05Z",
  };
  for (const namespace of [beside.ours, beside.theirs]) {
    const patch = JSON.stringify({ status: { conditions: [condition] } });
    await kubectl("-n", namespace, "patch", "dz", "z", "--subresource=status", "--type=merge", "-p", patch);
  }
  const { ours } = beside;

  await context.step("kubectl's lines and its success or failure", async () => {
    await beside.sameAll(LINES.map((line) => [line]));
  });

  await context.step(
    "each of several objects has an end of its own, which kubectl does not give them",
    async () => {
      const value = await run(`wait cm/b cm/a --for=jsonpath={.data.x}=1 --timeout=1s -n ${ours}`);
      assert.deepEqual([value.code, value.stdout], [1, "configmap/a condition met\n"]);
      const there = await run(`wait cm/a cm/nothing cm/b --for=create --timeout=0 -n ${ours}`);
      assert.deepEqual(
        [there.code, there.stdout],
        [1, "configmap/a condition met\nconfigmap/b condition met\n"],
      );
      assert.match(there.stderr, /condition not met for configmaps\/nothing/);
    },
  );

  await context.step("what comes, changes and goes meanwhile is seen", async () => {
    const during = async (line: string, work: () => Promise<unknown>) => {
      const [ran] = await Promise.all([run(`${line} -n ${ours} --timeout=20s`), pause(300).then(work)]);
      assert.equal(ran.code, 0, ran.stderr);
      return ran.stdout;
    };
    const created = await during(
      "wait cm/new --for=create",
      () => kubectl("-n", ours, "create", "cm", "new", "--from-literal=x=1"),
    );
    assert.equal(created, "configmap/new condition met\n");
    const changed = await during(
      "wait cm/new --for=jsonpath={.data.x}=2",
      () => kubectl("-n", ours, "patch", "cm", "new", "-p", '{"data":{"x":"2"}}'),
    );
    assert.equal(changed, "configmap/new condition met\n");
    const gone = await during("wait cm/new --for=delete", () => kubectl("-n", ours, "delete", "cm", "new"));
    assert.equal(gone, "configmap/new condition met\n");
    const found = await during(
      "wait cm -l late=yes --for=create",
      () => kubectl("-n", ours, "create", "-f", `${folder}/late.yaml`),
    );
    assert.equal(found, "configmap/late condition met\n");
  });

  await context.step("Ctrl-C ends it", async () => {
    const stop = new AbortController();
    const waiting = run(`wait cm/none --for=create -n ${ours} --timeout=-1s`, { interrupted: stop.signal });
    await pause(500);
    stop.abort(interruptedError());
    assert.equal((await waiting).code, 130);
  });
});
