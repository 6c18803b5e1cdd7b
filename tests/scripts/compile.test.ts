/** Proves what the binary may do, and that a bundle that would need the network is not compiled. */

import assert from "node:assert/strict";
import { bundlingTest } from "../bundling-test.ts";
import { nameByOrder } from "../../scripts/chunk-names.ts";
import { bundle, permissions, remoteImport, ROOT } from "../../scripts/compile.ts";
import { isWindows, TARGETS } from "../../scripts/targets.ts";
import { inScratch, scratchFolder } from "../scratch.ts";

Deno.test("no binary is allowed everything, and none asks its user for more", () => {
  for (const target of TARGETS) {
    const flags = permissions(target);
    assert.ok(flags.includes("--no-prompt"));
    assert.ok(!flags.some((flag) => /^(-A|--allow-all)$/.test(flag)));
  }
});

Deno.test("only Windows may call foreign code, and only its credential library by its whole path", () => {
  for (const target of TARGETS) {
    assert.deepEqual(
      permissions(target).filter((flag) => flag.includes("ffi")),
      isWindows(target) ? ["--allow-ffi=C:\\Windows\\System32\\advapi32.dll"] : [],
    );
  }
});

Deno.test("remoteImport() names an import that is left in a bundle, static, lazy or re-exported", () => {
  assert.equal(remoteImport(`import { parse } from "npm:yaml@2";`), "npm:yaml@2");
  assert.equal(remoteImport(`var a = 1;\nimport "jsr:@std/yaml";`), "jsr:@std/yaml");
  assert.equal(remoteImport(`export * from 'https://example.com/a.js'`), "https://example.com/a.js");
  assert.equal(remoteImport(`const m = await import("npm:yaml");`), "npm:yaml");
});

Deno.test("remoteImport() takes neither chunks, node: modules nor mere strings for remote", () => {
  assert.equal(remoteImport(`import { a } from "./chunk-A.js";\nimport fs from "node:fs";`), undefined);
  assert.equal(remoteImport(`const text = "npm:yaml"; const m = await import("./lazy-B.js");`), undefined);
  assert.equal(remoteImport(`import { a } from "./a.js";\nfetch("https://example.com");`), undefined);
});

bundlingTest("no bundle can be stopped at a checkpoint but one that is made for tests", async () => {
  const traces = async (options: { readonly testHooks?: boolean }): Promise<string[]> => {
    const folder = await Deno.makeTempDir({ prefix: "bundle-" });
    try {
      await bundle(`${ROOT}main.ts`, folder, options);
      const found: string[] = [];
      for await (const { name } of Deno.readDir(folder)) {
        const text = await Deno.readTextFile(`${folder}/${name}`);
        found.push(...text.match(/DATUMCTL_TEST\w*|Atomics/g) ?? []);
      }
      return [...new Set(found)].sort();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  };
  assert.deepEqual(await traces({}), []);
  assert.deepEqual(await traces({ testHooks: true }), [
    "Atomics",
    "DATUMCTL_TEST_STOP_AT",
    "DATUMCTL_TEST_STOP_MARK",
  ]);
});

bundlingTest("a bundle says whether it is for a trial build, and of which commit", async () => {
  const says = async (runtime: "own" | "trial", commit?: string) => {
    await using folder = await scratchFolder();
    const entry = `${folder.path}/main.ts`;
    const build = new URL("../../src/build.ts", import.meta.url).href;
    await Deno.writeTextFile(entry, `export { COMMIT, TRIAL_BUILD } from ${JSON.stringify(build)};`);
    await bundle(entry, folder.path, { runtime, commit });
    const { COMMIT, TRIAL_BUILD } = await import(`file://${folder.path}/main.js`);
    return [TRIAL_BUILD, COMMIT];
  };
  assert.deepEqual([await says("own"), await says("trial", "c0ffee")], [[false, null], [true, "c0ffee"]]);
});

Deno.test("the names of a bundle's chunks follow from their order, not from where the sources are", async () => {
  const namesWith = async (digest: string) => {
    await using folder = await scratchFolder();
    const write = (name: string, text: string) => Deno.writeTextFile(`${folder.path}/${name}`, text);
    await write("main.js", `import { a } from "./chunk-${digest}.js"; await import("./get-${digest}.js");`);
    await write(`chunk-${digest}.js`, `export const a = "./elsewhere.js";`);
    await write(`get-${digest}.js`, `import "./chunk-${digest}.js";`);
    await nameByOrder(folder.path);
    const names = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).sort();
    return await Promise.all(
      names.map(async (name) => [name, await Deno.readTextFile(`${folder.path}/${name}`)]),
    );
  };
  assert.deepEqual(await namesWith("AAAAAAAA"), await namesWith("ZZZZZZZ2"));
  assert.deepEqual(await namesWith("AAAAAAAA"), [
    ["chunk-1.js", `export const a = "./elsewhere.js";`],
    ["get-2.js", `import "./chunk-1.js";`],
    ["main.js", `import { a } from "./chunk-1.js"; await import("./get-2.js");`],
  ]);
});

bundlingTest("what a bundle opens with using is closed, however short the code around it is", async () => {
  await inScratch(async (folder) => {
    const entry = `${folder}/main.ts`;
    await Deno.writeTextFile(
      entry,
      `export const closed: string[] = [];
class Door {
  constructor(readonly name: string) {}
  answer() { return this.name; }
  [Symbol.dispose]() { closed.push(this.name); }
  async [Symbol.asyncDispose]() { closed.push(this.name); }
}
const open = (name: string) => Promise.resolve(new Door(name));
async function returned() { using door = await open("returned"); return await door.answer(); }
async function awaited() { await using door = await open("awaited"); return await door.answer(); }
async function called() { using door = await open("called"); door.answer(); return 1; }
function sync() { using door = new Door("sync"); return door.answer(); }
export async function all() { await returned(); await awaited(); await called(); sync(); return closed; }
`,
    );
    await bundle(entry, `${folder}/out`);
    const { all } = await import(`file://${folder}/out/main.js`);
    assert.deepEqual(await all(), ["returned", "awaited", "called", "sync"]);
  });
});
