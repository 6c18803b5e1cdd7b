/** The table of commands as text. Only the commands that a line names are read from it: reading all takes long. */

import type { CommandWords } from "./table.ts";

/** A command, with all but its name and description as JSON. */
interface PackedCommand extends Pick<CommandWords, "name" | "aliases" | "about"> {
  readonly rest: string;
}

type Rest = Pick<CommandWords, "flags" | "arguments"> & { readonly commands: readonly PackedCommand[] };

/** Packs a table. */
export function pack(command: CommandWords): string {
  return JSON.stringify(packed(command));
}

function packed({ name, aliases, about, flags, arguments: own, commands }: CommandWords): PackedCommand {
  const rest: Rest = { flags, arguments: own, commands: commands.map(packed) };
  return { name, aliases, about, rest: JSON.stringify(rest) };
}

/** Unpacks the program, and in it the commands that some word calls; the others know no more than their names. */
export function unpack(text: string, words: readonly string[]): CommandWords {
  return opened(JSON.parse(text), words);
}

function opened({ name, aliases, about, rest }: PackedCommand, words: readonly string[]): CommandWords {
  const { commands, ...own }: Rest = JSON.parse(rest);
  const isCalled = (held: PackedCommand) => [held.name, ...held.aliases].some((word) => words.includes(word));
  return {
    name,
    aliases,
    about,
    ...own,
    commands: commands.map((held) =>
      isCalled(held) ? opened(held, words) : {
        name: held.name,
        aliases: held.aliases,
        about: held.about,
        flags: [],
        arguments: [],
        commands: [],
      }
    ),
  };
}
