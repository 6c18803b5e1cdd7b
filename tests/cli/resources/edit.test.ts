/** Proves that `edit` saves what kubectl saves, and that nothing a person wrote is lost. */

import assert from "node:assert/strict";
import { interruptedError } from "../../../src/errors.ts";
import { runKubectl } from "../../kube/kubectl.ts";
import { type Beside, besideKubectl, configMap } from "./beside-kubectl.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./world.ts";

/** What an editor does with the file `$1`, each with the lines that are run with it. */
const EDITS: readonly (readonly [script: string, lines: readonly string[]])[] = [
  ["true", [
    "edit cm a",
    "edit cm/a -o json",
    "edit cm a b",
    "edit dz z",
    "edit cm nothing",
    "edit cm/a cm/nothing",
  ]],
  [`sed -i 's/x: "1"/x: "2"/' "$1"`, ["edit cm a", "edit cm a", "edit cm/b cm/a"]],
  [`sed -i 's/"x": "2"/"x": "3"/' "$1"`, ["edit cm/a -o json"]],
  [`sed -i 's/x: "3"/x: "4"/' "$1"`, ["edit cm a -o yaml", "edit cm a -o name"]],
  [`sed -i 's/x: .*/x: "5"/' "$1"`, ["edit cm a --output-patch", "edit -f FOLDER/some.yaml"]],
  [`echo '# a comment' >> "$1"`, ["edit cm a"]],
  [`echo >> "$1"`, ["edit cm a"]],
  [`sed -i 's/domainName: .*/domainName: y.example.com/' "$1"`, ["edit dz/z"]],
  [`sed -i 's/name: a$/name: other/' "$1"`, ["edit cm a"]],
  [`sed -i 's/kind: ConfigMap/kind: Secret/' "$1"`, ["edit cm a"]],
  [`sed -i 's/x: .*/x: "6"/' "$1"; exit 3`, ["edit cm a"]],
  [`kill -9 $$`, ["edit cm a"]],
  [`sed -i 's/x: .*/x: [/' "$1"`, ["edit cm a"]],
  [`grep -q 'a b' "$1" || sed -i 's/^  name: a$/&\\n  labels: {"a b": c}/' "$1"`, ["edit cm a"]],
  [`sed -i 's/x: .*/x: "list"/' "$1"`, ["edit cm -o name", "edit cm,secret s"]],
  ["true", ["edit", "edit nonsense x", "edit cm a --validate=nonsense"]],
];

/** Runs lines with an editor, by us and by kubectl. */
async function sameEdits(world: ResourceWorld, beside: Beside): Promise<string[]> {
  const told: string[] = [];
  for (const [at, [script, lines]] of EDITS.entries()) {
    const editor = await editorIn(world, `same-${at}`, script);
    for (const line of lines) {
      const words = line.replace("FOLDER", world.folder).split(" ");
      const their = await runKubectl([`--cache-dir=${world.folder}/cache`, "-n", beside.theirs, ...words], {
        KUBECONFIG: world.server.admin.kubeconfig,
        KUBE_EDITOR: editor,
        TMPDIR: world.folder,
      });
      const our = await world.run([...words, "-n", beside.ours], {
        env: { KUBE_EDITOR: editor, TMPDIR: world.folder },
      });
      const same = masked(our.stdout, beside) === masked(their.stdout, beside) &&
        (our.code === 0) === (their.code === 0) &&
        /Edit cancelled.*/.exec(our.stderr)?.[0] === /Edit cancelled.*/.exec(their.stderr)?.[0];
      if (!same) told.push(JSON.stringify({ script, line, our, their }, undefined, 2));
    }
  }
  return told;
}

const masked = (text: string, { ours, theirs }: Beside) =>
  text.replaceAll(ours, theirs).replace(/("?(?:resourceVersion|uid|creationTimestamp)"?: ).*/g, "$1…");

