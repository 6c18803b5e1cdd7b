/** Proves that an edit of a kubeconfig says what was meant, and leaves every line that it is not about. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { AppError } from "../../src/errors.ts";
import type { ExecEntry, KubeconfigEdit } from "../../src/kube/kubeconfig-intent.ts";
import { editKubeconfig, type ParsedKubeconfig, parseKubeconfig } from "../../src/kube/kubeconfig-text.ts";
import { unifiedDiff } from "../../src/kube/unified-diff.ts";
import { kubectl, kubectlData } from "./kubectl.ts";

const exec: ExecEntry = {
  apiVersion: "client.authentication.k8s.io/v1",
  command: "/usr/local/bin/datumctl",
  args: ["auth", "get-token", "--output=client.authentication.k8s.io/v1", "--session=ada@example.com"],
  interactiveMode: "IfAvailable",
  provideClusterInfo: false,
  installHint: "Install datumctl: it signs in for kubectl.",
  env: null,
};
const name = "datum-project-web";
const edit: KubeconfigEdit = {
  clusters: [{ name, server: "https://api.example.com/control-plane" }],
  users: [{ name: "datum-ada", exec }],
  contexts: [{ name, cluster: name, user: "datum-ada" }],
  currentContext: name,
};

function edited(text: string, change: KubeconfigEdit, file = "f"): string {
  return editKubeconfig(parseKubeconfig(text, file), change);
}

function refusal(text: string, change: KubeconfigEdit = edit): string {
  let message = "";
  assert.throws(() => edited(text, change, "/home/ada/.kube/config"), (error) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, "KUBECONFIG");
    message = error.message;
    return true;
  });
  assert.ok(message.includes("/home/ada/.kube/config"), message);
  return message;
}

/** The lines that an edit takes away and puts in. */
function changed(before: string, change: KubeconfigEdit): string[] {
  return unifiedDiff(before, edited(before, change), { before: "a", after: "b" })
    .split("\n").slice(2).filter((line) => /^[-+\\]/.test(line));
}

Deno.test("editKubeconfig() refuses what is broken, and names the file and the line", () => {
  const cases: [text: string, says: RegExp][] = [
    ["apiVersion: v1\nkind: Config\nusers: [\n", /line \d+ is not valid YAML/],
    ["kind: Config\nusers:\n\t- name: a\n", /line 3 is not valid YAML \(tab as indent\)/],
    ["kind: Config\nusers: []\nusers: []\n", /line 3 is not valid YAML \(duplicate key\)/],
    ["kind: Config\n---\nkind: Config\n", /several YAML documents \(the second begins at line 2\)/],
    ["- a\n", /line 1 is not a mapping/],
    ["# a comment\nnull\n", /line 2 is not a mapping/],
    ["just words\n", /line 1 is not a mapping/],
    ["apiVersion: v1\nkind: Pod\n", /line 2 says that it is not of kind Config/],
    ["apiVersion: v2\nkind: Config\n", /line 1 names an apiVersion other than v1/],
    ["kind: Config\nusers: {a: b}\n", /"users" \(line 2\) is not a list/],
    ["kind: Config\nusers: [a]\n", /entry 1 of "users" \(line 2 on\) is not a mapping/],
    ["kind: Config\nusers: [{name: a, user: b}]\n", /entry 1 of "users"/],
    ["kind: Config\nusers: *gone\n", /line 2 is not valid YAML \(bad alias\)|aliases cannot be resolved/],
  ];
  for (const [text, says] of cases) assert.match(refusal(text), says);
});

Deno.test("a refusal never quotes the file, which holds secrets", () => {
  for (
    const text of ["kind: Config\nusers:\n - name: a\n  hunter2: b\n", "x: 'hunter2\n", "hunter2: }hunter2"]
  ) {
    assert.doesNotMatch(refusal(text), /hunter2/);
  }
});

