/** Proves server-side apply at the real API server, alone and in turn with the real kubectl. */

import assert from "node:assert/strict";
import { isMembers, type Json, type JsonMembers } from "../../../src/kube/lossless-json.ts";
import { metadataOf } from "../../../src/kube/json-parts.ts";
import { type Applied, applyObject, type ApplyOptions } from "../../../src/kube/write/apply.ts";
import { conflictsIn } from "../../../src/kube/write/conflict.ts";
import { applyAll } from "../../../src/kube/write/documents.ts";
import { saveEdit } from "../../../src/kube/write/edit.ts";
import { LAST_APPLIED } from "../../../src/kube/write/last-applied.ts";
import { APPLY_MANAGER, managerOf } from "../../../src/kube/write/managed-fields.ts";
import { changeMetadata } from "../../../src/kube/write/metadata-changes.ts";
import { patchObject } from "../../../src/kube/write/patch.ts";
import { failuresError, type WriteResult } from "../../../src/kube/write/write-all.ts";
import { assertHides, expectRejection } from "../../expect-error.ts";
import { atHand, manifestsOf, manifestText, startWriteServer, type WriteServer } from "./write-server.ts";

const PLAIN: ApplyOptions = {
  fieldManager: APPLY_MANAGER,
  validation: "Strict",
  force: false,
  dryRun: "none",
};

const SHARED = { namespace: "default", onlyThatNamespace: false, patience: 60_000 };

/** A ConfigMap of a namespace. */
function configMap(namespace: string, data: JsonMembers, metadata: JsonMembers = {}): JsonMembers {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace, ...metadata }, data };
}

function zone(namespace: string, spec: JsonMembers, name = "z"): JsonMembers {
  return {
    apiVersion: "dns.networking.miloapis.com/v1alpha1",
    kind: "DNSZone",
    metadata: { name, namespace },
    spec: { domainName: "a.example.com", ...spec },
  };
}

/** Applies one document as the command does. */
async function apply(server: WriteServer, document: JsonMembers, options: Partial<ApplyOptions> = {}) {
  const { name, namespace } = metadataOf(document);
  const ref = await server.ref(
    String(document.apiVersion),
    String(document.kind),
    String(name),
    String(namespace),
  );
  return await applyObject(server.context.client, ref, document, { ...PLAIN, ...options });
}

function dataOf({ object }: Applied): Json | undefined {
  return object.data;
}

/** The manager and operation of each entry of an object's managed fields. */
function managersOf(object: JsonMembers): string[] {
  const entries = metadataOf(object).managedFields as readonly JsonMembers[];
  return entries.map(({ manager, operation }) => `${manager} ${operation}`).sort();
}

function outcomes(results: readonly WriteResult<Applied>[]): string[] {
  return results.map((result) =>
    `${result.label} ${
      result.type === "done"
        ? result.done.outcome
        : result.type === "failed"
        ? result.error.code
        : result.type
    }`
  );
}

