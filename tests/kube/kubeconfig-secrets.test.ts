/** Proves that no secret of a kubeconfig is shown, in whatever style of YAML it is written, and that the rest is. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { previewKubeconfig } from "../../src/kube/kubeconfig.ts";
import { withoutSecrets } from "../../src/kube/kubeconfig-secrets.ts";
import { entryEdit } from "../../src/kube/own-entry.ts";

const KEYS = [
  ...["token", "password", "client-key-data", "client-secret", "id-token", "refresh-token", "access-token"],
  ...["value", "clientSecret", "OIDC_TOKEN", "api-key", "auth-token", "idp-refresh-token"],
];

const FLAGS = ["--token", "--oidc-client-secret", "--password", "-password", "--aws-secret-access-key"];

/** Ways to write a field; each line goes into a block mapping. */
const FIELDS: Readonly<Record<string, (key: string, secret: string) => string[]>> = {
  plain: (key, secret) => [`${key}: ${secret}`],
  "a space before the colon": (key, secret) => [`${key} : ${secret}`],
  "a tab behind the colon": (key, secret) => [`${key}:\t${secret}`],
  "quotes": (key, secret) => [`"${key}": '${secret}'`],
  "quotes and a space": (key, secret) => [`'${key}' : "${secret}"`],
  "an escape in the key": (
    key,
    secret,
  ) => [`"\\x${key.charCodeAt(0).toString(16)}${key.slice(1)}": ${secret}`],
  "the next line": (key, secret) => [`${key}:`, `  ${secret}`],
  "a folded block": (key, secret) => [`${key}: >-`, `  ${secret}`],
  "a literal block with a comment": (key, secret) => [`${key}: |2+ # two`, `   ${secret}`, "", `  ${secret}`],
  "several plain lines": (key, secret) => [`${key}: begin`, `  ${secret}`, "", `  ${secret}`],
  "several quoted lines": (key, secret) => [`${key}: "begin`, `  ${secret}\\`, `  ${secret}"`],
  "an explicit key": (key, secret) => [`? ${key}`, `: ${secret}`],
  "a tag and an anchor": (key, secret) => [`${key}: !!str &mark ${secret}`],
  "an alias": (key, secret) => [`other: &mark ${secret}`, `${key}: *mark`],
  "an alias in a list": (key, secret) => [`other: &mark ${secret}`, `${key}: [*mark]`],
  "an aliased key": (key, secret) => [`other: &mark ${key}`, `*mark : ${secret}`],
  "a list": (key, secret) => [`${key}:`, `- ${secret}`],
  "a mapping": (key, secret) => [`${key}:`, `  a: ${secret}`, `  # ${secret}`, `  b: [${secret}]`],
  "a flow mapping": (key, secret) => [`exec: {a: 1, ${key}: ${secret}, b: 2}`],
  "a flow mapping of JSON": (key, secret) => [`exec: {"a":1,"${key}":"${secret}","b":2}`],
  "a flow mapping of lines": (key, secret) => ["exec: {", `  ${key}:`, `    ${secret},`, "  b: 2}"],
  "an auth provider": (
    key,
    secret,
  ) => ["auth-provider:", "  config:", `    ${key}: ${secret}`, "  name: oidc"],
  "a merged mapping": (key, secret) => [`<<: {${key}: ${secret}}`],
  "a comment": (key, secret) => [`a: 1 # ${key}: ${secret}`],
  "a commented-out line": (key, secret) => [`# ${key} : "${secret}"`, "a: 1"],
};

/** Ways to write an exec argument. */
const ARGUMENTS: Readonly<Record<string, (flag: string, secret: string) => string[]>> = {
  "one item": (flag, secret) => ["args:", `- ${flag}=${secret}`, "- b"],
  "one quoted item": (flag, secret) => ["args:", `- "${flag}=${secret}"`],
  "an escaped item": (flag, secret) => ["args:", `- "${flag}\\x3d${secret}"`],
  "a folded item": (flag, secret) => ["args:", "- >-", `  ${flag}=${secret}`],
  "a flow list": (flag, secret) => [`args: [a, ${flag}=${secret}, b]`],
  "the following item": (flag, secret) => ["args:", `- ${flag}`, `- ${secret}`],
  "the following item of a flow list": (flag, secret) => [`args: ["${flag}", "${secret}"]`],
  "the following item in a block": (flag, secret) => ["args:", `- ${flag}`, "- |", `  ${secret}`],
  "the following item by alias": (flag, secret) => [`other: &mark ${secret}`, `args: [${flag}, *mark]`],
  "a shell's line": (flag, secret) => ["args: [sh, -c]", `line: exec tool ${flag} ${secret}`],
  "a shell's variable": (_, secret) => ["args:", "- -c", `- MY_TOKEN=${secret} tool`],
  "a header": (_, secret) => ["args:", "- -H", `- "Authorization: Bearer ${secret}"`],
  "a URL": (_, secret) => [`proxy-url: http://ada:${secret}@proxy.example.com:3128`],
  "a commented-out item": (flag, secret) => ["args:", `# - ${flag}=${secret}`, "- b"],
};

const kubeconfig = (fields: readonly string[]) =>
  ["users:", "- name: other", "  user:", ...fields.map((line) => line === "" ? "" : `    ${line}`), ""].join(
    "\n",
  );

const SECRETS = fc.stringMatching(/^S[A-Za-z0-9]{11,40}$/);

async function preview(text: string): Promise<string> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    return await previewKubeconfig(
      [path],
      entryEdit({
        cluster: "datum-project-a",
        context: "datum-project-a",
        server: "https://api.example.com/a",
        command: "/opt/datumctl",
        identity: { session: "ada" },
        token: "access",
        switchTo: true,
      }),
    );
  } finally {
    await Deno.remove(path);
  }
}

for (const [what, ways, names] of [["field", FIELDS, KEYS], ["argument", ARGUMENTS, FLAGS]] as const) {
  for (const [style, write] of Object.entries(ways)) {
    Deno.test(`a secret ${what} is never shown: ${style}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...names), SECRETS, fc.boolean(), async (name, secret, carriage) => {
          const text = kubeconfig(write(name, secret)).replaceAll("\n", carriage ? "\r\n" : "\n");
          assert.ok(text.includes(secret));
          const clean = withoutSecrets(text);
          assert.ok(!clean.includes(secret), clean);
          assert.equal(clean.split("\n").length, text.split("\n").length, clean);
          assert.ok(clean.includes("REDACTED") && clean.includes("- name: other"), clean);
          const diff = await preview(text);
          assert.ok(!diff.includes(secret) && diff.includes("+- name: datum-ada"), diff);
        }),
        { numRuns: 25 },
      );
    });
  }
}

Deno.test("what is no secret is shown as it is", async () => {
  const text = `\ufeff${
    kubeconfig([
      "# the token file of this machine",
      "tokenFile: /var/run/token",
      "client-certificate-data: LS0tLQ==",
      "username: ada",
      "exec:",
      "  args: [oidc-login, get-token, --oidc-client-id=cli, '--token=id']",
      "  installHint: It gets a token for you.",
    ])
  }clusters: [{name: b, cluster: {server: 'https://b.example.com/x'}}]`;
  assert.equal(withoutSecrets(text), text);
  const diff = await preview("");
  assert.match(diff, /^\+ {6}- --token=access$/m);
  assert.doesNotMatch(diff, /REDACTED/);
});

Deno.test("of what cannot be read no word is shown", () => {
  assert.equal(withoutSecrets("token: [abc\nx: def\n"), "REDACTED\nREDACTED\n");
});