Deno.test("editKubeconfig() refuses a file made to expand without end", () => {
  const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}]\n`).join("");
  const text = `l0: &l0 [x]\n${levels}`;
  const started = performance.now();
  try {
    edited(text, edit);
  } catch (error) {
    assert.ok(error instanceof AppError);
  }
  assert.ok(performance.now() - started < 5_000);
});

Deno.test("editKubeconfig() refuses to change an entry whose anchor others share", () => {
  const text = "users:\n- name: other\n  user: {}\n- name: datum-ada\n  user: &shared\n    token: t\n" +
    "- name: third\n  user: *shared\n";
  assert.match(refusal(text), /entry 2 of "users" \(line 4\).*without touching other entries/);
});

Deno.test("editKubeconfig() writes out an entry that is an alias, and leaves the anchor's own", () => {
  const text = "contexts:\n- &base\n  name: datum-project-web\n  context: {cluster: a, user: b}\n" +
    "x-users: &u {token: t, as: me}\nusers:\n- name: datum-ada\n  user: *u\n- name: other\n  user: *u\n";
  const users = (parse(edited(text, { users: edit.users ?? [] })) as { users: unknown[] }).users;
  assert.deepEqual(users, [{ name: "datum-ada", user: { as: "me", exec } }, {
    name: "other",
    user: { token: "t", as: "me" },
  }]);
});

Deno.test("editKubeconfig() overrides what a merge key brings in, and leaves its source alone", () => {
  const text = "base: &base\n  cluster: old\n  namespace: n\ncontexts:\n- name: datum-project-web\n" +
    "  context:\n    <<: *base\n    user: someone\n- name: other\n  context:\n    <<: *base\n";
  assert.deepEqual(changed(text, { contexts: edit.contexts ?? [] }), [
    "-    user: someone",
    "+    user: datum-ada",
    "+    cluster: datum-project-web",
  ]);
});

Deno.test("editKubeconfig() fills an empty file, and one of comments only, which stay", () => {
  for (const text of ["", "{}\n", "---\n", "# mine\n", "# mine", "\ufeff# mine\r\n"]) {
    const result = edited(text, edit);
    assert.ok(result.startsWith(text.replace("{}\n", "")), result);
    assert.deepEqual(Object.keys(parse(result)).slice(0, 2), ["apiVersion", "clusters"]);
    assert.equal(parseKubeconfig(result, "f").data["kind"], "Config");
    assert.equal(/[^\r]\n/.test(result), !text.includes("\r"));
    assert.equal(result.endsWith("\n"), text !== "# mine");
  }
});

Deno.test("editKubeconfig() changes only the fields that differ", () => {
  const text = edited("", edit);
  const other = edited(text, {
    users: [{ name: "datum-ada", exec: { ...exec, command: "/opt/datumctl" } }],
    contexts: [{ name, cluster: name, user: "datum-ada", namespace: "web" }],
  });
  assert.deepEqual(
    unifiedDiff(text, other, { before: "a", after: "b" }).split("\n").slice(2).filter((line) =>
      /^[-+]/.test(line)
    ),
    ["+    namespace: web", "-      command: /usr/local/bin/datumctl", "+      command: /opt/datumctl"],
  );
});

Deno.test("editKubeconfig() drops every other credential of our user entry and keeps what else is there", () => {
  const text = "users:\n- name: datum-ada # me\n  user:\n    # why\n    token: t\n    client-key: k\n" +
    "    exec:\n      command: old\n      args: [auth, get-token, --session=ada]\n" +
    "      env:\n      - {name: HTTPS_PROXY, value: p}\n    as: someone\n  extra: [1, 2] # kept\n";
  const result = edited(text, { users: edit.users ?? [] });
  assert.deepEqual((parse(result) as { users: unknown[] }).users, [{
    name: "datum-ada",
    user: { exec: { ...exec, env: [{ name: "HTTPS_PROXY", value: "p" }] }, as: "someone" },
    extra: [1, 2],
  }]);
  for (const kept of ["- name: datum-ada # me", "    # why", "  extra: [1, 2] # kept"]) {
    assert.ok(result.includes(kept), result);
  }
});

Deno.test("editKubeconfig() replaces another program's exec section wholly", () => {
  const text =
    "users:\n- name: datum-ada\n  user: {exec: {command: aws, args: [eks], env: [{name: A, value: b}]}}\n";
  const result = parse(edited(text, { users: edit.users ?? [] })) as { users: [{ user: unknown }] };
  assert.deepEqual(result.users[0].user, { exec });
});

Deno.test("editKubeconfig() takes away and puts in a CA, and the switch that would contradict it", () => {
  const text =
    "clusters:\n- cluster:\n    certificate-authority: ca.pem\n    insecure-skip-tls-verify: true\n" +
    "    server: https://a\n  name: c\n";
  const cluster = (certificateAuthorityData: string | null) =>
    (parse(
      edited(text, { clusters: [{ name: "c", server: "https://a", certificateAuthorityData }] }),
    ) as { clusters: [{ cluster: unknown }] }).clusters[0].cluster;
  assert.deepEqual(cluster("QQ=="), { server: "https://a", "certificate-authority-data": "QQ==" });
  assert.deepEqual(cluster(null), { server: "https://a", "insecure-skip-tls-verify": true });
});

Deno.test("editKubeconfig() updates the first of several entries with one name, and removes all", () => {
  const text = "contexts:\n- {name: a, context: {cluster: one}}\n- {name: a, context: {cluster: two}}\n";
  assert.deepEqual(
    parse(edited(text, { contexts: [{ name: "a", cluster: "new", user: "u" }] })),
    {
      contexts: [{ name: "a", context: { cluster: "new", user: "u" } }, {
        name: "a",
        context: { cluster: "two" },
      }],
    },
  );
  assert.deepEqual(parse(edited(text, { remove: { contexts: ["a"] } })), { contexts: [] });
});

Deno.test("editKubeconfig() undoes what it did, to the byte", () => {
  const before =
    "apiVersion: v1\nclusters:\n- cluster:\n    server: https://a\n  name: a # a\n\n# between\n" +
    "contexts:\n- context:\n    cluster: a\n    user: a\n  name: a\ncurrent-context: a # here\nkind: Config\n" +
    "users:\n- name: a\n  user: {}\n# end";
  const after = edited(before, edit);
  const back = edited(after, {
    remove: { clusters: [name], users: ["datum-ada"], contexts: [name] },
    currentContext: "a",
  });
  assert.equal(back, before);
});

Deno.test("editKubeconfig() empties the current context only when it is the one removed", () => {
  const text = "contexts: [{name: a}]\ncurrent-context: a\n";
  assert.deepEqual(changed(text, { remove: { currentContext: "b" } }), []);
  assert.deepEqual(changed(text, { remove: { currentContext: "a" } }), [
    "-current-context: a",
    '+current-context: ""',
  ]);
});

Deno.test("editKubeconfig() quotes what YAML 1.1 or 1.2 would read as something else", async () => {
  const names = [
    "yes",
    "NO",
    "null",
    "~",
    "1e3",
    "0x1f",
    "1:30",
    ".5",
    "-1",
    "a: b",
    "a #b",
    "<<",
    "*a",
    "é\u0085",
    "2001-01-01",
    "=",
    "",
    " a ",
    "C:\\bin\\x",
    "line\nbreak",
    "{a}",
    "'",
    '"',
    "a:",
    "- a",
    "\u007f\ufeff",
    "😀",
  ];
  const text = edited("", {
    contexts: names.map((one) => ({ name: one, cluster: one, user: one })),
  });
  const contexts = (parse(text) as { contexts: { name: string }[] }).contexts;
  assert.deepEqual(contexts.map((context) => context.name), names);
  if (kubectl === undefined) return;
  const seen = await kubectlData(text) as { contexts: { name: string }[] };
  assert.deepEqual(seen.contexts.map((context) => context.name).sort(), [...names].sort());
});

// ---- generated files ----

const word = fc.constantFrom("a", "prod", "dev-1", "kind-local", "über", "x y");
const scalar = (text: string, style: number) =>
  style === 1 ? `'${text}'` : style === 2 || /[ü ]/.test(text) ? JSON.stringify(text) : text;

interface Style {
  /** 0 block, 1 flow items, 2 flow lists. */
  readonly flow: number;
  readonly dash: number;
  readonly gap: number;
  readonly step: number;
  readonly quotes: number;
  readonly comments: boolean;
  readonly blank: boolean;
  readonly dashAlone: boolean;
  readonly nameFirst: boolean;
  readonly quotedKeys: boolean;
}
const style: fc.Arbitrary<Style> = fc.record({
  flow: fc.constantFrom(0, 0, 0, 1, 2),
  dash: fc.constantFrom(0, 0, 2, 4, 3),
  gap: fc.constantFrom(2, 2, 3, 5),
  step: fc.constantFrom(2, 4, 1, 7),
  quotes: fc.constantFrom(0, 1, 2),
  comments: fc.boolean(),
  blank: fc.boolean(),
  dashAlone: fc.boolean(),
  nameFirst: fc.boolean(),
  quotedKeys: fc.boolean(),
});

const item = fc.record({
  name: fc.oneof(word, fc.constantFrom(name, "datum-ada")),
  fields: fc.dictionary(
    fc.constantFrom(
      ...["server", "cluster", "user", "namespace", "token", "client-key", "proxy-url", "as", "zork"],
      "certificate-authority",
    ),
    word,
    { minKeys: 0, maxKeys: 4, noNullPrototype: true },
  ),
  nested: fc.boolean(),
  /** A user's own, and then a cluster has fields that an edit takes away. */
  exec: fc.constantFrom(undefined, undefined, "[auth, get-token, --session=x]", "[auth, print-access-token]"),
  anchor: fc.constantFrom(...Array(12).fill("none"), "merge", "alias", "anchored"),
});
type Item = typeof item extends fc.Arbitrary<infer T> ? T : never;

const INNER = { clusters: "cluster", users: "user", contexts: "context" } as const;
const BASE = "x-base: &base\n  namespace: from-base\n  zork: from-base\n";

function listText(key: keyof typeof INNER, items: readonly Item[], s: Style): string {
  const k = s.quotedKeys ? JSON.stringify : (text: string) => text;
  const comment = (text: string) => s.comments ? ` # ${text}` : "";
  const inFlow = ({ name, fields, anchor }: Item) => {
    const entries = Object.entries(fields).map(([a, b]) => `${k(a)}: ${scalar(b, s.quotes)}`);
    const inner = anchor === "alias"
      ? "*base"
      : `{${[...anchor === "merge" ? ["<<: *base"] : [], ...entries].join(", ")}}`;
    return `{${k("name")}: ${scalar(name, s.quotes)}, ${k(INNER[key])}: ${inner}}`;
  };
  if (s.flow === 2) {
    const between = s.blank ? ",\n    " : ", ";
    return `${k(key)}: [${s.blank ? "\n    " : ""}${items.map(inFlow).join(between)}${
      s.blank ? "\n  " : ""
    }]${comment(key)}\n`;
  }
  const dash = " ".repeat(s.dash);
  const pad = " ".repeat(s.dash + s.gap);
  let out = `${k(key)}:${comment(key)}\n`;
  items.forEach((one, index) => {
    if (s.comments) out += `${dash}# before ${index}\n`;
    if (s.flow === 1) {
      out += `${dash}- ${inFlow(one)}${comment("flow")}\n`;
      return;
    }
    const deep = pad + " ".repeat(s.step);
    const nameLine = `${k("name")}: ${scalar(one.name, s.quotes)}${comment("name")}`;
    const lines = Object.entries(one.fields).map(([a, b]) =>
      `${deep}${k(a)}: ${scalar(b, s.quotes)}${comment(a)}`
    );
    if (one.anchor === "merge") lines.unshift(`${deep}<<: *base`);
    if (key === "users" && one.exec !== undefined) {
      lines.push(`${deep}exec: {args: ${one.exec}, env: [{name: A, value: b}], zork: x}`);
    }
    if (key === "clusters" && one.exec !== undefined) {
      lines.push(`${deep}insecure-skip-tls-verify: true`, `${deep}certificate-authority-data: QQ==`);
    }
    if (one.nested) lines.push(`${deep}extensions:`, `${deep}- name: e`, `${deep}  extension: {x: [1, 2]}`);
    const head = one.anchor === "alias"
      ? `${INNER[key]}: *base`
      : lines.length === 0
      ? `${k(INNER[key])}:${one.nested ? " {}" : ""}`
      : `${k(INNER[key])}:${one.anchor === "anchored" ? ` &${key}${index}` : ""}${comment("inner")}`;
    const body = one.anchor === "alias" ? [head] : [head, ...lines];
    const all = s.nameFirst ? [nameLine, ...body] : [...body, nameLine];
    const [first = "", ...rest] = all;
    out += s.dashAlone ? `${dash}-\n${pad}${first}\n` : `${dash}-${" ".repeat(s.gap - 1)}${first}\n`;
    for (const line of rest) out += (line.startsWith(" ") ? "" : pad) + line + "\n";
    if (s.blank) out += "\n";
  });
  return out;
}

