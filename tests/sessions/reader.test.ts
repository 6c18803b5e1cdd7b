/** Proves how a store reads: damage hides no other session, locks are waited for, and files and folders are the user's alone. */

import assert from "node:assert/strict";
import { SessionStore } from "../../src/sessions/store.ts";
import { expectRejection } from "../expect-error.ts";
import { modeOf } from "../scratch.ts";
import { BOUND, edit, opened, openSandbox, type Sandbox } from "./sandbox.ts";
import { testHost } from "../host.ts";
import { CLOUDS } from "../clouds.ts";

const posix = Deno.build.os !== "windows";

Deno.test("a session's file copied over another's acts in nobody's name", async () => {
  await using sandbox = await openSandbox();
  const ada = (await sandbox.add()).session;
  const grace = (await sandbox.add({ email: "grace@example.com", subject: "2" })).session;
  const paths = await sandbox.paths(ada.name);
  await Deno.copyFile((await sandbox.paths(grace.name)).file, paths.file);
  await expectRejection(sandbox.store.read(ada.name), {
    code: "STORAGE",
    message: /another session, "grace@example\.com@/,
  });
  const listed = await sandbox.store.list();
  assert.deepEqual(listed.sessions.map(({ name }) => name), [grace.name]);
  assert.equal(listed.damaged.length, 1);

  await edit(paths.file, (value) => ({ ...value, name: ada.name }));
  await expectRejection(opened(sandbox, ada.name), "KEYRING_ITEM_MISSING");

  // With the key copied, too, it is grace's in all but its label: no name of ada's gets at her tokens.
  await Deno.copyFile((await sandbox.paths(grace.name)).key, paths.key);
  assert.equal((await opened(sandbox, ada.name)).session.user.subject, "2");
});

Deno.test(
  "what is no folder is STORAGE in a folder's place, and keeps its permissions",
  { ignore: !posix },
  async () => {
    await using sandbox = await openSandbox();
    const path = `${sandbox.folder}/device`;
    await Deno.writeTextFile(path, "", { mode: 0o666 });
    await Deno.chmod(path, 0o666);
    await Deno.symlink(path, `${sandbox.folder}/link`);
    for (const config of [path, `${sandbox.folder}/link`]) {
      const store = new SessionStore(testHost({ DATUMCTL_CONFIG_DIR: config }), CLOUDS);
      for (const asked of [store.read("ada"), store.active(), store.list()]) {
        await expectRejection(asked, { code: "STORAGE", message: /is not a folder\.$/ });
      }
      assert.equal(await modeOf(path), 0o666);
    }
  },
);

Deno.test("one damaged, newer, huge or strange file hides no other", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const folder = sandbox.store.folders.sessions;
  await Deno.writeTextFile(`${folder}/aaaaaaaaaaaaaaaa.json`, "{");
  await Deno.writeTextFile(`${folder}/bbbbbbbbbbbbbbbb.json`, JSON.stringify({ schemaVersion: 2 }));
  await Deno.mkdir(`${folder}/cccccccccccccccc.json`);
  const huge = await Deno.open(`${folder}/dddddddddddddddd.json`, { create: true, write: true });
  await huge.truncate(17 * 1024 * 1024);
  huge.close();
  await Deno.writeTextFile(`${folder}/notes.json`, "{");
  const { sessions, damaged } = await sandbox.store.list();
  assert.deepEqual(sessions.map(({ name }) => name), [session.name]);
  assert.deepEqual(damaged.map(({ code }) => code), ["STORAGE", "STORAGE", "STORAGE", "STORAGE"]);
});

Deno.test("loose permissions of our files are taken away, and that is said", { ignore: !posix }, async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  await sandbox.store.activate(session.name);
  const { file, key } = await sandbox.paths(session.name);
  const config = `${sandbox.folder}/config.json`;
  const folder = sandbox.store.folders.sessions;
  for (const path of [file, key, config]) await Deno.chmod(path, 0o644);
  await Deno.chmod(folder, 0o755);
  await opened(sandbox, session.name);
  await sandbox.store.active();
  await sandbox.store.list();
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
  const again = new SessionStore(
    testHost({ DATUMCTL_CONFIG_DIR: sandbox.folder }, { notice: (line) => void notices.push(line) }),
    CLOUDS,
  );
  await again.list();
  assert.equal(notices.length, 1, "the folder alone is mended without a key file, too");
  await Deno.chmod(folder, 0o755);
  await again.list();
  assert.equal(notices.length, 1, "one process says the same thing once");
});