Deno.test({ name: "server-side apply at the real API server", ignore: !atHand }, async (context) => {
  await using server = await startWriteServer();
  const { client } = server.context;

  await context.step("created, unchanged, configured, and a removed field is gone", async () => {
    const ns = await server.namespace();
    assert.equal((await apply(server, configMap(ns, { a: "1", b: "2" }))).outcome, "created");
    server.requests.length = 0;
    assert.equal((await apply(server, configMap(ns, { a: "1", b: "2" }))).outcome, "unchanged");
    const path = `/api/v1/namespaces/${ns}/configmaps/a`;
    assert.deepEqual(server.requests, [
      `GET ${path}`,
      `PATCH ${path}?fieldManager=datumctl&fieldValidation=Strict`,
    ]);
    const configured = await apply(server, configMap(ns, { a: "3" }));
    assert.deepEqual([configured.outcome, dataOf(configured)], ["configured", { a: "3" }]);
  });

  await context.step("a dry run tells what an apply would do, and writes nothing", async () => {
    const ns = await server.namespace();
    const dryRun = "server";
    assert.equal((await apply(server, configMap(ns, { a: "1" }), { dryRun })).outcome, "created");
    assert.equal((await apply(server, configMap(ns, { a: "1" }), { dryRun: "client" })).outcome, "created");
    assert.equal((await apply(server, configMap(ns, { a: "1" }))).outcome, "created");
    assert.equal((await apply(server, configMap(ns, { a: "1" }), { dryRun })).outcome, "unchanged");
    const changed = await apply(server, configMap(ns, { b: "2" }), { dryRun });
    assert.deepEqual([changed.outcome, dataOf(changed)], ["configured", { b: "2" }]);
    assert.equal(
      (await apply(server, configMap(ns, { a: "1" }), { dryRun: "client" })).outcome,
      "configured",
    );
    const live = await server.read(`/api/v1/namespaces/${ns}/configmaps/a`);
    assert.deepEqual(live.data, { a: "1" });
  });

  await context.step("integers of 64 bits arrive with every digit", async () => {
    const ns = await server.namespace();
    const { object } = await apply(server, zone(ns, { serial: 9007199254740993n }));
    assert.equal(isMembers(object.spec) && object.spec.serial, 9007199254740993n);
    assert.equal((await apply(server, zone(ns, { serial: 9007199254740993n }))).outcome, "unchanged");
  });

  await context.step(
    "what kubectl edits and patches is a conflict: field, manager, both values",
    async () => {
      const ns = await server.namespace();
      await apply(server, configMap(ns, { "a.b": "1", c: "2" }, { labels: { "example.com/x": "y" } }));
      const patch = JSON.stringify({
        data: { "a.b": "live" },
        metadata: { labels: { "example.com/x": "live" } },
      });
      await server.ok(["patch", "-n", ns, "cm", "a", "--type=merge", "-p", patch]);
      const document = configMap(ns, { "a.b": "new", c: "2" }, { labels: { "example.com/x": "new" } });
      const error = await expectRejection(apply(server, document), {
        code: "CONFLICT",
        exitCode: 1,
        message: /^configmap\/a was not applied/,
        hint: /--force-conflicts/,
        says: [
          /data\["a\.b"\] of kubectl-patch \(live "live", here "new"\)/,
          /metadata\.labels\["example\.com\/x"\] of kubectl-patch \(live "live", here "new"\)/,
        ],
      });
      assert.equal(conflictsIn(error)?.length, 2);
      const forced = await apply(server, document, { force: true });
      assert.deepEqual([forced.outcome, dataOf(forced)], ["configured", { "a.b": "new", c: "2" }]);
      assert.equal((await apply(server, document)).outcome, "unchanged");
    },
  );

  await context.step("a conflict within a list names the item by its keys", async () => {
    const ns = await server.namespace();
    const records = (value: string) => ({ records: [{ name: "www", values: [value] }, { name: "mail" }] });
    const ports = (port: number) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s", namespace: ns },
      spec: { ports: [{ name: "web", port: 80, targetPort: port }] },
    });
    await apply(server, ports(8080));
    await apply(server, zone(ns, records("1.2.3.4")));
    const patch = '[{"op":"replace","path":"/spec/ports/0/targetPort","value":9090}]';
    await server.ok(["patch", "-n", ns, "svc", "s", "--type=json", "-p", patch]);
    await expectRejection(apply(server, ports(7070)), {
      code: "CONFLICT",
      message: /spec\.ports\[port=80,protocol=TCP\]\.targetPort of kubectl-patch \(live 9090, here 7070\)/,
    });
    // A set of values merges: neither side has taken anything from the other.
    assert.equal((await apply(server, zone(ns, records("5.6.7.8")))).outcome, "configured");
  });

  await context.step("what kubectl apply wrote is taken over, and both tools go on in turn", async () => {
    const ns = await server.namespace();
    const document = (data: JsonMembers) => configMap(ns, data, { annotations: { note: "mine" } });
    const theirs = async (data: JsonMembers) =>
      await server.ok(["apply", "-f", "INPUT"], manifestText(document(data)));
    const ours = async (data: JsonMembers) => (await apply(server, document(data))).outcome;
    const live = () => server.read(`/api/v1/namespaces/${ns}/configmaps/a`);

    assert.equal(await theirs({ a: "1", b: "1", c: "1" }), "configmap/a created\n");
    // The same document, then a changed, a new and a removed field.
    assert.equal(await ours({ a: "1", b: "1", c: "1" }), "unchanged");
    assert.equal(await ours({ a: "2", b: "1", d: "1" }), "configured");
    assert.deepEqual((await live()).data, { a: "2", b: "1", d: "1" });
    assert.equal(await theirs({ a: "2", b: "1", d: "1" }), "configmap/a unchanged\n");
    assert.equal(await theirs({ a: "3", b: "1", e: "1" }), "configmap/a configured\n");
    assert.deepEqual((await live()).data, { a: "3", b: "1", e: "1" });
    assert.equal(await ours({ a: "3", b: "1", e: "1" }), "unchanged");
    assert.equal(await ours({ a: "4", f: "1" }), "configured");
    assert.deepEqual((await live()).data, { a: "4", f: "1" });
    assert.equal(await theirs({ a: "4", f: "1" }), "configmap/a unchanged\n");
    assert.equal(await theirs({ a: "5" }), "configmap/a configured\n");
    assert.equal(await ours({ a: "6", g: "1" }), "configured");
    const last = await live();
    assert.deepEqual(last.data, { a: "6", g: "1" });
    assert.deepEqual(managersOf(last), ["datumctl Apply"]);
    const annotations = metadataOf(last).annotations as JsonMembers;
    assert.deepEqual(Object.keys(annotations).sort(), [LAST_APPLIED, "note"].sort());
    // The text is byte for byte what kubectl makes of the document.
    await server.ok(["apply", "-f", "INPUT"], manifestText(document({ a: "6", g: "1" })));
    assert.deepEqual(metadataOf(await live()).annotations, annotations);
    assert.equal(annotations.note, "mine");
  });

  await context.step("custom resources and lists of objects are taken over, too", async () => {
    const ns = await server.namespace();
    const records = (...names: readonly string[]) => ({
      records: names.map((name) => ({ name, values: ["1"] })),
    });
    await server.ok(["apply", "-f", "INPUT"], manifestText(zone(ns, { ...records("a", "b"), ttl: 5 })));
    const { object } = await apply(server, zone(ns, records("b", "c")));
    const spec = object.spec as JsonMembers;
    assert.deepEqual((spec.records as readonly JsonMembers[]).map(({ name }) => name).sort(), ["b", "c"]);
    assert.equal(spec.ttl, 300, "the default is back");
    assert.deepEqual(managersOf(object), ["datumctl Apply"]);
  });

  await context.step("a dry run shows an object as it is after it was taken over", async () => {
    const ns = await server.namespace();
    await server.ok(["apply", "-f", "INPUT"], manifestText(configMap(ns, { a: "1", b: "1" })));
    const dry = await apply(server, configMap(ns, { a: "2" }), { dryRun: "server" });
    assert.deepEqual([dry.outcome, dataOf(dry)], ["configured", { a: "2" }]);
    const same = await apply(server, configMap(ns, { a: "1", b: "1" }), { dryRun: "server" });
    assert.equal(same.outcome, "unchanged");
    const live = await server.read(`/api/v1/namespaces/${ns}/configmaps/a`);
    assert.deepEqual([live.data, managersOf(live)], [
      { a: "1", b: "1" },
      ["kubectl-client-side-apply Update"],
    ]);
  });

  await context.step(
    "the annotation of client-side apply is carried if another manager wrote it, and is never added",
    async () => {
      const ns = await server.namespace();
      await server.ok(["create", "--save-config", "-f", "INPUT"], manifestText(configMap(ns, { a: "1" })));
      const { object } = await apply(server, configMap(ns, { a: "1", b: "1" }));
      assert.deepEqual(object.data, { a: "1", b: "1" });
      const annotations = metadataOf(object).annotations as JsonMembers;
      assert.match(String(annotations[LAST_APPLIED]), /"b":"1"/);
      const plain = await apply(server, configMap(await server.namespace(), { a: "1" }));
      assert.equal(metadataOf(plain.object).annotations, undefined);
    },
  );

  await context.step("a document that names the version it is for is applied to that one only", async () => {
    const ns = await server.namespace();
    await server.ok(["apply", "-f", "INPUT"], manifestText(configMap(ns, { a: "1" })));
    const exported = await server.read(`/api/v1/namespaces/${ns}/configmaps/a`);
    const { managedFields: _fields, ...metadata } = metadataOf(exported);
    const document = { ...exported, metadata, data: { a: "2" } };
    assert.equal((await apply(server, document)).outcome, "configured");
    const stale = await server.read(`/api/v1/namespaces/${ns}/configmaps/a`);
    await expectRejection(apply(server, document), {
      code: "CONFLICT",
      message: /the object has been modified/,
    });
    const now = await server.read(`/api/v1/namespaces/${ns}/configmaps/a`);
    assert.deepEqual(now, stale, "nothing was taken over for an apply that is refused");
  });

  await context.step("somebody writes while an object is taken over: the apply starts over", async () => {
    const ns = await server.namespace();
    await server.ok(["apply", "-f", "INPUT"], manifestText(configMap(ns, { a: "1", b: "1" })));
    const ref = await server.ref("v1", "ConfigMap", "a", ns);
    let interfered = 0;
    const busy = {
      ...client,
      send: async (request: Parameters<typeof client.send>[0]) => {
        const type = interfered < 2 ? "application/json-patch+json" : "application/apply-patch+yaml";
        if (request.contentType === type && interfered < 4) {
          interfered += 1;
          await server.ok(
            ["apply", "-f", "INPUT"],
            manifestText(configMap(ns, { a: `${interfered}`, b: `${interfered}x` })),
          );
        }
        return await client.send(request);
      },
    };
    const done = await applyObject(busy, ref, configMap(ns, { a: "2" }), PLAIN);
    assert.equal(interfered, 4);
    assert.deepEqual([done.outcome, dataOf(done), managersOf(done.object)], [
      "configured",
      { a: "2" },
      ["datumctl Apply"],
    ]);
  });

  await context.step(
    "our own edit, patch, label and annotate are in no conflict with our own apply",
    async () => {
      const ns = await server.namespace();
      const document = configMap(ns, { a: "1", b: "1" }, { labels: { x: "1" } });
      await apply(server, document);
      const ref = await server.ref("v1", "ConfigMap", "a", ns);
      const live = await server.read(`/api/v1/namespaces/${ns}/configmaps/a`);
      await saveEdit(client, ref, live, { ...live, data: { a: "edited", b: "1", other: "stays" } }, {
        fieldManager: managerOf("edit"),
        validation: "Strict",
      });
      await patchObject(client, ref, {
        type: "merge",
        patch: { data: { b: "patched" } },
        fieldManager: managerOf("patch"),
        dryRun: "none",
      });
      await changeMetadata(client, ref, "labels", { set: { x: "2", y: "stays" }, remove: [] }, {
        fieldManager: managerOf("label"),
        overwrite: true,
        dryRun: "none",
      });
      const dry = await apply(server, document, { dryRun: "server" });
      const done = await apply(server, document);
      for (const { object, replaced, outcome } of [dry, done]) {
        assert.equal(outcome, "configured");
        assert.deepEqual(object.data, { a: "1", b: "1", other: "stays" });
        assert.deepEqual(metadataOf(object).labels, { x: "1", y: "stays" });
        const told = replaced.map((
          { field, live, wanted, manager },
        ) => [field, live, wanted, manager.manager]);
        assert.deepEqual(told.sort(), [
          ["data.a", '"edited"', '"1"', "datumctl-edit"],
          ["data.b", '"patched"', '"1"', "datumctl-patch"],
          ["metadata.labels.x", '"2"', '"1"', "datumctl-label"],
        ]);
      }
      assert.equal((await apply(server, document)).outcome, "unchanged");
      // Under another name our changes are others' changes.
      await patchObject(client, ref, {
        type: "merge",
        patch: { data: { a: "again" } },
        fieldManager: managerOf("patch"),
        dryRun: "none",
      });
      await expectRejection(apply(server, document, { fieldManager: "ci" }), "CONFLICT");
    },
  );

  await context.step("a conflict with others stays one beside changes of our own", async () => {
    const ns = await server.namespace();
    const document = configMap(ns, { a: "1", b: "1" });
    await apply(server, document);
    const ref = await server.ref("v1", "ConfigMap", "a", ns);
    const fieldManager = managerOf("patch");
    await patchObject(client, ref, {
      type: "merge",
      patch: { data: { a: "2" } },
      fieldManager,
      dryRun: "none",
    });
    await server.ok(["patch", "-n", ns, "cm", "a", "--type=merge", "-p", '{"data":{"b":"2"}}']);
    const error = await expectRejection(apply(server, document), "CONFLICT");
    assert.deepEqual(conflictsIn(error)?.map(({ field }) => field), ["data.b"]);
    const live = await server.read(`/api/v1/namespaces/${ns}/configmaps/a`);
    assert.deepEqual(live.data, { a: "2", b: "2" });
  });

  await context.step("values of Secrets are in no conflict, no refusal and no warning", async () => {
    const ns = await server.namespace();
    const secret = (more: JsonMembers) => ({
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: ns } },
      ...more,
    });
    const [live, wanted] = [btoa("hunter2"), btoa("hunter2-new")];
    const values = ["hunter2", live, wanted, "12345678", "4711"];
    await server.ok(["apply", "-f", "INPUT"], manifestText(secret({ stringData: { password: "hunter2" } })));
    await server.ok([
      "patch",
      "-n",
      ns,
      "secret",
      "s",
      "--type=merge",
      "-p",
      JSON.stringify({ data: { password: live, x: live } }),
    ]);
    const conflict = await expectRejection(apply(server, secret({ data: { password: wanted, x: wanted } })), {
      code: "CONFLICT",
      message: /data\.x of kubectl-patch \(live \*\*\*, here \*\*\*\)/,
    });
    assertHides(conflict, values);
    const numbers = { stringData: { password: 12345678, pin: 4711, list: ["hunter2"] } };
    const refused = await expectRejection(apply(server, secret(numbers)), {
      code: "INVALID",
      message: /stringData\.password: expected string/,
    });
    assertHides(refused, values);
    const text = await expectRejection(apply(server, secret({ data: { password: "hunter2!" } })), "INVALID");
    assertHides(text, values);
  });

  await context.step("what is wrong with a document is told, and is not sent again", async () => {
    const ns = await server.namespace();
    server.requests.length = 0;
    await expectRejection(apply(server, { ...configMap(ns, { a: "1" }), daata: {} }), {
      code: "INVALID",
      message: /\.daata: field not declared in schema/,
      retryable: false,
    });
    assert.equal(server.requests.filter((one) => one.startsWith("PATCH")).length, 1);
    await expectRejection(apply(server, zone(ns, { domainName: "BAD" })), {
      code: "INVALID",
      message: /spec\.domainName/,
    });
    await expectRejection(apply(server, configMap("nowhere", { a: "1" })), {
      code: "NOT_FOUND",
      message: /namespaces "nowhere" not found/,
    });
  });

  await context.step("definition, namespace and objects in the wrong order", async () => {
    const manifests = manifestsOf(WRONG_ORDER);
    const dry = await applyAll(server.context, manifests, { ...SHARED, ...PLAIN, dryRun: "server" });
    assert.deepEqual(outcomes(dry), [
      "foo.example.org/f unchecked",
      "configmap/o unchecked",
      "foo.example.org/g unchecked",
      "namespace/later created",
      "customresourcedefinition.apiextensions.k8s.io/foos.example.org created",
      "configmap/p created",
    ]);
    const heard: string[] = [];
    const done = await applyAll(server.context, manifests, {
      ...SHARED,
      ...PLAIN,
      onResult: ({ label }) => heard.push(label),
    });
    assert.deepEqual(outcomes(done).map((one) => one.split(" ")[1]), Array(6).fill("created"));
    assert.deepEqual(heard, manifests.map((_one, at) => done[at]?.label));
    const again = await applyAll(server.context, manifests, { ...SHARED, ...PLAIN });
    assert.deepEqual(outcomes(again).map((one) => one.split(" ")[1]), Array(6).fill("unchanged"));
    assert.equal(failuresError(again, "applied"), undefined);
  });

  await context.step(
    "two hundred documents, three of them bad: the others are applied, all failures told",
    async () => {
      const ns = await server.namespace();
      const documents: JsonMembers[] = Array.from({ length: 200 }, (_one, at) => ({
        ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: `c-${at}` }, data: { at: String(at) } },
        ...(at === 20 ? { daata: {} } : {}),
        ...(at === 77 ? { metadata: { name: "Not A Name" } } : {}),
        ...(at === 150 ? { kind: "Nothing" } : {}),
      }));
      const heard: number[] = [];
      const results = await applyAll(server.context, manifestsOf(manifestText(...documents)), {
        ...SHARED,
        ...PLAIN,
        namespace: ns,
        onProgress: (done, all) => {
          assert.equal(all, 200);
          heard.push(done);
        },
      });
      assert.deepEqual(heard, documents.map((_one, at) => at + 1));
      const bad = outcomes(results).flatMap((one, at) => one.endsWith(" created") ? [] : [[at, one]]);
      assert.deepEqual(bad, [
        [20, "configmap/c-20 INVALID"],
        [77, "configmap/Not A Name INVALID"],
        [150, "nothing/c-150 NOT_FOUND"],
      ]);
      const error = failuresError(results, "applied");
      assert.deepEqual([error?.message, error?.exitCode], ["3 of 200 objects were not applied.", 1]);
      const listed = await server.ok(["get", "cm", "-n", ns, "-o", "name"]);
      assert.equal(listed.split("\n").filter((line) => line.startsWith("configmap/c-")).length, 197);
    },
  );

  await context.step(
    "a namespace that is asked for and another one that is named do not go together",
    async () => {
      const [ns, other] = [await server.namespace(), await server.namespace()];
      const results = await applyAll(
        server.context,
        manifestsOf(manifestText(configMap(other, {}), { ...configMap(ns, {}), metadata: { name: "b" } })),
        { ...SHARED, ...PLAIN, namespace: ns, onlyThatNamespace: true },
      );
      assert.deepEqual(outcomes(results), ["configmap/a INVALID", "configmap/b created"]);
    },
  );

  await context.step("two documents of one object are applied one after the other", async () => {
    const ns = await server.namespace();
    const documents = Array.from({ length: 5 }, (_one, at) => configMap(ns, { at: String(at) }));
    const results = await applyAll(server.context, manifestsOf(manifestText(...documents)), {
      ...SHARED,
      ...PLAIN,
    });
    assert.deepEqual(outcomes(results).map((one) => one.split(" ")[1]), [
      "created",
      ...Array(4).fill("configured"),
    ]);
  });

  await context.step("warnings of the server come with the object", async () => {
    const ns = await server.namespace();
    const { warnings } = await apply(server, {
      ...zone(ns, {}),
      metadata: { name: "z", namespace: ns, finalizers: ["plain"] },
    });
    assert.match(warnings.join("\n"), /"plain": prefer a domain-qualified finalizer name/);
    assert.deepEqual((await apply(server, zone(ns, {}))).warnings, []);
  });

  await context.step(
    "many of one kind are read by one list, and what it cannot say is asked for",
    async () => {
      const ns = await server.namespace();
      const documents = (data: JsonMembers) =>
        Array.from({ length: 10 }, (_one, at) => configMap(ns, data, { name: `m-${at}` }));
      const all = async (data: JsonMembers, options: Partial<ApplyOptions> = {}) => {
        server.requests.length = 0;
        const text = manifestText(...documents(data));
        return await applyAll(server.context, manifestsOf(text), { ...SHARED, ...PLAIN, ...options });
      };
      const outcome = (results: readonly WriteResult<Applied>[]) =>
        [...new Set(outcomes(results).map((one) => one.split(" ")[1]))].join();
      const reads = () => server.requests.filter((one) => one.startsWith("GET "));
      const collection = `/api/v1/namespaces/${ns}/configmaps`;
      assert.equal(outcome(await all({ a: "1" })), "created");
      assert.deepEqual(reads(), [`GET ${collection}?limit=20`]);
      assert.equal(outcome(await all({ a: "1" })), "unchanged");
      assert.equal(outcome(await all({ a: "2" })), "configured");
      assert.equal(server.requests.length, 11);
      assert.equal(outcome(await all({ a: "3" }, { dryRun: "server" })), "configured");
      assert.equal(outcome(await all({ a: "3" }, { dryRun: "client" })), "configured");

      // What kubectl applied is taken over, and a conflict is told with the values of now.
      await server.ok(["apply", "-f", "INPUT"], manifestText(...documents({ a: "3", b: "1" })));
      assert.equal(outcome(await all({ a: "4" })), "configured");
      const live = await server.read(`${collection}/m-7`);
      assert.deepEqual([live.data, managersOf(live)], [{ a: "4" }, ["datumctl Apply"]]);
      await server.ok(["patch", "-n", ns, "cm", "m-7", "--type=merge", "-p", '{"data":{"a":"theirs"}}']);
      const [bad, ...others] = outcomes(await all({ a: "5" })).filter((one) => !one.endsWith(" configured"));
      assert.deepEqual([bad, others], ["configmap/m-7 CONFLICT", []]);
    },
  );

  await context.step("an object that is not in the part of a list that is read is asked for", async () => {
    const ns = await server.namespace();
    const make = (count: number, name: string) =>
      Array.from({ length: count }, (_one, at) => configMap(ns, {}, { name: `${name}-${at}` }));
    await server.ok(["create", "-f", "INPUT"], manifestText(...make(20, "a"), ...make(4, "z")));
    server.requests.length = 0;
    const results = await applyAll(server.context, manifestsOf(manifestText(...make(8, "z"))), {
      ...SHARED,
      ...PLAIN,
    });
    assert.deepEqual(
      outcomes(results).map((one) => one.split(" ")[1]),
      [...Array(4).fill("unchanged"), ...Array(4).fill("created")],
    );
    assert.equal(server.requests.filter((one) => one.startsWith("GET ")).length, 9);
  });

  await context.step(
    "a dry run shows the server's defaults in the place of what kubectl apply had",
    async () => {
      const ns = await server.namespace();
      const service = (port: number) => ({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "s", namespace: ns },
        spec: { selector: { app: "web" }, ports: [{ name: "web", port }] },
      });
      const secret = (stringData: JsonMembers) => ({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "s", namespace: ns },
        stringData,
      });
      await server.ok(["apply", "-f", "INPUT"], manifestText(service(80), secret({ a: "1", b: "1" })));
      assert.equal((await apply(server, service(80), { dryRun: "server" })).outcome, "unchanged");
      const dry = await apply(server, secret({ a: "2", c: "1" }), { dryRun: "server" });
      assert.deepEqual([dry.object.data, dry.object.type], [{ a: "Mg==", c: "MQ==" }, "Opaque"]);
      const done = await apply(server, secret({ a: "2", c: "1" }));
      assert.deepEqual(done.object.data, dry.object.data);
      const labelled = { ...service(80), metadata: { name: "s", namespace: ns, labels: { a: "b" } } };
      const preview = await apply(server, labelled, { dryRun: "server" });
      const applied = await apply(server, labelled);
      assert.deepEqual(preview.object.spec, applied.object.spec);
    },
  );
});

const WRONG_ORDER = `
apiVersion: example.org/v1
kind: Foo
metadata: {name: f, namespace: later}
spec: {a: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: o, namespace: later}
---
apiVersion: example.org/v1
kind: Foo
metadata: {name: g}
spec: {a: 2}
---
apiVersion: v1
kind: Namespace
metadata: {name: later}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: foos, singular: foo, kind: Foo}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {a: {type: integer}}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: p}
`;
