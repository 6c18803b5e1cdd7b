/** Proves locks between real processes: waiting, giving up, and what the death of a holder frees. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { acquireLock, tryLock } from "../../src/system/locks.ts";
import { type ExpectedError, expectRejection } from "../expect-error.ts";
import { scratchFolder } from "../scratch.ts";

async function holder(path: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("./hold-lock.ts", import.meta.url).pathname, path],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value).trim(), "held");
  const end = async () => {
    await reader.cancel();
    await child.stdin.close().catch(() => {});
    await child.status;
  };
  return { child, end };
}

const BUSY: ExpectedError = { code: "BUSY", retryable: true };

Deno.test("a lock that another process holds is BUSY at the bound, and free when it lets go", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/lock`;
  const other = await holder(path);
  const began = performance.now();
  const refused = acquireLock(path, { timeout: 150, guards: "the session x" });
  await expectRejection(refused, { ...BUSY, message: /the session x/ });
  assert.ok(performance.now() - began >= 145);
  const waiting = acquireLock(path, { timeout: 10_000, guards: "x" });
  await other.end();
  (await waiting).release();
});

Deno.test("a holder that is killed with -9 frees its lock", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/lock`;
  const other = await holder(path);
  await expectRejection(acquireLock(path, { timeout: 0, guards: "x" }), BUSY);
  const waiting = acquireLock(path, { timeout: 10_000, guards: "x" });
  other.child.kill("SIGKILL");
  await other.end();
  (await waiting).release();
});

Deno.test("one process cannot take a lock twice, and its file stays when it is freed", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/lock`;
  const first = await acquireLock(path, { timeout: 0, guards: "x" });
  await expectRejection(acquireLock(path, { timeout: 50, guards: "x" }), BUSY);
  first.release();
  (await acquireLock(path, { timeout: 0, guards: "x" })).release();
  const { isFile, mode, size } = await Deno.stat(path);
  assert.ok(isFile && size === 0);
  if (Deno.build.os !== "windows") assert.equal((mode ?? 0) & 0o777, 0o600);
});

Deno.test("of ten who want a lock at once, no two have it at the same time, and all get it", async () => {
  await using it = await scratchFolder();
  let inside = 0;
  let most = 0;
  await Promise.all(Array.from({ length: 10 }, async () => {
    const lock = await acquireLock(`${it.path}/lock`, { timeout: 10_000, guards: "x" });
    most = Math.max(most, ++inside);
    await Promise.resolve();
    inside--;
    lock.release();
  }));
  assert.equal(most, 1);
});

Deno.test("a wait ends with the signal's own reason", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/lock`;
  const first = await acquireLock(path, { timeout: 0, guards: "x" });
  const controller = new AbortController();
  const reason = new AppError("INTERRUPTED", "Interrupted.");
  const waiting = acquireLock(path, { timeout: 60_000, guards: "x", signal: controller.signal });
  controller.abort(reason);
  assert.equal(await waiting.catch((thrown) => thrown), reason);
  const late = acquireLock(path, { timeout: 0, guards: "x", signal: controller.signal });
  assert.equal(await late.catch((thrown) => thrown), reason, "and one that was over before takes nothing");
  first.release();
});

Deno.test("a link in a lock's place is not followed: nothing is made or held where it leads", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using it = await scratchFolder();
  await Deno.writeTextFile(`${it.path}/file`, "");
  await Deno.symlink(`${it.path}/absent`, `${it.path}/dangling`);
  await Deno.symlink(`${it.path}/file`, `${it.path}/link`);
  for (const name of ["dangling", "link"]) {
    const link = acquireLock(`${it.path}/${name}`, { timeout: 0, guards: "x" });
    const { message } = await expectRejection(link, "STORAGE");
    assert.ok(message.includes(`${it.path}/${name}: it is not a plain file`), message);
  }
  assert.deepEqual([...Deno.readDirSync(it.path)].map(({ name }) => name).sort(), [
    "dangling",
    "file",
    "link",
  ]);
});

Deno.test("a lock in a folder that is not there, or on something that is no file, is STORAGE", async () => {
  await using it = await scratchFolder();
  await Deno.mkdir(`${it.path}/dir`);
  for (const path of [`${it.path}/no/lock`, `${it.path}/dir`]) {
    const { message } = await expectRejection(acquireLock(path, { timeout: 0, guards: "x" }), "STORAGE");
    assert.ok(message.includes(path), message);
  }
});

Deno.test("tryLock() tells that a lock keeps others out, whoever holds it, and lets go of it", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/lock`;
  assert.equal(await tryLock(path), "unusable", "nothing is made");
  await Deno.writeTextFile(path, "text");
  assert.equal(await tryLock(path), "keeps others out");
  const other = await holder(path);
  assert.equal(await tryLock(path), "keeps others out");
  await other.end();
  (await acquireLock(path, { timeout: 0, guards: "x" })).release();
  assert.equal(await Deno.readTextFile(path), "text");
});
