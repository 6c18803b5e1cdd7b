/** Proves that what goes into a file with others around reaches no other file, and nobody who may not read it. */

import assert from "node:assert/strict";
import {
  copiesOf,
  editFile,
  readSharedFile,
  removeOldCopies,
  replaceOwnFile,
  replaceSharedFile,
} from "../../src/system/shared-file.ts";
import { expectRejection } from "../expect-error.ts";
import { inScratch, modeOf, namesIn } from "../scratch.ts";

const SECRET = "the secret";
const isRoot = Deno.uid() === 0;

const bytes = (text: string) => new TextEncoder().encode(text);

async function refused(run: () => Promise<unknown>, words: RegExp): Promise<void> {
  await expectRejection(run(), { code: "STORAGE", message: words });
}

/** Does some work while somebody who may write in the folder acts as soon as a file is made there. */
async function withIntruder(act: (made: string) => void, work: () => Promise<unknown>): Promise<void> {
  const { openSync } = Deno;
  Deno.openSync = (path, options) => {
    const file = openSync(path, options);
    if (options?.createNew) act(String(path));
    return file;
  };
  try {
    await work();
  } finally {
    Deno.openSync = openSync;
  }
}

const REPLACEMENTS = [["replaceSharedFile()", replaceSharedFile], [
  "replaceOwnFile()",
  replaceOwnFile,
]] as const;

for (const [name, replace] of REPLACEMENTS) {
  Deno.test(`${name} writes nothing into a file that was put in its copy's place, and does not take it`, () =>
    inScratch(async (folder) => {
      for (const before of [undefined, bytes("old")]) {
        const path = `${folder}/config`;
        if (before !== undefined) await Deno.writeFile(path, before, { mode: 0o600 });
        const theirs = `${folder}/theirs`;
        await Deno.writeTextFile(theirs, "theirs");
        await Deno.chmod(theirs, 0o666);
        using open = await Deno.open(theirs, { read: true });
        await withIntruder(
          (made) => Deno.renameSync(theirs, made),
          () => refused(() => replace(path, before, bytes(SECRET)), /someone else writes in its folder/),
        );
        const content = new Uint8Array(100);
        assert.equal(new TextDecoder().decode(content.subarray(0, await open.read(content) ?? 0)), "theirs");
        assert.deepEqual(await readSharedFile(path), before);
        assert.deepEqual(await namesIn(folder), before === undefined ? [] : ["config"]);
      }
    }));

  Deno.test(`${name} neither gives away nor opens up a file that a link in its copy's place leads to`, () =>
    inScratch(async (folder) => {
      const [path, victim] = [`${folder}/config`, `${folder}/victim`];
      await Deno.chmod(folder, 0o777);
      await Deno.writeTextFile(victim, "private", { mode: 0o600 });
      await Deno.writeTextFile(path, "old");
      await Deno.chmod(path, 0o666);
      if (isRoot && replace === replaceSharedFile) await Deno.chown(path, 1234, 4321);
      await withIntruder((made) => {
        Deno.removeSync(made);
        Deno.symlinkSync(victim, made);
      }, () => replace(path, bytes("old"), bytes(SECRET)).catch(() => {}));
      assert.equal(await Deno.readTextFile(victim), "private");
      assert.equal(await modeOf(victim), 0o600);
      assert.equal((await Deno.stat(victim)).uid, Deno.uid());
      assert.equal((await Deno.lstat(path)).isFile, true);
    }));
}

Deno.test("replaceSharedFile() keeps the owner and mode of another's file", () =>
  inScratch(async (folder) => {
    for (const mode of [0o600, 0o400, 0o644, 0o666, 0o777]) {
      const path = `${folder}/${mode}`;
      await Deno.writeTextFile(path, "old");
      await Deno.chmod(path, mode);
      if (isRoot) await Deno.chown(path, 1234, 4321);
      await replaceSharedFile(path, bytes("old"), bytes("new"));
      assert.equal(await Deno.readTextFile(path), "new");
      assert.equal(await modeOf(path), mode);
      if (isRoot) assert.equal((await Deno.stat(path)).uid, 1234);
    }
    assert.equal((await namesIn(folder)).length, 5);
  }));

Deno.test("replaceSharedFile() keeps a mode that the umask would trim", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    for (
      const [mode, ofFolder, done] of [[0o664, 0o700, "renamed"], [0o664, 0o755, "renamed"], [
        0o664,
        0o770,
        "in place",
      ]] as const
    ) {
      await Deno.writeTextFile(path, "old");
      await Deno.chmod(path, mode);
      await Deno.chmod(folder, ofFolder);
      assert.equal(await replaceSharedFile(path, bytes("old"), bytes("new")), done);
      assert.equal(await Deno.readTextFile(path), "new");
      assert.equal(await modeOf(path), mode);
    }
  }));

