/** Proves that what creates, changes, deletes and waits for one object does at the real API server what kubectl does. */

import assert from "node:assert/strict";
import { type AppError, failureOrThrow } from "../../../src/errors.ts";
import type { JsonMembers } from "../../../src/kube/lossless-json.ts";
import { asMembers, metadataOf } from "../../../src/kube/json-parts.ts";
import { createObject } from "../../../src/kube/write/create.ts";
import { deleteObject, stillThereError, waitUntilGone } from "../../../src/kube/write/delete.ts";
import { createAll } from "../../../src/kube/write/documents.ts";
import { saveEdit } from "../../../src/kube/write/edit.ts";
import { managerOf } from "../../../src/kube/write/managed-fields.ts";
import {
  changeMetadata,
  metadataLines,
  readChanges,
  splitArguments,
  withChanges,
} from "../../../src/kube/write/metadata-changes.ts";
import { deletedLine, objectLabel, type ObjectRef, resultLine } from "../../../src/kube/write/object-ref.ts";
import { type PATCH_TYPES, patchObject } from "../../../src/kube/write/patch.ts";
import { readWaitFor, waitFor } from "../../../src/kube/write/wait.ts";
import { assertHides, expectRejection } from "../../expect-error.ts";
import { atHand, manifestsOf, manifestText, startWriteServer } from "./write-server.ts";

/** What was printed, or the error instead. */
async function attempt(
  work: () => Promise<string>,
): Promise<{ stdout: string; error: AppError | undefined }> {
  try {
    return { stdout: await work(), error: undefined };
  } catch (thrown) {
    return { stdout: "", error: failureOrThrow(thrown) };
  }
}

const CREATE = { fieldManager: managerOf("create"), validation: "Strict", dryRun: "none" } as const;
const DELETE = { propagation: "Background", dryRun: "none", ignoreNotFound: false } as const;

