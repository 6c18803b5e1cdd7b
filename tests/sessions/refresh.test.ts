/** Proves that a refresh costs no session: with a bent answer, stopped half-way, or while another process holds the lock too. */

import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/errors.ts";
import { freshToken } from "../../src/sessions/fresh-token.ts";
import { parseSession } from "../../src/sessions/session.ts";
import { assertAppError, onlyPrintedError } from "../expect-error.ts";
import { canLie, type Flock, lyingLocks } from "../system/lying-locks.ts";
import { bentAnswers } from "../bent.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";
import { CLOUDS } from "../clouds.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
// ---- two processes that hold the lock ----

const ROUNDS = 10;

const ignore = !canLie();
// deno-lint-ignore no-console -- a skipped test says so
if (ignore) console.log("skipped: locks that do nothing, for there is no gcc here");

/** A real process, whose locks are what they are told to be. */
async function getToken({ folder }: Sandbox, library: string, ...flags: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, "auth", "get-token", ...flags],
    // The home stays, for Deno's own cache.
    env: { DATUMCTL_CONFIG_DIR: folder, LD_PRELOAD: library, DATUMCTL_TOKEN: "", DATUMCTL_PROFILE: "" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function stage(flock: Flock) {
  const sandbox = await openSandbox();
  // The processes have the real clock.
  sandbox.time = Date.now();
  const library = await lyingLocks(sandbox.folder, flock);
  const { session: { name } } = await sandbox.add();
  const { file } = await sandbox.paths(name);
  return { sandbox, library, name, file, [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose]() };
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

Deno.test(
  "two processes that both hold the lock both get a token, and the session lives",
  { ignore },
  async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      await using it = await stage("granted");
      const { issuer } = it.sandbox;
      const both = Promise.withResolvers<void>();
      let asked = 0;
      issuer.respond = async ({ parameters }) => {
        // Both have read the same refresh token. The first takes it, and gets its answer after the second's refusal.
        if (parameters.get("refresh_token") !== "refresh-0") return undefined;
        if (++asked === 2) {
          both.resolve();
          return Response.json({ error: "invalid_grant" }, { status: 400 });
        }
        await both.promise;
        await wait(300 + 100 * round);
        return undefined;
      };
      const calls = [1, 2].map(() =>
        getToken(it.sandbox, it.library, "--force-refresh", "--session", it.name)
      );
      for (const { code, stdout, stderr } of await Promise.all(calls)) {
        assert.deepEqual([code, stdout, stderr], [0, "access-1\n", ""], `round ${round}`);
      }
      assert.equal(asked, 2, "neither waited for the other");
      const next = await getToken(it.sandbox, it.library, "--force-refresh", "--session", it.name);
      assert.deepEqual([next.code, next.stdout], [0, "access-2\n"], next.stderr);
      const left = [...Deno.readDirSync(it.sandbox.store.folders.sessions)].map(({ name }) => name);
      assert.deepEqual(left.filter((name) => name.includes(".new")), [], "nothing half-written stays");
    }
  },
);

Deno.test("at an issuer that ends the grant when its token comes twice, the file stays whole and says so", {
  ignore,
}, async () => {
  await using it = await stage("granted");
  const { issuer } = it.sandbox;
  const both = Promise.withResolvers<void>();
  let asked = 0;
  issuer.respond = async ({ parameters }) => {
    if (parameters.get("refresh_token") !== "refresh-0") {
      return Response.json({ error: "invalid_grant", error_description: "reused" }, { status: 400 });
    }
    if (++asked === 2) {
      both.resolve();
      return Response.json({ error: "invalid_grant", error_description: "reused" }, { status: 400 });
    }
    await both.promise;
    await wait(500);
    return undefined;
  };
  await Promise.all(
    [1, 2].map(() => getToken(it.sandbox, it.library, "--force-refresh", "--session", it.name)),
  );
  assert.equal(asked, 2);
  const next = await getToken(
    it.sandbox,
    it.library,
    ...["--force-refresh", "--session", it.name, "--error-format", "json"],
  );
  onlyPrintedError(next, {
    code: "SESSION_EXPIRED",
    hint: `Sign in again: datumctl login --profile ${it.name}`,
  });
  const session = parseSession(await Deno.readTextFile(it.file), it.file, CLOUDS);
  assert.equal(session.name, it.name);
  assert.ok(session.renewalRefused !== undefined);
});

Deno.test("a change of a session's plain fields never takes the place of a refresh that came in between", {
  ignore,
}, async () => {
  await using it = await stage("granted");
  const { sandbox: { store }, name, file } = it;
  const renewed = JSON.stringify({ ...JSON.parse(await Deno.readTextFile(file)), credentials: "renewed" });
  let changes = 0;
  await store.update(name, () => {
    // As another machine does, which has the same lock.
    if (++changes === 1) Deno.writeTextFileSync(file, renewed);
    return { inUse: { project: "web" } };
  });
  const session = await store.read(name);
  assert.deepEqual([session?.credentials, session?.inUse], ["renewed", { project: "web" }]);
  assert.equal(changes, 2);
});

