/** Proves `apply` by its command line at the real API server, alone and in turn with the real kubectl. */

import assert from "node:assert/strict";
import { interruptedError } from "../../../src/errors.ts";
import { runKubectl } from "../../kube/kubectl.ts";
import { besideKubectl } from "./beside-kubectl.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./world.ts";

/** A ConfigMap as a manifest. */
function map(name: string, data: Readonly<Record<string, string>>, more = ""): string {
  const values = Object.entries(data).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`).join("");
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data:\n${values}`;
}

/** A kind that takes any value. */
const ANYTHING = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "anythings.example.org" },
  spec: {
    group: "example.org",
    names: { kind: "Anything", plural: "anythings" },
    scope: "Namespaced",
    versions: [{
      name: "v1",
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
    }],
  },
};

const SCALARS = [
  ..."y Y yes Yes YES on On ON true True TRUE n N no No NO off Off OFF false False FALSE".split(" "),
  ..."yEs tRUE nULL oN yy Infinity inf NaN nan 12:30 12:30:45 190:20:30.15 2001-01-01".split(" "),
  ..."1.2.3 1e e1 0x 0b 0o 0o8 0777 012 08 09.5 0o17 0x1F -0x1F 0b101 1_000 +12 -0 1.0 1.10 .5 5.".split(" "),
  ..."1e3 .5e3 -.5 9007199254740993 9223372036854775807 -9223372036854775808 9007199254740992.5".split(" "),
  ...[
    "2001-01-01T00:00:00Z",
    "!!str 1",
    "!!binary aGk=",
    "'on'",
    '"yes"',
    "!!int '5'",
    "!!float '5'",
    "<<",
    "=",
  ],
];

/** What a person tells their shell: the whole object of a namespace, without what the server makes of it each time. */
async function stateOf({ kubectl }: ResourceWorld, namespace: string): Promise<unknown> {
  const { stdout } = await kubectl("-n", namespace, "get", "cm,secrets,dnszones", "-o", "json");
  const { items } = JSON.parse(stdout) as { readonly items: readonly Record<string, unknown>[] };
  return items.map(({ metadata, ...rest }) => {
    const { name, labels, annotations } = metadata as Record<string, unknown>;
    return { name, labels, annotations, ...rest };
  }).filter(({ name }) => name !== "kube-root-ca.crt");
}

