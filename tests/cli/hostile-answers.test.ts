/** Proves that whatever an API answers with a good status, a command ends in an error of ours at worst, and repeats no token. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import type { ProcessContext } from "../../src/cli/context.ts";
import { runCommandLine } from "../../src/cli/main.ts";
import { assertPrintable } from "../expect-error.ts";
import { hostileValue } from "../fuzz.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { CLOUDFLEET as CLOUD } from "../../src/providers/cloudfleet/facts.ts";
import { PERSON } from "../../src/providers/kinds.ts";
import { type Ran, recordingHost } from "./run-line.ts";

const RUNS = Number(Deno.env.get("DATUMCTL_FUZZ_RUNS") ?? 40);

const SIGNATURE = "c2lnbmF0dXJlLW9mLXRoZS10b2tlbi1pbi10aGVzZS10ZXN0cw";
const TOKEN = `eyJhbGciOiJub25lIn0.eyJzdWIiOiIzMTgyNzE5MzEyNDU5NTMyODEifQ.${SIGNATURE}`;

const API = "resourcemanager.miloapis.com/v1alpha1";

/** What each request, `GET /path`, is answered when all is well; the most special first. */
const GOOD: readonly (readonly [RegExp, unknown])[] = [
  [/\/selfsubjectaccessreviews$/, {
    status: { allowed: false, reason: "no", evaluationError: "no such role" },
  }],
  [/\/selfsubjectrulesreviews$/, {
    status: {
      resourceRules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] }],
      nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }],
      incomplete: true,
      evaluationError: "some",
    },
  }],
  [/\/selfsubjectreviews$/, {
    status: { userInfo: { username: "ada", uid: "1", groups: ["a", "b"], extra: { "a/b": ["c"] } } },
  }],
  [/\/organizationmemberships$/, {
    metadata: { continue: "" },
    items: [
      {
        spec: { organizationRef: { name: "acme" } },
        status: { organization: { displayName: "Acme", type: "Standard" } },
      },
      { spec: { organizationRef: { name: "beta" } } },
    ],
  }],
  [/\/projects\/web$/, { metadata: { name: "web" } }],
  [/\/projects$/, {
    items: [
      { metadata: { name: "web", annotations: { "kubernetes.io/display-name": "Web" } } },
      { metadata: { name: "api" } },
    ],
  }],
  [/\/api\/v1$/, {
    kind: "APIResourceList",
    resources: [{ name: "pods", singularName: "pod", kind: "Pod", namespaced: true, verbs: ["get", "list"] }],
  }],
  [/\/api$/, { kind: "APIVersions", versions: ["v1"] }],
  [/\/apis\/apps\/v1$/, {
    kind: "APIResourceList",
    resources: [{ name: "things", kind: "Thing", verbs: ["get"], shortNames: ["th"], categories: ["all"] }],
  }],
  [/\/apis$/, {
    kind: "APIGroupList",
    groups: [{ name: "apps", versions: [{ version: "v1" }], preferredVersion: { version: "v1" } }],
  }],
  [/\/tokens\/T1\/\w+$/, { id: "T1", secret: "a-new-secret" }],
  [/\/tokens\/T1$/, { id: "T1", name: "ci", role: "User", date_created: "2026-01-01", last_used: null }],
  [/^POST .*\/tokens$/, { id: "T1", secret: "a-new-secret", name: "ci", role: "User" }],
  [/\/tokens$/, [{ id: "T1", name: "ci", role: "User" }, { id: "T2", name: null }]],
  [/\/clusters\/C1$/, { id: "C1", name: "prod", region: "eu", endpoint: "https://c1.example.com" }],
  [/\/clusters$/, [{ id: "C1", name: "prod", region: "eu", status: "on" }, { id: "C2" }]],
  [/./, { gitVersion: "v1.34.1" }],
];

const DATUM = [
  ...["", "-o wide", "-o json", "-o yaml", "-o name"].flatMap((format) => [
    `api-resources --project web ${format}`,
    `ctx list ${format}`,
    `organizations list ${format}`,
    `projects list --organization acme ${format}`,
    `auth whoami --project web ${format}`,
  ]),
  ...["", "-o json", "-o yaml"].flatMap((format) => [
    `auth can-i get pods --project web ${format}`,
    `auth can-i --list --project web ${format}`,
  ]),
  "api-versions --project web",
  "ctx use acme/web",
  "get --raw /version --project web",
];
const CLOUDFLEET = [
  ...["", "-o wide", "-o json", "-o yaml", "-o name"].flatMap((format) => [
    `tokens list ${format}`,
    `clusters list ${format}`,
    `tokens describe T1 ${format.replace("wide", "table")}`,
  ]),
  "tokens create --name ci --role User -o json",
  "tokens regenerate T1 --yes",
  "tokens delete T1 --yes",
  "clusters kubeconfig C1 --kubeconfig KUBECONFIG",
];

const CODES = [0, 1, 2, 4, 5, 6];

