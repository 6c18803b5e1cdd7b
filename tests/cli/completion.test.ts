/** Proves that `completion` prints a script that each shell, and what judges scripts, can read. */

import assert from "node:assert/strict";
import { BASH } from "../../src/cli/complete/scripts/bash.ts";
import { FISH } from "../../src/cli/complete/scripts/fish.ts";
import { POWERSHELL } from "../../src/cli/complete/scripts/powershell.ts";
import { ZSH } from "../../src/cli/complete/scripts/zsh.ts";
import { findProgram } from "../../src/system/processes.ts";
import { inScratch } from "../scratch.ts";
import { powershellFaults } from "../scripts/powershell.ts";

/** A program that reads a script without running it. */
const READERS: readonly (readonly [command: readonly string[], script: string])[] = [
  [["bash", "-n"], BASH],
  [["shellcheck", "--shell=bash"], BASH],
  [["zsh", "-n"], ZSH],
  [["fish", "--no-execute"], FISH],
];

for (const [[program = "", ...args], script] of READERS) {
  Deno.test({
    name: `${program} finds nothing wrong with its script`,
    ignore: findProgram(program, Deno.env.get("PATH")) === undefined,
    fn: () =>
      inScratch(async (folder) => {
        await Deno.writeTextFile(`${folder}/script`, script);
        const command = new Deno.Command(program, { args: [...args, `${folder}/script`] });
        const { code, stdout, stderr } = await command.output();
        const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
        assert.deepEqual([code, said], [0, ""]);
      }),
  });
}

Deno.test("bash's script has nothing that bash 3.2 lacks", () => {
  const newer =
    /\bmapfile\b|\breadarray\b|\$\{\w+(?:,,?|\^\^?|@)|declare -[Agn]|local -n|\|&|&>>|\bcoproc\b|\[-\d/;
  assert.doesNotMatch(BASH, newer);
  assert.match("mapfile -t x", newer);
});

Deno.test({
  name: "a parser of PowerShell understands its script",
  // A grammar from npm stands for PowerShell itself.
  ignore: findProgram("npm", Deno.env.get("PATH")) === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    assert.deepEqual(await powershellFaults(POWERSHELL), []);
  },
});