Deno.test({ name: "apply by its command line at the real API server", ignore: !atHand }, async (context) => {
  await using world = await openResourceWorld();
  const { run, server, kubectl, folder } = world;
  let spaces = 0;
  const space = async () => {
    const name = `apply-${spaces += 1}`;
    await server.admin.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    return name;
  };
  const apply = (ns: string, stdin: string, flags = "") =>
    run(`apply -f - -n ${ns} ${flags}`.trim(), { stdin });

  await context.step(
    "created, unchanged, configured in the input's order; a removed field is gone",
    async () => {
      const ns = await space();
      const both = (data: Record<string, string>) => `${map("b", data)}---\n${map("a", { x: "1" })}`;
      const { code, stdout, stderr } = await apply(ns, both({ x: "1", y: "1" }));
      assert.deepEqual([code, stdout, stderr], [0, "configmap/b created\nconfigmap/a created\n", ""]);
      assert.equal(
        (await apply(ns, both({ x: "1", y: "1" }))).stdout,
        "configmap/b unchanged\nconfigmap/a unchanged\n",
      );
      assert.equal(
        (await apply(ns, both({ x: "2" }))).stdout,
        "configmap/b configured\nconfigmap/a unchanged\n",
      );
      const live = await kubectl("-n", ns, "get", "cm", "b", "-o", "jsonpath={.data}");
      assert.equal(live.stdout, '{"x":"2"}');
    },
  );

  await context.step("-o prints what kubectl prints, one object or a list of several", async () => {
    const beside = await besideKubectl(world);
    await Deno.writeTextFile(`${folder}/one.yaml`, map("one", { x: "1" }));
    await Deno.writeTextFile(
      `${folder}/two.yaml`,
      `${map("one", { x: "1" })}---\n${map("two", { x: "2" }, "  labels: {a: b}\n")}`,
    );
    await Deno.writeTextFile(
      `${folder}/wrong.yaml`,
      `${map("one", { x: "1" })}---\n${map("bad", {})}spec: 1\n`,
    );
    const mask = (text: string) => text.replace(/(creationTimestamp|resourceVersion|uid)(": |: ).*/g, "$1$2");
    const lines = [
      "apply --server-side -f FOLDER/one.yaml -o yaml",
      "apply --server-side -f FOLDER/one.yaml -o json",
      "apply --server-side -f FOLDER/two.yaml -o yaml",
      "apply --server-side -f FOLDER/two.yaml -o json",
      "apply --server-side -f FOLDER/two.yaml -o name",
      "apply --server-side -f FOLDER/two.yaml -o jsonpath={.items[*].metadata.name}",
      "apply --server-side -f FOLDER/two.yaml -o jsonpath-as-json={.items[*].data}",
      "apply --server-side -f FOLDER/two.yaml -o name -l a=b",
      "apply --server-side -f FOLDER/two.yaml -o yaml -l a=b",
      "apply --server-side -f FOLDER/two.yaml -o name -l a=c",
      "apply --server-side -f FOLDER/two.yaml -o name --dry-run=server",
      "apply --server-side -f FOLDER/wrong.yaml -o name",
      "apply --server-side -f FOLDER/wrong.yaml -o yaml",
      "apply --server-side -f FOLDER/two.yaml -o wide",
      "apply --server-side -f FOLDER/two.yaml -o custom-columns=N:.metadata.name",
      "apply --server-side -f FOLDER/two.yaml -o name --validate",
      "apply --server-side -f FOLDER/two.yaml -o name --validate=true",
      "apply --server-side -f FOLDER/two.yaml -o name --validate=WARN",
      "apply --server-side -f FOLDER/two.yaml -o name --validate=nonsense",
      "apply --server-side=true -f FOLDER/one.yaml,FOLDER/two.yaml -o name",
      "apply --server-side -f FOLDER/nowhere.yaml",
      "apply --server-side -f FOLDER/one.yaml word",
      "apply --server-side",
      "apply -f FOLDER/two.yaml --dry-run=client",
      "apply -f FOLDER/two.yaml --dry-run",
      "apply -f FOLDER/two.yaml --dry-run=nonsense",
    ];
    await beside.sameAll(lines.map((line) => [line, { mask }]));
  });

  await context.step("what is not done is refused with what to do instead", async () => {
    for (
      const [flags, says] of [
        ["--prune", /datumctl delete -f FILE/],
        ["--server-side=false", /no apply but the server's/],
        ["-k .", /kubectl kustomize/],
        ["--validate=maybe", /--validate takes/],
      ] as const
    ) {
      const { code, stderr, stdout } = await apply("default", map("x", {}), flags);
      assert.deepEqual([code, stdout], [2, ""], flags);
      assert.match(stderr, says);
    }
  });

  await context.step("a conflict with kubectl edit names field, manager and both values", async () => {
    const ns = await space();
    await apply(ns, map("a", { color: "blue", size: "1" }));
    const editor = `${folder}/editor.sh`;
    await Deno.writeTextFile(editor, "#!/bin/sh\nsed -i 's/color: blue/color: red/' \"$1\"\n", {
      mode: 0o755,
    });
    const edited = await runKubectl(["-n", ns, "edit", "cm", "a"], {
      KUBECONFIG: server.admin.kubeconfig,
      KUBE_EDITOR: editor,
    });
    assert.equal(edited.code, 0, edited.stderr);
    const refused = await apply(ns, map("a", { color: "green", size: "1" }));
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /data\.color of kubectl-edit \(live "red", here "green"\)/);
    assert.match(refused.stderr, /--force-conflicts/);
    const forced = await apply(ns, map("a", { color: "green", size: "1" }), "--force-conflicts");
    assert.deepEqual([forced.code, forced.stdout], [0, "configmap/a configured\n"]);
    assert.equal(
      (await apply(ns, map("a", { color: "green", size: "1" }))).stdout,
      "configmap/a unchanged\n",
    );
  });

  await context.step(
    "what kubectl apply wrote is taken over, and both go on in turn without a conflict",
    async () => {
      const ns = await space();
      const theirs = async (data: Record<string, string>) => {
        await Deno.writeTextFile(`${folder}/theirs.yaml`, map("a", data));
        const { code, stdout, stderr } = await kubectl("-n", ns, "apply", "-f", `${folder}/theirs.yaml`);
        assert.equal(code, 0, stderr);
        return stdout;
      };
      const ours = async (data: Record<string, string>) => {
        const { code, stdout, stderr } = await apply(ns, map("a", data));
        assert.equal(code, 0, stderr);
        return stdout;
      };
      const live = async () =>
        JSON.parse((await kubectl("-n", ns, "get", "cm", "a", "-o", "jsonpath={.data}")).stdout);
      await theirs({ a: "1", b: "1", c: "1" });
      assert.equal(await ours({ a: "2", b: "1", d: "1" }), "configmap/a configured\n");
      assert.deepEqual(await live(), { a: "2", b: "1", d: "1" });
      assert.equal(await theirs({ a: "3", b: "1", e: "1" }), "configmap/a configured\n");
      assert.deepEqual(await live(), { a: "3", b: "1", e: "1" });
      assert.equal(await ours({ a: "4", f: "1" }), "configmap/a configured\n");
      assert.deepEqual(await live(), { a: "4", f: "1" });
      assert.equal(await theirs({ a: "5" }), "configmap/a configured\n");
      assert.deepEqual(await live(), { a: "5" });
      assert.equal(await ours({ a: "5" }), "configmap/a unchanged\n");
    },
  );

  await context.step("our own edits give way to the document, and that is said", async () => {
    const ns = await space();
    await apply(ns, map("a", { x: "1" }));
    const patch = ["--type=merge", "--field-manager=datumctl-patch", "-p", '{"data":{"x":"2"}}'];
    assert.equal((await kubectl("-n", ns, "patch", "cm", "a", ...patch)).code, 0);
    const { stdout, stderr } = await apply(ns, map("a", { x: "3" }));
    assert.equal(stdout, "configmap/a configured\n");
    assert.match(stderr, /^configmap\/a: data\.x of datumctl-patch \(live "2", here "3"\) is replaced\.$/m);
  });

  await context.step(
    "a folder with a definition, its namespace and its objects in the wrong order",
    async () => {
      const base = `${folder}/order`;
      await Deno.mkdir(`${base}/deep`, { recursive: true });
      const foo = {
        apiVersion: "example.org/v1",
        kind: "Foo",
        metadata: { name: "f", namespace: "later" },
        spec: { a: 1 },
      };
      const definition = {
        ...ANYTHING,
        metadata: { name: "foos.example.org" },
        spec: { ...ANYTHING.spec, names: { kind: "Foo", plural: "foos" } },
      };
      await Deno.writeTextFile(`${base}/1.json`, JSON.stringify(foo));
      await Deno.writeTextFile(`${base}/2.yaml`, map("o", { x: "1" }, "  namespace: later\n"));
      await Deno.writeTextFile(
        `${base}/deep/3.yml`,
        `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: later\n`,
      );
      await Deno.writeTextFile(`${base}/deep/4.json`, JSON.stringify(definition));
      const dry = await run(`apply -f ${base} -R --dry-run=server`);
      assert.equal(dry.code, 0, dry.stderr);
      assert.match(
        dry.stderr,
        /^foo\.example\.org\/f was not checked, for its kind is defined by the same input\.$/m,
      );
      assert.match(
        dry.stderr,
        /^configmap\/o was not checked, for its namespace is made by the same input\.$/m,
      );
      const names = [
        "foo.example.org/f",
        "configmap/o",
        "namespace/later",
        "customresourcedefinition.apiextensions.k8s.io/foos.example.org",
      ];
      const lines = (outcome: string) => names.map((name) => `${name} ${outcome}\n`).join("");
      const made = await run(`apply -f ${base} -R`);
      assert.deepEqual([made.code, made.stdout], [0, lines("created")], made.stderr);
      const again = await run(`apply -f ${base} --recursive`);
      assert.deepEqual([again.code, again.stdout], [0, lines("unchanged")], again.stderr);
    },
  );

  await context.step(
    "two hundred documents of which three are bad: the others are applied, three are named",
    async () => {
      const ns = await space();
      const documents = Array.from(
        { length: 200 },
        (_one, at) =>
          at === 20
            ? map(`c-${at}`, { x: "1" }) + "daata: {}\n"
            : at === 77
            ? map("Not-A-Name", { x: "1" })
            : at === 150
            ? "apiVersion: v1\nkind: Nothing\nmetadata:\n  name: c-150\n"
            : map(`c-${at}`, { x: "1" }),
      );
      const stdin = documents.join("---\n");
      const { code, stdout, stderr } = await apply(ns, stdin);
      const good = documents.flatMap((_one, at) =>
        [20, 77, 150].includes(at) ? [] : [`configmap/c-${at} created\n`]
      );
      assert.deepEqual([code, stdout], [1, good.join("")]);
      const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
      [
        /^error: configmap\/c-20 of standard input: .*daata/,
        /^error: configmap\/Not-A-Name of standard input: .*RFC 1123/,
        /^error: nothing\/c-150 of standard input: There is no kind Nothing in v1/,
        /^error: 3 of 200 objects were not applied\.$/,
      ].forEach((says, at) => assert.match(errors[at] ?? "", says));
      assert.equal(errors.length, 4);
      const json = await apply(ns, stdin, "--error-format json");
      const codes = json.stderr.trim().split("\n").map((line) => JSON.parse(line).error.code);
      assert.deepEqual(codes, ["INVALID", "INVALID", "NOT_FOUND", "INVALID"]);
    },
  );

  await context.step("on a terminal, many show their progress, and the answer says where", async () => {
    const ns = await space();
    const stdin = Array.from({ length: 60 }, (_one, at) => map(`p-${at}`, { x: "1" })).join("---\n");
    const { stdout, stderr } = await run(`apply -f - -n ${ns}`, { stdin, keys: [] });
    assert.equal(stdout.split("\n").length, 61);
    assert.match(stderr, new RegExp(`^(?:.*\\n)?in the platform .*, namespace ${ns}\\n`));
    const quiet = await run(`apply -q -f - -n ${ns}`, { stdin, keys: [] });
    assert.equal(quiet.stderr, "");
  });

  await context.step("stopped after any request and run again: the same end", async () => {
    const documents = (version: string) =>
      [
        map("a", { x: version, y: "1" }),
        `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  p: ${btoa(version)}\n`,
        map("b", { [`k${version}`]: "1" }, '  labels: {v: "' + version + '"}\n'),
      ].join("---\n");
    const prepare = async (ns: string) => {
      await Deno.writeTextFile(`${folder}/before.yaml`, documents("0"));
      assert.equal((await kubectl("-n", ns, "apply", "-f", `${folder}/before.yaml`)).code, 0);
    };
    const whole = await space();
    await prepare(whole);
    const { stderr } = await apply(whole, documents("1"), "-v");
    const requests = stderr.split("\n").filter((line) => /^[A-Z]+ \S+ \d+ in /.test(line)).length;
    assert.ok(requests > 6, stderr);
    const end = await stateOf(world, whole);
    for (let at = 1; at < requests; at += 1) {
      const ns = await space();
      await prepare(ns);
      const stop = new AbortController();
      const stopped = await run(`apply -v -f - -n ${ns}`, {
        stdin: documents("1"),
        interrupted: stop.signal,
        onStderr: (text) => {
          const seen = text.split("\n").filter((line) => /^[A-Z]+ \S+ \d+ in /.test(line)).length;
          if (seen >= at) stop.abort(interruptedError());
        },
      });
      assert.equal(stopped.code, 130, `after request ${at}: ${stopped.stderr}`);
      const again = await apply(ns, documents("1"));
      assert.equal(again.code, 0, `after request ${at}: ${again.stderr}`);
      const normal = (state: unknown) => JSON.stringify(state).replaceAll(ns, "NS").replaceAll(whole, "NS");
      assert.equal(normal(await stateOf(world, ns)), normal(end), `after request ${at}`);
    }
  });

  await context.step("scalars and large integers arrive as by kubectl", async () => {
    await server.admin.apply(ANYTHING);
    const spec = SCALARS.map((text, at) => `  s${at}: ${text}\n`).join("");
    const keys = "  on: 1\n  0x10: 2\n  1.5: 3\n";
    const beside = await besideKubectl(world);
    const text = `apiVersion: example.org/v1\nkind: Anything\nmetadata:\n  name: s\nspec:\n${spec}${keys}`;
    await Deno.writeTextFile(`${folder}/scalars.yaml`, text);
    const mask = (stdout: string) => stdout.replace(/(creationTimestamp|uid)(": |: ).*/g, "$1$2");
    assert.ok(SCALARS.length >= 60);
    for (const how of ["create", "apply --server-side"]) {
      for (const output of ["json", "yaml"]) {
        const line = `${how} -f FOLDER/scalars.yaml --dry-run=server -o ${output}`;
        const { theirs } = await beside.same(line, { mask });
        assert.equal(theirs.code, 0, theirs.stderr);
      }
    }
    const { stdout } = await run(`apply -f ${folder}/scalars.yaml -n ${beside.ours} -o json`);
    assert.match(stdout, /: 9007199254740993,/);
    assert.match(stdout, /: 9223372036854775807,/);
  });

  await context.step("manifests from a file, a folder and standard input at once", async () => {
    const ns = await space();
    const base = `${folder}/parts`;
    await Deno.mkdir(base, { recursive: true });
    await Deno.writeTextFile(`${base}/x.yaml`, map("x", { a: "1" }));
    await Deno.writeTextFile(`${base}/ignored.txt`, "nothing");
    await Deno.writeTextFile(
      `${folder}/y.json`,
      JSON.stringify({
        apiVersion: "v1",
        kind: "List",
        items: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "y" } }],
      }),
    );
    const { code, stdout, stderr } = await run(`apply -n ${ns} -f ${base} -f ${folder}/y.json,-`, {
      stdin: map("z", { a: "1" }),
    });
    assert.deepEqual(
      [code, stdout],
      [0, "configmap/x created\nconfigmap/y created\nconfigmap/z created\n"],
      stderr,
    );
  });

  await context.step("a Secret's values are in no error, and warnings are told", async () => {
    const ns = await space();
    const secret = (value: string) =>
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  p: ${value}\n`;
    const { code, stderr } = await apply(ns, secret("hunter2hunter2") + "data: hunter2hunter2\n");
    assert.equal(code, 1);
    assert.ok(!stderr.includes("hunter2"), stderr);
    const warned = await apply(ns, secret("a") + "type: null\nunknown: 1\n", "--validate=warn");
    assert.ok(!warned.stdout.includes("warning"));
  });
});
