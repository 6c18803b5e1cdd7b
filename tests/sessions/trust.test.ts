/** Proves that what is trusted is remembered privately, whole, and by one process at a time. */

import assert from "node:assert/strict";
import { lockTrusted } from "../../src/sessions/trust.ts";
import { readTrusted } from "../../src/sessions/trusted-files.ts";
import { expectRejection } from "../expect-error.ts";
import { modeOf } from "../scratch.ts";
import { openSandbox } from "./sandbox.ts";

const posix = Deno.build.os !== "windows";

const digest = (letter: string) => letter.repeat(64);

Deno.test("trust is noted, found and taken back, each content once, in a file of mode 0600", async () => {
  await using sandbox = await openSandbox();
  const { store, folder } = sandbox;
  assert.deepEqual(await readTrusted(store), []);
  {
    using trusted = await lockTrusted(store);
    await trusted.add("/a", digest("1"));
    await trusted.add("/b", digest("2"));
    await trusted.add("/a", digest("3"));
    await trusted.add("/a", digest("1"));
  }
  assert.deepEqual(await readTrusted(store), [
    { file: "/b", sha256: digest("2") },
    { file: "/a", sha256: digest("3") },
    { file: "/a", sha256: digest("1") },
  ]);
  if (posix) assert.equal(await modeOf(`${folder}/trusted.json`), 0o600);
  using trusted = await lockTrusted(store);
  assert.equal(await trusted.remove("/a"), true);
  assert.equal(await trusted.remove("/a"), false);
  assert.deepEqual(await readTrusted(store), [{ file: "/b", sha256: digest("2") }]);
});

Deno.test("twenty that trust at once are all remembered; the oldest of too many are dropped", async () => {
  await using sandbox = await openSandbox();
  const { store } = sandbox;
  await Promise.all(Array.from({ length: 20 }, async (_, at) => {
    using trusted = await lockTrusted(store);
    await trusted.add(`/${at}`, digest("a"));
  }));
  assert.equal((await readTrusted(store)).length, 20);
  const many = Array.from({ length: 1000 }, (_, at) => ({ file: `/many/${at}`, sha256: digest("b") }));
  await Deno.writeTextFile(
    `${sandbox.folder}/trusted.json`,
    JSON.stringify({ schemaVersion: 1, trusted: many }),
    { mode: 0o600 },
  );
  using trusted = await lockTrusted(store);
  await trusted.add("/last", digest("c"));
  const files = (await readTrusted(store)).map(({ file }) => file);
  assert.deepEqual([files.length, files[0], files.at(-1)], [1000, "/many/1", "/last"]);
});

Deno.test("a list that is damaged, another user's or open to others is not used and not replaced", async () => {
  await using sandbox = await openSandbox();
  const path = `${sandbox.folder}/trusted.json`;
  const damaged = ["", "{", "[]", '{"schemaVersion":2,"trusted":[]}'].map((text): [string, RegExp] => [
    text,
    /trusted\.json cannot be used: .* is wrong\.$/,
  ]);
  damaged.push(['{"schemaVersion":1,"trusted":[{"file":"/a","sha256":"x"}]}', /trusted\.0\.sha256 is wrong/]);
  for (const [text, message] of damaged) {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    await expectRejection(readTrusted(sandbox.store), { code: "STORAGE", message });
    using trusted = await lockTrusted(sandbox.store);
    await expectRejection(trusted.add("/a", digest("1")), { code: "STORAGE", message });
    assert.equal(await Deno.readTextFile(path), text);
  }
  if (!posix) return;
  await Deno.writeTextFile(path, '{"schemaVersion":1,"trusted":[]}');
  await Deno.chmod(path, 0o666);
  await expectRejection(readTrusted(sandbox.store), { code: "STORAGE", message: /other users can write it/ });
  await expectRejection(lockTrusted(sandbox.store), "STORAGE");
  await Deno.chmod(path, 0o600);
  if (Deno.uid() !== 0) return;
  await Deno.chown(path, 65534, 65534);
  await expectRejection(readTrusted(sandbox.store), { code: "STORAGE", message: /belongs to someone else/ });
});
