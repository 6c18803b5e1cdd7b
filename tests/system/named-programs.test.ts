/** Proves which files of a PATH are found by the beginning of their names, and what each of them is. */

import assert from "node:assert/strict";
import { programsNamed } from "../../src/system/named-programs.ts";
import { inScratch, writeScript } from "../scratch.ts";

Deno.test("programs, files that are none and broken links are found in the order of the PATH; folders are not", async () => {
  await inScratch(async (folder) => {
    const [first, second] = [`${folder}/first`, `${folder}/second`];
    for (const one of [first, second, `${first}/my-folder`]) await Deno.mkdir(one);
    await writeScript(`${first}/my-b`, "true");
    await writeScript(`${first}/other`, "true");
    await Deno.writeTextFile(`${first}/my-a`, "", { mode: 0o644 });
    await Deno.symlink("nowhere", `${second}/my-dangling`);
    await Deno.symlink("my-loop", `${second}/my-loop`);
    await Deno.symlink(`${first}/my-b`, `${second}/my-b`);
    await Deno.symlink(`${first}/my-folder`, `${second}/my-linked-folder`);
    await Deno.symlink(second, `${folder}/again`);
    const path = [first, "", ".", "second", `${folder}/absent`, `${first}/my-b`, second, `${folder}/again/`]
      .join(
        ":",
      );
    const found = programsNamed("my-", path).map(({ name, path, state }) => [name, path, state]);
    assert.deepEqual(found, [
      ["a", `${first}/my-a`, "not executable"],
      ["b", `${first}/my-b`, "runs"],
      ["b", `${second}/my-b`, "runs"],
      ["dangling", `${second}/my-dangling`, "broken link"],
      ["loop", `${second}/my-loop`, "broken link"],
    ]);
    assert.deepEqual(programsNamed("my-", undefined), []);
  });
});

Deno.test("two hundred folders are looked through, and no further than the caller wants", async () => {
  await inScratch(async (folder) => {
    const folders = Array.from({ length: 200 }, (_, at) => `${folder}/${at}`);
    for (const one of folders) await Deno.mkdir(one);
    await writeScript(`${folders[3]}/my-near`, "true");
    await writeScript(`${folders[199]}/my-far`, "true");
    const names = (goOn?: () => boolean) =>
      programsNamed("my-", folders.join(":"), goOn).map(({ name }) => name);
    assert.deepEqual(names(), ["near", "far"]);
    let left = 100;
    assert.deepEqual(names(() => left-- > 0), ["near"]);
  });
});
