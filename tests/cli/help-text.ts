/** Reads the text of a command's help, as tests need it. */

import { HELP_GROUPS, NO_GROUP } from "../../src/cli/help-groups.ts";

const COMMAND_TITLES = new Set([NO_GROUP, ...Object.values(HELP_GROUPS).flat().map(([title]) => title)]);

/** The parts of a help before its examples: a title, and the lines below it. */
function partsOf(help: string): [title: string, lines: string[]][] {
  const [listed = ""] = help.split("\nExamples:\n");
  return [...listed.matchAll(/(?<=^|\n\n)(\S.*):\n((?: +.*\n?)+)/g)].map(([, title = "", lines = ""]) => [
    title,
    lines.split("\n"),
  ]);
}

/** The commands that a help names, without the words before them. */
export function commandsIn(help: string): string[] {
  return partsOf(help).filter(([title]) => COMMAND_TITLES.has(title)).flatMap(([, lines]) =>
    lines.flatMap((line) => /^ {2}([a-z][a-z-]*)/.exec(line)?.[1] ?? [])
  );
}

/** The flags that a help names, with their short names. */
export function flagsIn(help: string): string[] {
  return partsOf(help).flatMap(([, lines]) =>
    lines.flatMap((line) => /^ {2}(?: {4})?(-.*?)(?: {2}|$)/.exec(line)?.[1] ?? [])
  ).flatMap((term) => term.match(/(?<![\w-])--?[a-z][a-z-]*/gi) ?? []);
}

/** The titles of a help's parts. */
export function titlesIn(help: string): string[] {
  return partsOf(help).map(([title]) => title);
}
