/** Proves, with generated files, that no kubeconfig breaks its reader, is damaged by an edit, or is quoted. */

import fc from "fast-check";
import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { editKubeconfig, parseKubeconfig } from "../../src/kube/kubeconfig-text.ts";
import { changedText, damaged, ours, RUNS } from "../fuzz.ts";

const GOOD = {
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "a", cluster: { server: "https://a.example", "certificate-authority-data": "SECRET" } }],
  users: [{ name: "a", user: { token: "SECRET", exec: { command: "x", args: ["SECRET"], env: null } } }],
  contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
  "current-context": "a",
};
const YAML = `# SECRET
apiVersion: v1
kind: Config
clusters:
- cluster: {server: "https://a.example"}
  name: a
users:
- name: a
  user:
    token: &t SECRET
    exec: {command: 'x', args: [*t, "SECRET"]}
contexts: [] # SECRET
x: |
  SECRET
`;

Deno.test("no kubeconfig breaks its reader or its editor, and none is quoted", async () => {
  const edit = {
    clusters: [{ name: "b", server: "https://b.example" }],
    contexts: [{ name: "b", cluster: "b", user: "a" }],
    currentContext: "b",
  };
  await fc.assert(
    fc.asyncProperty(fc.oneof(changedText(GOOD), damaged(fc.constant(YAML))), async (text) => {
      const parsed = await ours(() => parseKubeconfig(text, "/home/ada/.kube/config"));
      const edited = await ours(() => editKubeconfig(parseKubeconfig(text, "/home/ada/.kube/config"), edit));
      if (parsed === undefined) assert.equal(edited, undefined, "what cannot be read is not edited");
      if (edited === undefined) return;
      const { data } = parseKubeconfig(edited, "f");
      assert.equal(data["current-context"], "b");
      assert.throws(() => parseKubeconfig(`${edited}\n---\nkind: Config\n`, "f"), AppError);
    }),
    { numRuns: RUNS },
  );
});
