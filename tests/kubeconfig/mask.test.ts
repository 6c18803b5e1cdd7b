/** Proves that no secret of a kubeconfig is shown, in whatever style of YAML it is written, and that the rest is. */

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { Document, parse, visit, type YAMLMap } from "yaml";
import fc from "../fast-check.ts";
import { previewKubeconfig } from "../../src/kubeconfig/file.ts";
import { withoutSecrets } from "../../src/kubeconfig/mask.ts";
import { entryEdit, execEntry } from "../../src/kubeconfig/entries.ts";

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

/** Where in a kubeconfig some lines of a block mapping stand. */
const PLACES: Readonly<Record<string, { readonly before: string; readonly indent: number }>> = {
  "a stranger's user entry": { before: "users:\n- name: other\n  user:\n", indent: 4 },
  "the other fields of an entry of ours": {
    before: "users:\n- name: other\n  user:\n    exec: {args: [auth, get-token, --session=x]}\n    more:\n",
    indent: 6,
  },
  "a cluster's extension": {
    before: "clusters:\n- name: other\n  cluster:\n    extensions:\n    - name: e\n      extension:\n",
    indent: 8,
  },
  "unknown fields": { before: "contexts:\n- name: other\nunknown:\n", indent: 2 },
};

const kubeconfig = (
  fields: readonly string[],
  { before, indent } = PLACES["a stranger's user entry"] ?? assert.fail(),
) => before + fields.map((line) => line === "" ? "\n" : `${" ".repeat(indent)}${line}\n`).join("");

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
        fc.asyncProperty(
          fc.constantFrom(...names),
          SECRETS,
          fc.constantFrom(...Object.values(PLACES)),
          fc.boolean(),
          async (name, secret, place, carriage) => {
            const lines = kubeconfig(write(name, secret), place);
            const text = lines.replaceAll("\n", carriage ? "\r\n" : "\n");
            assert.ok(text.includes(secret));
            const clean = withoutSecrets(text);
            assert.ok(!clean.includes(secret), clean);
            assert.equal(clean.split("\n").length, text.split("\n").length, clean);
            assert.ok(clean.includes("REDACTED") && clean.includes("- name: other"), clean);
            const diff = await preview(text);
            assert.ok(!diff.includes(secret) && diff.includes("+- name: datum-ada"), diff);
          },
        ),
        { numRuns: 40 },
      );
    });
  }
}

const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.hunter2";

