/** Proves that no object breaks `describe`, steers a terminal, shows a secret's value or makes it print without end. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import {
  describe,
  type DescribedKind,
  type Related,
  relatedRequests,
} from "../../../src/kube/describe/describe.ts";
import { fieldLabel } from "../../../src/kube/describe/field-label.ts";
import { isMembers, type Json, type JsonMembers, readJson } from "../../../src/kube/lossless-json.ts";
import { printableLines } from "../../../src/text.ts";
import { assertPrintable, expectError } from "../../expect-error.ts";
import { changed, hostileText, hostileValue, ours, RUNS } from "../../fuzz.ts";
import { CONTENTS, HOSTILE_TEXTS, OBJECTS } from "./objects.ts";

const NOW = new Date("2024-06-01T12:00:00Z");
const CLOCK = { now: NOW, minutesEast: () => 0 };
const WIDGET = { group: "example.com", kind: "Widget" };

function described(object: JsonMembers, kind: DescribedKind = WIDGET, related: Related = {}): string {
  return describe(kind, object, related, CLOCK);
}

Deno.test("fieldLabel() makes words of a name", () => {
  const labels = {
    lastTransitionTime: "Last Transition Time",
    apiVersion: "API Version",
    uid: "UID",
    podIPs: "Pod I Ps",
    DNSZone: "Dns Zone",
    "x-y": "X - Y",
    "with space": "with space",
    a1: "a1",
    "": "",
    straße: "Straße",
    ß: "Ss",
  };
  for (const [name, label] of Object.entries(labels)) assert.equal(fieldLabel(name), label);
});

Deno.test("a condition's time is told in the time zone of who reads it", () => {
  const namespace = (lastTransitionTime: Json) => ({
    metadata: { name: "a" },
    status: {
      phase: "Active",
      conditions: [{ type: "T", status: "True", reason: "R", message: "M", lastTransitionTime }],
    },
  });
  const kind = { group: "", kind: "Namespace" };
  for (
    const [minutes, text] of [
      [0, "Thu, 29 Feb 2024 23:05:09 +0000"],
      [330, "Fri, 01 Mar 2024 04:35:09 +0530"],
      [-210, "Thu, 29 Feb 2024 19:35:09 -0330"],
    ] as const
  ) {
    const clock = { now: NOW, minutesEast: () => minutes };
    assert.ok(describe(kind, namespace("2024-02-29T23:05:09Z"), {}, clock).includes(`  ${text}  `), text);
  }
  for (const none of [null, "", "soon", 7]) {
    assert.ok(described(namespace(none), kind).includes("  Mon, 01 Jan 0001 00:00:00 +0000  "));
  }
});

Deno.test("a limit's resources are in the order of their names", () => {
  const limits = [{ type: "Pod", max: { memory: "1Gi", cpu: "2" }, min: { "ephemeral-storage": "1" } }];
  const text = described({ metadata: { name: "a", namespace: "b" }, spec: { limits } }, {
    group: "",
    kind: "LimitRange",
  });
  assert.deepEqual(text.match(/^Pod +\S+/gm)?.map((line) => line.replace(/^Pod +/, "")), [
    "cpu",
    "ephemeral-storage",
    "memory",
  ]);
});

Deno.test("no value of a secret is told, not even the token of a service account", () => {
  const data = { token: btoa("a-very-secret-token"), password: btoa("hunter2"), list: ["x"], nothing: null };
  const secret = {
    metadata: {
      name: "s",
      namespace: "n",
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "hunter2" },
    },
    stringData: { password: "hunter2" },
    data,
    type: "kubernetes.io/service-account-token",
  };
  const text = described(secret, { group: "", kind: "Secret" });
  assert.match(text, /^token: {5}19 bytes$/m);
  assert.match(text, /^password: {2}7 bytes$/m);
  for (const value of ["hunter2", "a-very-secret-token", data.token, data.password]) {
    assert.ok(!text.includes(value), value);
  }
});

Deno.test("an annotation is cut between two characters", () => {
  const text = described({ metadata: { annotations: { a: "ä".repeat(100) } } });
  assert.match(text, /^ {16}ä{69}\.\.\.$/m);
  assert.match(
    described({ metadata: { annotations: { a: `x${"ä".repeat(100)}` } } }),
    /^ {16}xä{68}\.\.\.$/m,
  );
});

Deno.test("a description steers no terminal", () => {
  const texts = [
    ...Object.values(CONTENTS).map((content) => described(readJson(content) as JsonMembers)),
    described({ a: [...HOSTILE_TEXTS], metadata: { annotations: { a: HOSTILE_TEXTS.join("") } } }, WIDGET, {
      events: HOSTILE_TEXTS.map((message) => ({
        message,
        type: message,
        reason: message,
        source: { component: message },
      })),
    }),
  ];
  for (const text of texts) {
    assertPrintable(printableLines(text));
    for (const character of ["\u001b", "\r", "\t"]) assert.ok(!text.includes(character));
    assert.equal(printableLines(text).split("\n").length, text.split("\n").length);
  }
});

Deno.test("what is asked for is about the object, and nowhere else", () => {
  const object = { metadata: { name: "a,b=c\\d/../e&limit=1", namespace: "n/../m", uid: "u" } };
  const [request, ...more] = relatedRequests(WIDGET, object, { events: true });
  assert.deepEqual(more, []);
  const url = new URL(request?.path ?? "", "https://a.example");
  assert.equal(url.pathname, "/api/v1/namespaces/n%2F..%2Fm/events");
  assert.deepEqual([...url.searchParams], [[
    "fieldSelector",
    "involvedObject.name=a\\,b\\=c\\\\d/../e&limit\\=1,involvedObject.namespace=n/../m,involvedObject.kind=Widget," +
    "involvedObject.uid=u",
  ]]);
  for (const name of ["", ".", "..", "\ud800"]) {
    expectError(
      () => relatedRequests({ group: "", kind: "Namespace" }, { metadata: { name } }, { events: true }),
      "INVALID",
    );
  }
  relatedRequests(WIDGET, { metadata: { name: "\ud800" } }, { events: true });
});

Deno.test("which lists are asked for, and what their failures mean", () => {
  const asked = (group: string, kind: string, events = true) =>
    relatedRequests({ group, kind }, { metadata: { name: "a", namespace: "b" } }, { events })
      .map(({ name, onFailure }) => `${name} ${onFailure}`);
  assert.deepEqual(asked("", "Namespace", false), [
    "quotas fail-unless-not-found",
    "limitRanges fail-unless-not-found",
  ]);
  assert.deepEqual(asked("", "ConfigMap"), ["events empty"]);
  assert.deepEqual(asked("example.com", "ConfigMap"), ["events empty"]);
  for (const kind of ["Secret", "LimitRange", "ResourceQuota"]) assert.deepEqual(asked("", kind), []);
  for (const kind of ["Widget", "ServiceAccount", "Pod"]) {
    assert.deepEqual(asked("", kind), ["events empty"]);
    assert.deepEqual(asked("", kind, false), []);
  }
});

Deno.test("what nests too deep is refused, and overflows nothing", () => {
  for (const [open, close] of [['{"a":', "}"], ["[", "]"], ['{"a":[', "]}"]]) {
    const nested = (levels: number) => ({
      spec: readJson(`${open?.repeat(levels)}1${close?.repeat(levels)}`) ?? null,
    });
    assert.match(described(nested(400)), /1[^1]*$/);
    expectError(() => described(nested(5_000)), "INVALID");
  }
});

Deno.test("what is huge is laid out in bounded time, or refused", async () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`k${at}`, at]));
  const rows = { spec: many };
  const text = await ours(() => described(rows));
  assert.equal(text?.split("\n").length, 20_006);
  // A line with many cells among many lines, a wide cell before many lines, and lines far to the right.
  const tabs = await ours(() =>
    described({ data: { tabs: "\t".repeat(50_000), ...rows.spec } }, { group: "", kind: "ConfigMap" })
  );
  assert.ok(tabs !== undefined);
  await ours(() =>
    expectError(() => described({ spec: { [`_${"x".repeat(100_000)}`]: 1, ...many } }), "INVALID")
  );
  const message = `a${" ".repeat(1_000_000)}b`;
  assert.ok((await ours(() => described({}, WIDGET, { events: [{ message }] })))?.includes(message));
  const levels = 900;
  const deep = readJson(
    `${'{"a":'.repeat(levels)}[${"0,".repeat(100_000)}0]${"}".repeat(levels)}`,
  ) as JsonMembers;
  await ours(() => expectError(() => described(deep), "INVALID"));
});

const KINDS: readonly DescribedKind[] = [
  WIDGET,
  ...["Namespace", "ConfigMap", "Secret", "ServiceAccount", "LimitRange", "ResourceQuota"].map((kind) => ({
    group: "",
    kind,
  })),
  ...["Role", "RoleBinding"].map((kind) => ({ group: "rbac.authorization.k8s.io", kind })),
];

Deno.test("no object and no list breaks a description", async () => {
  const some = fc.constantFrom(...OBJECTS.map((object) => ({ ...object } as Record<string, unknown>)));
  const member = fc.oneof(hostileValue, fc.dictionary(hostileText, hostileValue, { maxKeys: 3 }));
  const object = fc.tuple(
    some.chain(changed),
    fc.dictionary(
      fc.constantFrom(
        "metadata",
        "spec",
        "status",
        "data",
        "rules",
        "subjects",
        "roleRef",
        "labels",
        "hard",
        "imagePullSecrets",
      ),
      fc.oneof(member, fc.array(member, { maxLength: 2 })),
      { maxKeys: 3 },
    ),
  ).map(([object, more]) => ({ ...object, ...more }));
  await fc.assert(
    fc.asyncProperty(object, fc.array(object, { maxLength: 2 }), hostileText, async (object, list, name) => {
      const value = readJson(JSON.stringify(object));
      const items = readJson(JSON.stringify(list));
      if (!isMembers(value) || !Array.isArray(items)) return;
      const named = { ...value, metadata: { name, annotations: { [name]: name }, labels: { [name]: name } } };
      for (const kind of KINDS) {
        for (const one of [value, named]) {
          const text = await ours(() => {
            relatedRequests(kind, one, { events: true });
            return described(one, kind, { events: items, quotas: items, limitRanges: items });
          });
          if (text !== undefined) assertSafe(text);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

function assertSafe(text: string): void {
  assert.match(text, /\n$/);
  assert.doesNotMatch(printableLines(text), /[^\P{Cc}\n]/u);
}