const list = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.array(item, { minLength: 1, maxLength: 4 }), style) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("null", "", "[]", "~ # none", "[ ] # none", "\n  []", "\n  null # x"),
  },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

const yamlFile = fc.record({
  clusters: list,
  users: list,
  contexts: list,
  order: fc.shuffledSubarray(["clusters", "users", "contexts", "current", "unknown", "head"], {
    minLength: 6,
    maxLength: 6,
  }),
  current: fc.constantFrom(
    "",
    "current-context: a",
    'current-context: "" # none',
    "current-context:",
    "'current-context': 'x'",
  ),
  head: fc.constantFrom("", "apiVersion: v1\nkind: Config", "kind: Config # k", "preferences: {}"),
  crlf: fc.boolean(),
  mark: fc.boolean(),
  start: fc.constantFrom("", "# top\n", "---\n", "# top\n\n--- # doc\n"),
  end: fc.constantFrom("", "\n", "\n# end\n", "\n# end", "\n\n\n", "\n...\n"),
}).map((file) => {
  const parts = file.order.map((part) => {
    if (part === "unknown") return "x-unknown:\n- |+\n  kept\n\n- >\n  folded\n";
    if (part === "current") return file.current;
    if (part === "head") return file.head;
    const value = file[part as keyof typeof INNER];
    if (value === undefined) return "";
    if (typeof value === "string") return `${part}: ${value}`.trimEnd();
    return listText(part as keyof typeof INNER, value[0], value[1]);
  });
  const lines = parts.map((part) => part.replace(/\n$/, "")).filter((part) => part !== "").join("\n");
  const body = (lines.includes("*base") ? BASE : "") + lines;
  const text = file.start + body + file.end;
  return (file.mark ? "\ufeff" : "") + (file.crlf ? text.replaceAll("\n", "\r\n") : text);
});

