/** Proves that writing stays safe whatever a server answers, and that nothing is written twice. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import type { ApiResource, Discovery } from "../../../src/kube/discovery.ts";
import { compactJson } from "../../../src/kube/json-text.ts";
import type { Json, JsonMembers } from "../../../src/kube/lossless-json.ts";
import type { ResourceClient, ResourceRequest } from "../../../src/kube/resource-client.ts";
import { applyObject, type ApplyOptions } from "../../../src/kube/write/apply.ts";
import { createObject } from "../../../src/kube/write/create.ts";
import { deleteObject, stillThereError, waitUntilGone } from "../../../src/kube/write/delete.ts";
import { applyAll, createAll } from "../../../src/kube/write/documents.ts";
import { saveEdit } from "../../../src/kube/write/edit.ts";
import type { KnownKinds } from "../../../src/kube/write/kinds.ts";
import type { ObjectRef } from "../../../src/kube/write/object-ref.ts";
import { patchObject } from "../../../src/kube/write/patch.ts";
import { readWaitFor, waitFor } from "../../../src/kube/write/wait.ts";
import type { WriteContext } from "../../../src/kube/write/write-all.ts";
import { assertHides, assertPrintable, expectRejection } from "../../expect-error.ts";
import { clientOf } from "./write-server.ts";

/** An answer: its status, and its body as a value or as text. */
type Answer = readonly [status: number, body: Json, headers?: Record<string, string>];

/** A client that answers by some function, and writes down what it was asked. */
function answering(answer: (request: ResourceRequest, at: number) => Answer): {
  readonly client: ResourceClient;
  readonly requests: ResourceRequest[];
} {
  const requests: ResourceRequest[] = [];
  const client = clientOf((request) => {
    const [status, body, headers = {}] = answer(request, requests.push(request) - 1);
    const text = typeof body === "string" ? body : compactJson(body);
    return Promise.resolve({ status, headers: new Headers(headers), body: new TextEncoder().encode(text) });
  });
  return { client, requests };
}

const RESOURCE: ApiResource = {
  ...{
    group: "",
    version: "v1",
    plural: "configmaps",
    singular: "configmap",
    kind: "ConfigMap",
    namespaced: true,
  },
  ...{ verbs: [], shortNames: [], categories: [] },
};
const REF: ObjectRef = { resource: RESOURCE, namespace: "default", name: "a" };
const SECRET_REF: ObjectRef = { ...REF, resource: { ...RESOURCE, plural: "secrets", kind: "Secret" } };
const DOCUMENT = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", namespace: "default" },
  data: { a: "1" },
};
const LIVE = { ...DOCUMENT, metadata: { ...DOCUMENT.metadata, uid: "u", resourceVersion: "1" } };
const PLAIN: ApplyOptions = { fieldManager: "datumctl", validation: "Strict", force: false, dryRun: "none" };
const DELETE = { propagation: "Background", dryRun: "none", ignoreNotFound: false } as const;
const CREATE = { fieldManager: "datumctl-create", validation: "Strict", dryRun: "none" } as const;

function status(code: number, more: JsonMembers = {}): Answer {
  return [code, { kind: "Status", apiVersion: "v1", status: "Failure", code, ...more }];
}

const NOT_FOUND = status(404, { reason: "NotFound", message: 'configmaps "a" not found' });

function conflict(...causes: readonly JsonMembers[]): Answer {
  return status(409, {
    reason: "Conflict",
    details: { causes: causes.map((cause) => ({ reason: "FieldManagerConflict", ...cause })) },
  });
}

/** A clock that only pauses move. */
function clock() {
  let time = 0;
  return {
    now: () => time,
    sleep: (milliseconds: number) => {
      assert.ok(milliseconds > 0);
      time += milliseconds;
      return Promise.resolve();
    },
  };
}

function contextOf(client: ResourceClient, resources: readonly ApiResource[] = [RESOURCE]): WriteContext {
  const discovery: Discovery = { groups: [], resources, missing: [] };
  const kinds: KnownKinds = { fromCache: false, read: () => Promise.resolve(discovery) };
  return { client, kinds, ...clock() };
}

const SHARED = { namespace: "default", onlyThatNamespace: false, patience: 10_000 };

const deep = `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`;

