/** Proves that the vendor's words choose who acts and where, on every command and wherever they stand in a line. */

import assert from "node:assert/strict";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const ZOE = "zoe@example.com";

/** A command, with how it ends for who may do everything. FILE stands for a manifest. */
type Command = readonly [line: string, code?: number, only?: typeof STORED];

/** For a session that is stored alone: its command writes of it. */
const STORED = "for stored sessions";

/** Commands that ask a Datum. */
const COMMANDS: readonly Command[] = [
  ["auth whoami"],
  ["auth can-i get configmaps"],
  ["auth can-i --list"],
  ["auth get-token --force-refresh"],
  ["organizations list"],
  ["projects list --organization acme"],
  ["ctx list"],
  ["ctx use acme/web", 0, STORED],
  ["auth update-kubeconfig --project web", 0, STORED],
  ["api-resources"],
  ["api-versions"],
  ["explain configmaps"],
  ["get configmaps"],
  ["get --raw /version"],
  ["get organizations"],
  ["get projects --organization acme"],
  ["describe namespaces default"],
  // The cloud of these tests serves none.
  ["events", 1],
  ["apply -f FILE --dry-run=server"],
  ["diff -f FILE", 1],
  ["create -f FILE --dry-run=server"],
  ["create namespace one --dry-run=server"],
  ["patch namespace default -p {} --dry-run=server"],
  ["label namespace default a=b --dry-run=server"],
  ["annotate namespace default a=b --dry-run=server"],
  ["delete namespace none --ignore-not-found"],
  ["wait --for=delete namespace/none"],
  ["edit namespace default"],
  ["exec -- true"],
  ["proxy --for 1s"],
];

/** Puts a flag into a line. */
type Put = (words: readonly string[], flag: readonly string[]) => readonly string[];

const before: Put = (words, flag) => [...flag, ...words];
const between: Put = ([first = "", ...rest], flag) => [first, ...flag, ...rest];
/** What is behind `--` is another program's. */
const after: Put = (words, flag) => {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  return [...words.slice(0, end), flag.join("="), ...words.slice(end)];
};

/** The vendor's variables that name an API host. */
const HOSTS = ["DATUM_API_HOSTNAME", "DATUM_API_HOST"] as const;

/** An editor that changes nothing. */
const EDITOR = { KUBE_EDITOR: "true" };

/** A world whose active session is over, and in which Ada's is good. */
async function setStage(world: World) {
  const { cloud, home } = world;
  for (const email of [ADA, ZOE]) {
    const { code, stderr } = await world.login(email);
    assert.equal(code, 0, stderr);
    await world.ok(["ctx", "use", "acme/web", "--skip-validation"]);
  }
  cloud.revokeAll(ZOE);
  cloud.revokeAccessTokens(ZOE);
  const key = `${home}/key.json`;
  await Deno.writeTextFile(key, JSON.stringify(await cloud.addServiceAccount()), { mode: 0o600 });
  const manifest = `${home}/one.yaml`;
  const object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: default}}";
  await Deno.writeTextFile(manifest, object);
  return {
    key,
    session: `${ADA}@${cloud.apiHost}`,
    wordsOf: (line: string) => line.split(" ").map((word) => word === "FILE" ? manifest : word),
  };
}

testInWorld("--session and DATUM_SESSION act as a session, on every command", async (world, context) => {
  const { session, wordsOf } = await setStage(world);
  const nobody = { DATUM_SESSION: "nobody", DATUMCTL_PROFILE: "nobody" };
  for (const [line, code = 0] of COMMANDS) {
    await context.step(line, async () => {
      const words = wordsOf(line);
      const without = await world.datumctl(words, { env: EDITOR });
      assert.equal(without.code, 4, `the active session is over: ${without.stderr}`);
      const rows: readonly (readonly [words: readonly string[], env: Readonly<Record<string, string>>])[] = [
        [before(words, ["--session", session]), nobody],
        [between(words, ["--profile", session]), nobody],
        [after(words, ["--session", session]), nobody],
        [words, { DATUM_SESSION: session }],
        [words, { DATUM_SESSION: "nobody", DATUMCTL_PROFILE: session }],
      ];
      for (const [words, env] of rows) {
        const ran = await world.datumctl(words, { env: { ...EDITOR, ...env } });
        assert.equal(ran.code, code, `${words.join(" ")} ${JSON.stringify(env)}: ${ran.stderr}`);
      }
    });
  }
});

const KEY_FILES = "--credentials-file and DATUM_CREDENTIALS_FILE act as a machine, on every command";
testInWorld(KEY_FILES, async (world, context) => {
  const { cloud } = world;
  const { key, wordsOf } = await setStage(world);
  const place = { DATUMCTL_HOSTNAME: cloud.authHost, DATUMCTL_CERTIFICATE_AUTHORITY: cloud.caFile };
  for (const [row, [line, code = 0]] of COMMANDS.filter(([, , only]) => only !== STORED).entries()) {
    await context.step(line, async () => {
      const words = wordsOf(line);
      const host = { [HOSTS[row % 2] ?? ""]: cloud.apiHost };
      const own = { DATUMCTL_API_HOSTNAME: cloud.apiHost, DATUM_API_HOSTNAME: "api.example.com" };
      const nowhere = { DATUM_CREDENTIALS_FILE: "/nowhere", DATUMCTL_CREDENTIALS_FILE: "/nowhere" };
      const flag = ["--credentials-file", key];
      const put = [before, between, after][row % 3] ?? after;
      const rows: readonly (readonly [words: readonly string[], env: Readonly<Record<string, string>>])[] = [
        [put(words, flag), { ...host, ...nowhere, DATUM_SESSION: "nobody" }],
        [words, { ...host, DATUM_CREDENTIALS_FILE: key }],
        [words, { ...own, DATUM_CREDENTIALS_FILE: "/nowhere", DATUMCTL_CREDENTIALS_FILE: key }],
      ];
      for (const [words, variables] of rows) {
        const env = { ...EDITOR, ...place, DATUM_PROJECT: "web", ...variables };
        const ran = await world.datumctl(words, { env });
        assert.equal(ran.code, code, `${words.join(" ")} ${JSON.stringify(variables)}: ${ran.stderr}`);
      }
    });
  }
});

testInWorld(
  "DATUM_ORG acts on an organization, on every command, below our own word",
  async (world, context) => {
    const { code, stderr } = await world.login(ADA);
    assert.equal(code, 0, stderr);
    for (
      const line of [
        "projects list",
        "get projects",
        "get --raw /version",
        "auth can-i --list",
        "api-resources",
      ]
    ) {
      await context.step(line, async () => {
        const words = line.split(" ");
        const asked = async (flags: readonly string[], env: Readonly<Record<string, string>>) => {
          const ran = await world.datumctl([...words, ...flags, "-v"], { env });
          assert.equal(ran.code, 0, ran.stderr);
          return new Set(ran.stderr.match(/(?<=\/organizations\/)[a-z]+(?=\/control-plane\/)/g));
        };
        const initech = new Set(["initech"]);
        assert.deepEqual(await asked([], { DATUM_ORG: "initech" }), initech);
        assert.deepEqual(await asked([], { DATUM_ORG: "acme", DATUM_ORGANIZATION: "initech" }), initech);
        assert.deepEqual(await asked(["--organization", "initech"], { DATUM_ORG: "acme" }), initech);
      });
    }
  },
);
