/** Proves, with generated files, that no kubeconfig breaks its reader, is damaged by an edit, or is quoted. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { loadKubeconfig } from "../../src/kubeconfig/file.ts";
import { parsePluginPolicy, pluginRemedy, refusesPlugin } from "../../src/kubeconfig/kuberc.ts";
import { withoutSecrets } from "../../src/kubeconfig/mask.ts";
import { editKubeconfig, parseKubeconfig } from "../../src/kubeconfig/text.ts";
import { shellLine } from "../../src/text.ts";
import { assertPrintable, expectError } from "../expect-error.ts";
import { changedText, damaged, ours, RUNS } from "../fuzz.ts";
import { inScratch } from "../scratch.ts";

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

/** The same with comments below entries, and a name that may come to stand twice. */
const COMMENTED = `clusters:
  - name: a # SECRET
    cluster:
      server: https://a.example
      # token: SECRET

    # below
  # end
contexts: [{name: a}, # SECRET
  {name: b} # mine
  ]
users:
- name: a
  user: {token: SECRET}
    # as: SECRET
- name: aa
  user: {token: SECRET}
`;

const anyText = fc.oneof(changedText(GOOD), damaged(fc.constantFrom(YAML, COMMENTED)));

Deno.test("no kubeconfig breaks its reader or its editor, and none is quoted", async () => {
  const edit = {
    clusters: [{ name: "b", server: "https://b.example" }],
    contexts: [{ name: "b", cluster: "b", user: "a" }],
    currentContext: "b",
  };
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      const parsed = await ours(() => parseKubeconfig(text, "/home/ada/.kube/config"));
      const edited = await ours(() => editKubeconfig(parseKubeconfig(text, "/home/ada/.kube/config"), edit));
      if (parsed === undefined) assert.equal(edited, undefined, "what cannot be read is not edited");
      if (edited === undefined) return;
      const { data } = parseKubeconfig(edited, "f");
      assert.equal(data["current-context"], "b");
      expectError(() => parseKubeconfig(`${edited}\n---\nkind: Config\n`, "f"));
    }),
    { numRuns: RUNS },
  );
});

/** The texts below a value, but for the keys: those are shown. */
function scalarsOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return `${value}\n`;
  return Object.values(value).map(scalarsOf).join("");
}

Deno.test("no kubeconfig breaks what hides its secrets: as many lines come back, and no value of a stranger's", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyText, damaged(fc.constant(COMMENTED))), async (text) => {
      const clean = await ours(() => withoutSecrets(text)) ?? assert.fail();
      assert.equal(clean.split("\n").length, text.split("\n").length);
      const config = await ours(() => parseKubeconfig(text, "f"));
      const users = config?.data["users"];
      if (!Array.isArray(users)) return;
      const hidden = await ours(() => parseKubeconfig(clean, "f"));
      const entries = (hidden?.data["users"] ?? []) as ({ readonly user?: unknown } | null)[];
      assert.ok(!scalarsOf(entries.map((one) => one?.user)).includes("SECRET"), clean);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no bytes break the reader of a file, in whatever encoding", async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/config`;
    const wide = anyText.map((text) =>
      new Uint8Array(Uint16Array.from(text, (letter) => letter.charCodeAt(0)).buffer)
    );
    const cut = fc.tuple(wide, fc.nat(4), fc.constantFrom([], [0xff, 0xfe], [0xfe, 0xff], [0xef, 0xbb, 0xbf]))
      .map(([bytes, from, mark]) => new Uint8Array([...mark, ...bytes.subarray(from)]));
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, fc.uint8Array({ maxLength: 80 })), async (bytes) => {
        await Deno.writeFile(path, bytes);
        const read = await ours(() => loadKubeconfig([path]));
        if (bytes[0] === 0xff && bytes[1] === 0xfe) assert.equal(read, undefined);
      }),
      { numRuns: RUNS },
    );
  });
});

Deno.test("no kuberc breaks its reader, and what is told of it can be printed", async () => {
  const good = {
    apiVersion: "kubectl.config.k8s.io/v1beta1",
    kind: "Preference",
    credentialPluginPolicy: "Allowlist",
    credentialPluginAllowlist: [{ name: "aws" }, { command: "/opt/it's" }],
  };
  let told = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(changedText(good), damaged(fc.constant(JSON.stringify(good)))),
      async (text) => {
        const policy = await ours(() => parsePluginPolicy(text, "f"));
        if (policy === undefined || !refusesPlugin(policy, "/opt/datumctl", () => undefined)) return;
        const { words } = pluginRemedy(policy, "/opt/datumctl");
        if (words === undefined) return;
        told += 1;
        assertPrintable(shellLine(words).replaceAll("SECRET", ""));
      },
    ),
    { numRuns: RUNS },
  );
  assert.ok(told > RUNS / 20, `${told}`);
});
