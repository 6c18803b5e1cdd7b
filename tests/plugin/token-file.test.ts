/** Proves what `get-token --write` leaves in its file, and when it ends with which exit code. */

import assert from "node:assert/strict";
import { assertMissing, inScratch, modeOf, namesIn, writeScript } from "../scratch.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { until } from "../until.ts";
import { exec, getToken } from "./call.ts";

/** A call that hears a signal when the test says so. */
function interruptible({ store }: Sandbox) {
  const controller = new AbortController();
  const host = { ...store.host, interrupted: controller.signal };
  return { more: { store: store.with({ host }) }, interrupt: () => controller.abort(new Error("SIGTERM")) };
}

const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

Deno.test("--write leaves the bare token in a private file, and nothing on stdout and stderr", async () => {
  await using sandbox = await openSandbox();
  const { session: { name: session } } = await sandbox.add();
  await inScratch(async (folder) => {
    const write = `${folder}/token`;
    // kubectl's variable is not for a file.
    assert.deepEqual(await getToken(sandbox, { session, write }, exec()), {
      code: 0,
      stdout: "",
      stderr: "",
    });
    assert.equal(await Deno.readTextFile(write), "access-0");
    assert.equal(await modeOf(write), 0o600);
    assert.equal((await getToken(sandbox, { session, write, token: "id", mode: "0640" })).code, 0);
    assert.match(await Deno.readTextFile(write), /^eyJ[^\n]+$/);
    assert.equal(await modeOf(write), 0o640);
    assert.equal((await getToken(sandbox, { session, write, forceRefresh: true })).code, 0);
    assert.equal(await Deno.readTextFile(write), "access-1");
    assert.deepEqual(await namesIn(folder), ["token"]);
  });
});

Deno.test("flags that fit no file, and paths that no file may stand at, are USAGE", async () => {
  await using sandbox = await openSandbox();
  const { session: { name: session } } = await sandbox.add();
  await inScratch(async (folder) => {
    const write = `${folder}/token`;
    await Deno.symlink("/etc/passwd", `${folder}/link`);
    for (
      const [flags, says] of [
        [{ watch: true }, /--watch can only be used with --write/],
        [{ mode: "0640" }, /--mode can only be used with --write/],
        [{ keep: true, write }, /--keep can only be used with --watch/],
        [{ write, claims: true }, /--write and --claims/],
        [{ write, output: "client.authentication.k8s.io/v1" }, /bare token/],
        [{ write: "" }, /takes the path/],
        [{ write: folder }, /is a folder/],
        [{ write: `${folder}/link` }, /is a link/],
        [{ write: "/dev/null" }, /no plain file/],
        ...["0660", "0666", "0700", "640x", "u=r", "0040"].map((mode) =>
          [{ write, mode }, /--mode takes permissions/] as const
        ),
      ] as const
    ) {
      const { code, stdout, stderr } = await getToken(sandbox, { session, ...flags });
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, says);
    }
    assert.deepEqual(await namesIn(folder), ["link"]);
  });
});

Deno.test("--watch ends with a signal, and takes the file along unless --keep", async () => {
  await using sandbox = await openSandbox();
  const { session: { name: session } } = await sandbox.add();
  await inScratch(async (folder) => {
    for (const keep of [false, true]) {
      const write = `${folder}/token`;
      const { more, interrupt } = interruptible(sandbox);
      const running = getToken(sandbox, { session, write, watch: true, keep }, {}, more);
      await until(() => isThere(write));
      interrupt();
      const { code, stdout, stderr } = await running;
      assert.deepEqual([code, stdout], [0, ""]);
      assert.match(stderr, /^Renewing the token in .*token until a signal comes\.\n$/);
      assert.equal(await isThere(write), keep);
    }
  });
});

Deno.test("--watch ends with its session: exit code 4, and no file", async () => {
  await using sandbox = await openSandbox();
  sandbox.issuer.accessLife = 4;
  const { session: { name: session } } = await sandbox.add({ credentials: { refreshToken: "spent" } });
  await inScratch(async (folder) => {
    const write = `${folder}/token`;
    const host = {
      ...sandbox.store.host,
      sleep: (milliseconds: number) => (sandbox.time += milliseconds, Promise.resolve()),
    };
    const { code, stdout, stderr } = await getToken(
      sandbox,
      { session, write, watch: true, keep: true, quiet: true },
      {},
      { store: sandbox.store.with({ host: { ...host, interrupted: new AbortController().signal } }) },
    );
    assert.deepEqual([code, stdout], [4, ""]);
    assert.match(stderr, /^error: The session .* has expired/);
    await assertMissing(write);
  });
});

Deno.test("systemd hears that the token is there; that it cannot be told is a warning", async () => {
  await using sandbox = await openSandbox();
  const { session: { name: session } } = await sandbox.add();
  await inScratch(async (folder) => {
    const write = `${folder}/token`;
    const run = async (PATH: string) => {
      const { more, interrupt } = interruptible(sandbox);
      const env = { NOTIFY_SOCKET: "/run/notify", PATH };
      let stderr = "";
      const writeErr = (
        text: string,
      ) => (stderr += text, stderr.includes("Renewing") ? interrupt() : undefined);
      assert.equal(
        (await getToken(sandbox, { session, write, watch: true }, env, { ...more, writeErr })).code,
        0,
      );
      return stderr;
    };
    await writeScript(
      `${folder}/systemd-notify`,
      `echo "$NOTIFY_SOCKET $* $(cat ${write})" > ${folder}/told; env > ${folder}/env`,
    );
    assert.doesNotMatch(await run(`${folder}:/usr/bin:/bin`), /warning/);
    assert.equal(await Deno.readTextFile(`${folder}/told`), "/run/notify --ready access-0\n");
    assert.doesNotMatch(await Deno.readTextFile(`${folder}/env`), /access-0|HOME/);
    assert.match(
      await run("/nonexistent"),
      /warning: systemd could not be told .* systemd-notify cannot be run/,
    );
  });
});
