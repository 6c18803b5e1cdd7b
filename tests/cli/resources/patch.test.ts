/** Proves that `patch` changes what kubectl changes, and prints what it prints. */

import assert from "node:assert/strict";
import { besideKubectl, configMap } from "./beside-kubectl.ts";
import { atHand, openResourceWorld } from "./world.ts";

const json = (value: unknown) => JSON.stringify(value);
const data = (members: Readonly<Record<string, unknown>>) => json({ data: members });

const LINES: readonly (readonly string[])[] = [
  ["patch", "cm", "a", "-p", data({ x: "2" })],
  ["patch", "cm", "a", "-p", data({ x: "2" })],
  ["patch", "cm/a", "--type=merge", "-p", "data: {y: '1', x: null}"],
  ["patch", "cm", "a", "b", "--patch", data({ both: "yes" })],
  ["patch", "cm/a", "cm/nothing", "cm/b", "-p", data({ all: "yes" })],
  ["patch", "cm,secret", "s", "--type=Merge", "-p", json({ metadata: { labels: { a: "b" } } })],
  ["patch", "cm", "a", "--type=json", "-p", json([{ op: "add", path: "/data/z", value: "1" }])],
  ["patch", "cm", "a", "--type=json", "-p", json([{ op: "test", path: "/data/z", value: "2" }])],
  ["patch", "cm", "a", "--type=json", "-p", json([{ op: "remove", path: "/data/none" }])],
  ["patch", "cm", "a", "--type=nonsense", "-p", "{}"],
  ["patch", "cm", "a", "-p", data({ n: 1 })],
  ["patch", "cm", "a", "-p", "{"],
  ["patch", "cm", "a"],
  ["patch", "cm", "a", "-p", "{}", "--patch-file=FOLDER/patch.yaml"],
  ["patch", "cm", "a", "--patch-file=FOLDER/patch.yaml"],
  ["patch", "cm", "a", "--patch-file=FOLDER/none.yaml"],
  ["patch", "cm", "-p", "{}"],
  ["patch", "-p", "{}"],
  ["patch", "nonsense", "a", "-p", "{}"],
  ["patch", "-f", "FOLDER/some.yaml", "-p", data({ file: "1" })],
  ["patch", "-f", "FOLDER/some.yaml", "-p", data({ file: "2" }), "--dry-run=client"],
  ["patch", "-f", "FOLDER/some.yaml", "-p", data({ file: "2" }), "--dry-run=client", "-o", "yaml"],
  ["patch", "-f", "FOLDER/some.yaml", "-p", data({ file: "3" }), "--dry-run=server"],
  ["patch", "cm", "a", "-p", data({ x: "dry" }), "--dry-run=server", "-o", "jsonpath={.data}"],
  ["patch", "cm", "a", "-p", data({ x: "dry" }), "--dry-run=client", "-o", "jsonpath={.data}"],
  ["patch", "cm", "a", "-p", data({ x: "dry" }), "--dry-run=client"],
  ["patch", "cm", "a", "-p", data({ x: "dry" }), "--dry-run=server"],
  ["patch", "cm", "a", "-p", data({}), "--dry-run=client"],
  ["patch", "cm", "a", "-p", "{}", "--dry-run=nonsense"],
  ["patch", "cm", "a", "--type=merge", "-p", "[]", "--dry-run=client"],
  ...[
    [{ op: "add", path: "/data/new", value: "1" }, { op: "copy", from: "/data/new", path: "/data/copy" }],
    [{ op: "move", from: "/data/x", path: "/data/moved" }],
    [{ op: "replace", path: "/data/none", value: "1" }],
    [{ op: "test", path: "/data/x", value: "2" }, { op: "remove", path: "/data/x" }],
    [
      { op: "add", path: "/metadata/finalizers", value: ["a/b", "c/d"] },
      {
        op: "add",
        path: "/metadata/finalizers/1",
        value: "e/f",
      },
      { op: "remove", path: "/metadata/finalizers/0" },
      {
        op: "add",
        path: "/metadata/finalizers/-",
        value: "g/h",
      },
    ],
    [{ op: "add", path: "/data/a~1b", value: "1" }],
    [{ op: "nonsense", path: "/data" }],
    [{ op: "add", path: "/none/deep/er", value: "1" }],
  ].map((patch) => ["patch", "cm", "b", "--type=json", "-p", json(patch), "--dry-run=client", "-o", "json"]),
  ["patch", "dz", "z", "-p", "{}"],
  ["patch", "dz", "z", "-p", json({ spec: { domainName: "y.example.com" } }), "--dry-run=client"],
  ["patch", "dz", "z", "--type=merge", "-p", json({ spec: { replicas: 3 } }), "--subresource=scale"],
  ["patch", "dz", "z", "--type=merge", "-p", json({ status: { replicas: 3 } }), "--subresource=status"],
  ["patch", "cm", "a", "-p", data({ x: "named" }), "-o", "name"],
  ["patch", "cm", "a", "-p", data({ x: "wide" }), "-o", "wide"],
  ["patch", "cm", "a", "b", "-p", data({ x: "y" }), "-o", "json"],
];