Deno.test("an answer that is no object is a failure of the network", async () => {
  for (const body of ["", "<html>", "[]", "null", "1", '"x"', "{", deep, "\u0000"]) {
    const { client } = answering(({ method }) => method === "GET" ? NOT_FOUND : [200, body]);
    await expectRejection(applyObject(client, REF, DOCUMENT, PLAIN), "NETWORK", body.slice(0, 9));
    await expectRejection(createObject(client, REF, DOCUMENT, CREATE), "NETWORK", body.slice(0, 9));
    const reading = answering(() => [200, body]).client;
    await expectRejection(applyObject(reading, REF, DOCUMENT, PLAIN), "NETWORK", body.slice(0, 9));
    await expectRejection(deleteObject(reading, REF, DELETE), "NETWORK", body.slice(0, 9));
  }
});

Deno.test("an object without what it should have is taken as it is", async () => {
  for (const body of [{}, { metadata: [] }, { metadata: { resourceVersion: 1, managedFields: {} } }]) {
    const { client } = answering(() => [200, body]);
    assert.equal((await applyObject(client, REF, DOCUMENT, PLAIN)).outcome, "unchanged");
    assert.equal((await deleteObject(client, REF, DELETE)).uid, "");
  }
});

Deno.test("what nobody can say the version of is neither taken over nor edited", async () => {
  const managedFields = [{
    ...{ manager: "kubectl-client-side-apply", operation: "Update", apiVersion: "v1" },
    fieldsV1: { "f:data": { "f:a": {} } },
  }];
  const live = { ...DOCUMENT, metadata: { ...DOCUMENT.metadata, managedFields } };
  const { client, requests } = answering(() => [200, live]);
  await applyObject(client, REF, DOCUMENT, PLAIN);
  assert.deepEqual(requests.map(({ contentType }) => contentType), [
    undefined,
    "application/apply-patch+yaml",
  ]);
  const options = { fieldManager: "x", validation: "Strict" } as const;
  await expectRejection(saveEdit(client, REF, live, { ...live, data: {} }, options), "INVALID");
  assert.equal(requests.length, 2);
});

Deno.test("an apply starts over a few times, and not for ever", async () => {
  const { client, requests } = answering(({ method }) =>
    method === "GET"
      ? [200, LIVE]
      : status(409, { reason: "Conflict", message: "the object has been modified" })
  );
  await expectRejection(applyObject(client, REF, DOCUMENT, PLAIN), { code: "CONFLICT", retryable: true });
  assert.equal(requests.length, 10);
  requests.length = 0;
  const fixed = { ...DOCUMENT, metadata: { ...DOCUMENT.metadata, resourceVersion: "7" } };
  await expectRejection(applyObject(client, REF, fixed, PLAIN), {
    code: "CONFLICT",
    message: /has been modified/,
  });
  assert.equal(requests.length, 2, "a document that names its version is not sent again");
});

Deno.test("taking over starts over a few times, and not for ever", async () => {
  const managedFields = [{
    ...{ manager: "kubectl-client-side-apply", operation: "Update", apiVersion: "v1" },
    fieldsV1: { "f:data": {} },
  }];
  const live = { ...LIVE, metadata: { ...LIVE.metadata, managedFields } };
  const { client, requests } = answering(({ method }) => method === "GET" ? [200, live] : status(409));
  await expectRejection(applyObject(client, REF, DOCUMENT, PLAIN), "CONFLICT");
  assert.equal(requests.length, 10);
  assert.ok(requests.every(({ repeatable }) => repeatable));
  assert.match(requests[1]?.body ?? "", /"path":"\/metadata\/resourceVersion","value":"1"/);
});

Deno.test("our own changes that never give way end in a conflict", async () => {
  const managedFields = [{
    ...{ manager: "datumctl-edit", operation: "Update", apiVersion: "v1" },
    fieldsV1: { "f:data": { "f:a": {} } },
  }];
  const live = { ...LIVE, metadata: { ...LIVE.metadata, managedFields } };
  const cause = { field: ".data.a", message: 'conflict with "datumctl-edit" using v1' };
  const { client } = answering(({ method, contentType }) =>
    method === "GET" || contentType === "application/json-patch+json" ? [200, live] : conflict(cause)
  );
  await expectRejection(applyObject(client, REF, DOCUMENT, PLAIN), "CONFLICT");
  // One that is named and is not there.
  const bare = answering(({ method }) => method === "GET" ? [200, LIVE] : conflict(cause)).client;
  await expectRejection(applyObject(bare, REF, DOCUMENT, PLAIN), "CONFLICT");
});

