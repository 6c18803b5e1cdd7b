/** Proves that a key file is private, whole, and never a link or a pipe. */

import assert from "node:assert/strict";
import { keyFileStore } from "../../src/keyring/file.ts";
import { expectRejection } from "../expect-error.ts";
import { assertMissing, inScratch, modeOf } from "../scratch.ts";

const bound = { timeout: 15_000 };
const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

interface Parts {
  readonly folder: string;
  readonly path: string;
  readonly store: ReturnType<typeof keyFileStore>;
  readonly notices: string[];
}

/** A store whose folder is not there yet, and what it mentioned. */
function withStore(test: (parts: Parts) => Promise<void>): Promise<void> {
  return inScratch(async (root) => {
    const folder = `${root}/keys`;
    const notices: string[] = [];
    const store = keyFileStore({
      folder,
      pathFor: (account) => Promise.resolve(`${folder}/${account}.key`),
      notice: (line) => notices.push(line),
    });
    await test({ folder, path: `${folder}/ada.key`, store, notices });
  });
}

Deno.test("a key file that is a link is refused on reading and writing, and its target is left alone", async () => {
  await withStore(async ({ folder, path, store }) => {
    await Deno.mkdir(folder, { mode: 0o700 });
    const target = `${folder}/target`;
    await Deno.writeTextFile(target, "other", { mode: 0o644 });
    await Deno.symlink(target, path);
    await expectRejection(store.get("ada", bound), "STORAGE");
    await expectRejection(store.set("ada", SECRET, bound), "STORAGE");
    assert.equal(await Deno.readTextFile(target), "other");
    assert.equal(await modeOf(target), 0o644);
    assert.equal(await store.delete("ada", bound), true);
    assert.equal(await Deno.readTextFile(target), "other");
  });
});

Deno.test("a pipe or folder in a key file's place is refused, not waited for", async () => {
  await withStore(async ({ folder, path, store }) => {
    await Deno.mkdir(folder, { mode: 0o700 });
    await new Deno.Command("mkfifo", { args: [path] }).output();
    await expectRejection(store.get("ada", bound), "STORAGE");
    await Deno.remove(path);
    await Deno.mkdir(path);
    await expectRejection(store.get("ada", bound), "STORAGE");
  });
});

Deno.test("a secret that not every store can keep is refused before anything is written", async () => {
  await withStore(async ({ folder, store }) => {
    for (const secret of ["", "a b", "a\nb", "é", "x".repeat(1025)]) {
      await assert.rejects(store.set("ada", secret, bound), TypeError);
    }
    await assertMissing(folder);
  });
});

Deno.test("a key file that is absent, or whose folder is, holds no secret", async () => {
  await withStore(async ({ store, notices }) => {
    assert.equal(await store.get("ada", bound), undefined);
    assert.equal(await store.delete("ada", bound), false);
    assert.deepEqual(notices, []);
  });
});

Deno.test("a key file is private, is replaced whole, and is gone after delete", async () => {
  await withStore(async ({ folder, path, store, notices }) => {
    await store.set("ada", SECRET, bound);
    assert.equal(await modeOf(path), 0o600);
    assert.equal(await modeOf(folder), 0o700);
    assert.equal(await store.get("ada", bound), SECRET);
    await store.set("ada", "another", bound);
    assert.equal(await store.get("ada", bound), "another");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["ada.key"]);
    assert.equal(await store.delete("ada", bound), true);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    assert.deepEqual(notices, []);
  });
});

Deno.test("looser permissions of a key file and its folder are tightened and mentioned once", async () => {
  await withStore(async ({ folder, path, store, notices }) => {
    await store.set("ada", SECRET, bound);
    await Deno.chmod(path, 0o644);
    await Deno.chmod(folder, 0o755);
    assert.equal(await store.get("ada", bound), SECRET);
    assert.equal(await modeOf(path), 0o600);
    assert.equal(await modeOf(folder), 0o700);
    assert.equal(notices.length, 2);
    assert(notices.some((line) => line.includes(path)));
    await store.get("ada", bound);
    assert.equal(notices.length, 2);
  });
});
