/** Proves which word of a line is no command of ours: none of the tree's, in whatever letters, and no flag's value. */

import assert from "node:assert/strict";
import { wholeProgram } from "../../src/cli/complete/words.ts";
import { foreignWordAt } from "../../src/cli/tree.ts";

const at = (line: string) => foreignWordAt(line.split(" ").filter((word) => word !== ""));

Deno.test("the first word that is no flag of every command's, nor its value, is looked at", () => {
  for (
    const [line, expected] of [
      ["hello", 0],
      ["hello --profile x get", 0],
      ["--profile x hello", 2],
      ["--profile=x hello --help", 1],
      ["--profile get hello", 2],
      ["--session x -v -q -vq --verbose --error-format json --request-timeout=3s hello get", 9],
      ["--credentials-file f hello", 2],
    ] as const
  ) assert.equal(at(line), expected, line);
});

Deno.test("a line is not a plug-in's with a command of ours, an unknown flag before it, help or the version", () => {
  for (
    const line of [
      "",
      "get hello",
      "--profile hello get",
      "-v GET",
      "--help hello",
      "-h hello",
      "-vh hello",
      "--version hello",
      "--project web hello",
      "--verbose=yes hello",
      "-x hello",
      "-vx hello",
      "-- hello",
      "--profile",
      "-v",
    ]
  ) assert.equal(at(line), undefined, line);
});

Deno.test("every command of the tree and each of its aliases is ours, in capitals too", async () => {
  const { commands } = await wholeProgram();
  const words = commands.flatMap((command) => [command.name(), ...command.aliases()]);
  for (const known of ["auth", "help", "get", "project", "version"]) assert.ok(words.includes(known), known);
  for (const word of words) {
    assert.equal(foreignWordAt([word]), undefined, word);
    assert.equal(foreignWordAt(["-v", word.toUpperCase()]), undefined, word);
  }
});
