/** Proves what the binary may do, and that a bundle that would need the network is not compiled. */

import assert from "node:assert/strict";
import { bundle, permissions, remoteImport, ROOT } from "../../scripts/compile.ts";
import { TARGETS } from "../../scripts/targets.ts";

Deno.test("no binary is allowed everything, and none asks its user for more", () => {
  for (const target of TARGETS) {
    const flags = permissions(target);
    assert.ok(flags.includes("--no-prompt"));
    assert.ok(!flags.some((flag) => /^(-A|--allow-all)$/.test(flag)));
  }
});

Deno.test("only Windows may call foreign code, and only its credential library by its whole path", () => {
  const foreign = (target: string) => permissions(target).filter((flag) => flag.includes("ffi"));
  assert.deepEqual(foreign("x86_64-pc-windows-msvc"), ["--allow-ffi=C:\\Windows\\System32\\advapi32.dll"]);
  for (const target of TARGETS.slice(0, 4)) assert.deepEqual(foreign(target), []);
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

Deno.test("no bundle can be stopped at a checkpoint but one that is made for tests", async () => {
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

Deno.test("only a bundle for a trial build says that it is one", async () => {
  const says = async (runtime: "own" | "trial"): Promise<boolean> => {
    const folder = await Deno.makeTempDir({ prefix: "bundle-" });
    try {
      const entry = `${folder}/main.ts`;
      const build = new URL("../../src/build.ts", import.meta.url).href;
      await Deno.writeTextFile(entry, `export { TRIAL_BUILD } from ${JSON.stringify(build)};`);
      await bundle(entry, folder, { runtime });
      return (await import(`file://${folder}/main.js`)).TRIAL_BUILD;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  };
  assert.deepEqual([await says("own"), await says("trial")], [false, true]);
});
