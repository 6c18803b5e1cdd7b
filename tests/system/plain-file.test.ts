/** Proves which files are read, and that none is waited for or read beyond its bound. */

import assert from "node:assert/strict";
import { permissionsOf, readPlainFile } from "../../src/system/plain-file.ts";
import { inScratch } from "../scratch.ts";

const posix = Deno.build.os !== "windows";

Deno.test("a plain file is read whole, its byte order mark included, up to its bound", async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/a`;
    assert.equal(await readPlainFile(path, 10), undefined);
    for (const text of ["", "a\r\nb", "\ufeff{}", "0123456789"]) {
      await Deno.writeTextFile(path, text);
      assert.deepEqual(await readPlainFile(path, 10), { text });
    }
    await Deno.writeTextFile(path, "01234567890");
    assert.deepEqual(await readPlainFile(path, 10), { unread: "it is too large" });
    await Deno.writeFile(path, new Uint8Array([0x7b, 0xff, 0x7d]));
    assert.deepEqual(await readPlainFile(path, 10), { unread: "it is not text in UTF-8" });
  });
});

Deno.test("a link, a folder, a pipe and a device are not read", { ignore: !posix }, async () => {
  await inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "{}");
    await Deno.symlink(`${folder}/file`, `${folder}/link`);
    await Deno.symlink(`${folder}/nothing`, `${folder}/dangling`);
    await Deno.mkdir(`${folder}/folder`);
    const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    assert.ok(success);
    for (const name of ["link", "dangling", "folder", "pipe"]) {
      assert.deepEqual(
        await readPlainFile(`${folder}/${name}`, 10),
        { unread: "it is not a plain file" },
        name,
      );
    }
    assert.deepEqual(await readPlainFile("/dev/null", 10), { unread: "it is not a plain file" });
    assert.equal(await readPlainFile(`${folder}/file/below`, 10), undefined);
    assert.equal(await readPlainFile(`${folder}/${"x".repeat(300)}`, 10), undefined);
  });
});

Deno.test("permissions are told of plain files alone", { ignore: !posix }, async () => {
  await inScratch(async (folder) => {
    const path = `${folder}/a`;
    assert.equal(permissionsOf(path), undefined);
    await Deno.writeTextFile(path, "");
    await Deno.chmod(path, 0o664);
    assert.equal(permissionsOf(path), 0o664);
    assert.equal(permissionsOf(folder), undefined);
  });
});
