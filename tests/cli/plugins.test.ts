/** Proves what a plug-in is called, which file it is, and which files of such a name are told of. */

import assert from "node:assert/strict";
import { findPlugin, listPlugins, mendPlugin } from "../../src/cli/plugins.ts";
import { inScratch, writeScript } from "../scratch.ts";

const onPath = (path: string) => (name: string) => name === "PATH" ? path : undefined;

Deno.test("a name is of letters, digits, - and _, and no path, ending or control character is one", async () => {
  await inScratch(async (folder) => {
    const bin = `${folder}/bin`;
    await Deno.mkdir(`${bin}/datumctl-x`, { recursive: true });
    for (
      const name of ["hello", "my-tool", "my_tool", "7", "zones.bak", "é", "-x", "_x", "a b", "a\nb", ""]
    ) {
      await writeScript(`${bin}/datumctl-${name}`, "true");
    }
    await writeScript(`${bin}/tool`, "true");
    await writeScript(`${folder}/datumctl-up`, "true");
    const env = onPath(bin);
    for (const name of ["hello", "my-tool", "my_tool", "7"]) {
      assert.equal(findPlugin(name, env), `${bin}/datumctl-${name}`);
    }
    for (
      const name of [
        "zones.bak",
        "é",
        "-x",
        "_x",
        "a b",
        "a\nb",
        "hello\n",
        "",
        ".",
        "..",
        "x",
        "x/../tool",
        "/../../datumctl-up",
        "../datumctl-up",
        "hello/",
        "absent",
      ]
    ) {
      assert.equal(findPlugin(name, env), undefined, JSON.stringify(name));
      assert.equal(mendPlugin(name, env), undefined, JSON.stringify(name));
    }
    const { plugins, warnings } = listPlugins(env, () => false);
    assert.deepEqual(plugins.map(({ name }) => name), ["7", "hello", "my-tool", "my_tool"]);
    assert.deepEqual(warnings, []);
  });
});

Deno.test("the first program of a name is run; files that are never run are told of, with the reason", async () => {
  await inScratch(async (folder) => {
    const [one, two] = [`${folder}/one`, `${folder}/two`];
    for (const bin of [one, two]) await Deno.mkdir(bin);
    await Deno.writeTextFile(`${one}/datumctl-late`, "", { mode: 0o644 });
    for (const path of [`${one}/datumctl-twice`, `${two}/datumctl-twice`, `${two}/datumctl-late`]) {
      await writeScript(path, "true");
    }
    await writeScript(`${two}/datumctl-get`, "true");
    await writeScript(`${two}/datumctl-Get`, "true");
    await Deno.symlink("nowhere", `${two}/datumctl-gone`);
    await Deno.writeTextFile(`${two}/datumctl-plain`, "", { mode: 0o644 });
    const env = onPath(`${one}:${two}`);
    const { plugins, warnings } = listPlugins(env, (word) => word === "get");
    assert.deepEqual(plugins.map(({ name, path }) => [name, path]), [
      ["late", `${two}/datumctl-late`],
      ["twice", `${one}/datumctl-twice`],
    ]);
    assert.deepEqual(warnings, [
      `${one}/datumctl-late is not executable. Where it is a program: chmod +x ${one}/datumctl-late`,
      `${two}/datumctl-Get is never run: "Get" is a command of datumctl's own.`,
      `${two}/datumctl-get is never run: "get" is a command of datumctl's own.`,
      `${two}/datumctl-gone is a link that leads nowhere.`,
      `${two}/datumctl-plain is not executable. Where it is a program: chmod +x ${two}/datumctl-plain`,
      `${two}/datumctl-twice is never run: ${one}/datumctl-twice comes before it on the PATH.`,
    ]);
    for (const { name, path } of plugins) assert.equal(findPlugin(name, env), path);
    assert.match(mendPlugin("plain", env) ?? "", /chmod \+x/);
    assert.match(mendPlugin("gone", env) ?? "", /leads nowhere/);
    assert.equal(mendPlugin("late", env), undefined, "another one of that name runs");
  });
});
