/** Proves, with git as the judge, that what is private in a folder stays ignored whatever its `.gitignore` says. */

import assert from "node:assert/strict";
import { EVERYTHING, ignoringFile, keepOutOfGit } from "../../src/system/git-ignore.ts";
import { expectRejection } from "../expect-error.ts";
import { inScratch, modeOf } from "../scratch.ts";

async function ignoredBy(folder: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["-C", folder, "ls-files", "-o", "-i", "--exclude-standard", "in"],
    env: { HOME: folder, GIT_CONFIG_NOSYSTEM: "1" },
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

const FILE = ignoringFile("config");
const COPIES = ".config.datumctl-*";

/** What is put behind a text; nothing where it says all already. */
const ROWS: readonly [before: string, added: string][] = [
  ["", `config\n${COPIES}\n`],
  ["/tmp\n/cache", `\nconfig\n${COPIES}\n`],
  ["*\n!config\n", `config\n${COPIES}\n`],
  ["config.local\r\n", `config\r\n${COPIES}\r\n`],
  ["# all\n *\n", `config\n${COPIES}\n`],
  ["\ufeffconfig\n", `config\n${COPIES}\n`],
  // By a pattern.
  ["config\n!con*\n", `config\n${COPIES}\n`],
  ["*\n!?onfig\n", `config\n${COPIES}\n`],
  ["config\n!con[f]ig\n", `config\n${COPIES}\n`],
  ["*\n!./config\n!**/config\n", `config\n${COPIES}\n`],
  [`config\n!.c*\n`, `config\n${COPIES}\n`],
  // What git takes for a part of the name.
  ["config\t\n", `config\n${COPIES}\n`],
  ["config\\ \n", `config\n${COPIES}\n`],
  ["config\r\r\n", `config\r\n${COPIES}\r\n`],
  ["*\u00a0\n", `config\n${COPIES}\n`],
  ["*\0\n!*\n", `config\n${COPIES}\n`],
  // What covers it, as the last to speak.
  ["config\n", `${COPIES}\n`],
  ["!config\n/config  \n\n# end\n", `${COPIES}\n`],
  [`${COPIES}`, `\nconfig\n`],
  [`!config\nconfig\n${COPIES}\n`, ""],
  [`/${COPIES}\r\nconfig\r\n`, ""],
  ["*\n", ""],
  ["!*\n/* \n# config\n   \n", ""],
];

Deno.test("keepOutOfGit() puts behind what a .gitignore says just the lines that it lacks", () =>
  inScratch(async (folder) => {
    await new Deno.Command("git", { args: ["init", "-q", folder] }).output();
    await Deno.mkdir(`${folder}/in`);
    for (const name of ["config", ".config.datumctl-1f"]) {
      await Deno.writeTextFile(`${folder}/in/${name}`, "x");
    }
    const path = `${folder}/in/.gitignore`;
    for (const [before, added] of ROWS) {
      await Deno.writeTextFile(path, before);
      await Deno.chmod(path, 0o644);
      assert.deepEqual(
        await keepOutOfGit(`${folder}/in`, FILE),
        added.trim() === "" ? [] : added.trim().split(/\r?\n/),
      );
      assert.equal(await Deno.readTextFile(path), before + added);
      assert.equal(await modeOf(path), 0o644);
      const seen = await ignoredBy(folder);
      for (const name of ["in/config", "in/.config.datumctl-1f"]) {
        assert.ok(seen.includes(name), JSON.stringify(before));
      }
      assert.deepEqual(await keepOutOfGit(`${folder}/in`, FILE), [], "a second time changes nothing");
    }
  }));

Deno.test("keepOutOfGit() makes a .gitignore for everything, and keeps bytes that are no text", () =>
  inScratch(async (folder) => {
    const path = `${folder}/.gitignore`;
    assert.deepEqual(await keepOutOfGit(folder, FILE), []);
    assert.equal(await Deno.readTextFile(path), "*\n");
    const before = new Uint8Array([0x2a, 0x0a, 0xff, 0xc3]);
    await Deno.writeFile(path, before);
    assert.deepEqual(await keepOutOfGit(folder, EVERYTHING), ["*"]);
    assert.deepEqual(await Deno.readFile(path), new Uint8Array([...before, 0x0a, 0x2a, 0x0a]));
    await Deno.writeTextFile(path, "config\n");
    assert.deepEqual(await keepOutOfGit(folder, EVERYTHING), ["*"]);
  }));

Deno.test("keepOutOfGit() refuses what git would not read, or who else could write", () =>
  inScratch(async (folder) => {
    const path = `${folder}/.gitignore`;
    const refused = (words: RegExp) =>
      expectRejection(keepOutOfGit(folder, FILE), { code: "STORAGE", message: words });
    await Deno.writeTextFile(`${folder}/all`, "*\n");
    await Deno.symlink("all", path);
    await refused(/\.gitignore: it is not a plain file/);
    await Deno.remove(path);
    await Deno.writeFile(path, new Uint8Array(1024 * 1024 + 1));
    await refused(/\.gitignore: it is too large/);
    if (Deno.uid() !== 0) return;
    await Deno.writeTextFile(path, "*\n");
    await Deno.chown(path, 1234, 1234);
    await refused(/\.gitignore: it belongs to someone else/);
  }));