Deno.test("replaceOwnFile() makes a new private file, which no other name and no open handle leads to", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    assert.equal(await replaceOwnFile(path, undefined, bytes("old")), "renamed");
    assert.equal(await modeOf(path), 0o600);
    await Deno.chmod(path, 0o666);
    await Deno.link(path, `${folder}/other`);
    assert.equal(await replaceOwnFile(path, bytes("older"), bytes(SECRET)), "changed");
    assert.equal(await replaceOwnFile(path, bytes("old"), bytes(SECRET)), "renamed");
    assert.equal(await modeOf(path), 0o600);
    assert.equal(await Deno.readTextFile(`${folder}/other`), "old");
    assert.equal(await Deno.readTextFile(path), SECRET);

    await Deno.chmod(path, 0o644);
    await replaceOwnFile(path, bytes(SECRET), bytes("open"), 0o777);
    assert.equal(await modeOf(path), 0o644);
    assert.deepEqual(await namesIn(folder), ["config", "other"]);
  }));

Deno.test("replaceOwnFile() refuses a link, a folder, and a file of another user, who would read it", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    const write = () => replaceOwnFile(path, bytes("old"), bytes(SECRET));
    await Deno.writeTextFile(`${folder}/elsewhere`, "old");
    await Deno.symlink("elsewhere", path);
    await refused(write, /not a plain file/);
    await Deno.remove(path);
    await Deno.mkdir(path);
    await refused(write, /not a plain file/);
    await Deno.remove(path);
    if (isRoot) {
      await Deno.writeTextFile(path, "old");
      await Deno.chown(path, 1234, 1234);
      await refused(write, /belongs to someone else/);
      await Deno.remove(path);
    }
    assert.equal(await Deno.readTextFile(`${folder}/elsewhere`), "old");
    assert.deepEqual(await namesIn(folder), ["elsewhere"]);
  }));

Deno.test("removeOldCopies() takes what a killed process left, and leaves what another one is writing", () =>
  inScratch(async (folder) => {
    const copy = async (mark: string, text: string, age = 0) => {
      const path = `${folder}/${copiesOf("config").replace("*", mark)}`;
      await Deno.writeTextFile(path, text);
      await Deno.utime(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
      return path;
    };
    await Deno.mkdir(`${folder}/linked`);
    await Deno.symlink("../config", `${folder}/linked/config`);
    await copy("0", SECRET);
    await copy("1", "", 61);
    await copy("2", "");
    await copy("mine", SECRET);
    using locked = await Deno.open(await copy("3", SECRET), { read: true, write: true });
    assert.ok(await locked.tryLock(true));
    await removeOldCopies(`${folder}/linked/config`);
    assert.deepEqual(await namesIn(folder), [
      ".config.datumctl-2",
      ".config.datumctl-3",
      ".config.datumctl-mine",
      "linked",
    ]);
    await removeOldCopies(`${folder}/gone/config`);
  }));

Deno.test("readSharedFile() opens neither what is too large nor what is not a plain file", () =>
  inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "1234");
    assert.deepEqual(await readSharedFile(`${folder}/file`, 4), bytes("1234"));
    assert.equal(await readSharedFile(`${folder}/none`, 4), undefined);
    await refused(() => readSharedFile(`${folder}/file`, 3), /too large/);
    await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    await refused(() => readSharedFile(`${folder}/pipe`, 4), /not a plain file/);
  }));

Deno.test("editFile() begins again with what another program wrote, and is BUSY when that does not end", () =>
  inScratch(async (folder) => {
    const path = `${folder}/file`;
    const replace = replaceOwnFile;
    let others = 2;
    const change = (before: Uint8Array | undefined) => {
      if (others-- > 0) Deno.writeTextFileSync(path, `theirs ${others}`);
      return bytes(`${new TextDecoder().decode(before)}, ours`);
    };
    assert.equal(await editFile(path, change, { largest: 100, replace }), true);
    assert.equal(await Deno.readTextFile(path), "theirs 0, ours");
    others = 9;
    await expectRejection(editFile(path, change, { largest: 100, replace }), "BUSY");
    assert.equal(await editFile(path, () => undefined, { largest: 100, replace }), false);
    assert.deepEqual(await namesIn(folder), ["file"]);
  }));
