/** Flags of a command that stand before its words, as kubectl takes them: `datumctl -n shop get pods`. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { wordsOfFlag } from "./tree.ts";
import { isCalled } from "./usage-errors.ts";

/** The line with the words of its command first; undefined where what stands before them is not its flags alone. */
export function withWordsFirst(
  args: readonly string[],
  program: CommandUnknownOpts,
): readonly string[] | undefined {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  for (let at = 1; at < end; at++) {
    const [command, behind] = commandAt(args.slice(0, end), at, program);
    if (behind > at && areFlagsOf(args.slice(0, at), command)) {
      return [...args.slice(at, behind), ...args.slice(0, at), ...args.slice(behind)];
    }
  }
  return undefined;
}

/** The command whose words begin there, and where they end. */
function commandAt(
  args: readonly string[],
  at: number,
  command: CommandUnknownOpts,
): readonly [command: CommandUnknownOpts, behind: number] {
  const word = args[at];
  const held = word === undefined ? undefined : command.commands.find((one) => isCalled(one, word));
  return held === undefined ? [command, at] : commandAt(args, at + 1, held);
}

function areFlagsOf(words: readonly string[], command: CommandUnknownOpts): boolean {
  // The version is asked of no command.
  const options = optionsOf(command).filter(({ long }) => long !== "--version");
  let at = 0;
  while (at < words.length) {
    const taken = wordsOfFlag(words[at] ?? "", options);
    if (taken === undefined) return false;
    at += taken;
  }
  return at === words.length;
}

function optionsOf({ options, parent }: CommandUnknownOpts): CommandUnknownOpts["options"] {
  return parent === null ? options : [...options, ...optionsOf(parent)];
}
