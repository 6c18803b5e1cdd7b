/** Proves that the copy for DataChain's own tools never comes under git's eyes. */

import assert from "node:assert/strict";
import { git } from "../../git.ts";
import { assertMissing } from "../../scratch.ts";
import { openStudioWorld } from "../studio-world.ts";

const EXPORT = ["--local", "--export-datachain"];

Deno.test("a file that git tracks is refused before any request, also where it is deleted or only staged", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("repository/inner");
  await git(`${world.home}/repository`, "init", "-q");
  await Deno.mkdir(`${folder}/.datachain`);
  const path = `${folder}/.datachain/config`;
  await Deno.writeTextFile(path, "[core]\n");
  await git(folder, "add", "-A");
  for (const become of [() => Promise.resolve(""), () => git(folder, "commit", "-qm", "x")]) {
    await become();
    const { code, stderr } = await world.login(EXPORT, { folder });
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /git tracks \S+\/inner\/\.datachain\/config.*\n.*git -C \S+\/inner\/\.datachain rm --cached config/,
    );
    assert.equal(await Deno.readTextFile(path), "[core]\n");
  }
  await Deno.remove(path);
  assert.equal((await world.login(EXPORT, { folder })).code, 1);
  assert.deepEqual(world.studio.requests(), []);
  await assertMissing(`${folder}/.datumctl`);

  await git(folder, "rm", "-q", "--cached", ".datachain/config");
  const { code, stderr } = await world.login(EXPORT, { folder });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(await git(folder, "status", "--porcelain", "-uall"), /\?\?/);
});

Deno.test("a repository whose root is .datachain itself, as a cloned project's submodule, is seen", async () => {
  await using world = await openStudioWorld();
  const source = await world.folder("source");
  await git(source, "init", "-q");
  await Deno.writeTextFile(`${source}/config`, "[core]\n");
  await git(source, "add", "-A");
  await git(source, "commit", "-qm", "x");
  const submodule = await world.folder("submodule");
  await git(submodule, "init", "-q");
  await git(
    submodule,
    "-c",
    "protocol.file.allow=always",
    "submodule",
    "--quiet",
    "add",
    source,
    ".datachain",
  );
  const nested = await world.folder("nested");
  await git(nested, "init", "-q");
  await git(nested, "clone", "-q", source, ".datachain");
  for (const folder of [submodule, nested]) {
    const { code, stderr } = await world.login(EXPORT, { folder });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /git tracks \S+\/\.datachain\/config, /);
    assert.equal(await git(`${folder}/.datachain`, "status", "--porcelain"), "");
    await git(`${folder}/.datachain`, "rm", "-q", "--cached", "config");
    assert.equal((await world.login(EXPORT, { folder })).code, 0);
  }
});