/** What differs between the namespaces whatever a command does. */
const mask = (text: string) => text.replace(/("?(?:resourceVersion|uid|creationTimestamp)"?: ).*/g, "$1…");

Deno.test({ name: "patch beside kubectl at the real API server", ignore: !atHand }, async (context) => {
  await using world = await openResourceWorld();
  const { run, kubectl, server, folder } = world;
  await Deno.writeTextFile(`${folder}/patch.yaml`, "data:\n  from: file\n");
  await Deno.writeTextFile(
    `${folder}/some.yaml`,
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  in: file\n",
  );
  const beside = await besideKubectl(world, [
    configMap("a", { data: { x: "1" } }),
    configMap("b", { data: { x: "2" } }),
    configMap("s"),
    { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } },
    {
      apiVersion: "dns.networking.miloapis.com/v1alpha1",
      kind: "DNSZone",
      metadata: { name: "z" },
      spec: { domainName: "z.example.com" },
    },
  ]);
  const { ours } = beside;

  await context.step("kubectl's lines and its success or failure", async () => {
    await beside.sameAll(LINES.map((line) => [line, { mask }]));
    const left = async (namespace: string) =>
      mask((await kubectl("-n", namespace, "get", "cm,secrets,dz", "-o", "yaml")).stdout)
        .replaceAll(namespace, "NAMESPACE");
    assert.equal(await left(beside.ours), await left(beside.theirs));
  });

  await context.step("objects as YAML are documents, where kubectl leaves out what parts them", async () => {
    const { stdout } = await run(["patch", "cm", "a", "b", "-n", ours, "-p", "{}", "-o", "yaml"]);
    assert.equal(stdout.split("\n---\n").length, 2);
  });

  await context.step("a strategic patch of lists is not computed here", async () => {
    const patch = json({ metadata: { finalizers: ["a/b"] } });
    const refused = await run(["patch", "cm", "a", "-n", ours, "-p", patch, "--dry-run=client"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /known to the server only\.\nUse --dry-run=server/);
    const local = await run(["patch", "cm", "a", "-n", ours, "-p", "{}", "--local"]);
    assert.equal(local.code, 2);
  });

  await context.step("fields are written as datumctl-patch, or as whom the flag says", async () => {
    const managers = async () =>
      (await kubectl(
        "-n",
        ours,
        "get",
        "cm",
        "a",
        "--show-managed-fields",
        "-o",
        "jsonpath={.metadata.managedFields[*].manager}",
      ))
        .stdout.split(" ");
    assert.ok((await managers()).includes("datumctl-patch"));
    await run(["patch", "cm", "a", "-n", ours, "-p", data({ who: "me" }), "--field-manager=somebody"]);
    assert.ok((await managers()).includes("somebody"));
  });

  await context.step(
    "a number beyond 2^53 keeps its digits, and a value of a Secret is in no error",
    async () => {
      const spec = '{"spec":{"serial":9007199254740993}}';
      const { stdout } = await run(
        ["patch", "dz", "z", "-n", ours, "--type=merge", "-p", spec, "-o", "jsonpath={.spec.serial}"],
      );
      assert.equal(stdout, "9007199254740993");
      await server.admin.apply({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "hidden", namespace: ours },
        stringData: { a: "x" },
      });
      const bad = await run([
        "patch",
        "secret",
        "hidden",
        "-n",
        ours,
        "-p",
        json({ data: { a: "hunter2!" } }),
      ]);
      assert.equal(bad.code, 1);
      assert.doesNotMatch(bad.stderr, /hunter2/);
    },
  );
});