/** An editor that is a script. */
async function editorIn({ folder }: ResourceWorld, name: string, script: string): Promise<string> {
  const path = `${folder}/${name}.sh`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

/** The file that an error names, with its text. */
async function keptFile(stderr: string): Promise<{ path: string; text: string }> {
  const path = /Your changes are in (\S+)\.(?:\s|$)/.exec(stderr)?.[1] ?? assert.fail(stderr);
  const { mode } = await Deno.stat(path);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  assert.equal(((await Deno.stat(path.replace(/\/[^/]*$/, ""))).mode ?? 0) & 0o777, 0o700);
  return { path, text: await Deno.readTextFile(path) };
}

Deno.test({ name: "edit beside kubectl at the real API server", ignore: !atHand }, async (context) => {
  await using world = await openResourceWorld();
  const { run, kubectl, folder } = world;
  await Deno.mkdir(`${folder}/tmp`);
  const TMPDIR = `${folder}/tmp`;
  await Deno.writeTextFile(`${folder}/some.yaml`, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n");
  const objects = [
    configMap("a", { data: { x: "1" } }),
    configMap("b", { data: { x: "1" } }),
    configMap("s", { data: { x: "s" } }),
    { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { x: "hunter2" } },
    {
      apiVersion: "dns.networking.miloapis.com/v1alpha1",
      kind: "DNSZone",
      metadata: { name: "z" },
      spec: { domainName: "z.example.com" },
    },
  ];
  const edit = async (script: string, line: string, more: Parameters<typeof run>[1] = {}) => {
    const editor = await editorIn(world, "editor", script);
    return await run(line, { ...more, env: { KUBE_EDITOR: editor, TMPDIR, ...more.env } });
  };
  const left = () => [...Deno.readDirSync(TMPDIR)].length;

  await context.step("kubectl's lines, its success or failure, and what becomes of the objects", async () => {
    const beside = await besideKubectl(world, objects);
    assert.deepEqual(await sameEdits(world, beside), []);
    const now = async (namespace: string) =>
      masked((await kubectl("-n", namespace, "get", "cm,secrets,dz", "-o", "yaml")).stdout, beside);
    assert.equal(await now(beside.ours), await now(beside.theirs));
  });

  const { ours } = await besideKubectl(world, objects);

  await context.step("the file is private, and nothing of it stays after an edit", async () => {
    const script =
      `stat -c %a "$1" "$(dirname "$1")" > ${folder}/modes; cp "$1" ${folder}/seen; sed -i 's/x: .*/x: "p"/' "$1"`;
    const { code, stdout } = await edit(script, `edit cm a -n ${ours}`);
    assert.deepEqual([code, stdout], [0, "configmap/a edited\n"]);
    assert.equal(await Deno.readTextFile(`${folder}/modes`), "600\n700\n");
    const seen = await Deno.readTextFile(`${folder}/seen`);
    assert.match(seen, /^# Please edit the object below\. Lines beginning with a '#' will be ignored,\n/);
    assert.doesNotMatch(seen, /managedFields/);
    assert.equal(left(), 0);
    for (const nothing of ["true", `: > "$1"`, `echo '# nothing but this' > "$1"`, `rm "$1"`]) {
      const { code, stderr } = await edit(nothing, `edit cm a -n ${ours}`);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^Edit cancelled, (?:no changes made|saved file was empty)\.\n$/);
      assert.equal(left(), 0);
    }
  });

  await context.step("what the server refuses is shown on top and opened again", async () => {
    const bad = `sed -i 's/^  name: a$/&\\n  labels: {"a b": c}/' "$1"`;
    const script =
      `if grep -q 'was not valid' "$1"; then cp "$1" ${folder}/again; sed -i 's/a b/ab/' "$1"; else ${bad}; fi`;
    const { code, stdout, stderr } = await edit(script, `edit cm a -n ${ours}`);
    assert.deepEqual([code, stdout], [0, "configmap/a edited\n"], stderr);
    assert.match(stderr, /^error: configmaps "a" is invalid$/m);
    assert.match(
      await Deno.readTextFile(`${folder}/again`),
      /^# configmaps "a" was not valid:\n# \* metadata\.labels: Invalid value: "a b"/m,
    );
    assert.equal(left(), 0);
  });

  await context.step("refused and unchanged the second time: it stops, and the text stays", async () => {
    const bad = `grep -q 'a b' "$1" || sed -i 's/^  name: a$/&\\n  labels: {"a b": c}/' "$1"`;
    const { code, stderr } = await edit(bad, `edit cm a -n ${ours}`);
    assert.equal(code, 1);
    assert.match(stderr, /Edit cancelled, no valid changes were saved\./);
    const { path, text } = await keptFile(stderr);
    assert.match(text, /labels: \{"a b": c\}/);
    await Deno.remove(path.replace(/\/[^/]*$/, ""), { recursive: true });
  });

  await context.step("somebody else's change is not written over, and the text stays", async () => {
    const token = world.server.admin.token;
    const script =
      `sed -i 's/x: .*/x: "mine"/' "$1"; curl -sk -X PATCH -H 'Authorization: Bearer ${token}' ` +
      `-H 'Content-Type: application/merge-patch+json' -d '{"data":{"x":"theirs"}}' ` +
      `${world.server.url}/api/v1/namespaces/${ours}/configmaps/a > /dev/null`;
    const { code, stdout, stderr } = await edit(script, `edit cm a -n ${ours}`);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /configmap\/a was changed by somebody else since it was opened/);
    const { path, text } = await keptFile(stderr);
    assert.match(text, /x: "mine"/);
    assert.equal((await kubectl("-n", ours, "get", "cm", "a", "-o", "jsonpath={.data.x}")).stdout, "theirs");
    await Deno.remove(path.replace(/\/[^/]*$/, ""), { recursive: true });
  });

  await context.step("an editor that fails or is killed: the text stays if it was changed", async () => {
    const failed = await edit(`sed -i 's/x: .*/x: "lost"/' "$1"; exit 7`, `edit cm a -n ${ours}`);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /failed \(exit code 7\); nothing was changed/);
    assert.match((await keptFile(failed.stderr)).text, /x: "lost"/);
    const killed = await edit(`sed -i 's/x: .*/x: "lost"/' "$1"; kill -9 $$`, `edit cm a -n ${ours}`);
    assert.match(killed.stderr, /ended by a signal \(exit code 137\)/);
    await keptFile(killed.stderr);
    const before = left();
    const unchanged = await edit("exit 1", `edit cm a -n ${ours}`);
    assert.equal(unchanged.code, 1);
    assert.doesNotMatch(unchanged.stderr, /Your changes/);
    assert.equal(left(), before);
    const none = await run(`edit cm a -n ${ours}`, { env: { EDITOR: "no-such-editor-here", TMPDIR } });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /The editor "no-such-editor-here" is not installed/);
    assert.equal(left(), before);
  });

  await context.step("Ctrl-C while the editor is open: the text stays", async () => {
    const stop = new AbortController();
    const script = `sed -i 's/x: .*/x: "stopped"/' "$1"; touch ${folder}/open; sleep 1`;
    const running = edit(script, `edit cm a -n ${ours}`, { interrupted: stop.signal });
    while (await Deno.stat(`${folder}/open`).catch(() => undefined) === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    stop.abort(interruptedError());
    const { code, stderr } = await running;
    assert.equal(code, 130);
    assert.match((await keptFile(stderr)).text, /x: "stopped"/);
  });

  await context.step("a Secret's file is said to hold one, and its values are in no message", async () => {
    const { code, stderr } = await edit(
      `sed -i 's/x: .*/x: "not base64!"/' "$1"`,
      `edit secret s -n ${ours}`,
    );
    assert.equal(code, 1);
    assert.match(stderr, /It holds a Secret: remove it when you no longer need it\./);
    assert.doesNotMatch(stderr, /hunter2|not base64|aHVudGVyMg/);
    assert.match((await keptFile(stderr)).text, /not base64!/);
  });

  await context.step("no room for the file: refused before the editor starts", async () => {
    const small = `${folder}/small`;
    await Deno.mkdir(small);
    const mounted = await new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=32k", "tmpfs", small],
      stderr: "null",
    }).output().catch(() => undefined);
    if (mounted?.success !== true) return;
    try {
      const { code, stderr } = await edit(`touch ${folder}/started`, `edit cm a -n ${ours}`, {
        env: { TMPDIR: small },
      });
      assert.equal(code, 1);
      assert.match(stderr, /Cannot write .*: the disk is full/);
      assert.equal(await Deno.stat(`${folder}/started`).catch(() => undefined), undefined);
      assert.deepEqual([...Deno.readDirSync(small)], []);
    } finally {
      await new Deno.Command("umount", { args: [small] }).output();
    }
  });

  await context.step("integers beyond 2^53, the editor's own arguments, and a sub-resource", async () => {
    const serial = `sed -i 's/domainName: .*/&\\n  serial: 9007199254740993/' "$1"`;
    assert.equal((await edit(serial, `edit dz z -n ${ours}`)).code, 0);
    assert.equal(
      (await edit(`sed -i 's/^  name: z$/&\\n  labels: {a: b}/' "$1"`, `edit dz z -n ${ours}`)).code,
      0,
    );
    const { stdout } = await kubectl("-n", ours, "get", "dz", "z", "-o", "jsonpath={.spec}");
    assert.match(stdout, /"serial":9007199254740993/);
    const editor = await editorIn(
      world,
      "arguments",
      `test "$1 $2" = "--flag with blanks" && sed -i "s/x: .*/x: args/" "$3"`,
    );
    const quoted = await run(`edit cm b -n ${ours}`, {
      env: { VISUAL: `${editor} --flag 'with blanks'`, EDITOR: "false", TMPDIR },
    });
    assert.deepEqual([quoted.code, quoted.stdout], [0, "configmap/b edited\n"], quoted.stderr);
    const scaled = await edit(
      `sed -i 's/spec: {}/spec: {replicas: 4}/;s/replicas: .*/replicas: 4/' "$1"`,
      `edit dz z --subresource=scale -n ${ours}`,
    );
    assert.deepEqual([scaled.code, scaled.stdout], [0, "scale.autoscaling/z edited\n"], scaled.stderr);
  });

  await context.step("an edit, and then an apply of the same fields: no conflict of our own", async () => {
    const manifest = (x: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\n  namespace: ${ours}\ndata:\n  x: "${x}"\n`;
    const apply = (x: string) => run(["apply", "-f", "-"], { stdin: manifest(x) });
    assert.equal((await apply("1")).code, 0);
    assert.equal((await edit(`sed -i 's/x: .*/x: "2"/' "$1"`, `edit cm mine -n ${ours}`)).code, 0);
    const again = await apply("3");
    assert.equal(again.code, 0, again.stderr);
    for (
      const line of [["patch", "cm", "mine", "-p", '{"data":{"x":"4"}}'], ["annotate", "cm", "mine", "x=y"]]
    ) {
      assert.equal((await run([...line, "-n", ours])).code, 0);
    }
    const last = await apply("5");
    assert.deepEqual([last.code, last.stdout], [0, "configmap/mine configured\n"], last.stderr);
    const managers = await kubectl(
      ...["-n", ours, "get", "cm", "b", "--show-managed-fields"],
      ...["-o", "jsonpath={.metadata.managedFields[*].manager}"],
    );
    assert.match(managers.stdout, /datumctl-edit/);
  });
});
