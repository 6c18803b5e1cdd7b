/** Generated kubeconfigs and edits of them, for what must hold of every one. */

import fc from "../fast-check.ts";
import type { ExecEntry, KubeconfigEdit } from "../../src/kubeconfig/edit.ts";

/** The exec section of the entry that is written. */
export const exec: ExecEntry = {
  apiVersion: "client.authentication.k8s.io/v1",
  command: "/usr/local/bin/datumctl",
  args: ["auth", "get-token", "--output=client.authentication.k8s.io/v1", "--session=ada@example.com"],
  interactiveMode: "IfAvailable",
  provideClusterInfo: false,
  installHint: "Install datumctl: it signs in for kubectl.",
  env: null,
};
/** The name of its cluster and context. */
export const name = "datum-project-web";
/** The edit of `update-kubeconfig`: a cluster, a user, a context, which becomes the current one. */
export const edit: KubeconfigEdit = {
  clusters: [{ name, server: "https://api.example.com/control-plane" }],
  users: [{ name: "datum-ada", exec }],
  contexts: [{ name, cluster: name, user: "datum-ada" }],
  currentContext: name,
};

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
  /** A comment further to the right than an item's dash stands below the item: at once, or behind an empty line. */
  readonly below: "none" | "at once" | "apart";
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
  below: fc.constantFrom("none", "at once", "apart"),
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

/** The member of an entry that holds its fields, by list. */
export const INNER = { clusters: "cluster", users: "user", contexts: "context" } as const;
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
    const between = s.blank ? `,${comment("behind an item")}\n    ` : ", ";
    const behind = s.blank ? comment("behind the last") : "";
    return `${k(key)}: [${s.blank ? "\n    " : ""}${items.map(inFlow).join(between)}${behind}${
      s.blank ? "\n  " : ""
    }]${comment(key)}\n`;
  }
  const dash = " ".repeat(s.dash);
  const pad = " ".repeat(s.dash + s.gap);
  let out = `${k(key)}:${comment(key)}\n`;
  const below = (index: number) =>
    s.below === "none" ? "" : `${s.below === "apart" ? "\n" : ""}${pad}# below ${key} ${index}\n`;
  items.forEach((one, index) => {
    if (s.comments) out += `${dash}# before ${index}\n`;
    if (s.flow === 1) {
      out += `${dash}- ${inFlow(one)}${comment("flow")}\n${below(index)}`;
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
    out += below(index);
    if (s.blank) out += "\n";
  });
  return out + (s.comments ? `${dash}# end of ${key}\n` : "");
}

const named = ({ name: one }: { readonly name: string }) => one;
const listOf = (items: fc.Arbitrary<Item[]>) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.tuple(items, style) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("null", "", "[]", "~ # none", "[ ] # none", "\n  []", "\n  null # x"),
    },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
const apart = listOf(fc.uniqueArray(item, { minLength: 1, maxLength: 4, selector: named }));
const meeting = listOf(fc.array(item, { minLength: 2, maxLength: 4 }));

/** Kubeconfigs in all the styles in which people write YAML, with anchors. */
export const yamlFile = yamlFileOf(apart);

/** The same, with names that may stand twice in one list. */
export const yamlFileWithDuplicates = yamlFileOf(meeting);

function yamlFileOf(list: typeof apart) {
  return fc.record({
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
}

const jsonEntry = (inner: string) =>
  fc.record({
    name: fc.oneof(word, fc.constantFrom(name, "datum-ada")),
    [inner]: fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3, noNullPrototype: true }),
  });
const jsonList = (inner: string) =>
  fc.oneof(
    fc.uniqueArray(jsonEntry(inner), { maxLength: 3, selector: (entry) => entry["name"] }),
    fc.constant(null),
  );
/** Kubeconfigs in JSON, which is YAML, too. */
export const jsonFile = fc.tuple(
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

/** {@link edit}, and edits that change, add and remove entries of the generated files. */
export const anyEdit: fc.Arbitrary<KubeconfigEdit> = fc.oneof(
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