/** Answers to one command: the JSON for each request, `GET /path`. */
type Answers = (request: string) => string;

async function run(sandbox: Sandbox, words: string, answers: Answers): Promise<Ran> {
  const cloudfleet = CLOUDFLEET.includes(words);
  const args = [
    ...words.replace("KUBECONFIG", `${sandbox.folder}/kubeconfig`).split(" ").filter((word) => word !== ""),
    ...["--profile", cloudfleet ? "fleet" : "cloud", "--request-timeout", "5s"],
  ];
  const fetch: ReturnType<ProcessContext["openNetwork"]>["fetch"] = (input, init) => {
    const text = answers(`${init?.method} ${new URL(input).pathname}`);
    return Promise.resolve(new Response(text, { headers: { "content-type": "application/json" } }));
  };
  const context = recordingHost(args, { store: sandbox.store, sleep: () => Promise.resolve() });
  const openNetwork = () => ({ fetch, [Symbol.dispose]() {} });
  const code = await runCommandLine(args, { ...context, openNetwork });
  return { code, stdout: context.written.out, stderr: context.written.err };
}

async function openStage(): Promise<Sandbox> {
  const sandbox = await openSandbox();
  const credentials = { accessToken: TOKEN };
  await sandbox.add({ name: "cloud", credentials, session: { controlPlaneApi: API } });
  await sandbox.add({
    name: "fleet",
    credentials: { ...credentials, api: { url: "https://api.example.com/v1" } },
    session: { provider: CLOUD, kind: PERSON, organization: "acme" },
  });
  return sandbox;
}

function goodAnswer(path: string): unknown {
  return GOOD.find(([pattern]) => pattern.test(path))?.[1];
}

/** Fails for a fault of ours, for what steers a terminal, and for the token or its signature. */
function assertWell(words: string, { code, stdout, stderr }: Ran): void {
  assert.doesNotMatch(stderr, /inside datumctl|INTERNAL/, words);
  assert.ok(CODES.includes(code), `${words}: ${code}`);
  assertPrintable(stderr);
  assert.ok(!stderr.includes(SIGNATURE), `${words}: ${stderr}`);
  // As it came, where that was asked for.
  if (words.startsWith("get --raw")) return;
  assertPrintable(stdout);
  assert.ok(!stdout.includes(SIGNATURE), `${words}: ${stdout}`);
}

Deno.test("all of it works when nothing is wrong", async () => {
  await using sandbox = await openStage();
  for (const words of [...DATUM, ...CLOUDFLEET]) {
    const ran = await run(sandbox, words, (path) => JSON.stringify(goodAnswer(path)));
    const no = words.startsWith("auth can-i get");
    assert.equal(ran.code, no ? 1 : 0, `${words}: ${ran.stderr}`);
    assertWell(words, ran);
  }
});

/** The places in a value, each as the names that lead there. */
function placesIn(value: unknown, way: readonly (string | number)[] = []): (string | number)[][] {
  const here = [[...way]];
  if (typeof value !== "object" || value === null) return here;
  return [
    ...here,
    ...Object.keys(value).flatMap((name) => placesIn(Reflect.get(value, name), [...way, name])),
  ];
}

/** A value in which one place holds something else. */
function replacedAt(value: unknown, [name, ...way]: readonly (string | number)[], put: unknown): unknown {
  if (name === undefined) return put;
  const copy = Array.isArray(value) ? [...value] : { ...value as object };
  Reflect.set(copy, name, replacedAt(Reflect.get(value as object, name), way, put));
  return copy;
}

/** Text that stands for a value nested so deep that nothing walks through it by recursion. */
const DEEP = ["\u0001deep list", "\u0001deep object"] as const;

function jsonWithDeep(value: unknown): string {
  return (JSON.stringify(value) ?? "null")
    .replaceAll(JSON.stringify(DEEP[0]), "[".repeat(200_000) + "]".repeat(200_000))
    .replaceAll(JSON.stringify(DEEP[1]), `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`);
}

const HOSTILE: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileValue },
  fc.constantFrom<unknown>(
    ...DEEP,
    TOKEN,
    `Bearer ${TOKEN}!`,
    TOKEN.slice(TOKEN.indexOf(".")),
    btoa(`id:${TOKEN}`),
    { [TOKEN]: TOKEN },
    JSON.parse('{"__proto__": {"polluted": true}}'),
    "g\ud800",
    "../../etc",
    Array.from({ length: 3000 }, () => ({})),
  ),
);

for (const words of [...DATUM, ...CLOUDFLEET]) {
  Deno.test(`whatever is answered: ${words}`, async () => {
    await using sandbox = await openStage();
    const paths: string[] = [];
    await run(sandbox, words, (path) => {
      paths.push(path);
      return JSON.stringify(goodAnswer(path));
    });
    const mutation = fc.constantFrom(...new Set(paths)).chain((path) =>
      fc.tuple(fc.constant(path), fc.constantFrom(...placesIn(goodAnswer(path))), HOSTILE)
    );
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        const answers = (path: string) => {
          const those = mutations.filter(([of]) => of === path);
          const value = those.reduce<unknown>((value, [, way, put]) => {
            try {
              return replacedAt(value, way, put);
            } catch {
              // An earlier one took that place away.
              return value;
            }
          }, goodAnswer(path));
          return jsonWithDeep(value);
        };
        assertWell(words, await run(sandbox, words, answers));
        assert.equal(({} as { polluted?: unknown }).polluted, undefined);
      }),
      { numRuns: RUNS },
    );
  });
}