const jsonEntry = (inner: string) =>
  fc.record({
    name: fc.oneof(word, fc.constantFrom(name, "datum-ada")),
    [inner]: fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3, noNullPrototype: true }),
  });
const jsonList = (inner: string) => fc.oneof(fc.array(jsonEntry(inner), { maxLength: 3 }), fc.constant(null));
const jsonFile = fc.tuple(
  fc.record({
    apiVersion: fc.constant("v1"),
    kind: fc.constant("Config"),
    clusters: jsonList("cluster"),
    users: jsonList("user"),
    contexts: jsonList("context"),
    "current-context": fc.constantFrom("", "a"),
    "x-unknown": fc.jsonValue({ maxDepth: 2 }),
  }, { requiredKeys: ["kind"] }),
  fc.constantFrom(undefined, 2, 4, "\t"),
  fc.constantFrom("", "\n"),
).map(([data, indent, end]) => JSON.stringify(data, null, indent) + end);

const anyEdit: fc.Arbitrary<KubeconfigEdit> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(edit) },
  {
    weight: 2,
    arbitrary: fc.record({
      clusters: fc.constantFrom(
        [],
        [{ name: "prod", server: "https://new", certificateAuthorityData: "QUJD" }],
        [{ name: "a", server: "https://new", certificateAuthorityData: null }],
      ),
      users: fc.constantFrom([], [{ name: "a", exec }, { name: "datum-ada", exec }]),
      contexts: fc.constantFrom([], [{ name: "dev-1", cluster: "c", user: "u", namespace: "n" }]),
      remove: fc.record({
        clusters: fc.subarray(["a", name]),
        users: fc.subarray(["prod", "x y"]),
        contexts: fc.subarray(["a", "prod", name]),
        currentContext: fc.constantFrom("a", "x"),
      }),
    }),
  },
);

