/** Proves which folder is taken for the runtime folder, and why none is. */

import assert from "node:assert/strict";
import { runtimeFolder } from "../../src/system/runtime-folder.ts";
import { inScratch } from "../scratch.ts";

const linux = { os: "linux", getconf: () => assert.fail("not asked on Linux") };
const at = (path: string | undefined) => runtimeFolder(() => path, linux);
const refused = async (path: string | undefined) => {
  const found = await at(path);
  return "refusal" in found ? found.refusal : assert.fail(`${path} was taken`);
};

Deno.test("on Linux it is XDG_RUNTIME_DIR, where that is absolute, the person's and closed to others", async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/run`;
    assert.match(await refused(undefined), /XDG_RUNTIME_DIR is not set/);
    assert.match(await refused("run/user/7"), /not absolute/);
    assert.match(await refused("/run/\n7"), /control characters/);
    assert.match(await refused(path), /is not there$/);
    await Deno.mkdir(path, { mode: 0o700 });
    assert.deepEqual(await at(path), { path, onDisk: false });
    assert.deepEqual(await at(`${path}/`), { path, onDisk: false });
    for (const mode of [0o755, 0o710, 0o701, 0o500]) {
      await Deno.chmod(path, mode);
      assert.match(await refused(path), /does not have the mode 0700$/);
    }
    await Deno.chmod(path, 0o700);
    await Deno.symlink(path, `${folder}/link`);
    assert.match(await refused(`${folder}/link`), /is not a folder$/);
    await Deno.writeTextFile(`${folder}/file`, "");
    assert.match(await refused(`${folder}/file`), /is not a folder$/);
    if (Deno.uid() !== 0) return;
    await Deno.chown(path, 12_345, null);
    assert.match(await refused(path), /belongs to somebody else$/);
  });
});

Deno.test("on macOS getconf names it, and it lies on a disk; elsewhere there is none", async () => {
  await inScratch(async (path) => {
    const mac = (said: string | undefined) => ({
      os: "darwin",
      getconf: (name: string) => Promise.resolve(name === "DARWIN_USER_TEMP_DIR" ? said : undefined),
    });
    const env = () => assert.fail("no variable counts there");
    await Deno.chmod(path, 0o700);
    assert.deepEqual(await runtimeFolder(env, mac(`${path}/`)), { path, onDisk: true });
    assert.match(JSON.stringify(await runtimeFolder(env, mac(undefined))), /names no DARWIN_USER_TEMP_DIR/);
    await Deno.chmod(path, 0o755);
    assert.match(JSON.stringify(await runtimeFolder(env, mac(path))), /0700/);
    assert.match(JSON.stringify(await runtimeFolder(env, { ...linux, os: "windows" })), /no runtime folder/);
  });
});
