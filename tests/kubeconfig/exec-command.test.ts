/** Proves which command kubectl is told to run for this program. */

import assert from "node:assert/strict";
import { checkedCommand, ownCommand } from "../../src/kubeconfig/exec-command.ts";
import { ownProgram } from "../../src/system/own-program.ts";
import { expectError } from "../expect-error.ts";
import { scratchFolder, writeScript } from "../scratch.ts";

Deno.test(
  "kubectl runs the name on PATH, else the program, and no link that makes it kubectl's command",
  { ignore: Deno.build.os === "windows" },
  async () => {
    await using scratch = await scratchFolder();
    const folder = await Deno.realPath(scratch.path);
    const path = `${folder}/store/v1/datumctl`;
    const link = `${folder}/.krew/bin/kubectl-datum_login`;
    for (const one of ["store/v1", ".krew/bin", "bin"]) {
      await Deno.mkdir(`${folder}/${one}`, { recursive: true });
    }
    await writeScript(path, "exit 0");
    await Deno.symlink(path, link);
    const { sources: _, ...compiled } = ownProgram();
    const commandOf = async (calledAs: string) =>
      await ownCommand(
        (name) => name === "PATH" ? `${folder}/.krew/bin:${folder}/bin` : undefined,
        { config: folder, sessions: folder },
        { ...compiled, calledAs, path },
      );
    for (const calledAs of [link, "kubectl-datum_login"]) {
      const { command, warning } = await commandOf(calledAs);
      assert.equal(command, path);
      assert.match(warning ?? "", /if an upgrade moves it/);
    }
    await Deno.symlink(path, `${folder}/bin/datumctl`);
    for (const calledAs of [link, "kubectl-datum_login", "datumctl", `${folder}/bin/datumctl`]) {
      assert.deepEqual(await commandOf(calledAs), { command: `${folder}/bin/datumctl` });
    }
  },
);

Deno.test("--exec-command is a name or a path", () => {
  for (const command of ["datumctl", "/opt/my tools/datumctl", "C:\\x.exe"]) {
    assert.equal(checkedCommand(command), command);
  }
  for (const command of ["", "  ", "a\nb", "a\u0000"]) {
    expectError(() => checkedCommand(command), "USAGE");
  }
});
