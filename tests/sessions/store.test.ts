/** Proves the files of sessions: what is kept where, what an edited or swapped file can do, and what a removal leaves. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { openPlace } from "../../src/sessions/own-place.ts";
import { seal } from "../../src/sessions/jwe.ts";
import { formatSession } from "../../src/sessions/session-file.ts";
import { chooseSession } from "../../src/sessions/choose-session.ts";
import { activateSession, readConfig } from "../../src/sessions/config.ts";
import { listSessions, lockSession, readSession } from "../../src/sessions/read-session.ts";
import { removeSession } from "../../src/sessions/remove-session.ts";
import { prepareSession, updateSession } from "../../src/sessions/write-session.ts";
import { BOUND, failure, openSandbox, openSignIn, type Sandbox } from "./sandbox.ts";

async function edit(path: string, change: (value: Record<string, unknown>) => unknown): Promise<void> {
  const value = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify(change(value)));
}

async function names(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) found.push(entry.name);
  return found.sort();
}

async function opened({ place }: Sandbox, name: string) {
  const session = await readSession(place, name);
  assert.ok(session !== undefined);
  return await openSignIn(place, session, BOUND);
}

const posix = Deno.build.os !== "windows";

Deno.test("a session's file holds no token in the clear, and is private in a private folder that git ignores", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file, key } = await sandbox.paths(session.name);
  const { credentials } = await opened(sandbox, session.name);
  const text = await Deno.readTextFile(file);
  for (const secret of [credentials.accessToken, credentials.idToken, credentials.refreshToken]) {
    assert.ok(secret !== undefined && !text.includes(secret));
  }
  assert.equal(await Deno.readTextFile(`${sandbox.place.folders.sessions}/.gitignore`), "*\n");
  if (!posix) return;
  for (const path of [file, key]) assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  assert.equal(((await Deno.stat(sandbox.place.folders.sessions)).mode ?? 0) & 0o777, 0o700);
});

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
    kind: "studio",
    provider: "cloudfleet",
    organization: "..",
    expires: "2999-01-01T00:00:00Z",
    exportedTo: "/home/ada/.bashrc",
  }));
  const { session: found } = await opened(sandbox, session.name);
  const { kind, provider, organization } = found;
  assert.deepEqual([kind, provider, organization, found.expires], ["user", "datum", "acme", expires]);
  assert.ok(!("exportedTo" in found), "what was not sealed was not there");
});

Deno.test("a file that was sealed before its fields were is read as it is, until it is sealed again", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ session: { organization: "acme" } });
  const { file } = await sandbox.paths(session.name);
  const { credentials: { fields: _, ...before }, key } = await opened(sandbox, session.name);
  const sealed = await seal(JSON.stringify(before), key);
  await edit(file, (value) => ({ ...value, credentials: sealed }));
  const old = await opened(sandbox, session.name);
  assert.deepEqual([old.session.kind, old.session.organization], ["user", "acme"]);
  const replacement = await prepareSession(sandbox.place, session.name, session, key);
  await replacement.commit(old.session, old.credentials);
  await edit(file, (value) => ({ ...value, organization: "initech" }));
  assert.equal((await opened(sandbox, session.name)).session.organization, "acme");
});

Deno.test("a session's file copied over another's acts in nobody's name", async () => {
  await using sandbox = await openSandbox();
  const ada = (await sandbox.add()).session;
  const grace = (await sandbox.add({ email: "grace@example.com", subject: "2" })).session;
  const paths = await sandbox.paths(ada.name);
  await Deno.copyFile((await sandbox.paths(grace.name)).file, paths.file);
  const error = await failure(readSession(sandbox.place, ada.name), "STORAGE");
  assert.match(error.message, /another session, "grace@example\.com@/);
  const listed = await listSessions(sandbox.place);
  assert.deepEqual(listed.sessions.map(({ name }) => name), [grace.name]);
  assert.equal(listed.damaged.length, 1);

  await edit(paths.file, (value) => ({ ...value, name: ada.name }));
  await failure(opened(sandbox, ada.name), "KEYRING_ITEM_MISSING");

  // With the key copied, too, it is grace's in all but its label: no name of ada's gets at her tokens.
  await Deno.copyFile((await sandbox.paths(grace.name)).key, paths.key);
  assert.equal((await opened(sandbox, ada.name)).session.user.subject, "2");
});

Deno.test("credentials of another session's file do not open", async () => {
  await using sandbox = await openSandbox();
  const ada = (await sandbox.add()).session;
  const grace = (await sandbox.add({ email: "grace@example.com", subject: "2" })).session;
  const { file } = await sandbox.paths(ada.name);
  await edit(file, (value) => ({ ...value, credentials: grace.credentials }));
  await failure(opened(sandbox, ada.name), "KEYRING_ITEM_MISSING");
});

Deno.test("damaged credentials under the right key are STORAGE, with the line to run", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file } = await sandbox.paths(session.name);
  await edit(file, (value) => ({ ...value, credentials: session.credentials.slice(0, -12) }));
  const error = await failure(opened(sandbox, session.name), "STORAGE");
  assert.equal(error.hint, `Sign in again: datumctl login --profile ${session.name}`);
});

Deno.test("a key that is gone or none is KEYRING_ITEM_MISSING; a locked keyring is KEYRING_LOCKED", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  sandbox.system.items.set(session.name, "not-a-key");
  await failure(opened(sandbox, session.name), "KEYRING_ITEM_MISSING");
  sandbox.system.items.clear();
  const missing = await failure(opened(sandbox, session.name), "KEYRING_ITEM_MISSING");
  assert.equal(missing.exitCode, 4);
  assert.match(missing.hint ?? "", /datumctl login --profile/);
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  await failure(opened(sandbox, session.name), "KEYRING_LOCKED");
  assert.deepEqual(
    await names(sandbox.place.folders.sessions).then((all) => all.filter((one) => one.endsWith(".key"))),
    [],
  );
});

Deno.test("a session whose store was edited is looked for nowhere else", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  const { file } = await sandbox.paths(session.name);
  await edit(file, (value) => ({ ...value, keyStore: "file" }));
  await failure(opened(sandbox, session.name), "KEYRING_ITEM_MISSING");
});

Deno.test("one damaged, newer, huge or strange file hides no other", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const folder = sandbox.place.folders.sessions;
  await Deno.writeTextFile(`${folder}/aaaaaaaaaaaaaaaa.json`, "{");
  await Deno.writeTextFile(`${folder}/bbbbbbbbbbbbbbbb.json`, JSON.stringify({ schemaVersion: 2 }));
  await Deno.mkdir(`${folder}/cccccccccccccccc.json`);
  const huge = await Deno.open(`${folder}/dddddddddddddddd.json`, { create: true, write: true });
  await huge.truncate(17 * 1024 * 1024);
  huge.close();
  await Deno.writeTextFile(`${folder}/notes.json`, "{");
  const { sessions, damaged } = await listSessions(sandbox.place);
  assert.deepEqual(sessions.map(({ name }) => name), [session.name]);
  assert.deepEqual(damaged.map(({ code }) => code), ["STORAGE", "STORAGE", "STORAGE", "STORAGE"]);
});

Deno.test("a file of a newer schema is overwritten by no sign-in, and no key is left for it", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  const { file } = await sandbox.paths(session.name);
  const newer = JSON.stringify({ ...session, schemaVersion: 2 });
  await Deno.writeTextFile(file, newer);
  const items = [...sandbox.system.items];
  const error = await failure(sandbox.add({ keyStore: "system" }), "STORAGE");
  assert.match(error.message, /newer datumctl/);
  assert.equal(await Deno.readTextFile(file), newer);
  assert.deepEqual([...sandbox.system.items], items);
});

Deno.test("a name that belongs to another identity is not taken over", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ name: "work" });
  const before = await Deno.readTextFile((await sandbox.paths("work")).file);
  const error = await failure(sandbox.add({ name: "work", subject: "2" }), "IDENTITY_MISMATCH");
  assert.match(error.message, /"work"/);
  assert.equal(await Deno.readTextFile((await sandbox.paths("work")).file), before);
  assert.equal((await opened(sandbox, "work")).session.user.subject, session.user.subject);
});

Deno.test("the key is made once and kept through a second sign-in", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  const key = sandbox.system.items.get(session.name);
  await sandbox.add({ keyStore: "system" });
  assert.equal(sandbox.system.items.get(session.name), key);
  await opened(sandbox, session.name);
  assert.deepEqual(
    sandbox.system.calls.slice(0, 2),
    ["set", "get"],
    "it is read back before it is relied on",
  );
});

Deno.test("a keyring that gives back another key is passed over, and keeps none of ours", async () => {
  await using sandbox = await openSandbox();
  sandbox.system.forgetful = true;
  await failure(sandbox.add({ keyStore: "system" }), "KEYRING_UNAVAILABLE");
  assert.equal(sandbox.system.items.size, 0);
  assert.deepEqual((await listSessions(sandbox.place)).sessions, []);
});

Deno.test("a sign-in that cannot be written leaves neither key nor file", async () => {
  await using sandbox = await openSandbox();
  const name = "ada@example.com@api.example.com";
  const { file } = await sandbox.paths(name);
  // A folder at the temporary file's place stands for a disk that takes nothing.
  await Deno.mkdir(`${file}.new/inside`, { recursive: true });
  await failure(sandbox.add({ keyStore: "system" }), "STORAGE");
  assert.equal(sandbox.system.items.size, 0);
  assert.equal(await readSession(sandbox.place, name), undefined);
});

Deno.test("a session that moves to another store keeps its old key until the new file is in place", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  const { file } = await sandbox.paths(session.name);
  await Deno.mkdir(`${file}.new/inside`, { recursive: true });
  await failure(sandbox.add({ keyStore: "file" }), "STORAGE");
  await opened(sandbox, session.name);
  await Deno.remove(`${file}.new`, { recursive: true });
  await sandbox.add({ keyStore: "file" });
  assert.equal((await opened(sandbox, session.name)).session.keyStore, "file");
  assert.equal(sandbox.system.items.size, 0);
});

Deno.test("loose permissions of our files are taken away, and that is said", { ignore: !posix }, async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  await activateSession(sandbox.place, session.name);
  const { file, key } = await sandbox.paths(session.name);
  const config = `${sandbox.folder}/config.json`;
  const folder = sandbox.place.folders.sessions;
  for (const path of [file, key, config]) await Deno.chmod(path, 0o644);
  await Deno.chmod(folder, 0o755);
  await opened(sandbox, session.name);
  await readConfig(sandbox.place);
  await listSessions(sandbox.place);
  for (const path of [file, key, config, folder]) {
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o077, 0, path);
    assert.equal(
      sandbox.notices.filter((line) => line.includes(`${path} `) || line.includes(`${path};`)).length,
      1,
      path,
    );
  }
  await Deno.chmod(folder, 0o755);
  const notices: string[] = [];
  const again = openPlace(
    (name) => name === "DATUMCTL_CONFIG_DIR" ? sandbox.folder : undefined,
    (line) => notices.push(line),
  );
  await listSessions(again);
  assert.equal(notices.length, 1, "the folder alone is mended without a key file, too");
  await Deno.chmod(folder, 0o755);
  await listSessions(again);
  assert.equal(notices.length, 1, "one process says the same thing once");
});

Deno.test("a removed session leaves no file, key, failure, half-written file or name behind", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  await activateSession(sandbox.place, session.name);
  const { file, key, failure: remembered, handouts } = await sandbox.paths(session.name);
  const elsewhere = (await sandbox.paths("gone")).failure;
  const halves = [`${file}.new`, `${key}.new`, `${remembered}.new`, `${handouts}.new-4711`];
  for (const path of [...halves, remembered, handouts, elsewhere]) {
    await Deno.writeTextFile(path, session.name);
  }
  assert.deepEqual(await removeSession(sandbox.place, session, BOUND), {});
  const left = await names(sandbox.place.folders.sessions);
  assert.deepEqual(left.filter((name) => !name.endsWith(".lock")), [".gitignore"]);
  for (const name of left) {
    assert.doesNotMatch(await Deno.readTextFile(`${sandbox.place.folders.sessions}/${name}`), /ada/);
  }
  assert.doesNotMatch(await Deno.readTextFile(`${sandbox.folder}/config.json`), /ada/);
});

Deno.test("with the keyring locked the file goes all the same, and the item is told as left behind", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  await activateSession(sandbox.place, session.name);
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
  const { leftBehind } = await removeSession(sandbox.place, session, BOUND);
  assert.equal(leftBehind?.code, "KEYRING_LOCKED");
  assert.equal(await readSession(sandbox.place, session.name), undefined);
  assert.equal((await readConfig(sandbox.place)).activeSession, undefined);
});

Deno.test("a damaged config.json keeps no key from its removal", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({ keyStore: "system" });
  await Deno.writeTextFile(`${sandbox.folder}/config.json`, "{");
  await failure(removeSession(sandbox.place, session, BOUND), "STORAGE");
  assert.equal(sandbox.system.items.size, 0);
});

Deno.test("an update of a session that was removed meanwhile writes nothing back", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { file } = await sandbox.paths(session.name);
  await removeSession(sandbox.place, session, BOUND);
  await updateSession(sandbox.place, session.name, (now) => ({ ...now, kubectlToken: "id" }));
  await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
});

Deno.test("updates of one session at the same time lose nothing", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  await Promise.all([
    updateSession(sandbox.place, name, (now) => ({ ...now, kubectlToken: "id" })),
    updateSession(sandbox.place, name, (now) => ({ ...now, inUse: { project: "p" } })),
    updateSession(sandbox.place, name, (now) => ({ ...now, tokenExpires: "b" })),
  ]);
  const session = await readSession(sandbox.place, name);
  assert.equal(session?.kubectlToken, "id");
  assert.equal(session?.inUse?.project, "p");
  assert.equal(session?.tokenExpires, "b");
});

Deno.test("ten sign-ins at once into an empty folder are ten sessions", async () => {
  await using sandbox = await openSandbox();
  const all = Array.from({ length: 10 }, (_, at) => String(at));
  await Promise.all(all.map(async (at) => {
    const { session } = await sandbox.add({ email: `user-${at}@example.com`, subject: at });
    await activateSession(sandbox.place, session.name);
  }));
  assert.equal((await listSessions(sandbox.place)).sessions.length, 10);
  assert.match((await readConfig(sandbox.place)).activeSession ?? "", /^user-\d@/);
});

Deno.test("a held lock is BUSY after the wait, and names the session", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const lock = await lockSession(sandbox.place, name, 1_000);
  try {
    const error = await failure(lockSession(sandbox.place, name, 60), "BUSY");
    assert.match(error.message, /ada@example\.com/);
    assert.ok(error.retryable);
  } finally {
    lock.release();
  }
  (await lockSession(sandbox.place, name, 60)).release();
});

Deno.test("config.json keeps members that are not known here", async () => {
  await using sandbox = await openSandbox();
  const path = `${sandbox.folder}/config.json`;
  await Deno.writeTextFile(path, '{"schemaVersion":1,"later":{"a":[1]}}');
  await activateSession(sandbox.place, "x");
  assert.deepEqual(JSON.parse(await Deno.readTextFile(path)), {
    schemaVersion: 1,
    later: { a: [1] },
    activeSession: "x",
  });
});

Deno.test("a damaged or newer config.json is told with its path and stays as it is", async () => {
  await using sandbox = await openSandbox();
  const path = `${sandbox.folder}/config.json`;
  for (
    const text of [
      "",
      "{",
      "[]",
      "null",
      '{"schemaVersion":2}',
      '{"schemaVersion":"\u202e\u009b"}',
      '{"schemaVersion":1,"activeSession":7}',
    ]
  ) {
    await Deno.writeTextFile(path, text);
    const error = await failure(readConfig(sandbox.place), "STORAGE");
    assert.ok(error.message.startsWith(path), error.message);
    assert.doesNotMatch(error.message, /[\u202e\u009b]/);
    await failure(activateSession(sandbox.place, "x"), "STORAGE");
    assert.equal(await Deno.readTextFile(path), text);
  }
});

Deno.test("which session: the flag, else the variable, else the active one; else who there is", async () => {
  await using sandbox = await openSandbox();
  const { place } = sandbox;
  const nobody = await failure(chooseSession(place, {}), "NOT_SIGNED_IN");
  assert.equal(nobody.hint, "Sign in: datumctl login");
  await sandbox.add({ name: "a" });
  await sandbox.add({ name: "b", subject: "2" });
  assert.match((await failure(chooseSession(place, {}), "NOT_SIGNED_IN")).message, /Stored here: a, b\./);
  await activateSession(place, "b");
  const chosen = async (choice: Parameters<typeof chooseSession>[1]) => {
    const { session: { name }, source } = await chooseSession(place, choice);
    return [name, source];
  };
  assert.deepEqual(await chosen({}), ["b", "the active session"]);
  assert.deepEqual(await chosen({ variable: "a" }), ["a", "DATUMCTL_PROFILE"]);
  assert.deepEqual(await chosen({ flag: "b", variable: "a" }), ["b", "--profile"]);
  const unknown = await failure(chooseSession(place, { flag: "c" }), "NOT_SIGNED_IN");
  assert.match(unknown.message, /no session c here\. Stored here: a, b\./);
  assert.match(unknown.hint ?? "", /datumctl login --profile c/);
  for (const flag of ["../x", "\u001b[31m", "a b", ""]) {
    const error = await failure(chooseSession(place, { flag }), "NOT_SIGNED_IN");
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(`${error.message}${error.hint}`, /\.\.\/x|\u001b|a b/);
  }
  await activateSession(place, "gone");
  await failure(chooseSession(place, {}), "NOT_SIGNED_IN");
});

Deno.test("a folder that cannot be is a STORAGE error that names it", async () => {
  await using sandbox = await openSandbox();
  await Deno.writeTextFile(`${sandbox.folder}/file`, "");
  const place = openPlace(
    (name) => name === "DATUMCTL_CONFIG_DIR" ? `${sandbox.folder}/file/x` : undefined,
    () => {},
  );
  const error = await failure(activateSession(place, "x"), "STORAGE");
  assert.match(error.message, /file\/x/);
  assert.deepEqual((await listSessions(place)).sessions, []);
});

Deno.test("formatSession() ends with one newline, so that an editor changes nothing", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  assert.match(formatSession(session), /\}\n$/);
});
