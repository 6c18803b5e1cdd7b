/** Proves whose the folders and files of sessions must be, and who else may look into them. */

import assert from "node:assert/strict";
import type { SessionStore } from "../../src/sessions/store.ts";
import { expectRejection } from "../expect-error.ts";
import { BOUND, openSandbox, type Sandbox } from "./sandbox.ts";

const posix = Deno.build.os !== "windows";
const NOBODY = 65534;

const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;

/** A place whose folder no variable names. */
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
    [file, [reads, () => store.update(name, (one) => ({ ...one, team: "x" })), () => sandbox.add()]],
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