/** Secrets as they stand in people's files; each holds `hunter2`. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  "a stranger's user entry": [
    "args: [--user=admin:hunter2]",
    "args: [-u, 'a:hunter2']",
    "args: [sh, -c, 'curl -u a:hunter2 https://x']",
    'args: [\'{"private_key": "hunter2"}\']',
    'args: [\'{"api_key": "hunter2"}\']',
    `args: [login, ${JWT}]`,
    "args: [login, hunter2]",
    "authorization: Basic hunter2",
    "command: /opt/tool-hunter2",
    "env: [{name: A, value: hunter2}]",
    "a: {b: {c: [[hunter2]]}}",
    "as: hunter2 # hunter2",
    "as: x # hunter2",
    "# hunter2",
  ],
  "a cluster's extension": [
    "private_key: hunter2",
    "api_key: hunter2",
    'note: \'{"private_key": "hunter2"}\'',
    "authorization: Basic hunter2",
    "args: ['--user=admin:hunter2']",
    "args: [-u, 'a:hunter2']",
    "jwt: hunter2",
    "cookie: hunter2",
    "pass: hunter2",
    "pwd: hunter2",
    "pat: hunter2",
    "credential: hunter2",
    "code: hunter2",
    "otp: hunter2",
    `note: ${JWT}`,
  ],
  "a comment": [
    "#token hunter2",
    "# private_key: hunter2",
    "# api_key=hunter2",
    "# api-key hunter2",
    "# Authorization: Basic hunter2",
    "# - --user=admin:hunter2",
    "# curl -u a:hunter2 https://x",
    "# jwt hunter2",
    "# cookie: a=hunter2",
    "# pass hunter2",
    "# pwd=hunter2",
    "# my PAT: hunter2",
    "# credential hunter2",
    "# code: hunter2",
    "# hunter2 is the otp",
    `## ${JWT}`,
  ],
};

Deno.test("the secrets that people's files hold are hidden, wherever they stand: 45 of 45", () => {
  const shown = Object.entries(CASES).flatMap(([place, lines]) =>
    lines.filter((line) => {
      // What is said of comments is said of those outside of users' entries.
      const text = kubeconfig([line, "z: 1"], PLACES[place] ?? PLACES["unknown fields"]);
      return withoutSecrets(text).includes("hunter2");
    })
  );
  assert.deepEqual(shown, []);
  assert.equal(Object.values(CASES).flat().length, 45);
});

Deno.test("of a stranger's user entry the name, the keys and the form are shown, and no scalar, in any style", () => {
  const values = fc.letrec<{ value: unknown; list: unknown; map: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.stringMatching(/^hidden[a-z0-9 #"'\\\n-]{0,20}$/),
      fc.integer({ min: 1000 }),
      tie("list"),
      tie("map"),
    ),
    list: fc.array(tie("value"), { maxLength: 3 }),
    map: fc.dictionary(fc.constantFrom("exec", "args", "x-y", "name", "user"), tie("value"), { maxKeys: 3 }),
  })).map;
  fc.assert(
    fc.property(values, fc.boolean(), fc.boolean(), (user, flow, comments) => {
      const document = new Document({
        users: [{ name: "theirs", user }, { name: "second", user: { token: "hidden" } }],
      });
      if (comments) {
        visit(document, {
          Scalar(key, node) {
            if (key !== "key") node.comment = " hidden";
            else node.commentBefore = " hidden";
          },
        });
      }
      if (flow) (document.getIn(["users", 0, "user"], true) as YAMLMap).flow = true;
      const text = document.toString();
      // Not where the writer made something else of it.
      fc.pre(isDeepStrictEqual(parse(text), document.toJS()));
      const clean = withoutSecrets(text);
      // What stands above it is not of the list.
      const [above = ""] = /^(?:# hidden\n)?/.exec(clean) ?? [];
      assert.doesNotMatch(clean.slice(above.length), /hidden|\d{4}/, `${text}\n${clean}`);
      for (const name of ["theirs", "second"]) assert.ok(clean.includes(name), clean);
      assert.equal(clean.split("\n").length, text.split("\n").length);
    }),
    { numRuns: 300 },
  );
});

Deno.test("user entries that somebody commented out are hidden, above and below the others", () => {
  const text =
    "kind: Config\nusers:\n#- name: b\n#  user: {username: hunter2}\n- name: a\n  user: {token: x}\n" +
    "- # hunter2\n  name: c\n#  user:\n#    args: [hunter2]\n\n# hunter2\n# end\ncontexts: [] # shown\n";
  const clean = withoutSecrets(text);
  assert.doesNotMatch(clean, /hunter2/);
  const nested = withoutSecrets("x:\n  tokens:\n    a: b\n#   c: [hunter2]\n  d: 1 # shown\n");
  assert.match(nested, /#.*REDACTED\n {2}d: 1 # shown\n$/);
  assert.match(clean, /- name: a\n.*\n- # REDACTED\n {2}name: c\n[^]*contexts: \[\] # shown\n$/);
});

Deno.test("what an entry of ours is made of is shown; what a person put beside it is not", async () => {
  const exec = execEntry({
    command: "/opt/datumctl",
    identity: { session: "token-tests@example.com", activeFor: "https://secret.example.com:8443/realms/key" },
    token: "id",
  });
  const text = new Document({
    clusters: [{
      name: "jwt",
      cluster: { server: "https://token.example.com:6443/x", "certificate-authority-data": "LS0t" },
    }],
    contexts: [{ name: "pass:word", context: { cluster: "jwt", user: "key", namespace: "cookie" } }],
    "current-context": "pass:word",
    users: [{ name: "datum-key", user: { exec } }],
  }).toString({ lineWidth: 0 });
  assert.equal(withoutSecrets(text), text);
  const more = text.replace(
    "- --token=id",
    "- --token=id\n          - --password=hunter2\n          - hunter2",
  )
    .replace("env: null", "env: [{name: A_PROXY, value: hunter2}]\n        note: --password hunter2");
  const clean = withoutSecrets(more);
  assert.ok(clean.includes("- --token=id") && clean.includes("name: A_PROXY"), clean);
  assert.equal(clean.match(/hunter2/g), null, clean);
  // A launcher's handle is shown where it stands, and nowhere else.
  const launched = text.replace("- auth\n", "- abcdefghijklmn27\n          - auth\n");
  assert.equal(withoutSecrets(launched), launched);
  const misplaced = launched.replace("- --token=id", "- --token=id\n          - abcdefghijklmnop");
  assert.doesNotMatch(withoutSecrets(misplaced), /abcdefghijklmnop/);
  const diff = await preview("");
  assert.match(diff, /^\+ {6}- --token=access$/m);
  assert.doesNotMatch(diff, /REDACTED/);
});

Deno.test("what is no secret is shown as it is, comments too", () => {
  const text =
    "\ufeff# my clusters, at 12:30, at https://wiki.example.com/x\nclusters:\n- name: b # careful!\n" +
    "  cluster: {server: 'https://b.example.com/x', proxy-url: 'socks5://127.0.0.1:1080', disable-compression: true}\n" +
    "    # proxy-url: socks5://127.0.0.1:1080\n# namespace: team-a\nusers: []\n" +
    "preferences: {colors: true}\nextensions: [{name: e, extension: {provider: minikube.sigs.k8s.io, version: v1.33.1}}]\n";
  assert.equal(withoutSecrets(text), text);
});

Deno.test("an address with a user or a question, and a name that is a token, are hidden", () => {
  for (
    const cluster of [
      "server: https://ada:hunter2@x",
      "server: https://x/?key=hunter2",
      "proxy-url: http://hunter2@p:3128",
      `tls-server-name: ${JWT}`,
      "server: {a: 'token=hunter2'}",
    ]
  ) assert.doesNotMatch(withoutSecrets(`clusters: [{name: a, cluster: {${cluster}}}]\n`), /hunter2/, cluster);
  for (
    const text of [
      `current-context: ${JWT}\n`,
      `contexts: [{name: ${JWT}}]\n`,
      `? "token=hunter2"\n: x\n`,
      "? [hunter2]\n: x\n",
    ]
  ) {
    assert.doesNotMatch(withoutSecrets(text), /hunter2/, text);
  }
});

Deno.test("of what cannot be read no word is shown", () => {
  assert.equal(withoutSecrets("token: [abc\nx: def\n"), "REDACTED\nREDACTED\n");
});

/** What a text of some length is made of, so that a look that starts again and again would show. */
const LONG: Readonly<Record<string, (length: number) => string>> = {
  "a line of #": (length) => "#".repeat(length),
  "a comment of one word": (length) => `# ${"token".repeat(length / 5)}`,
  "a comment of one letter": (length) => `# ${"a".repeat(length)}`,
  "a comment of pairs": (length) => `# ${"1:1".repeat(length / 3)}`,
  "a comment of addresses": (length) => `# ${"://a".repeat(length / 4)}`,
  "a comment of beginnings": (length) => `# ${"eyJ.".repeat(length / 4)}`,
  "a value of one word": (length) => `x: ${"token".repeat(length / 5)}`,
  "a value of one letter": (length) => `x: ${"a".repeat(length)}`,
  "a value of dashes": (length) => `x: ${"-".repeat(length)}`,
  "aliases": (length) => `x: &a [1]\ny: [${`*a${" ".repeat(57)},`.repeat(length / 60)}]`,
};

for (const [what, write] of Object.entries(LONG)) {
  Deno.test(`hiding takes time in proportion to the text: ${what}`, () => {
    const [short, long] = [120_000, 960_000].map((length) => `kind: Config\n${write(length)}\n`);
    const took = (text = "") => {
      const began = performance.now();
      withoutSecrets(text);
      return performance.now() - began;
    };
    // In turns, so that what else this machine does slows both.
    const rounds = Array.from({ length: 6 }, () => [took(short), took(long)] as const);
    const [little, much] = [Math.min(...rounds.map(([a]) => a)), Math.min(...rounds.map(([, b]) => b))];
    // Eight times the text; the square of it would be 64 times the time. A few milliseconds are no measure.
    assert.ok(much / Math.max(5, little) < 40, `${little} ms, then ${much} ms`);
  });
}
