/** Proves that `label` and `annotate` change what kubectl changes, and print what it prints. */

import assert from "node:assert/strict";
import { besideKubectl, configMap } from "./beside-kubectl.ts";
import { atHand, openResourceWorld } from "./world.ts";

/** Each is run with both commands. */
const LINES: readonly string[] = [
  "cm a a=b",
  "cm a a=b",
  "cm a a=c",
  "cm a a=c --overwrite",
  "cm/a a-",
  "cm/a a- b-",
  "cm a b x=1",
  "cm/a cm/nothing cm/b y=1",
  "cm,secret s z=1",
  "cm a x=1 y- n=2",
  "cm a x=5 y=6 --overwrite",
  "cm a q=1 --dry-run=client",
  "cm a q=1 --dry-run=server",
  "cm a none- --dry-run=client",
  "cm a none- --dry-run=server",
  "cm a --dry-run q=1",
  "cm a q=1 -o name",
  "cm a q=2 --overwrite -o jsonpath={.metadata.name}{.metadata.labels.q}",
  "cm a --list",
  "cm a b --list",
  "cm -l app=web --list",
  "cm a only=shown --list",
  "cm a --list -o name",
  "cm --all all=yes",
  "cm -l app=web w=1",
  "cm -l app=none w=1",
  "cm --field-selector=metadata.name=b f=1",
  "cm --all -l app=web w=1",
  "cm a --all w=1",
  "cm w=1",
  "w=1",
  "cm a",
  "cm a w=1 b",
  "nonsense a w=1",
  "cm nothing w=1",
  "cm a w=1 w-",
  "cm a v=1 --resource-version=1",
  "cm a b v=1 --resource-version=1",
  "-f FOLDER/some.yaml file=1",
  "-f FOLDER/some.yaml file=2",
  "-f FOLDER/some.yaml file- none-",
  "-f FOLDER/some.yaml cm a file=1",
  "cm a v=1 --dry-run=nonsense",
  "cm a v=1 -o wide --dry-run=server",
  "dz z team=shop",
  "cm a kubernetes.io/change-cause=one",
  "cm a example.com/x=1 --overwrite=false",
];

const ONLY_LABEL = ["cm a x=b_", "cm a x=a=b", "cm a bad/key/x=1", `cm a x=${"x".repeat(64)}`];
const ONLY_ANNOTATE = [
  "cm a kubernetes.io/change-cause=two",
  "cm a x=a=b --overwrite",
  "cm a bad/key/x=1",
  "cm a x=b_ --overwrite",
];

/** kubectl lists in no order. */
const sorted = (text: string) => text.split("\n").sort().join("\n");

Deno.test(
  { name: "label and annotate beside kubectl at the real API server", ignore: !atHand },
  async (context) => {
    await using world = await openResourceWorld();
    const { run, kubectl, folder } = world;
    await Deno.writeTextFile(
      `${folder}/some.yaml`,
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n",
    );
    const labels = { app: "web" };
    const objects = [
      configMap("a", { metadata: { labels } }),
      configMap("b"),
      configMap("s"),
      { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } },
      {
        apiVersion: "dns.networking.miloapis.com/v1alpha1",
        kind: "DNSZone",
        metadata: { name: "z" },
        spec: { domainName: "z.example.com" },
      },
    ];

    for (const [verb, more] of [["label", ONLY_LABEL], ["annotate", ONLY_ANNOTATE]] as const) {
      await context.step(`${verb}: kubectl's lines and its success or failure`, async () => {
        const beside = await besideKubectl(world, objects);
        const lines = [...LINES, ...more].map((line) => `${verb} ${line}`);
        await beside.sameAll(lines.map((line) => [line, line.includes("--list") ? { mask: sorted } : {}]));
        const left = async (namespace: string) =>
          (await kubectl(
            ...["-n", namespace, "get", "cm,secrets,dz", "-o"],
            'jsonpath={range .items[*]}{.metadata.labels}{.metadata.annotations}{"\\n"}{end}',
          )).stdout;
        assert.equal(await left(beside.ours), await left(beside.theirs));
        const managers = await kubectl(
          ...["-n", beside.ours, "get", "cm", "a", "--show-managed-fields"],
          ...["-o", "jsonpath={.metadata.managedFields[*].manager}"],
        );
        assert.ok(managers.stdout.split(" ").includes(`datumctl-${verb}`), managers.stdout);
      });
    }

    await context.step("several objects show how far it is on a terminal", async () => {
      const { ours } = await besideKubectl(world, Array.from({ length: 40 }, (_, at) => configMap(`m${at}`)));
      const { code, stderr } = await run(`label cm --all many=yes -n ${ours}`, { keys: [] });
      assert.equal(code, 0, stderr);
      assert.match(stderr, /labeling \d+ of 4\d …/);
      assert.match(stderr, new RegExp(`^in .*, namespace ${ours}\n`));
      assert.equal((await run(`label cm --all many=no -n ${ours} --overwrite -q`, { keys: [] })).stderr, "");
    });
  },
);
