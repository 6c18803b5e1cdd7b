/** What a line is completed with, and how each shell is told. */

import { withoutControls } from "../../text.ts";
import type { Candidate } from "./context.ts";
import { endForBash, type Shell, type TypedLine, wordForPowerShell } from "./shell-line.ts";
import type { ShellValue } from "./values.ts";

/** The words that can stand at the cursor, whole; or what the shell has to complete by itself. */
export type Answer =
  | { readonly type: "words"; readonly candidates: readonly Candidate[] }
  | { readonly type: "shell"; readonly value: ShellValue };

/** In characters. */
const LONGEST_ABOUT = 100;

/**
 * The answer for a shell's script. The first line says how to take the rest: `words`; `open`, the same without a blank
 * behind the word; or what the shell completes itself (`file`, `folder`, `program`, `line`), with the number of characters
 * before it.
 *
 * Each further line is a word: for bash what replaces the word's end; for zsh `+` (more follows) or `.`, the word, and what
 * is shown; for fish the word and its description; for PowerShell the text, the word and its description. Tabs stand
 * between them. A word that would break the line is left out: names of servers can be anything.
 */
export function answerText(answer: Answer, line: TypedLine, shell: Shell, breaks: string): string {
  if (answer.type === "shell") {
    const { kind, head } = answer.value;
    if (kind === "line") return lines(["line", oneLine(line.behindDashes ?? "") ?? ""]);
    return lines([`${kind} ${head.length}`]);
  }
  const candidates = answer.candidates.filter(({ word }) => word !== "" && oneLine(word) !== undefined);
  const [only, ...others] = candidates;
  const first = only?.open && others.length === 0 ? "open" : "words";
  return lines([first, ...wordLines(candidates, line, shell, breaks)]);
}

function wordLines(
  candidates: readonly Candidate[],
  { current }: TypedLine,
  shell: Shell,
  breaks: string,
): readonly string[] {
  switch (shell) {
    case "bash":
      return candidates.flatMap(({ word }) => endForBash(current, breaks, word) ?? []);
    case "zsh": {
      const width = Math.max(0, ...candidates.map(({ word }) => word.length));
      return candidates.map((one) => {
        const about = aboutOf(one);
        const shown = about === "" ? one.word : `${one.word.padEnd(width)}  -- ${about}`;
        return [one.open ? "+" : ".", one.word, shown].join("\t");
      });
    }
    case "fish":
      return candidates.map((one) => [one.word, aboutOf(one)].join("\t"));
    case "powershell":
      return candidates.map((one) =>
        [wordForPowerShell(one.word), one.word, aboutOf(one) || one.word].join("\t")
      );
  }
}

/** The description in one line; the first part of a long one. */
function aboutOf({ about = "" }: Candidate): string {
  // The ellipsis of our own descriptions needs no look at every character.
  const text = withoutControls(about.replaceAll("…", "...")).replace(/\s+/g, " ").trim();
  return text.length > LONGEST_ABOUT
    ? `${text.slice(0, LONGEST_ABOUT).replace(/[\ud800-\udbff]$/, "")}…`
    : text;
}

/** A text that is one line, and that shows as what it is; undefined for any other. */
function oneLine(text: string): string | undefined {
  return text === withoutControls(text) ? text : undefined;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
