/** Proves with the real Go that a program is built once, by the first of many processes, and again when it changes. */

import assert from "node:assert/strict";
import { buildOnce, findGo, type Go, goAtHand } from "./program.ts";

const HERE = new URL(".", import.meta.url);
const go = await goAtHand();

/** A Go that writes down each time it is run. */
async function countingGo(folder: string, { path, version }: Go) {
  const log = `${folder}/runs`;
  await Deno.writeTextFile(log, "");
  await Deno.writeTextFile(`${folder}/go`, `#!/bin/sh\necho run >>'${log}'\nexec '${path}' "$@"\n`, {
    mode: 0o755,
  });
  return {
    go: { path: `${folder}/go`, version },
    runs: async () => (await Deno.readTextFile(log)).length / "run\n".length,
  };
}

async function writeModule(folder: string, words: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/go.mod`, "module tiny.test\n\ngo 1.24\n");
  await Deno.writeTextFile(`${folder}/go.sum`, "");
  await Deno.writeTextFile(`${folder}/main.go`, `package main\n\nfunc main() { println("${words}") }\n`);
}

async function says(path: string): Promise<string> {
  return new TextDecoder().decode((await new Deno.Command(path).output()).stderr).trim();
}

async function inFolders(run: (module: string, cache: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "go-program-" });
  try {
    await Deno.mkdir(`${folder}/module`);
    await run(`${folder}/module`, `${folder}/cache`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const options = { ignore: go === undefined || Deno.build.os === "windows" };

Deno.test(
  "many processes that want a program at once build it once, and have it whole",
  options,
  async () => {
    assert.ok(go !== undefined);
    await inFolders(async (module, cache) => {
      await writeModule(module, "hello");
      const counting = await countingGo(module, go);
      const build = { go: counting.go, module, name: "tiny", flags: [], cache };
      const script = `import { buildOnce } from ${JSON.stringify(new URL("program.ts", HERE))};
      console.log(await buildOnce(${JSON.stringify(build)}));`;
      const children = Array.from({ length: 4 }, () =>
        new Deno.Command(Deno.execPath(), {
          args: ["eval", "--quiet", script],
          cwd: new URL("../../", HERE),
          stdin: "null",
        }).output());
      const outputs = await Promise.all(children);
      const paths = outputs.map(({ success, stdout, stderr }) => {
        assert.ok(success, new TextDecoder().decode(stderr));
        return new TextDecoder().decode(stdout).trim();
      });
      assert.equal(new Set(paths).size, 1);
      assert.equal(await says(paths[0] ?? ""), "hello");
      assert.equal(await counting.runs(), 1);

      await writeModule(module, "good morning");
      const other = await buildOnce(build);
      assert.equal(await says(other), "good morning");
      assert.equal(await says(paths[0] ?? ""), "hello", "other tests may still be running that one");
      assert.equal(await buildOnce(build), other);
      assert.equal(await counting.runs(), 2);
    });
  },
);

Deno.test(
  "a build that fails says what Go said, and leaves nothing that the next one would take",
  options,
  async () => {
    assert.ok(go !== undefined);
    await inFolders(async (module, cache) => {
      const build = { go, module, name: "tiny", flags: [], cache };
      await writeModule(module, 'hello" + nothing + "');
      await assert.rejects(buildOnce(build), /undefined: nothing/);
      await assert.rejects(buildOnce(build), /undefined: nothing/);
      const kept = [...Deno.readDirSync(cache)].flatMap(({ name }) =>
        [...Deno.readDirSync(`${cache}/${name}`)].map(({ name }) => name)
      );
      assert.ok(kept.every((name) => name.endsWith(".lock")), kept.join());
    });
  },
);

Deno.test("without a Go, or with one that is too old, there is none", options, async () => {
  assert.ok(go !== undefined);
  const folder = await Deno.makeTempDir({ prefix: "old-go-" });
  try {
    await Deno.writeTextFile(`${folder}/go`, "#!/bin/sh\necho go1.24.9\n", { mode: 0o755 });
    assert.equal(await findGo(folder), undefined);
    await Deno.writeTextFile(`${folder}/go`, "#!/bin/sh\necho go1.25.0\n", { mode: 0o755 });
    assert.deepEqual(await findGo(folder), { path: `${folder}/go`, version: "go1.25.0" });
    assert.equal(await findGo(`${folder}/nowhere`, []), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
