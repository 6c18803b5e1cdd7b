/** Objects with whatever descriptions differ about: texts of several lines, long ones, escapes, names, numbers, nesting. */

import type { KubernetesObject } from "../../apiserver/apiserver.ts";

/** The namespace that most objects are in. */
export const NAMESPACE = "describe";

/** Kinds that no schema limits: a namespaced one and one that is not. */
export const KINDS: readonly KubernetesObject[] = (["Namespaced", "Cluster"] as const).map((scope) => {
  const kind = scope === "Namespaced" ? "Anything" : "Everything";
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.tests.example.com` },
    spec: {
      group: "tests.example.com",
      scope,
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [{
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      }],
    },
  };
});

const LONG = "word ".repeat(40);

/** Texts that steer a terminal, or columns. */
export const HOSTILE_TEXTS = [
  "\u001b[31mred\u001b[0m",
  "one\r\ntwo\rthree",
  "a\tb\tc",
  "a\vb\fc",
  "bell \u0007 back \b delete \u007f",
  "next \u009b2J line \u0085 end",
  "left \u202egnp.exe\u2069 right",
  "nothing \u200b\u2060\ufeff there",
  "null \u0000 byte",
  "  blanks  ",
  "first\nsecond\n\nfourth\n",
  "\n",
  "日本語 ß é e\u0301 😀",
  "<none> & \"quoted\" 'too' %s %d \\n",
];

/** Members of objects of {@link KINDS}, by the object's name. */
export const CONTENTS: Readonly<Record<string, string>> = {
  empty: "{}",
  scalars: `{"spec": {
    "zero": 0, "integer": 42, "negative": -7, "large": 9007199254740993, "largest": 9223372036854775807,
    "beyond": 9223372036854775808, "huge": 100000000000000000000, "float": 1.5, "whole": 2.0, "million": 1000000.5,
    "tiny": 0.00001234, "power": 1e21, "yes": true, "no": false, "nothing": null, "empty": "", "text": "some words"
  }}`,
  nested: `{"spec": {
    "emptyList": [], "emptyMap": {}, "texts": ["a", "b"], "mixed": [1, "two", null, true, 1.5, {"a": 1}, [1, [2, {"b": null}]]],
    "maps": [{"name": "a", "values": [1, 2]}, {"name": "b", "values": []}, {}], "lists": [[], [["x"]], [{"y": 1, "x": 2}]],
    "deep": {"a": {"b": {"c": {"d": {"e": {"f": [{"g": [{"h": 1}]}]}}}}}}
  }, "top": "level", "list": [1], "aaa": {"first": 1}}`,
  names: JSON.stringify({
    spec: Object.fromEntries(
      [
        ...[
          "apiURL",
          "podIPs",
          "clusterIP",
          "DNSZone",
          "dnsZoneClassName",
          "URLPath",
          "guid",
          "uidList",
          "osbGUID",
        ],
        ...[
          "x-y",
          "aB-cD",
          "-",
          "--",
          "A",
          "AB",
          "aBC",
          "ABc",
          "a_b",
          "_",
          "a1",
          "1",
          "10",
          "9",
          "with space",
          "",
        ],
        ...[
          "%s%d",
          "tab\there",
          "line\nbreak",
          "\u001b[1m",
          "ünïcödeÄpi",
          "日本",
          "日本aB",
          "ß",
          "straßeÖl",
          "ÉA",
          "éa",
        ],
        ...[
          "constructor",
          "__proto__",
          "toString",
          "lastTransitionTime",
          "IPAddress",
          "ipv4",
          "a.b/c",
          "http2XX",
        ],
      ].map((name, index) => [name, index]),
    ),
  }).replace('"ÉA"', '"__proto__": 1, "ÉA"'),
  texts: JSON.stringify({
    spec: Object.fromEntries(HOSTILE_TEXTS.map((text, index) => [`t${index}`, text])),
    list: HOSTILE_TEXTS,
  }),
  columns: JSON.stringify({
    a: 1,
    "a-name-that-is-much-longer": 2,
    b: { c: 3 },
    d: 4,
    spec: {
      x: 1,
      yyyyyyyyyyyyyyyyyyyy: [1, 2],
      z: { "long-long-name": 1 },
      zz: "multi\nline\twith\ttabs\nand more",
      zzz: 1,
    },
  }),
  conditions: `{"status": {"conditions": [
    {"type": "Ready", "status": "False", "reason": "NotYet", "message": "waits", "lastTransitionTime": "2024-05-06T07:08:09Z", "observedGeneration": 3},
    {"type": "Accepted", "status": "True", "reason": "Fine", "message": "", "lastTransitionTime": "2024-05-06T07:08:09Z"}
  ], "observedGeneration": 3}}`,
  wide: JSON.stringify({ spec: { text: LONG.repeat(20), [`n${"x".repeat(300)}`]: 1, o: 2 } }),
};

/** Metadata of objects of {@link KINDS}, by the object's name. A namespace owns one of them. */
export function metadataOf(uid: string): Readonly<Record<string, Record<string, unknown>>> {
  return {
    labels: { labels: { z: "1", app: "", "example.com/Name": "Value-1", "a.b/c": "d", A: "a" } },
    annotations: {
      annotations: {
        short: "value",
        empty: "",
        blank: " ",
        "ends-with-line": "value\n",
        "ends-with-lines": "value\n\n",
        lines: "first\nsecond\n\n  indented\n",
        long: LONG,
        // With the name and what stands between, as long as a line may be, and longer by one.
        fits: "f".repeat(134),
        over: "o".repeat(135),
        // The limit is in bytes.
        umlauts: "ä".repeat(70),
        "long-lines": `short\n${"l".repeat(138)}\n${"m".repeat(139)}\n${LONG}`,
        json: `{"a":{"b":[1,2,3]},"c":"<d>"}`,
        tabs: "a\tb\nc\td",
        escapes: "\u001b[31mred\u001b[0m\r\nnext",
        [`example.com/${"k".repeat(60)}`]: "v".repeat(80),
        "kubectl.kubernetes.io/last-applied-configuration": `{"apiVersion":"v1"}`,
      },
    },
    "only-applied": { annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" } },
    "one-long": { annotations: { only: LONG } },
    owned: {
      finalizers: ["tests.example.com/hold", "other"],
      generateName: "own-",
      ownerReferences: [{ apiVersion: "v1", kind: "Namespace", name: NAMESPACE, uid, controller: true }],
    },
  };
}

/** A namespace with all that is described of one. */
export const NAMESPACES: readonly KubernetesObject[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels: { team: "a", env: "" } } },
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "limited", annotations: { note: "one\ntwo", other: "x" } },
    status: {
      conditions: [
        {
          type: "NamespaceContentRemaining",
          status: "True",
          lastTransitionTime: "2024-02-29T23:05:09Z",
          reason: "Some",
          message: "some left",
        },
        {
          type: "Other",
          status: "False",
          lastTransitionTime: "2023-12-31T00:00:00Z",
          reason: "",
          message: "a\tb",
        },
      ],
    },
  },
];

/** Objects of the kinds that have descriptions of their own. */
export const OBJECTS: readonly KubernetesObject[] = [
  ...[["z-plain", {}], ["a-scoped", { scopes: ["NotTerminating", "BestEffort"] }], ["terminating", {
    scopes: ["Terminating", "NotBestEffort"],
  }]].map(([name, more]) => ({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: String(name), namespace: "limited" },
    spec: { hard: { pods: "10" }, ...Object(more) },
    status: {
      hard: { pods: "10", "requests.cpu": "1500m", "limits.memory": "2Gi", "count/widgets.example.com": "3" },
      used: { pods: "2", "requests.cpu": "0.5", "limits.memory": "1024Mi" },
    },
  })),
  {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "limits", namespace: "limited" },
    spec: {
      limits: [
        {
          type: "Container",
          max: { cpu: "2" },
          min: { cpu: "100m" },
          default: { cpu: "500m" },
          defaultRequest: { cpu: "0.2" },
        },
        { type: "Pod", maxLimitRequestRatio: { memory: "2" } },
        { type: "PersistentVolumeClaim", min: { storage: "1Gi" } },
      ],
    },
  },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "empty", namespace: NAMESPACE } },
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "full",
      namespace: NAMESPACE,
      labels: { app: "web" },
      annotations: { a: "b", c: LONG },
    },
    immutable: true,
    data: {
      "app.conf": "[server]\nport\t= 80\nhost\t= example.com\n\n# end\n",
      empty: "",
      key: "value",
      B: "capital",
    },
    binaryData: { "blob.bin": "AAECAwQ=", none: "", three: "AAEC" },
  },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "empty", namespace: NAMESPACE }, type: "Opaque" },
  {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "full", namespace: NAMESPACE, labels: { app: "web" }, annotations: { note: "x\ny" } },
    type: "example.com/own",
    data: {
      password: "cGFzc3dvcmQ=",
      "long-name-of-a-key": btoa("x".repeat(1000)),
      empty: "",
      one: "YQ==",
      token: "YWI=",
    },
  },
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "plain", namespace: NAMESPACE } },
  {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "robot", namespace: NAMESPACE, annotations: { a: "b" } },
    secrets: [{ name: "one" }],
    imagePullSecrets: [{ name: "pull-1" }, { name: "pull-2" }],
    automountServiceAccountToken: false,
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "empty", namespace: NAMESPACE },
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "mixed", namespace: NAMESPACE, labels: { a: "b" } },
    rules: [
      { apiGroups: ["", "apps"], resources: ["pods", "deployments/scale", "*"], verbs: ["list", "get"] },
      { apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["update", "get", "get"] },
      { apiGroups: [""], resources: ["configmaps"], resourceNames: ["b", "a"], verbs: ["*"] },
      { apiGroups: [""], resources: ["configmaps"], resourceNames: ["a"], verbs: ["delete"] },
      { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "describe-urls" },
    rules: [
      { nonResourceURLs: ["/healthz", "/metrics/*"], verbs: ["get", "post"] },
      { nonResourceURLs: ["/healthz"], verbs: ["get"] },
      { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "bound", namespace: NAMESPACE, annotations: { why: LONG } },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "mixed" },
    subjects: [
      { kind: "ServiceAccount", name: "robot", namespace: NAMESPACE },
      { apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "ada@example.com" },
      { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "a\u001b[1m" },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "describe-nobody" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "nothing" },
  },
];

/** Events about an object: of both shapes, once and often, with all that a message can have. */
export function eventsAbout(
  about: { readonly kind: string; readonly name: string; readonly namespace?: string; readonly uid: string },
) {
  const ago = (minutes: number) => new Date(Date.now() - (minutes * 60 + 30) * 1_000).toISOString();
  const second = (time: string) => time.replace(/\.\d+/, "");
  const events: readonly Record<string, unknown>[] = [
    {
      reason: "Once",
      message: "plain",
      firstTimestamp: second(ago(200)),
      lastTimestamp: second(ago(200)),
      source: { component: "tester" },
    },
    {
      reason: "Often",
      message: "again",
      count: 12,
      firstTimestamp: second(ago(60 * 24 * 30)),
      lastTimestamp: second(ago(20)),
    },
    { reason: "Never", type: "Warning", message: "" },
    {
      reason: "Spaces",
      message: " \u0085\n trimmed \u00a0\t",
      lastTimestamp: second(ago(40)),
      firstTimestamp: null,
    },
    {
      reason: "Lines",
      message: "one\n  two\tthree\r\n\u001b[31mfour",
      lastTimestamp: second(ago(30)),
      firstTimestamp: second(ago(30)),
    },
    {
      reason: "Series",
      message: "new shape",
      eventTime: ago(300).replace("Z", "123Z"),
      series: { count: 7, lastObservedTime: ago(25).replace("Z", "456Z") },
      reportingComponent: "example.com/new",
      reportingInstance: "i",
      action: "Act",
    },
    {
      reason: "Path",
      message: "of a field",
      lastTimestamp: second(ago(10)),
      firstTimestamp: second(ago(11)),
      reportingComponent: "own",
    },
  ];
  return events.map((event, index) => ({
    metadata: {
      name: `${about.name}.${about.kind.toLowerCase()}.${index}`,
      namespace: about.namespace ?? "default",
    },
    type: "Normal",
    involvedObject: { ...about, ...event.reason === "Path" ? { fieldPath: "spec.containers{web}" } : {} },
    ...event,
  }));
}
