/** Proves what is known of the running program, and that a launcher for sources really launches them. */

import assert from "node:assert/strict";
import { ownCommand } from "../../src/kubeconfig/exec-command.ts";
import { permissions } from "../../scripts/compile.ts";
import { ownProgram, writeLauncher } from "../../src/system/own-program.ts";
import { modeOf } from "../scratch.ts";

Deno.test("from source the program is a module under Deno; paths become absolute", async () => {
  const program = ownProgram();
  assert.equal(program.path, Deno.execPath());
  assert.match(program.sources ?? "", /^file:/);
  assert.equal(program.absolute("/x/y"), "/x/y");
  assert.equal(program.absolute("./x"), `${Deno.cwd()}/x`);
  assert.equal(await program.realPath("/no/such/thing"), undefined);
});

Deno.test("an absolute path has no . and .. in it, and never leaves the root", () => {
  const { absolute } = ownProgram();
  for (
    const [path, clean] of [
      ["/tmp/x/../review/datumctl", "/tmp/review/datumctl"],
      ["/tmp/./a//b/../../c", "/tmp/c"],
      ["/../../usr/bin/x", "/usr/bin/x"],
      ["/a/..", "/"],
      ["./x/.y/..z/...", `${Deno.cwd()}/x/.y/..z/...`],
      ["x/../y", `${Deno.cwd()}/y`],
      ["../y", `${Deno.cwd().replace(/\/[^/]*$/, "")}/y`],
    ] as const
  ) assert.equal(absolute(path), clean);
});

Deno.test(
  "a launcher runs the sources with the arguments as they are, from a folder with a quote in its name",
  {
    ignore: Deno.build.os === "windows",
  },
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "datumctl it's " });
    try {
      await Deno.mkdir(`${folder}/src`);
      await Deno.writeTextFile(`${folder}/src/deno.json`, "{}");
      await Deno.writeTextFile(`${folder}/src/main.ts`, "console.log(JSON.stringify(Deno.args));");
      const main = new URL(`file://${folder.replaceAll(" ", "%20")}/src/main.ts`).href;
      const launcher = await writeLauncher(`${folder}/config`, main);
      const args = ["a b", "$HOME", "it's", "", "--x=1"];
      const { stdout, stderr } = await new Deno.Command(launcher, { args }).output();
      assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), args, new TextDecoder().decode(stderr));
      assert.equal(await modeOf(launcher), 0o700);
      const before = (await Deno.stat(launcher)).mtime;
      assert.equal(await writeLauncher(`${folder}/config`, main), launcher);
      assert.deepEqual((await Deno.stat(launcher)).mtime, before, "it is written once");
      assert.equal(
        (await ownCommand(() => undefined, { config: `${folder}/config`, sessions: "" })).warning,
        undefined,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("a launcher gives the sources the permissions that the binary has", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const text = await Deno.readTextFile(await writeLauncher(folder, "file:///src/main.ts"));
    const given = [...text.matchAll(/--(?:allow-|no-prompt)[^\s'"]*/g)].map(([flag]) => flag);
    assert.deepEqual(given.toSorted(), permissions("x86_64-unknown-linux-gnu").toSorted());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
