/** Proves that of entries that stand twice only those go that say the same. */

import assert from "node:assert/strict";
import { withoutLaterDuplicates } from "../../src/kubeconfig/duplicate-entries.ts";
import { parseKubeconfig } from "../../src/kubeconfig/text.ts";

const without = (text: string) => withoutLaterDuplicates(parseKubeconfig(text, "f"));

Deno.test("a later entry that says the same goes with its lines, and nothing else does", () => {
  const entry = "- name: c\n  cluster:\n    server: https://a\n";
  const text = `# mine\nclusters:\n${entry}# between\n- name: d\n  cluster: {}\n${entry}users: []\n`;
  assert.equal(without(text), `# mine\nclusters:\n${entry}# between\n- name: d\n  cluster: {}\nusers: []\n`);
  assert.equal(without(`clusters:\n${entry}${entry}${entry.trimEnd()}`), `clusters:\n${entry}`);
});

Deno.test("entries that differ, and entries that share a line, are a person's to choose", () => {
  const differing =
    "clusters:\n- name: c\n  cluster: {server: 'https://a'}\n- name: c\n  cluster: {server: 'https://b'}\n";
  for (
    const text of [
      differing,
      "clusters: [{name: c, cluster: {}}, {name: c, cluster: {}}]\n",
      "extensions:\n- {name: a, extension: {}}\n- {name: a, extension: {}}\n",
    ]
  ) assert.equal(without(text), undefined, text);
});