Deno.test("what a conflict says is told in bounded length, without what steers a terminal", async () => {
  const causes = [
    {
      field: ".a\u001b[2J\n.b",
      message: 'conflict with "x\\u001b[2J\\u202e" with subresource "s\\n" using v1',
    },
    { field: "", message: "something else" },
    { field: 7, message: {} },
    ...Array.from({ length: 5_000 }, (_one, at) => ({ field: `.${"x".repeat(5_000)}${at}`, message: "" })),
  ];
  const { client } = answering(({ method }) =>
    method === "GET" ? [200, LIVE] : conflict(...causes as JsonMembers[])
  );
  const { message } = await expectRejection(applyObject(client, REF, DOCUMENT, PLAIN), {
    code: "CONFLICT",
    says: /4993 more/,
  });
  assert.ok(message.length < 5_000);
});

/** Every way in which a server can repeat a value. */
function echoes(value: string): string[] {
  const base64 = btoa(value);
  return [value, base64, JSON.stringify(value), `\\"${value}\\"`, `x\n${value}\ny`, `&value{Value:${value}}`]
    .map((text) => `what was sent: ${text}, which is wrong`);
}

const SECRET = {
  ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "a", namespace: "default" } },
  data: {
    long: btoa("correct horse battery staple"),
    short: btoa("pw7"),
    lines: btoa("first line of it\nsecond one\n"),
  },
  stringData: { plain: "hunter2-in-clear", number: 47114711, list: ["in a list there"] },
};

Deno.test("a server's words repeat no value of a Secret, in whichever spelling", async () => {
  const annotations = {
    "kubectl.kubernetes.io/last-applied-configuration": compactJson({
      stringData: { old: "applied-before-that" },
    }),
  };
  const live = {
    ...SECRET,
    metadata: { ...SECRET.metadata, annotations, resourceVersion: "1" },
    data: { is: btoa("live-value-there") },
  };
  const values = [
    ...["correct horse battery staple", "pw7", "first line of it", "hunter2-in-clear", "47114711"],
    ...["in a list there", "applied-before-that", "live-value-there"],
  ];
  for (const value of values) {
    for (const text of echoes(value)) {
      const hidden = [value, btoa(value)];
      const refusal = status(422, {
        message: text,
        reason: "Invalid",
        details: { causes: [{ field: text, message: text, reason: "x" }] },
      });
      const bodies: readonly Answer[] = [refusal, status(500, { message: text }), [400, text], [
        502,
        `<p>${text}</p>`,
      ]];
      for (const answer of [...bodies, conflict({ field: text, message: text })]) {
        const { client } = answering(({ method }) => method === "GET" ? [200, live] : answer);
        const about = `${answer[0]} ${text}`;
        assertHides(await expectRejection(applyObject(client, SECRET_REF, SECRET, PLAIN), {}, about), hidden);
        const patch = { data: SECRET.data, stringData: SECRET.stringData };
        const patching = patchObject(client, SECRET_REF, {
          type: "merge",
          patch,
          fieldManager: "x",
          dryRun: "none",
        });
        assertHides(await expectRejection(patching, {}, about), hidden);
        if (answer[0] !== 422) continue;
        const refused = await saveEdit(client, SECRET_REF, live, SECRET, {
          fieldManager: "x",
          validation: "Strict",
        });
        assert.ok(refused.outcome === "refused");
        for (const line of refused.lines) assertPrintable(line);
        for (const one of hidden) assert.ok(!refused.lines.join().includes(one), about);
      }
      const warning = `299 - ${JSON.stringify(text.replaceAll("\n", " "))}`;
      const warned = answering(({ method }) =>
        method === "GET" ? [200, live] : [200, SECRET, { warning }]
      ).client;
      const { warnings } = await applyObject(warned, SECRET_REF, SECRET, PLAIN);
      for (const one of hidden) assert.ok(!warnings.join().includes(one), text);
    }
  }
});

Deno.test("warnings are read from whatever stands in their header", async () => {
  for (
    const [warning, texts] of [
      ['299 - "a"', ["a"]],
      ['299 - "a, \\"b\\"", 299 kube "c"', ['a, "b"', "c"]],
      ['199 - "a"', []],
      ["299 - a", []],
      ["", []],
    ] as const
  ) {
    const { client } = answering(({ method }) => method === "GET" ? NOT_FOUND : [201, LIVE, { warning }]);
    assert.deepEqual((await applyObject(client, REF, DOCUMENT, PLAIN)).warnings, texts, warning);
  }
});