Deno.test("where the file system keeps no locks a session is renewed all the same, and that is said", {
  ignore,
}, async () => {
  await using it = await stage("refused");
  const { code, stdout, stderr } = await getToken(
    it.sandbox,
    it.library,
    ...["--force-refresh", "--session", it.name],
  );
  assert.deepEqual([code, stdout], [0, "access-1\n"], stderr);
  assert.match(stderr, /^The file system of .*\/sessions keeps no locks: .*DATUMCTL_CONFIG_DIR=FOLDER\n$/);
  const quiet = await getToken(it.sandbox, it.library, "--session", it.name);
  assert.deepEqual(quiet, { code: 0, stdout: "access-1\n", stderr: "" }, "a stored token needs none");
});

// ---- a process that is stopped ----

Deno.test("a refresh that is stopped until after its bound takes the rotated token all the same", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using sandbox = await openSandbox();
  // The process has the real clock.
  sandbox.time = Date.now();
  const { session: { name } } = await sandbox.add();
  const getToken = (...flags: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "auth", "get-token", "--session", name, ...flags],
      // The home stays, for Deno's own cache.
      env: { DATUMCTL_CONFIG_DIR: sandbox.folder, DATUMCTL_TOKEN: "", DATUMCTL_PROFILE: "" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const stopped = Promise.withResolvers<void>();
  const child = getToken("--force-refresh", "--request-timeout", "1s");
  sandbox.issuer.respond = () => {
    child.kill("SIGSTOP");
    stopped.resolve();
    return undefined;
  };
  await stopped.promise;
  await new Promise((resolve) => setTimeout(resolve, 2500));
  child.kill("SIGCONT");
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.deepEqual([code, text(stdout)], [0, "access-1\n"], text(stderr));
  sandbox.issuer.respond = undefined;
  const next = await getToken("--force-refresh").output();
  assert.deepEqual([next.code, text(next.stdout)], [0, "access-2\n"], text(next.stderr));
});

// ---- bent answers ----

async function refresh({ store, bound }: Sandbox, name: string): Promise<ErrorCode | undefined> {
  const session = await store.read(name);
  assert.ok(session !== undefined);
  const asked = freshToken(store, session, { kind: "access", force: true }, bound());
  const thrown = await asked.then(() => undefined, (error) => error);
  if (thrown === undefined) return undefined;
  assertAppError(thrown);
  return thrown.code;
}

const send = (text: string, status = 200) =>
  new Response(text, { status, headers: { "content-type": "application/json" } });

Deno.test("an issuer that rotates its refresh token and bends its answer has not ended the session", async () => {
  await using sandbox = await openSandbox();
  const { issuer } = sandbox;
  const { session: { name } } = await sandbox.add();
  const { id_token, access_token } = await issuer.tokens();
  const good = {
    access_token,
    id_token,
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: "rotated",
    scope: "openid",
    error: "",
  };
  for (const { what, member, bend, text } of bentAnswers(good)) {
    const absent = ["absent", "null", "empty"].includes(bend);
    // Of an answer that says that it is an error, and of an ID token that is none of the issuer's, nothing is kept.
    const distrusted = (member === "error" && ["a word", "escape sequences"].includes(bend)) ||
      (member === "id_token" && bend === "a word");
    const sent = member !== "refresh_token" ? "rotated" : bend === "a word" ? "x" : undefined;
    issuer.respond = () => {
      issuer.respond = undefined;
      if (sent !== undefined && !distrusted) issuer.refreshToken = sent;
      return send(text);
    };
    const code = await refresh(sandbox, name);
    assert.ok([undefined, "NETWORK", "ISSUER_ERROR", "INVALID_TOKEN"].includes(code), `${what}: ${code}`);
    if (member === "refresh_token" && absent) assert.equal(code, undefined, what);
    issuer.respond = undefined;
    assert.equal(await refresh(sandbox, name), undefined, `after ${what}`);
  }
});

Deno.test("no bent error ends a session, unless it is one of those that say so", async () => {
  await using sandbox = await openSandbox();
  const { issuer } = sandbox;
  const { session: { name } } = await sandbox.add();
  const error = {
    error: "invalid_request",
    error_description: "why",
    errorCode: "E1",
    errorSummary: "why",
    message: "why",
  };
  for (const status of [400, 401, 403, 404]) {
    for (const { what, text } of bentAnswers(error)) {
      issuer.respond = () => send(text, status);
      assert.equal(await refresh(sandbox, name), "ISSUER_ERROR", `${status} ${what}`);
    }
    issuer.respond = undefined;
    assert.equal(await refresh(sandbox, name), undefined, `after ${status}`);
  }
});
