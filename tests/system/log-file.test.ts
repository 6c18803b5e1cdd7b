/** Proves that lines are added whole to a file of the user's, and to nothing that is not a file. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { openLogFile } from "../../src/system/log-file.ts";
import { inScratch, modeOf } from "../scratch.ts";

function add(path: string, ...lines: readonly string[]): void {
  using file = openLogFile(path, "--audit");
  for (const line of lines) file.write(line);
}

Deno.test("a new file is the user's alone; a second run adds to it", () =>
  inScratch(async (folder) => {
    const path = `${folder}/a`;
    add(path, "one", "two");
    add(path, "three");
    assert.equal(await Deno.readTextFile(path), "one\ntwo\nthree\n");
    assert.equal(await modeOf(path), 0o600);
  }));

Deno.test("two that write at once keep their lines whole", () =>
  inScratch(async (folder) => {
    const path = `${folder}/a`;
    using first = openLogFile(path, "--audit");
    using second = openLogFile(path, "--audit");
    for (let at = 0; at < 100; at++) (at % 2 === 0 ? first : second).write(`${at}`.repeat(500));
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    assert.deepEqual(lines, Array.from({ length: 100 }, (_, at) => `${at}`.repeat(500)));
  }));

Deno.test("a line that was cut off is ended before the next one", () =>
  inScratch(async (folder) => {
    const path = `${folder}/a`;
    await Deno.writeTextFile(path, '{"half":');
    add(path, "one", "two");
    assert.equal(await Deno.readTextFile(path), '{"half":\none\ntwo\n');
  }));

Deno.test("a link leads to its file; a folder, a pipe and nothing are refused", {
  ignore: Deno.build.os === "windows",
}, () =>
  inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "zero\n", { mode: 0o640 });
    await Deno.symlink("a", `${folder}/link`);
    add(`${folder}/link`, "one");
    assert.equal(await Deno.readTextFile(`${folder}/a`), "zero\none\n");
    assert.equal(await modeOf(`${folder}/a`), 0o640);
    assert.ok((await Deno.lstat(`${folder}/link`)).isSymlink);

    await Deno.symlink("loop", `${folder}/loop`);
    assert.ok(new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).outputSync().success);
    const code = (name: string) => {
      try {
        add(`${folder}/${name}`, "one");
      } catch (thrown) {
        return thrown instanceof AppError ? thrown.code : thrown;
      }
      return "written";
    };
    assert.deepEqual(["", "pipe", "loop", "no/such"].map(code), ["USAGE", "USAGE", "STORAGE", "STORAGE"]);
  }));