Deno.test(
  { name: "creating, changing, deleting and waiting at the real API server", ignore: !atHand },
  async (context) => {
    await using server = await startWriteServer();
    const { client } = server.context;

    /** Two objects that are alike: one for kubectl, one for us. */
    async function pair(
      data: JsonMembers,
      metadata: JsonMembers = {},
    ): Promise<{ ns: string; ref: ObjectRef }> {
      const ns = await server.namespace();
      for (const name of ["theirs", "ours"]) {
        const document = {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { ...metadata, name, namespace: ns },
          data,
        };
        await createObject(client, await server.ref("v1", "ConfigMap", name, ns), document, CREATE);
      }
      return { ns, ref: await server.ref("v1", "ConfigMap", "ours", ns) };
    }

    const live = ({ ns }: { ns: string }, name: string) =>
      server.read(`/api/v1/namespaces/${ns}/configmaps/${name}`);

    for (
      const [field, command, lines] of [["labels", "label", LABELS], [
        "annotations",
        "annotate",
        ANNOTATIONS,
      ]] as const
    ) {
      await context.step(`${command}: kubectl's result lines, and what becomes of the object`, async () => {
        const { ns, ref } = await pair({}, {});
        for (const line of lines) {
          const words = line.split(" ");
          const flags = words.filter((word) => word.startsWith("--"));
          const theirs = await server.kubectl(["-n", ns, command, "cm", "theirs", ...words]);
          const ours = await attempt(async () => {
            const { changes } = splitArguments(words.filter((word) => !word.startsWith("--")), field);
            const { outcome, absent } = await changeMetadata(
              client,
              ref,
              field,
              readChanges(changes, field),
              {
                fieldManager: managerOf(command),
                overwrite: flags.includes("--overwrite"),
                dryRun: flags.includes("--dry-run=server")
                  ? "server"
                  : flags.includes("--dry-run=client")
                  ? "client"
                  : "none",
              },
            );
            const missing = field === "labels"
              ? absent.map((key) => `label ${JSON.stringify(key)} not found.\n`)
              : [];
            const dry = flags.includes("--dry-run=server")
              ? "server"
              : flags.includes("--dry-run=client")
              ? "client"
              : "none";
            return `${missing.join("")}${resultLine("configmap/theirs", outcome, dry)}\n`;
          });
          assert.equal(ours.stdout, theirs.stdout, `${line}: ${theirs.stderr}`);
          assert.equal(ours.error === undefined, theirs.code === 0, `${line}: ${theirs.stderr}`);
          const [their, our] = [await live({ ns }, "theirs"), await live({ ns }, "ours")];
          assert.deepEqual(asMembers(metadataOf(our)[field]), asMembers(metadataOf(their)[field]), line);
          const listed = await server.ok(["-n", ns, command, "cm", "theirs", "--list"]);
          assert.deepEqual(
            metadataLines(our, field),
            listed.split("\n").filter((one) => one !== "").sort(),
            line,
          );
        }
        const changed = withChanges(
          await live({ ns }, "ours"),
          field,
          { set: { only: "shown" }, remove: [] },
          false,
        );
        assert.ok(metadataLines(changed.object, field).includes("only=shown"));
        await expectRejection(
          changeMetadata(client, ref, field, { set: { n: "1" }, remove: [] }, {
            fieldManager: managerOf(command),
            overwrite: true,
            resourceVersion: "1",
            dryRun: "none",
          }),
          "CONFLICT",
        );
        const missing = { ...ref, name: "nothing" };
        const options = { fieldManager: "x", overwrite: false, dryRun: "none" } as const;
        await expectRejection(changeMetadata(client, missing, field, { set: {}, remove: [] }, options), {
          code: "NOT_FOUND",
          message: /configmaps "nothing" not found/,
        });
      });
    }

    await context.step("patch: kubectl's result lines, in all three types", async () => {
      const { ns, ref } = await pair({ a: "1" });
      for (const [type, patch] of PATCHES) {
        const flags = [`--type=${type}`, "-p", JSON.stringify(patch)];
        const theirs = await server.kubectl(["-n", ns, "patch", "cm", "theirs", ...flags]);
        const ours = await attempt(async () => {
          const options = { type, patch, fieldManager: managerOf("patch"), dryRun: "none" } as const;
          const { outcome, object } = await patchObject(client, ref, options);
          return `${resultLine(objectLabel(object).replace("ours", "theirs"), outcome, "none")}\n`;
        });
        const told = JSON.stringify([type, patch, theirs.stderr]);
        assert.equal(ours.stdout, theirs.stdout, told);
        assert.equal(ours.error === undefined, theirs.code === 0, told);
        const [their, our] = [await live({ ns }, "theirs"), await live({ ns }, "ours")];
        assert.deepEqual(our.data, their.data, told);
      }
      const options = { type: "merge", fieldManager: "x", dryRun: "server" } as const;
      const dry = await patchObject(client, ref, { ...options, patch: { data: { a: "dry" } } });
      assert.deepEqual([dry.outcome, asMembers(dry.object.data).a], ["patched", "dry"]);
      const zones = await server.ref("dns.networking.miloapis.com/v1alpha1", "DNSZone", "z", ns);
      await createObject(client, zones, zone(ns), CREATE);
      await expectRejection(patchObject(client, zones, { ...options, type: "strategic", patch: {} }), {
        code: "INVALID",
        hint: /--type=merge/,
      });
      const scale = {
        ...options,
        dryRun: "none",
        subresource: "scale",
        patch: { spec: { replicas: 5 } },
      } as const;
      const scaled = await patchObject(client, zones, scale);
      assert.equal(
        resultLine(objectLabel(scaled.object), scaled.outcome, "none"),
        "scale.autoscaling/z patched",
      );
      assert.equal((await patchObject(client, zones, scale)).outcome, "patched (no change)");
    });

    await context.step("create: what exists is a conflict, and is not sent twice", async () => {
      const ns = await server.namespace();
      const text = manifestText(
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
        { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "g-" } },
        { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "g-" } },
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "b" }, daata: {} },
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
      );
      const shared = { namespace: ns, onlyThatNamespace: false, patience: 60_000 };
      server.requests.length = 0;
      const results = await createAll(server.context, manifestsOf(text), { ...shared, ...CREATE });
      const told = results.map((result) => result.type === "failed" ? result.error.code : result.type);
      assert.deepEqual(told, ["done", "done", "done", "INVALID", "ALREADY_EXISTS"]);
      assert.equal(server.requests.filter((one) => one.startsWith("POST")).length, 5);
      const dry = await createAll(server.context, manifestsOf(text).slice(1, 2), {
        ...shared,
        ...CREATE,
        dryRun: "server",
      });
      assert.match(dry[0]?.type === "done" ? objectLabel(dry[0].done.object) : "", /^configmap\/g-.+/);
      const theirs = await server.kubectl(["-n", ns, "create", "-f", "INPUT"], text);
      assert.match(theirs.stdout, /^configmap\/g-\S+ created\nconfigmap\/g-\S+ created\n$/);
    });

    await context.step("edit: what changed is sent, and only for the version that was seen", async () => {
      const { ns, ref } = await pair({ a: "1", b: "1" });
      const options = { fieldManager: managerOf("edit"), validation: "Strict" } as const;
      const seen = await live({ ns }, "ours");
      server.requests.length = 0;
      assert.deepEqual(await saveEdit(client, ref, seen, { ...seen }, options), { outcome: "not changed" });
      const { resourceVersion: _left, ...metadata } = metadataOf(seen);
      assert.equal(
        (await saveEdit(client, ref, seen, { ...seen, metadata }, options)).outcome,
        "not changed",
      );
      assert.deepEqual(server.requests, []);
      const edited = await saveEdit(client, ref, seen, { ...seen, data: { a: "2" } }, options);
      assert.ok(edited.outcome === "edited");
      assert.deepEqual(edited.object.data, { a: "2" });
      await expectRejection(saveEdit(client, ref, seen, { ...seen, data: { a: "3", b: "1" } }, options), {
        code: "CONFLICT",
        message: /changed by somebody else/,
      });
      assert.deepEqual((await live({ ns }, "ours")).data, { a: "2" });
      const renamed = { ...seen, metadata: { ...metadataOf(seen), name: "other" } };
      await expectRejection(saveEdit(client, ref, seen, renamed, options), "INVALID");
      const now = await live({ ns }, "ours");
      const bad = { ...now, metadata: { ...metadataOf(now), labels: { "bad key": "x" } } };
      const refused = await saveEdit(client, ref, now, bad, options);
      assert.ok(refused.outcome === "refused");
      assert.match(refused.lines.join("\n"), /^metadata\.labels: Invalid value: "bad key"/);
      const unknown = await saveEdit(client, ref, now, { ...now, daata: {} }, options);
      assert.ok(unknown.outcome === "refused");
      assert.match(unknown.lines.join("\n"), /unknown field "daata"/);
    });

    await context.step("edit: a Secret's values are in no line about a refusal", async () => {
      const ns = await server.namespace();
      const ref = await server.ref("v1", "Secret", "s", ns);
      const secret = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "s", namespace: ns },
        stringData: { a: "hunter2" },
      };
      const { object } = await createObject(client, ref, secret, CREATE);
      const options = { fieldManager: managerOf("edit"), validation: "Strict" } as const;
      for (const data of [{ a: "hunter2" }, { a: 4711 }, { a: ["hunter2"] }]) {
        const refused = await saveEdit(client, ref, object, { ...object, data }, options);
        assert.ok(refused.outcome === "refused", JSON.stringify(data));
        assertHides(refused.error, ["hunter2", "4711", btoa("hunter2")]);
        assert.doesNotMatch(refused.lines.join("\n"), /hunter2|4711/);
      }
    });

    await context.step("delete: kubectl's result lines", async () => {
      const { ns, ref } = await pair({});
      for (
        const [flag, dryRun] of [["--dry-run=server", "server"], ["--dry-run=client", "client"], [
          "--wait",
          "none",
        ]] as const
      ) {
        const theirs = await server.ok(["-n", ns, "delete", "cm", "theirs", flag]);
        const done = await deleteObject(client, ref, { ...DELETE, dryRun });
        assert.equal(`${deletedLine(done.ref, false, dryRun).replace("ours", "theirs")}\n`, theirs);
      }
      await expectRejection(deleteObject(client, ref, DELETE), {
        code: "NOT_FOUND",
        message: /"ours" not found/,
      });
      assert.equal(
        (await deleteObject(client, ref, { ...DELETE, ignoreNotFound: true })).outcome,
        "not there",
      );
      const zones = await server.ref("dns.networking.miloapis.com/v1alpha1", "DNSZone", "z", ns);
      await createObject(client, zones, zone(ns), CREATE);
      const gone = await deleteObject(client, zones, { ...DELETE, gracePeriod: 0 });
      assert.deepEqual(await waitUntilGone(server.context, [gone], 60_000), []);
      assert.equal(
        deletedLine(zones, true, "none"),
        `dnszone.dns.networking.miloapis.com "z" force deleted from ${ns} namespace`,
      );
    });

    await context.step("delete: what holds an object back is named when the wait ends", async () => {
      const ns = await server.namespace();
      const held = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "held", namespace: ns, finalizers: ["example.com/hold"] },
      };
      const [ref, space] = [
        await server.ref("v1", "ConfigMap", "held", ns),
        await server.ref("v1", "Namespace", ns),
      ];
      await createObject(client, ref, held, CREATE);
      const deleted = [await deleteObject(client, ref, DELETE), await deleteObject(client, space, DELETE)];
      let clock = 0;
      const time = {
        now: () => clock,
        sleep: (milliseconds: number) => Promise.resolve(void (clock += milliseconds)),
      };
      const left = await waitUntilGone({ client, ...time }, deleted, 10_000);
      assert.equal(clock, 10_000);
      const { code, message } = stillThereError(left);
      assert.deepEqual([code, message], [
        "TIMEOUT",
        `Deleted but still there: configmap/held, held back by example.com/hold; namespace/${ns}, held back by kubernetes.`,
      ]);
      const free = {
        type: "merge",
        patch: { metadata: { finalizers: null } },
        fieldManager: "x",
        dryRun: "none",
      } as const;
      const waiting = waitUntilGone(server.context, deleted.slice(0, 1), 60_000);
      await patchObject(client, ref, free);
      assert.deepEqual(await waiting, []);
    });

    await context.step("delete: another object of the same name is not touched", async () => {
      const { ref } = await pair({});
      const { object: { metadata } } = await createObject(
        client,
        { ...ref, name: "x" },
        configMap("x", ref.namespace),
        CREATE,
      );
      const stale = {
        ...client,
        send: async (request: Parameters<typeof client.send>[0]) => {
          if (request.method !== "DELETE") return await client.send(request);
          // Between our look and our deletion somebody puts another object in its place.
          await server.ok(["-n", ref.namespace, "delete", "cm", "x"]);
          await server.ok(["-n", ref.namespace, "create", "cm", "x"]);
          return await client.send(request);
        },
      };
      const done = await deleteObject(stale, { ...ref, name: "x" }, DELETE);
      assert.deepEqual([done.outcome, done.uid], ["deleted", asMembers(metadata).uid]);
      assert.notEqual(metadataOf(await live({ ns: ref.namespace }, "x")).uid, done.uid);
      assert.deepEqual(await waitUntilGone(server.context, [done], 60_000), []);
    });

    await context.step("wait: met or not as for kubectl", async () => {
      const ns = await server.namespace();
      await server.ok(["-n", ns, "create", "cm", "c", "--from-literal=a=1", "--from-literal=n=5"]);
      await server.ok(["apply", "-f", "INPUT"], manifestText(zone(ns)));
      const [at, status] = ["2026-01-02T03:04:05Z", "True"];
      const conditions = [
        { type: "Ready", status, reason: "A", message: "", lastTransitionTime: at, observedGeneration: 1 },
        { type: "Old", status, reason: "A", message: "", lastTransitionTime: at, observedGeneration: 0 },
        { type: "Plain", status: "Unknown", reason: "A", message: "", lastTransitionTime: at },
      ];
      const patch = JSON.stringify({ status: { conditions } });
      await server.ok(["-n", ns, "patch", "dz", "z", "--subresource=status", "--type=merge", "-p", patch]);
      const refs = {
        c: await server.ref("v1", "ConfigMap", "c", ns),
        z: await server.ref("dns.networking.miloapis.com/v1alpha1", "DNSZone", "z", ns),
      };
      for (const [name, text] of WAITS) {
        const kind = name === "c" ? "cm" : "dz";
        const theirs = await server.kubectl(["-n", ns, "wait", kind, name, `--for=${text}`, "--timeout=0"]);
        const ours = await attempt(async () => {
          const [result] = await waitFor(server.context, [{ ref: refs[name] }], readWaitFor(text), {
            timeout: 0,
          });
          if (result?.type === "failed") throw result.error;
          const label = name === "c" ? "configmap/c" : "dnszone.dns.networking.miloapis.com/z";
          return result?.type === "met" ? `${resultLine(label, "condition met", "none")}\n` : "";
        });
        assert.equal(ours.stdout, theirs.stdout, `${name} ${text}: ${theirs.stderr} ${ours.error?.message}`);
        assert.equal(ours.error === undefined, theirs.code === 0, `${name} ${text}: ${theirs.stderr}`);
        if (/condition/.test(theirs.stderr) && !/unrecognized/.test(theirs.stderr)) {
          assert.equal(`error: ${ours.error?.message}\n`, theirs.stderr);
        }
      }
    });

    await context.step("wait: for several objects at once, each with its own end", async () => {
      const ns = await server.namespace();
      await server.ok(["-n", ns, "create", "cm", "going"]);
      await server.ok(["-n", ns, "create", "cm", "staying"]);
      const ref = (name: string) => server.ref("v1", "ConfigMap", name, ns);
      const refs = [{ ref: await ref("going") }, { ref: await ref("absent") }, { ref: await ref("staying") }];
      let [clock, looks] = [0, 0];
      const heard: string[] = [];
      const results = await waitFor(
        {
          client,
          now: () => clock,
          sleep: async (milliseconds) => {
            clock += milliseconds;
            looks += 1;
            if (looks === 2) await server.ok(["-n", ns, "delete", "cm", "going"]);
          },
        },
        refs,
        { type: "delete" },
        { timeout: 5_000, onResult: (result) => heard.push(`${result.ref.name} ${result.type}`) },
      );
      assert.deepEqual(results.map(({ type }) => type), ["met", "not there", "failed"]);
      assert.deepEqual(heard, ["going met", "absent not there", "staying failed"]);
      assert.equal(clock, 5_000);
      const created = waitFor(server.context, [{ ref: await ref("new") }], { type: "create" }, {
        timeout: 60_000,
      });
      await server.ok(["-n", ns, "create", "cm", "new"]);
      assert.deepEqual((await created).map(({ type }) => type), ["met"]);
      const none = await waitFor(
        server.context,
        [{ ref: await ref("none") }],
        readWaitFor("condition=Ready"),
        {
          timeout: 60_000,
        },
      );
      assert.equal(none[0]?.type === "failed" && none[0].error.code, "NOT_FOUND");
    });
  },
);