/**
 * The entries that an edit names stand in lines that may change. Every other line must come back untouched and
 * in its order: those of the other entries, comments outside of entries, unknown fields.
 */
function untouchedLines({ text, document }: ParsedKubeconfig, change: KubeconfigEdit): string[] {
  const touched = new Set([
    ...["clusters", "users", "contexts"].flatMap((key) => [
      ...(change[key as keyof typeof INNER] ?? []).map((one) => one.name),
      ...(change.remove?.[key as keyof typeof INNER] ?? []),
    ]),
  ]);
  const body = text.replace(/^\ufeff/, "");
  // A mapping on one line has no line that could stay.
  if (/^\{.*\}\s*$/.test(body)) return [];
  const mayChange: [number, number][] = [];
  const root = document.contents as unknown as {
    items?: {
      key: { value: string; range: number[] };
      value: { range?: number[]; flow?: boolean; items?: unknown[] };
    }[];
  };
  for (const pair of root.items ?? []) {
    const key = pair.key.value;
    const all: [number, number] = [
      pair.key.range[0] as number,
      pair.value?.range?.[1] ?? pair.key.range[1] as number,
    ];
    if (key === "current-context") mayChange.push(all);
    if (!(key in INNER)) continue;
    const items = pair.value.items ?? [];
    // A flow list may get an item on the line of another; an empty one becomes a list.
    if (pair.value.flow === true || items.length === 0) mayChange.push(all);
    // The key's line gets `[]` when nothing is left.
    mayChange.push([all[0], all[0]]);
    for (const one of items as { range: number[]; get?: (key: string) => unknown }[]) {
      if (touched.has(String(one.get?.("name")))) {
        const from = body.lastIndexOf("-", one.range[0]);
        mayChange.push([from, one.range[1] as number]);
      }
    }
  }
  let offset = 0;
  const lines: string[] = [];
  for (const line of body.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const end = offset + line.trimEnd().length;
    if (!mayChange.some(([a, b]) => a <= end && b > offset || a >= offset && a <= end)) {
      lines.push(line.trimEnd());
    }
    offset += line.length;
  }
  return lines;
}