Deno.test("what may be sent again is marked, and what may not is not", async () => {
  const { client, requests } = answering(({ method }) => method === "GET" ? [200, LIVE] : [200, LIVE]);
  const marks = async (work: () => Promise<unknown>) => {
    requests.length = 0;
    await work();
    return requests.map(({ method, repeatable }) => `${method} ${repeatable}`);
  };
  assert.deepEqual(await marks(() => applyObject(client, REF, DOCUMENT, PLAIN)), ["GET true", "PATCH true"]);
  assert.deepEqual(await marks(() => createObject(client, REF, DOCUMENT, CREATE)), ["POST false"]);
  assert.deepEqual(await marks(() => deleteObject(client, REF, DELETE)), ["GET true", "DELETE true"]);
  assert.match(requests[1]?.body ?? "", /"preconditions":\{"uid":"u"\}/);
  const patch = { type: "merge", patch: {}, fieldManager: "x", dryRun: "none" } as const;
  assert.deepEqual(await marks(() => patchObject(client, REF, patch)), ["GET true", "PATCH false"]);
  const edit = () =>
    saveEdit(client, REF, LIVE, { ...LIVE, data: {} }, {
      fieldManager: "x",
      validation: "Strict",
    });
  assert.deepEqual(await marks(edit), ["PATCH false"]);
  const blind = answering(({ method }) => method === "GET" ? status(403, { message: "no" }) : [200, LIVE]);
  await deleteObject(blind.client, REF, DELETE);
  assert.deepEqual(blind.requests.map(({ repeatable }) => repeatable), [true, false]);
  assert.doesNotMatch(blind.requests[1]?.body ?? "", /preconditions/);
});

Deno.test("a write whose answer is lost says what it may have done", async () => {
  const lost = clientOf(({ method }) => {
    if (method !== "GET") {
      return Promise.reject(new AppError("NETWORK", "The connection broke.", { hint: "Again." }));
    }
    return Promise.resolve({
      status: 200,
      headers: new Headers(),
      body: new TextEncoder().encode(compactJson(LIVE)),
    });
  });
  const maybe = (hint: RegExp) => ({ code: "NETWORK", retryable: false, hint }) as const;
  await expectRejection(
    createObject(lost, REF, DOCUMENT, CREATE),
    maybe(/configmap\/a may have been created/),
  );
  await expectRejection(deleteObject(lost, REF, DELETE), maybe(/may have been deleted/));
  const patch = { type: "json", patch: [], fieldManager: "x", dryRun: "none" } as const;
  await expectRejection(patchObject(lost, REF, patch), maybe(/may have been patched/));
  await expectRejection(applyObject(lost, REF, DOCUMENT, PLAIN), { code: "NETWORK", retryable: true });
});

Deno.test("a deletion that comes twice finds nothing, and that is what it was for", async () => {
  const { client } = answering(({ method }) => method === "GET" ? [200, LIVE] : NOT_FOUND);
  assert.equal((await deleteObject(client, REF, DELETE)).outcome, "deleted");
  // Another reason for a conflict is a failure, as long as the object is there.
  const held =
    answering(({ method }) => method === "GET" ? [200, LIVE] : status(409, { message: "is busy" })).client;
  await expectRejection(deleteObject(held, REF, DELETE), { code: "CONFLICT", message: /is busy/ });
});

Deno.test("a refused session and Ctrl-C end all, anything else only its own document", async () => {
  const documents = Array.from({ length: 50 }, (_one, at) => ({
    document: { ...DOCUMENT, metadata: { name: `c-${at}` } },
    source: "f",
  }));
  for (const code of ["SESSION_REJECTED", "INTERRUPTED"] as const) {
    let sent = 0;
    const client = clientOf(() => {
      sent += 1;
      return Promise.reject(new AppError(code, "The end."));
    });
    await expectRejection(applyAll(contextOf(client), documents, { ...SHARED, ...PLAIN }), code);
    assert.ok(sent <= 8, `${sent} requests`);
  }
  const { client } = answering(() => status(403, { message: "no" }));
  const results = await createAll(contextOf(client), documents, { ...SHARED, ...CREATE });
  assert.deepEqual([...new Set(results.map((one) => one.type === "failed" && one.error.code))], [
    "FORBIDDEN",
  ]);
});

