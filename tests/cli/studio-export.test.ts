/** Proves that the copy for DataChain's own tools never comes under git's eyes. */

import assert from "node:assert/strict";
import { openStudioWorld } from "./studio-world.ts";

async function git(folder: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

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
    assert.match(stderr, /git tracks \S+\/inner\/\.datachain\/config.*\n.*git rm --cached/);
    assert.equal(await Deno.readTextFile(path), "[core]\n");
  }
  await Deno.remove(path);
  assert.equal((await world.login(EXPORT, { folder })).code, 1);
  assert.deepEqual(world.studio.requests(), []);
  await assert.rejects(Deno.stat(`${folder}/.datumctl`), Deno.errors.NotFound);

  await git(folder, "rm", "-q", "--cached", ".datachain/config");
  const { code, stderr } = await world.login(EXPORT, { folder });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(await git(folder, "status", "--porcelain", "-uall"), /\?\?/);
});

Deno.test("where a repository's index cannot be found, nothing is exported into it", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("broken/inner");
  await Deno.writeTextFile(`${world.home}/broken/.git`, "gitdir: /nonexistent\n");
  const { code, stderr } = await world.login(EXPORT, { folder });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Cannot tell whether git tracks \S+config.*\n.*--local/);
  assert.deepEqual(world.studio.requests(), []);
});

Deno.test("a .gitignore that does not cover the copy gets a line for it, which is said; one that does stays", async () => {
  await using world = await openStudioWorld();
  const rows: [before: string, after: string][] = [
    ["/tmp\n/cache", "/tmp\n/cache\nconfig\n"],
    ["*\n!config\n", "*\n!config\nconfig\n"],
    ["", "config\n"],
    ["config.local\r\n", "config.local\r\nconfig\r\n"],
    ["# all\n *\n", "# all\n *\nconfig\n"],
    ["*\n", "*\n"],
    ["/config  \n", "/config  \n"],
    ["!config\nconfig\n", "!config\nconfig\n"],
  ];
  for (const [index, [before, after]] of rows.entries()) {
    const folder = await world.folder(`project-${index}`);
    await git(folder, "init", "-q");
    await Deno.mkdir(`${folder}/.datachain`);
    const path = `${folder}/.datachain/.gitignore`;
    await Deno.writeTextFile(path, before, { mode: 0o644 });
    const { code, stderr } = await world.login(EXPORT, { folder });
    assert.equal(code, 0, stderr);
    assert.equal(await Deno.readTextFile(path), after, before);
    assert.equal(/Added "config" to \S+\.gitignore/.test(stderr), before !== after, stderr);
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o644);
    await git(folder, "check-ignore", "-q", ".datachain/config");
  }
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