function assertKept(lines: readonly string[], text: string): void {
  // In JSON a new neighbour puts a comma behind what was the last.
  const bare = (line: string) => text.startsWith("{") ? line.replace(/,$/, "") : line;
  const all = text.replace(/^\ufeff/, "").split("\n").map((line) => bare(line.trimEnd()));
  let at = 0;
  for (const line of lines) {
    const found = all.indexOf(bare(line), at);
    assert.ok(found >= 0, `lost or moved: ${JSON.stringify(line)}`);
    at = found + 1;
  }
}

type Plain = Record<string, unknown>;

/** What an edit means for plain data, in words other than the program's: removals first, then field by field. */
function meant(data: Readonly<Plain>, change: KubeconfigEdit): Plain {
  const after = plain(data) as Plain;
  for (const key of ["clusters", "users", "contexts"] as const) {
    const entries = (after[key] ?? []) as Plain[];
    const kept = entries.filter((one) => change.remove?.[key]?.includes(one["name"] as string) !== true);
    const put = (one: string, fields: (now: Plain) => Plain) => {
      const there = kept.find((entry) => entry["name"] === one);
      const now = (there?.[INNER[key]] ?? {}) as Plain;
      if (there === undefined) kept.push({ name: one, [INNER[key]]: fields(now) });
      else there[INNER[key]] = fields(now);
    };
    if (key === "clusters") change.clusters?.forEach((one) => put(one.name, (now) => clusterMeant(now, one)));
    if (key === "users") change.users?.forEach((one) => put(one.name, (now) => userMeant(now, one.exec)));
    if (key === "contexts") {
      change.contexts?.forEach(({ name, ...wanted }) => put(name, (now) => ({ ...now, ...wanted })));
    }
    if (kept.length !== entries.length || (change[key] ?? []).length > 0) after[key] = kept;
  }
  const left = change.remove?.currentContext;
  if (left !== undefined && after["current-context"] === left) after["current-context"] = "";
  if (change.currentContext !== undefined) after["current-context"] = change.currentContext;
  const wasEmpty = Object.keys(data).length === 0 && Object.keys(after).length > 0;
  return wasEmpty ? { apiVersion: "v1", kind: "Config", ...after } : after;
}

function clusterMeant(now: Plain, wanted: NonNullable<KubeconfigEdit["clusters"]>[number]): Plain {
  const { server, certificateAuthorityData: authority } = wanted;
  if (authority === undefined) return { ...now, server };
  const { "certificate-authority": _file, "certificate-authority-data": _data, ...others } = now;
  if (authority === null) return { ...others, server };
  const { "insecure-skip-tls-verify": _unchecked, ...checked } = others;
  return { ...checked, server, "certificate-authority-data": authority };
}

