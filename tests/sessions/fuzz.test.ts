/** Proves, with generated files, that whatever lies in our folders ends in a result or one of our errors. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { openFailureMemory } from "../../src/sessions/last-failure.ts";
import { openDeliveries } from "../../src/plugin/deliveries.ts";
import { seal } from "../../src/sessions/seal.ts";
import { parseSession } from "../../src/sessions/session.ts";
import { isSessionName } from "../../src/sessions/name.ts";
import { labelOf } from "../../src/sessions/new-name.ts";
import { chooseSession } from "../../src/sessions/choose.ts";
import { freshToken } from "../../src/sessions/fresh-token.ts";
import { AppError } from "../../src/errors.ts";
import { assertAppError, assertPrintable } from "../expect-error.ts";
import { changed, changedText, damaged, hostileText, ours, RUNS } from "../fuzz.ts";
import { BOUND, openSandbox, openSignIn } from "./sandbox.ts";
import { CLOUDS } from "../clouds.ts";

/** A session on the disk whose tokens and key are what is looked for, its file's members, and another session. */
async function openTarget() {
  const sandbox = await openSandbox();
  const credentials = { accessToken: "SECRET-access", refreshToken: "SECRET-refresh", idToken: "SECRET-id" };
  const { session } = await sandbox.add({ credentials });
  const other = await sandbox.add({ email: "grace@example.com", subject: "2" });
  const { file } = await sandbox.paths(session.name);
  return {
    sandbox,
    file,
    good: session as unknown as Record<string, unknown>,
    name: session.name,
    other: other.session,
  };
}

Deno.test("no session file breaks its reader, hides another session, or opens as somebody else's", async () => {
  const { sandbox, file, good, name, other } = await openTarget();
  await using _ = sandbox;
  const { store } = sandbox;
  const spoiled = changed({ ...good, certificateAuthority: "pem", signIn: {}, expires: "", inUse: {} });
  const text = fc.oneof(
    { weight: 3, arbitrary: spoiled.map((value) => JSON.stringify(value)) },
    changedText(good),
  );
  await fc.assert(
    fc.asyncProperty(text, async (text) => {
      await ours(() => parseSession(text, "/x/file.json", CLOUDS));
      Deno.writeTextFileSync(file, text);
      const { sessions, damaged } = await store.list();
      for (const error of damaged) assertAppError(error);
      assert.equal(sessions.length + damaged.length, 2);
      assert.ok(sessions.some((session) => session.name === other.name));
      const session = await ours(() => store.read(name));
      if (session === undefined) return;
      assertPrintable(labelOf(session));
      const opened = await ours(() => openSignIn(store, session, BOUND));
      if (opened === undefined) return;
      assert.equal(opened.credentials.refreshToken, "SECRET-refresh");
      for (const member of ["issuer", "authHost", "apiHost", "clientId"] as const) {
        assert.equal(opened.session[member], good[member], "what is sealed wins");
      }
      assert.equal(opened.session.user.subject, (good.user as { subject: string }).subject);
      const token = await ours(() => freshToken(store, session, { kind: "access" }, sandbox.bound()));
      assert.equal(token?.token, "SECRET-access");
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no seal breaks its reader, and none but ours opens", async () => {
  const { sandbox, good, name } = await openTarget();
  await using _ = sandbox;
  const { store } = sandbox;
  const session = await store.read(name);
  assert.ok(session !== undefined);
  await fc.assert(
    fc.asyncProperty(damaged(fc.constant(String(good.credentials))), async (credentials) => {
      const opened = await ours(() => store.open({ ...session, credentials }, BOUND));
      if (opened !== undefined) assert.equal(credentials, good.credentials);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no sealed credentials, as of another version, break their reader", async () => {
  const { sandbox, name } = await openTarget();
  await using _ = sandbox;
  const { store } = sandbox;
  const session = await store.read(name);
  assert.ok(session !== undefined);
  const { key, credentials } = await openSignIn(store, session, BOUND);
  await fc.assert(
    fc.asyncProperty(changedText(credentials as unknown as Record<string, unknown>), async (text) => {
      const sealed = { ...session, credentials: await seal(text, key) };
      await ours(async () => {
        const opened = await store.open(sealed, BOUND);
        assertPrintable(JSON.stringify(opened.session.apiHost));
      });
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no config.json breaks its reader, and a damaged one is not written over", async () => {
  const { sandbox, name } = await openTarget();
  await using _ = sandbox;
  const { store } = sandbox;
  const file = `${sandbox.folder}/config.json`;
  const good = { schemaVersion: 1, activeSession: name, "SECRET": "SECRET" };
  await fc.assert(
    fc.asyncProperty(changedText(good), async (text) => {
      Deno.writeTextFileSync(file, text);
      const config = await ours(async () => ({ active: await store.active() }));
      const chosen = await ours(() => chooseSession(store, {}));
      if (chosen !== undefined) assert.equal(chosen.session.name, config?.active);
      if (config !== undefined) return;
      assert.equal(await ours(() => store.activate(name)), undefined);
      assert.equal(Deno.readTextFileSync(file), text.toWellFormed());
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no name breaks the search for its session", async () => {
  const { sandbox } = await openTarget();
  await using _ = sandbox;
  await fc.assert(
    fc.asyncProperty(hostileText, async (name) => {
      const chosen = await ours(() => chooseSession(sandbox.store, { flag: name.replaceAll("SECRET", "") }));
      if (chosen !== undefined) assert.ok(isSessionName(name));
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no failure memory breaks its reader, and what it remembers can be printed", async () => {
  const { sandbox, name } = await openTarget();
  await using _ = sandbox;
  const { store } = sandbox;
  const { failure } = await sandbox.paths(name);
  const now = store.host.now();
  const good = { at: now - 1, code: "NETWORK", message: "m", hint: "h", told: ["1", "2"] };
  await fc.assert(
    fc.asyncProperty(changedText(good), async (text) => {
      Deno.writeTextFileSync(failure, text);
      const memory = openFailureMemory(failure, store.host.now);
      const recent = await memory.recent();
      if (recent !== undefined) assertPrintable(`${recent.message}${recent.hint ?? ""}`);
      await memory.firstFor("4711");
      await memory.remember(new AppError("SESSION_EXPIRED", "over"));
      const last = await memory.recent();
      assert.equal(last?.code, "SESSION_EXPIRED");
      assert.equal(await memory.firstFor("4712"), true);
      assert.equal(await memory.firstFor("4712"), false);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("no note of handouts breaks its reader, and it remembers from then on", async () => {
  const { sandbox, name } = await openTarget();
  await using _ = sandbox;
  const { store } = sandbox;
  const { deliveries: file } = await sandbox.paths(name);
  const good = {
    rows: [{ parent: "1", mark: "abc", at: store.host.now() }],
    refreshed: store.host.now() - 1,
  };
  await fc.assert(
    fc.asyncProperty(changedText(good), async (text) => {
      Deno.writeTextFileSync(file, text);
      const deliveries = openDeliveries(file, store.host.now);
      await deliveries.mayRefresh();
      assert.equal(await deliveries.record("4711", "SECRET"), undefined);
      assert.equal(await deliveries.record("4711", "SECRET"), store.host.now());
      assert.equal(await deliveries.mayRefresh(), false);
      assertPrintable(Deno.readTextFileSync(file));
    }),
    { numRuns: RUNS },
  );
});