function configMap(name: string, namespace: string): JsonMembers {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace } };
}

function zone(namespace: string): JsonMembers {
  return {
    apiVersion: "dns.networking.miloapis.com/v1alpha1",
    kind: "DNSZone",
    metadata: { name: "z", namespace },
    spec: { domainName: "a.example.com", weight: 1.5, serial: 9007199254740993n, signed: true },
  };
}

const LABELS = [
  "a-",
  "a=b",
  "a=b",
  "a=c",
  "a=c --overwrite",
  "x=1 y=2",
  "a- nope-",
  "nope-",
  "x=1 z=3 y-",
  "x=1 y=",
  "x=2 y- --overwrite",
  "a=1 a-",
  "a=b=c",
  "=c",
  "-",
  "foo",
  "foo bar=1 baz",
  "a=b_",
  "a=-",
  `a=${"x".repeat(63)}`,
  `a=${"x".repeat(64)} --overwrite`,
  "bad/key/x=1",
  "d=1 --dry-run=server",
  "d=1 --dry-run=client",
  "x-",
  "a-",
  "y-",
];

const ANNOTATIONS = [
  "a-",
  "a=b=c",
  "a=b=c",
  "a=z",
  "a=z --overwrite",
  "a- nope-",
  "=z",
  "-",
  "foo",
  "foo bar",
  "a=1 a-",
  "example.com/x=1 y=",
  "bad/key/x=1",
  "d=1 --dry-run=server",
  "d=1 --dry-run=client",
];

