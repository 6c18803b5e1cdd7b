/** Owns how words are quoted for a shell, so that each comes out as one word that runs nothing. */

import { withoutControls } from "./errors.ts";

/**
 * A word of a command line that is shown to be copied: quoted for POSIX shells where it has to be, and never cut, since
 * half a word names something else. Control and bidirectional characters become spaces, as in `printable`.
 *
 * @example
 * ```ts
 * import { shellWord } from "./shell-word.ts";
 * console.assert(shellWord("ada@example.com") === "ada@example.com");
 * console.assert(shellWord("it's; rm -r x") === `'it'\\''s; rm -r x'`);
 * ```
 */
export function shellWord(text: string): string {
  const word = withoutControls(text);
  // A leading `=` is expanded by zsh.
  return /^[\w:/.,@%+-][\w:/.,@%+=-]*$/.test(word) ? word : shellQuote(word);
}

/** A command line that is shown to be copied, of words as {@link shellWord} writes them. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

/** A text in single quotes, byte for byte what a POSIX shell will read: for scripts, not for showing. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
