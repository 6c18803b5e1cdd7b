/** Proves that whether git tracks a file is told from its indexes alone, and that nothing is started to learn it. */

import assert from "node:assert/strict";
import { isTracked } from "../../src/system/git-index.ts";
import { expectRejection } from "../expect-error.ts";
import { git } from "../git.ts";
import { assertMissing, scratchFolder } from "../scratch.ts";

const FILE = ".datachain/config";

/** A repository with a few files, and the one in question where it is named. */
async function repository(folder: string, files: readonly string[], ...init: string[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await git(folder, "init", "-q", ...init);
  for (const file of ["a", `.datachain/configs`, "b/.datachain/config", ...files]) {
    await Deno.mkdir(`${folder}/${file}`.replace(/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/${file}`, file);
  }
  await git(folder, "add", "-A");
  await git(folder, "commit", "-qm", "x");
}

async function unknown(folder: string, words: RegExp): Promise<void> {
  await expectRejection(isTracked(`${folder}/${FILE}`), { code: "STORAGE", message: words });
}

Deno.test("a bare repository that was cloned as plain files starts nothing and hides no outer repository", async () => {
  await using scratch = await scratchFolder();
  const [source, outer] = [`${scratch.path}/source`, `${scratch.path}/outer`];
  await repository(source, ["keep/a", FILE]);
  await git(source, "sparse-checkout", "init", "--cone", "--sparse-index");
  await git(source, "sparse-checkout", "set", "keep");
  const mark = `${scratch.path}/started`;
  for (const tracked of [false, true]) {
    const project = `${outer}-${tracked}/project`;
    await repository(`${outer}-${tracked}`, tracked ? [`project/${FILE}`] : []);
    for (const path of ["objects", "refs/heads", "info"]) {
      await Deno.mkdir(`${project}/${path}`, { recursive: true });
    }
    for (const path of ["HEAD", "index", "info/sparse-checkout"]) {
      await Deno.copyFile(`${source}/.git/${path}`, `${project}/${path}`);
    }
    await Deno.writeTextFile(
      `${project}/config`,
      "[core]\nrepositoryformatversion = 1\nbare = false\nworktree = .\nsparseCheckout = true\n" +
        "sparseCheckoutCone = true\n[index]\nsparse = true\n[extensions]\npartialClone = origin\n" +
        `[remote "origin"]\nurl = ${source}\npromisor = true\nuploadpack = "touch ${mark}; false"\n`,
    );
    // What git, asked from there, does today.
    await git(project, "ls-files", "--", FILE).catch(() => {});
    await Deno.remove(mark).catch(() => {});
    if (tracked) await Deno.remove(`${project}/index`);
    if (tracked) assert.equal(await isTracked(`${project}/${FILE}`), true);
    else await unknown(project, /sparse/);
    await assertMissing(mark);
  }
});

Deno.test("each form of an index is read: versions, hashes, flags, extensions, names beyond ASCII", async () => {
  await using scratch = await scratchFolder();
  const forms: readonly [name: string, init: readonly string[], commands: readonly string[][]][] = [
    ["version 2", [], []],
    ["version 3", [], [["update-index", "--skip-worktree", "a"]]],
    ["version 4", [], [["update-index", "--index-version", "4"]]],
    ["version 4 with flags", [], [
      ["update-index", "--index-version", "4"],
      ["update-index", "--skip-worktree", "a", ".datachain/configs"],
    ]],
    ["sha256", ["--object-format=sha256"], [["update-index", "--index-version", "4"]]],
    ["untracked cache", [], [["update-index", "--untracked-cache"]]],
    ["blocks", [], [[
      "-c",
      "index.threads=4",
      "-c",
      "index.recordEndOfIndexEntries",
      "reset",
      "-q",
      "--hard",
    ]]],
    ["sparse elsewhere", [], [
      ["sparse-checkout", "init", "--cone", "--sparse-index"],
      ["sparse-checkout", "set", "dép/.datachain", ".datachain"],
    ]],
  ];
  for (const [index, [name, init, commands]] of forms.entries()) {
    for (const files of [[], [FILE, `dép/${FILE}`]]) {
      const folder = `${scratch.path}/${index}-${files.length}`;
      await repository(folder, ["dép/a", "z/z", ...files], ...init);
      for (const command of commands) await git(folder, ...command);
      await Deno.mkdir(`${folder}/dép`, { recursive: true });
      assert.equal(await isTracked(`${folder}/${FILE}`), files.length > 0, name);
      assert.equal(await isTracked(`${folder}/dép/${FILE}`), files.length > 0, name);
    }
  }
});

Deno.test("a file that is staged, deleted, only meant to be added, or in another case or spelling is tracked", async () => {
  await using scratch = await scratchFolder();
  const folder = `${scratch.path}/de\u0301p`;
  await repository(folder, []);
  assert.equal(await isTracked(`${folder}/${FILE}`), false);
  await Deno.writeTextFile(`${folder}/${FILE}`, "");
  await git(folder, "add", "-N", FILE);
  assert.equal(await isTracked(`${folder}/${FILE}`), true);
  await Deno.remove(`${folder}/${FILE}`);
  assert.equal(await isTracked(`${folder}/${FILE}`), true);
  await git(folder, "rm", "-q", "--cached", FILE);
  assert.equal(await isTracked(`${folder}/${FILE}`), false);
  for (const other of [".DataChain/Config", "d\u00e9p/.datachain/config"]) {
    const hash = (await git(folder, "hash-object", "-w", "a")).trim();
    await git(folder, "update-index", "--add", "--cacheinfo", `100644,${hash},${other}`);
  }
  await Deno.mkdir(`${folder}/de\u0301p`);
  assert.equal(await isTracked(`${folder}/${FILE}`), true);
  assert.equal(await isTracked(`${folder}/de\u0301p/${FILE}`), true);
});

Deno.test("a submodule, a second working tree and a linked .git are looked into, and what lies around them", async () => {
  await using scratch = await scratchFolder();
  const [inner, outer] = [`${scratch.path}/inner`, `${scratch.path}/outer`];
  await repository(inner, [FILE]);
  await repository(outer, []);
  await git(outer, "submodule", "--quiet", "add", inner, "sub");
  await git(inner, "worktree", "add", "-q", `${scratch.path}/second`);
  await Deno.mkdir(`${scratch.path}/linked`);
  await Deno.symlink(`${inner}/.git`, `${scratch.path}/linked/.git`);
  for (const folder of [`${outer}/sub`, `${scratch.path}/second`, `${scratch.path}/linked`]) {
    assert.equal(await isTracked(`${folder}/${FILE}`), true, folder);
  }
  assert.equal(await isTracked(`${outer}/${FILE}`), false);
  await git(`${outer}/sub`, "rm", "-q", "--cached", FILE);
  assert.equal(await isTracked(`${outer}/sub/${FILE}`), false);
  // A repository of its own, made later where another one tracks the file.
  await repository(`${outer}/b`, []);
  await git(`${outer}/b`, "rm", "-q", "--cached", "b/.datachain/config", ".datachain/configs");
  assert.equal(await isTracked(`${outer}/b/${FILE}`), true);
});

Deno.test("without a repository or an index nothing is tracked", async () => {
  await using scratch = await scratchFolder();
  assert.equal(await isTracked(`${scratch.path}/${FILE}`), false);
  await git(scratch.path, "init", "-q");
  assert.equal(await isTracked(`${scratch.path}/${FILE}`), false);
});

Deno.test("what cannot be read to its end is never taken for an answer", async () => {
  await using scratch = await scratchFolder();
  const { path: folder } = scratch;
  await repository(folder, ["sparse/.datachain/config", "keep/a"]);
  const index = `${folder}/.git/index`;
  const whole = await Deno.readFile(index);
  for (const length of [0, 3, 11, 12, 60, 100, whole.length - 21, whole.length - 1]) {
    await Deno.writeFile(index, whole.subarray(0, length));
    await unknown(folder, /index cannot be read/);
  }
  for (const [at, byte] of [[0, 0x45], [7, 1], [7, 5], [8, 0xff], [11, 0], [11, 99]] as const) {
    await Deno.writeFile(index, whole.map((old, place) => place === at ? byte : old));
    await unknown(folder, /index cannot be read/);
  }
  await Deno.remove(index);
  await new Deno.Command("mkfifo", { args: [index] }).output();
  await unknown(folder, /not a plain file/);
  await Deno.remove(index);
  await Deno.writeFile(index, whole);

  await git(folder, "sparse-checkout", "init", "--cone", "--sparse-index");
  await git(folder, "sparse-checkout", "set", "keep", ".datachain");
  await Deno.mkdir(`${folder}/sparse`, { recursive: true });
  await unknown(`${folder}/sparse`, /sparse/);
  assert.equal(await isTracked(`${folder}/${FILE}`), false);
  await git(folder, "sparse-checkout", "disable");
  await git(folder, "update-index", "--split-index");
  await unknown(folder, /split.*git update-index --no-split-index/);
  await git(folder, "update-index", "--no-split-index");
  assert.equal(await isTracked(`${folder}/${FILE}`), false);

  await Deno.rename(`${folder}/.git`, `${folder}/gone`);
  for (const text of ["", "gitdir: /nonexistent/git\n", "gitdir: gone/index\n", "gitdir: \n", "\u001b[2J"]) {
    await Deno.writeTextFile(`${folder}/.git`, text);
    await unknown(folder, /\.git names no repository/);
  }
  await Deno.writeTextFile(`${folder}/.git`, "gitdir: gone\r\n");
  assert.equal(await isTracked(`${folder}/${FILE}`), false);
});