function userMeant(now: Plain, wanted: ExecEntry): Plain {
  const others = Object.entries(now).filter(([field]) =>
    !/^(token|tokenFile|client-.*|username|password|auth-provider|exec)$/.test(field)
  );
  const before = (now["exec"] ?? {}) as Plain;
  const isOurs = String(before["args"]).startsWith("auth,get-token,") &&
    /--session/.test(String(before["args"]));
  const kept = isOurs ? before : {};
  return {
    ...Object.fromEntries(others),
    exec: { ...kept, ...wanted, env: wanted.env ?? kept["env"] ?? null },
  };
}

/** A copy in which nothing is shared, as aliases share it. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, plain(below)]));
}

/** The edited text, held against what was meant; undefined where the edit is refused. */
function checkEdit(config: ParsedKubeconfig, change: KubeconfigEdit): string | undefined {
  const { text } = config;
  let result: string;
  try {
    result = editKubeconfig(config, change);
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === "KUBECONFIG", String(error));
    return undefined;
  }
  const after = parseKubeconfig(result, "f");
  assert.deepEqual(plain(after.data), meant(config.data, change));
  assert.equal(editKubeconfig(after, change), result, "a second edit changes something");
  assert.equal(result.startsWith("\ufeff"), text.startsWith("\ufeff"));
  if (text.includes("\r\n")) assert.doesNotMatch(result, /[^\r]\n/);
  else assert.doesNotMatch(result, /\r/);
  assert.equal(result.endsWith("\n"), text === "" || text.endsWith("\n"));
  assertKept(untouchedLines(config, change), result);
  return result;
}

Deno.test("editKubeconfig() on generated YAML files says what was meant and keeps every other line", () => {
  let refused = 0;
  let checked = 0;
  fc.assert(
    fc.property(yamlFile, anyEdit, (text, change) => {
      if (checkEdit(parseKubeconfig(text, "f"), change) === undefined) refused += 1;
      else checked += 1;
    }),
    { numRuns: 500 },
  );
  assert.ok(refused < checked / 10, `${refused} refused, ${checked} edited`);
});

Deno.test("editKubeconfig() on generated JSON files leaves JSON that says what was meant", () => {
  fc.assert(
    fc.property(jsonFile, anyEdit, (text, change) => {
      const result = checkEdit(parseKubeconfig(text, "f"), change);
      JSON.parse(result ?? assert.fail("it was refused"));
    }),
    { numRuns: 500 },
  );
});

Deno.test({
  name: "kubectl reads the edited file as it was meant",
  ignore: kubectl === undefined,
  fn: async () => {
    await fc.assert(
      fc.asyncProperty(yamlFile, async (text) => {
        const config = parseKubeconfig(text, "f");
        const names = Object.keys(INNER).flatMap((key) =>
          (config.data[key] as { name?: string }[] | null | undefined ?? []).map((one) =>
            `${key} ${one.name}`
          )
        );
        // kubectl refuses files in which a name stands twice.
        fc.pre(new Set(names).size === names.length);
        const result = checkEdit(config, edit);
        if (result === undefined) return;
        const seen = await kubectlData(result) as Record<string, { name: string; [key: string]: unknown }[]>;
        const find = (key: string, one: string) => seen[key]?.find((entry) => entry.name === one);
        assert.equal(seen["current-context"] as unknown, name);
        assert.equal(
          (find("clusters", name)?.["cluster"] as { server: string }).server,
          edit.clusters?.[0]?.server,
        );
        assert.deepEqual((find("users", "datum-ada")?.["user"] as { exec: unknown }).exec, exec);
        assert.equal((find("users", "datum-ada")?.["user"] as { token?: string }).token, undefined);
        assert.equal((find("contexts", name)?.["context"] as { user: string }).user, "datum-ada");
        assert.equal(
          seen["contexts"]?.length,
          new Set([...names.filter((one) => one.startsWith("contexts")), `contexts ${name}`]).size,
        );
      }),
      { numRuns: 40 },
    );
  },
});
