/** Proves how the text of a kuberc is mended, and which policies make kubectl refuse everything. */

import assert from "node:assert/strict";
import { parsePluginPolicy, wrongPolicy } from "../../src/kubeconfig/kuberc.ts";
import { withAllowlist, withOneMore } from "../../src/kubeconfig/kuberc-mend.ts";

const HEAD = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";
const LIST = "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- name: a\n- name: /b c\n";

Deno.test("withAllowlist() replaces the policy where it stands, and keeps every other line", () => {
  const lines = [
    "credentialPluginPolicy: Allowlist",
    "credentialPluginAllowlist:",
    "- name: a",
    '- name: "/b c"',
  ];
  const policy = `${lines.join("\n")}\n`;
  const allow = (text: string) => withAllowlist(text, ["a", "/b c"]);
  assert.equal(
    allow(`${HEAD}# mine\ncredentialPluginPolicy: DenyAll # no\nx: 1\n`),
    `${HEAD}# mine\n${policy}x: 1\n`,
  );
  assert.equal(
    allow(`${HEAD}credentialPluginAllowlist:\n- command: z\nx: 1\ncredentialPluginPolicy: x`),
    `${HEAD}${policy}x: 1\n`,
  );
  assert.equal(allow(`${HEAD}credentialPluginAllowlist: [{name: z}]\n`), HEAD + policy);
  assert.equal(allow(HEAD), HEAD + policy);
  for (const text of ["{}\n", "- a\n", "a: [\n"]) assert.equal(allow(text), undefined, text);
});

Deno.test("withOneMore() adds an entry behind the last one, in its column", () => {
  assert.equal(withOneMore(`${HEAD}${LIST}`, "/c"), `${HEAD}${LIST}- name: /c\n`);
  assert.equal(withOneMore(`${HEAD}${LIST}x: 1\n`, "/c"), `${HEAD}${LIST}- name: /c\nx: 1\n`);
  const indented = `${HEAD}credentialPluginAllowlist:\n    - name: a # theirs\n\n# end\nx: 1\n`;
  const added = withOneMore(indented, "/c") ?? assert.fail();
  assert.match(added, /\n {4}- name: a # theirs\n {4}- name: \/c\n/);
  assert.ok(added.endsWith("x: 1\n"));
  assert.equal(withOneMore(`${HEAD}credentialPluginAllowlist: []\n`, "/c"), undefined);
  assert.equal(withOneMore(HEAD, "/c"), undefined);
});

Deno.test("what is mended is read back with every command that it should allow", () => {
  const text = withAllowlist(`${HEAD}credentialPluginPolicy: DenyAll\n`, ["yes", "a: b", "it's"]) ??
    assert.fail();
  assert.deepEqual(parsePluginPolicy(text, "f")?.allowed, ["yes", "a: b", "it's"]);
});

Deno.test("wrongPolicy() names what kubectl 1.35 and 1.36 refuse to start with, as they were seen to", () => {
  const why = (text: string) => wrongPolicy(HEAD + text)?.why;
  assert.match(why("credentialPluginPolicy: maybe\n") ?? "", /none that kubectl knows/);
  assert.match(why("credentialPluginPolicy: Allowlist\n") ?? "", /has no list/);
  assert.match(why("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []\n") ?? "", /is empty/);
  assert.match(
    why("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- name: ''\n") ?? "",
    /names no program/,
  );
  for (const policy of ["AllowAll", "DenyAll", "''"]) {
    assert.match(
      why(`credentialPluginPolicy: ${policy}\ncredentialPluginAllowlist: []\n`) ?? "",
      /not Allowlist/,
    );
  }
  const fine = [
    "",
    "credentialPluginPolicy: DenyAll\n",
    "credentialPluginPolicy: ''\n",
    LIST,
    // kubectl reads nothing of such a file.
    "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: x\n",
  ];
  for (const text of fine) assert.equal(why(text), undefined, text);
  assert.equal(wrongPolicy("kind: Preference\ncredentialPluginPolicy: maybe\n"), undefined);
});