Deno.test("a held lock is BUSY after the wait, and names the session", async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const lock = await sandbox.store.lock(name, 1_000);
  try {
    await expectRejection(sandbox.store.lock(name, 60), {
      code: "BUSY",
      message: /ada@example\.com/,
      retryable: true,
    });
  } finally {
    lock.release();
  }
  (await sandbox.store.lock(name, 60)).release();
});

// ---- whose the folders and files must be ----

const NOBODY = 65534;

/** A store whose folder no variable names. */
const unnamed = ({ store }: Sandbox): SessionStore =>
  store.with({ host: { ...store.host, env: () => undefined } });

Deno.test(
  "a folder that others may look into or write in is narrowed, by whatever command, and that is said",
  {
    ignore: !posix,
  },
  async () => {
    await using sandbox = await openSandbox();
    const { session: { name } } = await sandbox.add();
    const store = unnamed(sandbox);
    const { sessions } = store.folders;
    const commands = [
      () => store.active(),
      () => store.read(name),
      () => store.list(),
      () => store.activate(name),
      () => store.checkRoom(),
    ];
    for (const mode of [0o777, 0o750, 0o701]) {
      for (const command of commands) {
        for (const folder of [sandbox.folder, sessions]) await Deno.chmod(folder, mode);
        await command();
        assert.deepEqual([await modeOf(sandbox.folder), await modeOf(sessions)], [0o700, 0o700]);
      }
    }
    for (const folder of [sandbox.folder, sessions]) {
      assert.ok(
        sandbox.notices.includes(`The permissions of ${folder} were too wide; now only you have access.`),
        sandbox.notices.join("\n"),
      );
    }
  },
);

Deno.test("a folder that a variable names is narrowed too, unless it holds more than ours", {
  ignore: !posix,
}, async () => {
  await using sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add();
  const { store, folder, notices } = sandbox;
  await store.activate(name);
  await Deno.chmod(folder, 0o777);
  await store.active();
  assert.equal(await modeOf(folder), 0o700);
  await Deno.writeTextFile(`${folder}/README`, "");
  await Deno.chmod(folder, 0o755);
  notices.length = 0;
  await store.active();
  assert.deepEqual([await modeOf(folder), notices], [0o755, []]);
  await Deno.chmod(folder, 0o1777);
  await store.active();
  assert.equal(await modeOf(folder), 0o777);
  assert.match(notices.join("\n"), /^Others can write in \S+\. Keep sessions .*DATUMCTL_CONFIG_DIR=FOLDER$/);
});

Deno.test("what belongs to another user is refused, by the administrator too, and nothing is written there", {
  ignore: !posix || Deno.uid() !== 0,
}, async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { store, folder } = sandbox;
  const { name } = session;
  await store.activate(name);
  const { file, key } = await sandbox.paths(name);
  const { sessions } = store.folders;
  const foreign = /^\S+ is not used: it(?:, or its folder,)? belongs to someone else\.$/;
  const refused = async (work: () => Promise<unknown>) => {
    await expectRejection(work(), {
      code: "STORAGE",
      message: foreign,
      hint: /sudo -u USER.*DATUMCTL_CONFIG_DIR=FOLDER/,
    });
  };
  const before =
    async () => [await Deno.readTextFile(file), await Deno.readTextFile(`${folder}/config.json`)];
  const texts = await before();
  const reads = () => store.read(name);
  const rows: [path: string, refused: (() => Promise<unknown>)[]][] = [
    [folder, [reads, () => store.active(), () => store.list(), () => sandbox.add()]],
    [sessions, [reads, () => store.active(), () => store.list(), () => store.checkRoom()]],
    [file, [reads, () => store.update(name, () => ({ team: "x" })), () => sandbox.add()]],
    [key, [() => store.open(session, BOUND)]],
    [`${folder}/config.json`, [() => store.active(), () => store.activate("other")]],
  ];
  for (const [path, works] of rows) {
    await Deno.chown(path, NOBODY, NOBODY);
    for (const work of works) await refused(work);
    if (path === file) {
      const { sessions, damaged } = await store.list();
      assert.deepEqual(sessions, []);
      assert.match(damaged[0]?.message ?? "", foreign);
    }
    await Deno.chown(path, 0, 0);
  }
  assert.deepEqual(await before(), texts);
  await store.open(session, BOUND);
});