const PATCHES: readonly (readonly [keyof typeof PATCH_TYPES, JsonMembers | readonly JsonMembers[]])[] = [
  ["strategic", { data: { a: "2" } }],
  ["strategic", { data: { a: "2" } }],
  ["merge", { data: { a: null, b: "1" } }],
  ["merge", {}],
  ["merge", []],
  ["json", [{ op: "add", path: "/data/x", value: "1" }]],
  ["json", [{ op: "test", path: "/data/x", value: "2" }]],
  ["json", [{ op: "remove", path: "/data/nope" }]],
  ["json", { op: "remove" }],
  ["merge", { data: { a: 1 } }],
  ["merge", { x: 1 }],
];

const WAITS: readonly (readonly ["c" | "z", string])[] = [
  ["c", "create"],
  ["c", "Create"],
  ["c", "delete"],
  ["c", "condition=Ready"],
  ["c", "jsonpath={.data.a}=1"],
  ["c", "jsonpath={.data.a}=' 1 '"],
  ["c", 'jsonpath={.data.a}="1"'],
  ["c", "jsonpath={.data.a}=2"],
  ["c", "jsonpath=.data.a"],
  ["c", "jsonpath=data.n=5"],
  ["c", "jsonpath={.data.zz}"],
  ["c", "jsonpath={.data.*}"],
  ["c", "jsonpath={.data}"],
  ["c", "jsonpath={.data}=x"],
  ["c", "jsonpath={.data.a}="],
  ["c", "jsonpath={.data.a}=1=2"],
  ["c", "jsonpath="],
  ["c", "jsonpath={.data.a"],
  ["c", "foo"],
  ["c", "condition"],
  ["c", ""],
  ["z", "condition=Ready"],
  ["z", "condition=ready=TRUE"],
  ["z", "condition=Ready=False"],
  ["z", "condition=Old"],
  ["z", "condition=Plain=unknown"],
  ["z", "condition="],
  ["z", "condition=Ready=a=b"],
  ["z", "jsonpath={.spec.weight}=1.5"],
  ["z", "jsonpath={.spec.serial}=9007199254740993"],
  ["z", "jsonpath={.spec.signed}=true"],
  ["z", "jsonpath={.spec.nameservers}=2"],
  ["z", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True'],
  ["z", 'jsonpath={.status.conditions[?(@.type!="Ready")].status}'],
  ["z", "jsonpath={.status.conditions[0].type}=Ready"],
];