Deno.test("a server's good words never say the token that they were asked with", async () => {
  await using sandbox = await openStage();
  const said = async (words: string, path: RegExp, answer: unknown) => {
    const ran = await run(sandbox, words, (at) => JSON.stringify(path.test(at) ? answer : goodAnswer(at)));
    assertWell(words, ran);
    return `${ran.stdout}${ran.stderr}`;
  };
  const spelled = [TOKEN, TOKEN.slice(12), [...TOKEN].reverse().join(""), TOKEN.toUpperCase(), btoa(TOKEN)];
  for (const token of spelled) {
    const text = `no ${token}!`;
    const review = { status: { allowed: false, reason: text, evaluationError: text } };
    const no = await said("auth can-i get pods --project web ", /accessreviews$/, review);
    assert.match(no, /^no - no \S{0,15}…\S{0,15}!/, token);
    const list = { status: { resourceRules: [], incomplete: true, evaluationError: text } };
    assert.match(
      await said("auth can-i --list --project web ", /rulesreviews$/, list),
      /no \S{0,15}…\S{0,15}!/,
    );
    const who = { status: { userInfo: { username: text, groups: [text], extra: { [token]: [text] } } } };
    const whoami = await said("auth whoami --project web ", /selfsubjectreviews$/, who);
    assert.match(whoami, /Username +no \S{0,15}…\S{0,15}!/);
    for (const piece of [token.slice(-20), token.slice(20, 60)]) {
      assert.ok(![no, whoami].some((text) => text.includes(piece)), `${piece} of ${token}`);
    }
  }
  const items = [{
    metadata: { name: "web", annotations: { "kubernetes.io/display-name": `is ${TOKEN}.` } },
  }];
  assert.match(await said("projects list --organization acme ", /projects$/, { items }), /^is …\. +web$/m);
  assert.match(await said("tokens list ", /tokens$/, [{ id: "T1", name: TOKEN }]), /^T1 +…$/m);
  assert.match(await said("clusters list ", /clusters$/, [{ id: "C1", name: TOKEN }]), /^C1 +…$/m);
});

Deno.test("one bad row never hides a list: it is passed over, and that is said", async () => {
  await using sandbox = await openStage();
  const ran = async (words: string, path: RegExp, change: (good: Record<string, unknown[]>) => unknown) =>
    await run(sandbox, words, (at) => {
      const good = structuredClone(goodAnswer(at));
      return JSON.stringify(path.test(at) ? change(good as Record<string, unknown[]>) : good);
    });
  const bad = { spec: { organizationRef: { name: "../../etc" } } };
  for (const words of ["ctx list ", "organizations list "]) {
    const { code, stdout, stderr } = await ran(
      words,
      /memberships$/,
      ({ items = [] }) => ({ items: [bad, ...items] }),
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /^warning: .* lists an organization "\.\.\/\.\.\/etc", which cannot be an id: passed over\.\n$/,
    );
    assert.match(stdout, /acme/);
    assert.match(stdout, /beta/);
  }
  for (const name of ["a/b", "g\ud800", "..", "A"]) {
    const { code, stdout, stderr } = await ran(
      "projects list --organization acme ",
      /projects$/,
      ({ items = [] }) => ({ items: [...items, { metadata: { name } }] }),
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^warning: .* lists a project ".*", which cannot be an id: passed over\.\n$/);
    assert.match(stdout, /^Web +web$/m);
  }
  for (const [words, path] of [["tokens list ", /tokens$/], ["clusters list ", /clusters$/]] as const) {
    const { code, stdout, stderr } = await run(sandbox, words, (at) => {
      const rows = [{ id: "../x" }, ...goodAnswer(at) as unknown[], 7];
      return JSON.stringify(path.test(at) ? rows : goodAnswer(at));
    });
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /^warning: api\.example\.com listed 2 of 4 in a form .*\(id is wrong\): passed over\.\n$/,
    );
    assert.match(stdout, /^[TC]1 /m);
  }
  const groups = [{ name: "g\ud800", versions: [{ version: "v1" }] }, {
    name: "..",
    versions: [{ version: "v1" }],
  }];
  const resources = await ran(
    "api-resources --project web ",
    /\/apis$/,
    (good) => ({ ...good, groups: [...groups, ...good.groups ?? []] }),
  );
  assert.equal(resources.code, 1);
  assert.match(resources.stdout, /^things +th/m);
  assert.match(resources.stderr, /Missing: .*\/v1.*cannot stand in the path of a request/);
});
