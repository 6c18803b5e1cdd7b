/** Proves `create` by its command line beside the real kubectl: manifests, and what is made from the command line. */

import assert from "node:assert/strict";
import { besideKubectl } from "./beside-kubectl.ts";
import { atHand, openResourceWorld } from "./world.ts";

const FILES: Readonly<Record<string, string>> = {
  "one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  x: '1'\n",
  "two.yaml":
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n  labels: {a: b}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: three\n",
  "generated.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: made-\n",
  "unknown.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: unknown\ndtaa: {}\n",
  "values.env": "# first\na=1\n\n  B=two words \nC.d=x=y\nNOT_SET_ANYWHERE\n",
  "wrong.env": "a b=1\n",
  "digit.env": "1a=1\n",
  "data/text": "hello\n",
  "data/other.txt": "",
};

const LINES = [
  "create -f FOLDER/one.yaml --dry-run=client",
  "create -f FOLDER/one.yaml --dry-run",
  "create -f FOLDER/one.yaml --dry-run=client -o yaml",
  "create -f FOLDER/two.yaml --dry-run=client -o yaml",
  "create -f FOLDER/two.yaml --dry-run=client -o json",
  "create -f FOLDER/two.yaml --dry-run=server",
  "create -f FOLDER/one.yaml",
  "create -f FOLDER/one.yaml",
  "create -f FOLDER/one.yaml -f FOLDER/two.yaml",
  "create -f FOLDER/two.yaml -o name",
  "create -f FOLDER/two.yaml -l a=none",
  "create -f FOLDER/generated.yaml --dry-run=client",
  "create -f FOLDER/unknown.yaml",
  "create -f FOLDER/unknown.yaml --validate=warn",
  "create -f FOLDER/nowhere.yaml",
  "create -f FOLDER/one.yaml word",
  "create",
  "create nonsense x",
  "create -f FOLDER/one.yaml -o wide",
  "create namespace",
  "create namespace a b",
  "create namespace a -f FOLDER/one.yaml",
  "create ns made-space --dry-run=client",
  "create ns made-space --dry-run=client -o yaml",
  "create namespace made-space --dry-run=server -o name",
  "create cm m1",
  "create cm m1",
  "create configmap m2 --from-literal=a=1 --from-literal=b=2,3=4 --from-literal=c=",
  "create configmap m3 --from-file=FOLDER/data --from-file=other=FOLDER/one.yaml",
  "create configmap m4 --from-env-file=FOLDER/values.env",
  "create configmap m5 --from-env-file=FOLDER/wrong.env",
  "create configmap m5 --from-env-file=FOLDER/digit.env",
  "create configmap m5 --from-env-file=FOLDER/nowhere.env",
  "create configmap m5 --from-env-file=FOLDER/values.env --from-literal=a=1",
  "create configmap m5 --from-file=FOLDER/nowhere",
  "create configmap m5 --from-file=x=FOLDER/data",
  "create configmap m5 --from-file==FOLDER/one.yaml",
  "create configmap m5 --from-file=a=b=FOLDER/one.yaml",
  "create configmap m5 --from-literal=a",
  "create configmap m5 --from-literal==a",
  "create configmap m5 --from-literal=a=1 --from-literal=a=2",
  "create configmap m5 --from-file=FOLDER/one.yaml,FOLDER/two.yaml",
  "create configmap Not_A_Name",
  "create secret generic s1 --from-literal=a=1 --from-file=FOLDER/data",
  "create secret generic s2 --type=example.com/x --from-env-file=FOLDER/values.env",
  "create secret generic s3 --from-literal=a=1 --dry-run=client -o yaml",
  "create secret generic s3 --from-literal=a=1 --dry-run=client -o name",
  "create secret generic s3",
  "create secret generic",
  "create serviceaccount r1",
  "create sa r2 --dry-run=client -o yaml",
  "create sa",
];

Deno.test({ name: "create beside kubectl at the real API server", ignore: !atHand }, async (context) => {
  await using world = await openResourceWorld();
  const { run, kubectl, folder } = world;
  for (const [name, text] of Object.entries(FILES)) {
    const path = `${folder}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  await Deno.writeFile(`${folder}/data/bytes`, new Uint8Array([0xff, 0, 1]));

  await context.step("kubectl's lines, its success or failure, and the same objects", async () => {
    const beside = await besideKubectl(world);
    await beside.sameAll(LINES.map((line) => [line]));
    const made = async (namespace: string) => {
      const { stdout } = await kubectl("-n", namespace, "get", "cm,secrets,sa", "-o", "json");
      const { items } = JSON.parse(stdout) as { readonly items: readonly Record<string, unknown>[] };
      return items.map(({ metadata, ...rest }) => ({ name: (metadata as { name: string }).name, ...rest }))
        .filter(({ name }) => name !== "kube-root-ca.crt");
    };
    const ours = await made(beside.ours);
    assert.ok(ours.length > 10);
    assert.deepEqual(ours, await made(beside.theirs));
    const { stdout } = await kubectl(
      "-n",
      beside.ours,
      "get",
      "cm",
      "m2",
      "-o",
      "yaml",
      "--show-managed-fields",
    );
    assert.match(stdout, /manager: datumctl-create\n/);
  });

  await context.step("a name that the server makes is told", async () => {
    const beside = await besideKubectl(world);
    const { stdout } = await run(`create -f ${folder}/generated.yaml -n ${beside.ours}`);
    assert.match(stdout, /^configmap\/made-\w+ created\n$/);
  });

  await context.step("what exists is ALREADY_EXISTS; of several, the others are created", async () => {
    const { ours } = await besideKubectl(world);
    await run(`create cm two -n ${ours}`);
    const one = await run(`create cm two -n ${ours} --error-format json`);
    assert.deepEqual([one.code, JSON.parse(one.stderr).error.code], [1, "ALREADY_EXISTS"]);
    const both = await run(`create -f ${folder}/two.yaml -n ${ours}`);
    assert.deepEqual([both.code, both.stdout], [1, "configmap/three created\n"]);
    assert.match(both.stderr, /^error: configmap\/two of .*two\.yaml: There is something of that name/);
    assert.match(both.stderr, /^error: 1 of 2 objects were not created\.$/m);
  });

  await context.step("no value is in an error", async () => {
    for (
      const line of [
        "create secret generic s --from-literal hunter2hunter2",
        "create secret generic s --from-literal=hunter2hunter2",
        "create secret generic s --from-literal==hunter2hunter2",
        "create secret generic s --form-literal=password=hunter2hunter2",
        "create secret generic Not_A_Name --from-literal=password=hunter2hunter2",
        "create secret generic s --from-literal=a=hunter2hunter2 --from-literal=a=hunter2hunter2",
      ]
    ) {
      const { code, stdout, stderr } = await run(`${line} -v`);
      assert.notEqual(code, 0, line);
      assert.equal(stdout, "");
      assert.ok(!stderr.includes("hunter2"), `${line}: ${stderr}`);
    }
    const { code, stderr } = await run(`create -f ${folder}/one.yaml --edit`);
    assert.equal(code, 2);
    assert.match(stderr, /no --edit/);
  });
});
