/** Proves by examples what an edit of a kubeconfig changes, what it leaves, and what it refuses. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import type { KubeconfigEdit } from "../../src/kubeconfig/edit.ts";
import { editKubeconfig, parseKubeconfig } from "../../src/kubeconfig/text.ts";
import { unifiedDiff } from "../../src/kubeconfig/diff.ts";
import { allowError, expectError } from "../expect-error.ts";
import { edit, exec, name } from "./generated-kubeconfigs.ts";
import { kubectl, kubectlData } from "../kube/kubectl.ts";

function edited(text: string, change: KubeconfigEdit, file = "f"): string {
  return editKubeconfig(parseKubeconfig(text, file), change);
}

function refusal(text: string, change: KubeconfigEdit = edit): string {
  const file = "/home/ada/.kube/config";
  const { message } = expectError(() => edited(text, change, file), "KUBECONFIG");
  assert.ok(message.includes(file), message);
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
  allowError(() => edited(text, edit), "KUBECONFIG");
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

Deno.test("editKubeconfig() only takes entries away from a file in which a name stands twice", async () => {
  const twice: [text: string, says: RegExp][] = [
    [
      "contexts:\n- {name: a, context: {cluster: one}}\n- {name: a, context: {cluster: two}}\n",
      /: "a" stands twice in "contexts" \(lines 2, 3\)\. It was left as it is/,
    ],
    [
      'users:\n- name: a\n- name: b\n- {name: \'a\'}\n- "name": "\\x61"\ncontexts: [{name: b}, {name: b}]\n',
      /"a" stands 3 times in "users" \(lines 2, 4, 5\); "b" stands twice in "contexts" \(lines 6, 6\)/,
    ],
    ["clusters:\n- null\n- cluster: {server: x}\n", /an entry without a name stands twice in "clusters"/],
    [
      "contexts:\n- name: a\n  context:\n    extensions: [{name: e, extension: 1}, {name: e, extension: 2}]\n",
      /"e" stands twice in "contexts\.0\.context\.extensions"/,
    ],
    [
      "preferences: {extensions: [{name: e, extension: {}}, {name: e, extension: {}}]}\n",
      /"e" stands twice in "preferences\.extensions"/,
    ],
    ["users: &u [{name: a}, {name: a}]\nx: *u\n", /"a" stands twice in "users"/],
  ];
  for (const [text, says] of twice) {
    assert.match(refusal(text), says);
    assert.match(refusal(text, { currentContext: "x" }), says);
    if (kubectl !== undefined) await assert.rejects(kubectlData(text), /duplicate name/, text);
  }
  const [contexts] = twice[0] ?? assert.fail();
  assert.deepEqual(parse(edited(contexts, { remove: { contexts: ["a"] } })), { contexts: [] });
  // What is left after it is whole again.
  const whole = edited(contexts, { remove: { contexts: ["a"] }, currentContext: "b" });
  assert.deepEqual(parse(whole), { contexts: [], "current-context": "b" });
  for (const text of ["users: [{name: a}, {name: A}]\n", "users: [{name: 1}, {name: 1}]\n"]) {
    edited(text, edit);
  }
});

Deno.test("a comment further to the right than an entry's dash belongs to it: a new entry goes behind it", () => {
  const behind = (text: string) => {
    const lines = edited(text, edit).split("\n");
    return (line: string) => lines[lines.indexOf(line) - 1];
  };
  const usual = behind(
    "clusters:\n- name: a\n  cluster:\n    server: https://a\n    # proxy-url: b\n\n  # and this\n# contexts\ncontexts:\n" +
      "- name: a\n  context: {cluster: a}\n# end of contexts\nusers:\n- name: a\n  user:\n    token: t\n      # far out",
  );
  assert.equal(usual("- cluster:"), "  # and this");
  assert.equal(usual("# contexts"), `  name: ${name}`);
  assert.equal(usual("# end of contexts"), `  name: ${name}`);
  assert.equal(usual("- name: datum-ada"), "      # far out");
  assert.equal(usual(`current-context: ${name}`), "        provideClusterInfo: false".slice(2));
  const indented = behind(
    "contexts:\n    - name: a\n      context: {}\n      # below\n    # end\nusers: []\n# the end\n",
  );
  assert.equal(indented("    - context:"), "      # below");
  assert.equal(indented("    # end"), `      name: ${name}`);
  // A key of the root mapping, behind all that is indented.
  const alone = behind("contexts:\n  - name: a\n    # below\n  # end\n# the end\n");
  assert.equal(alone("clusters:"), "  # end");
  assert.equal(alone("# the end"), `current-context: ${name}`);
});

Deno.test("a comment behind the last item of a flow list stays with it", () => {
  const context = { contexts: [{ name: "b", cluster: "b", user: "b" }] };
  const added = '{"context": {"cluster": "b", "user": "b"}, "name": "b"}';
  const cases: [before: string, after: string][] = [
    ["contexts: [{name: a}, # mine\n  ]\n", `contexts: [{name: a}, # mine\n           ${added}\n  ]\n`],
    [
      "contexts: [{name: a} # mine\n  # below\n]\n",
      `contexts: [{name: a}, # mine\n  # below\n           ${added}\n]\n`,
    ],
    ["contexts: [{name: a}] # mine\n", `contexts: [{name: a}, ${added}] # mine\n`],
  ];
  for (const [before, after] of cases) assert.equal(edited(before, context), after);
  const lines = edited("contexts: [\r\n  {name: a}, # mine\r\n]\r\n", context);
  assert.match(lines, /^contexts: \[\r\n {2}\{name: a\}, # mine\r\n {2}\{\r\n/);
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