Deno.test("the person's own file that leads into a repository, as of dotfiles, is refused where git tracks it", async () => {
  await using world = await openStudioWorld();
  const dotfiles = await world.folder("dotfiles");
  await git(dotfiles, "init", "-q");
  for (const path of ["file", "folder/config"]) {
    await Deno.mkdir(`${dotfiles}/${path}`.replace(/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${dotfiles}/${path}`, "[core]\n");
  }
  await git(dotfiles, "add", "-A");
  await git(dotfiles, "commit", "-qm", "x");
  await world.folder(".config/datachain");
  const export_ = ["--export-datachain"];
  const refused = async (name: RegExp) => {
    const { code, stderr } = await world.login(export_);
    assert.equal(code, 1, stderr);
    assert.match(stderr, name);
    assert.match(
      stderr,
      /, which \S+\.config\/datachain\/config leads to, .*\n.*git -C \S+ rm --cached \S+;/,
    );
  };
  const own = `${world.home}/.config/datachain/config`;
  await Deno.symlink(`${dotfiles}/file`, own);
  await refused(/git tracks \S+\/dotfiles\/file, /);
  // Gone from the working tree, it comes back with the token in it.
  await Deno.remove(`${dotfiles}/file`);
  await refused(/git tracks \S+\/dotfiles\/file, /);
  await Deno.remove(`${world.home}/.config/datachain`, { recursive: true });
  await Deno.symlink(`${dotfiles}/folder`, `${world.home}/.config/datachain`);
  await refused(/git tracks \S+\/dotfiles\/folder\/config, /);
  assert.deepEqual(world.studio.requests(), []);
  await git(dotfiles, "rm", "-q", "--cached", "folder/config");
  const { code, stderr } = await world.login(export_);
  assert.equal(code, 0, stderr);
  assert.match(await Deno.readTextFile(`${dotfiles}/folder/config`), /token = /);
});

Deno.test("where a repository's index cannot be found, nothing is exported into it", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("broken/inner");
  await Deno.writeTextFile(`${world.home}/broken/.git`, `gitdir: ${world.home}/not-there\n`);
  const { code, stderr } = await world.login(EXPORT, { folder });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Cannot tell whether git tracks \S+config.*\n.*--local/);
  assert.deepEqual(world.studio.requests(), []);
});

Deno.test("a .gitignore that lets the copy be seen gets lines for it at its end", async () => {
  await using world = await openStudioWorld();
  const rows: [before: string, after: string][] = [
    ["config\n!con*\n", "config\n!con*\nconfig\n.config.datumctl-*\n"],
    ["config\t\n", "config\t\nconfig\n.config.datumctl-*\n"],
    ["*\n", "*\n"],
  ];
  for (const [index, [before, after]] of rows.entries()) {
    const folder = await world.folder(`project-${index}`);
    await git(folder, "init", "-q");
    await Deno.mkdir(`${folder}/.datachain`);
    await Deno.mkdir(`${folder}/.datumctl`);
    const path = `${folder}/.datachain/.gitignore`;
    await Deno.writeTextFile(path, before);
    await Deno.writeTextFile(`${folder}/.datumctl/.gitignore`, "*\n!*\n");
    const { code, stderr } = await world.login(EXPORT, { folder });
    assert.equal(code, 0, stderr);
    assert.equal(await Deno.readTextFile(path), after, before);
    const said = /Added "config" and "\.config\.datumctl-\*" to \S+\.datachain\/\.gitignore/;
    assert.equal(said.test(stderr), before !== after, stderr);
    assert.match(world.sandbox.notices.join("\n"), /Added "\*" to \S+\.datumctl\/\.gitignore/);
    await Deno.writeTextFile(`${folder}/.datachain/.config.datumctl-1f`, "what a killed process left");
    await git(folder, "add", "-A");
    assert.doesNotMatch(await git(folder, "ls-files"), /config|\.json/);
    await world.ok(["logout", "--local"], { folder });
    await assertMissing(`${folder}/.datachain/.config.datumctl-1f`);
  }
});

/** Runs a sign-in with an export, in a folder that is changed while the person is asked. */
async function changedMeanwhile(change: (folder: string) => void, words: RegExp): Promise<void> {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  await git(folder, "init", "-q");
  const { code, stderr } = await world.login(EXPORT, {
    folder,
    onCode(code) {
      change(folder);
      world.studio.approve(code);
    },
  });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /is signed in and stored, but not exported/);
  assert.match(stderr, words);
  const [{ token = "" } = {}] = world.studio.tokens();
  assert.notEqual(token, "");
  const { stdout } = await new Deno.Command("grep", { args: ["-rl", token, world.home] }).output();
  assert.equal(new TextDecoder().decode(stdout), "");
}

Deno.test("what becomes of the folder while the person signs in is seen before the token is written", async () => {
  const elsewhere = (folder: string) => {
    Deno.mkdirSync(`${folder}/elsewhere`);
    Deno.removeSync(`${folder}/.datachain`);
    Deno.symlinkSync("elsewhere", `${folder}/.datachain`);
  };
  await changedMeanwhile(elsewhere, /\.datachain: it is not a plain folder/);
  const tracked = (folder: string) => {
    Deno.writeTextFileSync(`${folder}/.datachain/config`, "");
    new Deno.Command("git", { args: ["-C", folder, "add", "-f", ".datachain/config"] }).outputSync();
  };
  await changedMeanwhile(tracked, /git tracks/);
});

Deno.test("whoever may write in the folder gets no token by a file of theirs in the copy's place", async () => {
  const { openSync } = Deno;
  try {
    await changedMeanwhile((folder) => {
      const theirs = `${folder}/theirs`;
      Deno.writeTextFileSync(theirs, "");
      Deno.openSync = (path, options) => {
        const file = openSync(path, options);
        if (options?.createNew && String(path).includes("/.config.")) Deno.renameSync(theirs, path);
        return file;
      };
    }, /\.datachain\/config: someone else writes in its folder/);
  } finally {
    Deno.openSync = openSync;
  }
});

Deno.test({
  name: "a .datachain or config of another user is refused before any request, also for the administrator",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using world = await openStudioWorld();
    const folder = await world.folder("project");
    await Deno.mkdir(`${folder}/.datachain`);
    for (const name of ["config", ".gitignore", ""]) {
      const path = `${folder}/.datachain/${name}`;
      if (name !== "") await Deno.writeTextFile(path, "", { mode: 0o600 });
      await Deno.chown(path, 1234, 1234);
      const { code, stderr } = await world.login(EXPORT, { folder });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /Nothing is exported to \S+: it belongs to someone else/);
      if (name !== "") await Deno.remove(path);
    }
    assert.deepEqual(world.studio.requests(), []);
  },
});

Deno.test("a .gitignore that is a link is refused before any request", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  await Deno.mkdir(`${folder}/.datachain`);
  await Deno.symlink("../elsewhere", `${folder}/.datachain/.gitignore`);
  const { code, stderr } = await world.login(EXPORT, { folder });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /\.gitignore: it is not a plain file/);
  assert.deepEqual(world.studio.requests(), []);
});