const DEFINITION = {
  document: {
    ...{
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "foos.x.io" },
    },
    spec: { group: "x.io", names: { kind: "Foo", plural: "foos" }, versions: [{ name: "v1" }, 7] },
  },
  source: "f",
};
const FOO = { document: { apiVersion: "x.io/v1", kind: "Foo", metadata: { name: "f" } }, source: "f" };
const DEFINITIONS: ApiResource = {
  ...RESOURCE,
  ...{ group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions" },
  ...{ kind: "CustomResourceDefinition", namespaced: false },
};

Deno.test("a kind that is never served is waited for no longer than the patience", async () => {
  const foos = { resources: [{ name: "foos", kind: "Foo", namespaced: true }] };
  for (
    const listed of [
      status(404),
      [200, {}],
      [200, "<html>"],
      [200, { resources: [7, { name: "foos/status", kind: "Foo" }, { name: "foos", kind: "foo" }] }],
      [200, foos],
    ] as const
  ) {
    // Where it is listed, what serves it answers 404 for its paths.
    const { client } = answering(({ path }) =>
      path === "/apis/x.io/v1"
        ? listed
        : path.startsWith("/apis/x.io/")
        ? [404, "404 page not found"]
        : [201, LIVE]
    );
    const context = contextOf(client, [RESOURCE, DEFINITIONS]);
    const [foo, definition] = await applyAll(context, [FOO, DEFINITION], { ...SHARED, ...PLAIN });
    assert.equal(definition?.type, "done");
    assert.equal(foo?.type === "failed" && foo.error.code, "NOT_FOUND");
    assert.equal(context.now(), SHARED.patience);
  }
});

Deno.test("an object whose kind's definition fails is not waited for", async () => {
  const { client } = answering(({ path }) => path.includes("definitions/") ? status(403, {}) : NOT_FOUND);
  const context = contextOf(client, [RESOURCE, DEFINITIONS]);
  const results = await applyAll(context, [FOO, DEFINITION], { ...SHARED, ...PLAIN });
  assert.deepEqual(results.map((one) => one.type === "failed" && one.error.code), ["NOT_FOUND", "FORBIDDEN"]);
  assert.equal(context.now(), 0);
});

Deno.test("documents that name nothing, or no path, fail by themselves", async () => {
  const { client, requests } = answering(({ method }) => method === "GET" ? NOT_FOUND : [201, LIVE]);
  const metadata: readonly Json[] = [
    ...[{}, null, 7, { name: 7 }, { name: "" }, { name: "." }, { name: ".." }, { name: "\ud800" }],
    ...[{ generateName: "g-" }, { name: "a", namespace: 7 }, { name: "a", namespace: ".." }, { name: [] }],
  ];
  const manifests = metadata.map((one) => ({ document: { ...DOCUMENT, metadata: one }, source: "f" }));
  const results = await applyAll(contextOf(client), manifests, { ...SHARED, ...PLAIN });
  assert.deepEqual(
    results.map((one) => one.type === "failed" && one.error.code),
    manifests.map(() => "INVALID"),
  );
  assert.deepEqual(requests, []);
  for (const { label } of results) assertPrintable(label);
});

Deno.test("an object that never goes, and finalizers that are none, end with the time", async () => {
  const finalizers = ["a\u001b[2J", 7, "", ...Array(1_000).fill("x".repeat(1_000))];
  const { client } = answering(() => [200, { metadata: { uid: "u", finalizers }, spec: { finalizers: {} } }]);
  const context = contextOf(client);
  const left = await waitUntilGone(context, [{ outcome: "deleted", ref: REF, uid: "u" }], 5_000);
  assert.equal(context.now(), 5_000);
  assertPrintable(stillThereError(left).message);
  // Who may not look does not wait.
  const blind = contextOf(answering(() => status(403, {})).client);
  assert.deepEqual(await waitUntilGone(blind, [{ outcome: "deleted", ref: REF, uid: "u" }], 5_000), []);
});

Deno.test("a wait reads whatever conditions there are", async () => {
  const conditions: readonly Json[] = [
    ...[null, 7, "x", {}, [null, 7, "x", {}], [{ type: "Ready" }], [{ type: "Ready", status: 7 }]],
    ...[[{ type: 7, status: "True" }], [{ type: "Ready", status: "False", observedGeneration: "x" }]],
  ];
  for (const one of conditions) {
    const { client } = answering(() => [200, { metadata: { generation: "x" }, status: { conditions: one } }]);
    const [result] = await waitFor(contextOf(client), [{ ref: REF }], readWaitFor("condition=Ready"), {
      timeout: 1_000,
    });
    assert.equal(result?.type === "failed" && result.error.code, "TIMEOUT", compactJson(one));
  }
});
