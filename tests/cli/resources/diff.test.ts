/** Proves `diff` by its command line beside `kubectl diff --server-side`: the same text, and nothing of a Secret. */

import assert from "node:assert/strict";
import { runKubectl } from "../../kube/kubectl.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./world.ts";

/** kubectl's text with our names of the two folders and without the times. */
function plain(text: string): string {
  return text.replace(/\/tmp\/(LIVE|MERGED)-\d+\//g, "$1/").replace(/^((?:---|\+\+\+) \S+)\t.*$/gm, "$1");
}

/** What the server makes of a new object is another each time. */
function masked(text: string): string {
  return text.replace(/^([+-] +(?:creationTimestamp|uid|time): ).*$/gm, "$1");
}

function map(name: string, data: Readonly<Record<string, string>>, more = ""): string {
  const values = Object.entries(data).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`).join("");
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data:\n${values}`;
}

/** Both diffs of manifests, in one namespace, as one manager. */
async function both({ run, kubectl, folder }: ResourceWorld, ns: string, text: string, flags = "") {
  const file = `${folder}/diff.yaml`;
  await Deno.writeTextFile(file, text);
  const words = `diff --server-side -f ${file} -n ${ns} --field-manager=datumctl ${flags}`.trim().split(" ");
  return { ours: await run(words), theirs: await kubectl(...words) };
}

Deno.test({ name: "diff beside kubectl at the real API server", ignore: !atHand }, async (context) => {
  await using world = await openResourceWorld();
  const { run, server, kubectl, folder } = world;
  let spaces = 0;
  const space = async () => {
    const name = `diff-${spaces += 1}`;
    await server.admin.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    return name;
  };
  const numbers = (from: number, changed: readonly number[] = []) =>
    Object.fromEntries(
      Array.from({ length: 40 }, (_one, at) => [`k${100 + at}`, changed.includes(at) ? "new" : String(from)]),
    );
  const first = [
    map("a", numbers(1), "  labels: {app: web}\n"),
    map("b", { x: "1" }),
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: diff:role\nrules: []\n",
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  a: aHVudGVyMQ==\n  b: aHVudGVyMg==\n  c: aHVudGVyMw==\n",
  ].join("---\n");

  await context.step("kubectl's text and exit codes", async () => {
    const ns = await space();
    assert.equal((await run(`apply -f - -n ${ns}`, { stdin: first })).code, 0);
    const changes: readonly (readonly [text: string, code: number, flags?: string])[] = [
      [first, 0],
      [first.replaceAll('"1"', '"2"'), 1],
      [map("a", numbers(1, [0, 5, 20, 21, 39]), "  labels: {app: web, x: z}\n"), 1],
      [map("a", numbers(1, [3, 10]), "  annotations: {note: a}\n"), 1],
      [map("new", { x: "1" }) + "---\n" + map("b", { x: "1", y: "2\n3\n" }), 1],
      [map("b", {}), 1],
      [map("b", { x: "2" }), 1, "--show-managed-fields"],
      [first.replace("aHVudGVyMQ==", "bmV3").replace("  b: aHVudGVyMg==\n", "  d: bmV3\n"), 1],
      [first.replaceAll('"1"', '"2"'), 1, "-l app=web"],
      [first, 0, "-l app=none"],
    ];
    for (const [text, code, flags] of changes) {
      const { ours, theirs } = await both(world, ns, text, flags);
      assert.equal(masked(ours.stdout), masked(plain(theirs.stdout)), theirs.stderr + ours.stderr);
      assert.deepEqual([ours.code, theirs.code], [code, code], ours.stderr);
      assert.doesNotMatch(ours.stdout, /aHVudGVy|bmV3/);
    }
  });

  await context.step("an error is above 1, and what can be compared is", async () => {
    const ns = await space();
    const { ours, theirs } = await both(world, ns, `${map("a", { x: "1" })}---\n${map("b", {})}spec: 1\n`);
    assert.deepEqual([ours.code, theirs.code > 1], [2, true]);
    assert.match(ours.stdout, /^\+ {2}name: a$/m);
    assert.match(ours.stderr, /configmap\/b of .*diff\.yaml: .*spec/);
    for (const line of ["diff", "diff -f /nowhere", "diff -f x --prune", "diff --nonsense"]) {
      assert.ok((await run(line)).code > 1, line);
    }
    const unreachable = await run(`diff -f ${folder}/diff.yaml --request-timeout 2s`, {
      env: { DATUMCTL_API_HOSTNAME: "127.0.0.1:9" },
    });
    assert.equal(unreachable.code, 6, unreachable.stderr);
  });

  await context.step("what needs the input's own namespace or kind is told as not checked", async () => {
    const text = [
      map("o", { x: "1" }, "  namespace: diff-later\n"),
      "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: diff-later\n",
    ].join("---\n");
    const { code, stdout, stderr } = await run("diff -f -", { stdin: text });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^diff -u -N LIVE\/v1\.Namespace\.\.diff-later MERGED\/v1\.Namespace\.\.diff-later\n/,
    );
    assert.equal(stderr, "configmap/o was not checked, for its namespace is made by the same input.\n");
  });

  await context.step(
    "what kubectl apply wrote is shown as apply leaves it; no value of a Secret is",
    async () => {
      const ns = await space();
      const secret = (...values: readonly string[]) =>
        `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n${
          values.map((value) => `  ${value}: hunter2-${value}\n`).join("")
        }`;
      await Deno.writeTextFile(`${folder}/client.yaml`, secret("a", "b"));
      assert.equal((await kubectl("-n", ns, "apply", "-f", `${folder}/client.yaml`)).code, 0);
      const same = await run(`diff -f - -n ${ns}`, { stdin: secret("a", "b") });
      assert.deepEqual([same.code, same.stdout], [0, ""]);
      const { code, stdout } = await run(`diff -f - -n ${ns}`, { stdin: secret("a", "c") });
      assert.equal(code, 1);
      assert.deepEqual(stdout.split("\n").filter((line) => /^[-+] /.test(line)), [
        "-  b: '***'",
        "+  c: '***'",
        "-    kubectl.kubernetes.io/last-applied-configuration: '*** (before)'",
        "+    kubectl.kubernetes.io/last-applied-configuration: '*** (after)'",
      ]);
      assert.doesNotMatch(stdout, /hunter2|aHVudGVyMi/);
    },
  );

  await context.step(
    "KUBECTL_EXTERNAL_DIFF is given two private folders, which are gone afterwards",
    async () => {
      const ns = await space();
      const told = `${folder}/told`;
      const program = `${folder}/program.sh`;
      await Deno.writeTextFile(
        program,
        `#!/bin/sh\n{ echo "$#" "$3"; stat -c '%a %n' "$1" "$2" "$1"/* "$2"/*; cat "$1"/* "$2"/*; echo "token:$DATUMCTL_TOKEN"; echo "$1"; } > ${told}\nexit \${CODE:-1}\n`,
        { mode: 0o755 },
      );
      const secret = (value: string) =>
        `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  a: ${value}\n`;
      await run(`apply -f - -n ${ns}`, { stdin: secret("hunter2one") });
      const env = { KUBECTL_EXTERNAL_DIFF: `${program} -x $y` };
      const ran = await run(`diff -f - -n ${ns}`, { stdin: secret("hunter2two"), env });
      assert.deepEqual([ran.code, ran.stdout], [1, ""], ran.stderr);
      const text = await Deno.readTextFile(told);
      assert.match(text, /^3 -x\n700 .*\/LIVE\n700 .*\/MERGED\n600 .*\/v1\.Secret\.diff-\d+\.s\n600 /);
      assert.match(text, /a: '\*\*\* \(before\)'/);
      assert.match(text, /a: '\*\*\* \(after\)'/);
      assert.doesNotMatch(text, /hunter2|aHVudGVyMg/);
      assert.match(text, /^token:$/m);
      await assert.rejects(Deno.stat(text.trim().split("\n").at(-1) ?? ""), Deno.errors.NotFound);
      const none = await run(`diff -f - -n ${ns}`, {
        stdin: secret("hunter2two"),
        env: { KUBECTL_EXTERNAL_DIFF: "/nowhere/program" },
      });
      assert.equal(none.code, 2);
      assert.match(none.stderr, /KUBECTL_EXTERNAL_DIFF/);
      for (const code of [0, 3]) {
        await Deno.writeTextFile(program, `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
        const ended = await run(`diff -f - -n ${ns}`, { stdin: secret("x"), env });
        assert.equal(ended.code, code === 0 ? 0 : 2);
      }
    },
  );

  await context.step("a conflict is an error, unless it is forced", async () => {
    const ns = await space();
    await run(`apply -f - -n ${ns}`, { stdin: map("a", { x: "1" }) });
    await runKubectl(["-n", ns, "patch", "cm", "a", "--type=merge", "-p", '{"data":{"x":"2"}}'], {
      KUBECONFIG: server.admin.kubeconfig,
    });
    const refused = await run(`diff -f - -n ${ns}`, { stdin: map("a", { x: "3" }) });
    assert.deepEqual([refused.code, refused.stdout], [2, ""]);
    assert.match(refused.stderr, /data\.x of kubectl-patch \(live "2", here "3"\)/);
    const forced = await run(`diff -f - -n ${ns} --force-conflicts`, { stdin: map("a", { x: "3" }) });
    assert.equal(forced.code, 1);
    assert.match(forced.stdout, /^- {2}x: "2"\n\+ {2}x: "3"$/m);
  });
});
