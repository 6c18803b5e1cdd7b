/** Proves what an edited or swapped file can do to a session, and how a key that is not there is told. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { seal } from "../../src/sessions/seal.ts";
import { expectRejection } from "../expect-error.ts";
import { namesIn } from "../scratch.ts";
import { edit, opened, openSandbox } from "./sandbox.ts";
import { CLOUDFLEET } from "../../src/providers/cloudfleet/facts.ts";
import { STUDIO_TOKEN } from "../../src/providers/studio/facts.ts";

Deno.test("an edited issuer, host, client, subject or authority steers nothing: what is sealed wins", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file } = await sandbox.paths(session.name);
  await edit(file, (value) => ({
    ...value,
    issuer: "https://evil.example",
    authHost: "evil.example",
    apiHost: "evil.example",
    clientId: "evil",
    certificateAuthority: "evil",
    user: { subject: "evil", email: "ada@example.com" },
  }));
  const { session: found, credentials } = await opened(sandbox, session.name);
  assert.equal(found.issuer, sandbox.issuer.url);
  assert.equal(found.authHost, new URL(sandbox.issuer.url).host);
  assert.equal(found.apiHost, "api.example.com");
  assert.equal(found.clientId, "client-1");
  assert.equal(found.user.subject, session.user.subject);
  assert.equal(found.certificateAuthority, undefined);
  assert.equal(credentials.metadata.token_endpoint, `${sandbox.issuer.url}/token`);
});

Deno.test("an edited kind, provider, organization, end or export steers nothing: what is sealed wins", async () => {
  await using sandbox = await openSandbox();
  const expires = new Date(sandbox.time + 60_000).toISOString();
  const { session } = await sandbox.add({ session: { organization: "acme", expires } });
  const { file } = await sandbox.paths(session.name);
  await edit(file, (value) => ({
    ...value,
    kind: STUDIO_TOKEN,
    provider: CLOUDFLEET,
    organization: "..",
    expires: "2999-01-01T00:00:00Z",
    exportedTo: "/home/ada/.bashrc",
  }));
  const { session: found } = await opened(sandbox, session.name);
  const { kind, provider, organization } = found;
  assert.deepEqual([String(kind), String(provider), organization, found.expires], [
    "user",
    "datum",
    "acme",
    expires,
  ]);
  assert.equal(found.exportedTo, undefined, "what was not sealed was not there");
});

Deno.test("a file that was sealed before its fields were is read as it is, until it is sealed again", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ session: { organization: "acme" } });
  const { file } = await sandbox.paths(session.name);
  const { credentials: { fields: _, ...before }, key } = await opened(sandbox, session.name);
  const sealed = await seal(JSON.stringify(before), key);
  await edit(file, (value) => ({ ...value, credentials: sealed }));
  const old = await opened(sandbox, session.name);
  assert.deepEqual([String(old.session.kind), old.session.organization], ["user", "acme"]);
  const replacement = await sandbox.store.prepare(session.name, session, key);
  await replacement.commit(old.session, old.credentials);
  await edit(file, (value) => ({ ...value, organization: "initech" }));
  assert.equal((await opened(sandbox, session.name)).session.organization, "acme");
});

Deno.test("credentials of another session's file do not open", async () => {
  await using sandbox = await openSandbox();
  const ada = (await sandbox.add()).session;
  const grace = (await sandbox.add({ email: "grace@example.com", subject: "2" })).session;
  const { file } = await sandbox.paths(ada.name);
  await edit(file, (value) => ({ ...value, credentials: grace.credentials }));
  await expectRejection(opened(sandbox, ada.name), "KEYRING_ITEM_MISSING");
});

Deno.test("damaged credentials under the right key are STORAGE, with the line to run", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file } = await sandbox.paths(session.name);
  await edit(file, (value) => ({ ...value, credentials: session.credentials.slice(0, -12) }));
  await expectRejection(opened(sandbox, session.name), {
    code: "STORAGE",
    hint: `Sign in again: datumctl login --profile ${session.name}`,
  });
});

Deno.test("a key that is gone or none is KEYRING_ITEM_MISSING; a locked keyring is KEYRING_LOCKED", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  sandbox.system.items.set(session.name, "not-a-key");
  await expectRejection(opened(sandbox, session.name), "KEYRING_ITEM_MISSING");
  sandbox.system.items.clear();
  await expectRejection(opened(sandbox, session.name), {
    code: "KEYRING_ITEM_MISSING",
    exitCode: 4,
    hint: /datumctl login --profile/,
  });
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  await expectRejection(opened(sandbox, session.name), "KEYRING_LOCKED");
  assert.deepEqual(
    await namesIn(sandbox.store.folders.sessions).then((all) => all.filter((one) => one.endsWith(".key"))),
    [],
  );
});

Deno.test("a session whose store was edited is looked for nowhere else", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  const { file } = await sandbox.paths(session.name);
  await edit(file, (value) => ({ ...value, keyStore: "file" }));
  await expectRejection(opened(sandbox, session.name), "KEYRING_ITEM_MISSING");
});
