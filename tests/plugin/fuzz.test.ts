/** Proves, with generated words, variables and notes, that get-token ends in a token or one of our errors. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { readGetToken } from "../../src/plugin/arguments.ts";
import { EXEC_API_VERSIONS, readExecInfo } from "../../src/plugin/exec-credential.ts";
import { signInFromPlugin } from "../../src/plugin/sign-in.ts";
import { AppError, CODES, errorFormatOf } from "../../src/errors.ts";
import { runLine } from "../cli/run-line.ts";
import { assertPrintable } from "../expect-error.ts";
import { changed, changedText, hostileText, ours, RUNS } from "../fuzz.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { getToken as callGetToken } from "./call.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";
import { CLOUDS } from "../clouds.ts";

const INFO = {
  kind: "ExecCredential",
  apiVersion: EXEC_API_VERSIONS[0],
  spec: {
    interactive: false,
    cluster: { server: "https://u:SECRET@api.example.com", config: { token: "SECRET" } },
  },
};
const OWN = { server: "https://api.example.com/base", "proxy-url": "", "insecure-skip-tls-verify": false };
const info = fc.oneof(
  changedText(INFO),
  changed({ interactive: true, cluster: {} }).map((spec) => JSON.stringify({ ...INFO, spec })),
  changed({ interactive: true, cluster: OWN }).map((spec) => JSON.stringify({ ...INFO, spec })),
);

let parents = 0;

/** Runs get-token; its stdout must be one text, its stderr ours, its code one of the table's. */
async function getToken(sandbox: Sandbox, args: readonly string[], env: Readonly<Record<string, string>>) {
  const request = readGetToken(args);
  if (request === undefined) return undefined;
  // The same parent again would be a suspicion.
  const more = { parent: ++parents, errorFormat: errorFormatOf(args, undefined) };
  const ran = await callGetToken(sandbox, request, env, more);
  assert.ok(Object.values(CODES).some(({ exit }) => exit === ran.code) || ran.code === 0);
  assertPrintable(ran.stderr);
  assert.doesNotMatch(ran.stderr, /INTERNAL|inside datumctl/);
  return ran;
}

Deno.test("no KUBERNETES_EXEC_INFO breaks get-token", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  await fc.assert(
    fc.asyncProperty(info, async (text) => {
      await ours(() => readExecInfo(text));
      const finished = await getToken(
        sandbox,
        ["auth", "get-token", "--session", session.name, `--output=${EXEC_API_VERSIONS[0]}`],
        { KUBERNETES_EXEC_INFO: text },
      );
      assert.ok(finished !== undefined);
      const answer = JSON.parse(finished.stdout);
      if (finished.code === 0) {
        assert.equal(answer.apiVersion, JSON.parse(text).apiVersion);
        assert.equal(answer.status.token, "access-0");
        const { cluster } = Object(JSON.parse(text).spec);
        if (cluster !== undefined && cluster !== null) {
          assert.match(cluster.server, /^(?:https:\/\/)?api\.example\.com(?::443)?(?:[/?#]|$)/i);
        }
      } else {
        const codes = { 2: "USAGE", 4: "WRONG_HOST" } as Record<number, string>;
        assert.deepEqual([answer.reason, answer.kind], [codes[finished.code], "Status"]);
        assertPrintable(answer.message);
      }
    }),
    { numRuns: RUNS },
  );
});

const FLAGS = [
  ...[
    "-o",
    "--output",
    "--session",
    "--profile",
    "--active-for",
    "--token",
    "--min-ttl",
    "--request-timeout",
  ],
  ...["--error-format", "--force-refresh", "--claims", "-v", "--verbose", "-q", "--help", "--", "-"],
];
const VALUES = [...EXEC_API_VERSIONS, "token", "access", "id", "1h", "json", "yaml", "0s", "99999999h"];

Deno.test("no words break get-token: a token, its usage, or one of our errors", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const value = fc.oneof(fc.constantFrom(...VALUES, name), hostileText);
  const word = fc.oneof(
    fc.constantFrom(...FLAGS).map((flag) => [flag]),
    fc.tuple(fc.constantFrom(...FLAGS), value).map(([flag, value]) => [flag, value]),
    fc.tuple(fc.constantFrom(...FLAGS), value).map(([flag, value]) => [`${flag}=${value}`]),
    value.map((value) => [value]),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 5 }), fc.boolean(), async (words, named) => {
      const args = ["auth", "get-token", ...(named ? ["--session", name] : []), ...words.flat()];
      errorFormatOf(args, undefined);
      const short = await ours(() => getToken(sandbox, args, {}));
      if (short !== undefined) return;
      const { code, stderr } = await runLine(args, { store: sandbox.store });
      assert.ok([0, ...Object.values(CODES).map(({ exit }) => exit)].includes(code as 0));
      assertPrintable(stderr);
      assert.doesNotMatch(stderr, /INTERNAL|inside datumctl/);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no public field of an edited session file reaches a terminal as it is", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file } = await sandbox.paths(session.name);
  const config = { schemaVersion: 1, activeSession: session.name };
  Deno.writeTextFileSync(`${sandbox.folder}/config.json`, JSON.stringify(config));
  const lines = fc.constantFrom(
    ["whoami"],
    ["auth", "list"],
    ["auth", "list", "-o", "wide"],
    ["auth", "list", "-o", "yaml"],
    ["auth", "switch"],
    ["auth", "get-token", "--active-for", "api.other.example"],
  );
  // Not all at once: a file that is refused for one member shows none of the others.
  const members = fc.record({
    user: hostileText.map((label) => ({ ...session.user, email: label, name: label })),
    issuer: hostileText,
    authHost: hostileText,
    apiHost: hostileText,
    clientId: hostileText,
    scopes: fc.array(hostileText),
    tokenExpires: hostileText,
    expires: hostileText,
    inUse: hostileText.map((id) => ({ organization: id, project: id })),
  }, { requiredKeys: [] });
  await fc.assert(
    fc.asyncProperty(members, lines, async (spoiled, args) => {
      Deno.writeTextFileSync(file, JSON.stringify({ ...session, ...spoiled }));
      const { stdout, stderr } = await getToken(sandbox, args, {}) ?? await runLine(args, sandbox);
      assertPrintable(stdout + stderr);
      assert.doesNotMatch(stderr, /INTERNAL|inside datumctl/);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no note of an earlier sign-in breaks the plugin's own", async () => {
  await using sandbox = await openSandbox();
  // Where nobody answers, the attempt ends before a person is asked.
  const { store } = sandbox;
  const gone = "https://127.0.0.1:1";
  const metadata = { ...sandbox.issuer.metadata, issuer: gone };
  const { session } = await sandbox.add({
    credentials: { metadata },
    session: { issuer: gone, provider: OIDC },
  });
  const { signIn } = await sandbox.paths(session.name);
  const good = { at: store.host.now() - 1, ended: true };
  const expired = new AppError("SESSION_EXPIRED", "over");
  await fc.assert(
    fc.asyncProperty(changedText(good), async (text) => {
      Deno.writeTextFileSync(signIn, text);
      let stderr = "";
      const context = {
        store,
        providers: CLOUDS,
        env: () => undefined,
        canAsk: true,
        writeErr: (text: string) => void (stderr += text),
      };
      await ours(() => signInFromPlugin(session.name, expired, context, () => Promise.reject(expired)));
      assertPrintable(stderr);
    }),
    { numRuns: RUNS },
  );
});
