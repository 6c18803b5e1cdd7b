/** `__complete`: what the scripts of shells call when TAB is pressed. It never fails, prints no error and asks nobody. */

import { AppError } from "../../errors.ts";
import { boundedSignal, pause } from "../../system/clock.ts";
import { systemTerminal } from "../../system/terminal.ts";
import { type Answer, answerText } from "./answer.ts";
import { type Candidate, completionContext } from "./context.ts";
import { type Position, positionAt } from "./position.ts";
import { readLine, SHELLS, type TypedLine } from "./shell-line.ts";
import { shellValue, valuesOf } from "./values.ts";
import { commandWords } from "./words.ts";

/** How long keyrings and servers may take, and then everything, in milliseconds since the process began. */
const LONGEST_MS = 1000;
const END_MS = 1300;

/** In bytes. */
const LONGEST_LINE = 256 * 1024;

/**
 * Answers on standard output for the line on standard input, which ends at the cursor. It does not stand among the
 * arguments, where others could read it: a secret may be typed in it.
 *
 * @param args the shell, and for bash its `COMP_WORDBREAKS`
 * @returns the exit code
 */
export async function runComplete([name, breaks = ""]: readonly string[]): Promise<number> {
  const shell = SHELLS.find((known) => known === name);
  if (shell === undefined) return 2;
  const terminal = systemTerminal();
  try {
    const typed = await terminal.readIn(LONGEST_LINE);
    // PowerShell ends what it hands on with an end of line.
    const line = readLine(shell === "powershell" ? typed.replace(/\r?\n$/, "") : typed, shell);
    terminal.writeOut(answerText(await boundedAnswer(line), line, shell, breaks));
  } catch {
    // Nobody reads it, or nothing can be offered: the line stays as it is.
  }
  return 0;
}

async function boundedAnswer(line: TypedLine): Promise<Answer> {
  using limit = boundedSignal(Math.max(1, LONGEST_MS - performance.now()), tooLate);
  return await Promise.race([
    answerTo(line, limit.signal).catch(() => NOTHING),
    pause(Math.max(1, END_MS - performance.now())).then(() => NOTHING),
  ]);
}

const NOTHING: Answer = { type: "words", candidates: [] };

/** Nobody sees it. */
function tooLate(): AppError {
  return new AppError("NETWORK", "The time for completion is over.");
}

/** What the line can go on with. @throws {AppError} what reading files and asking servers throws. */
async function answerTo({ words, current: { text } }: TypedLine, signal: AbortSignal): Promise<Answer> {
  const program = await commandWords();
  const position = positionAt(program, words, text);
  const { given, value } = position;
  const shell = value && shellValue(value.kind, value.text);
  if (value !== undefined && shell !== undefined) {
    return { type: "shell", value: { ...shell, head: `${value.head}${shell.head}` } };
  }
  const candidates = wordsAt(position, text);
  if (value === undefined || value.kind === "nothing") return { type: "words", candidates };
  const context = completionContext(given, signal, LONGEST_MS);
  const values = await valuesOf(value.kind, { context, given, text: value.text, program });
  return {
    type: "words",
    candidates: [...candidates, ...values.map((one) => ({ ...one, word: `${value.head}${one.word}` }))],
  };
}

/** The commands and flags that begin with the text, each once: by its name, else by the short one that was typed. */
function wordsAt({ commands, flags }: Position, text: string): Candidate[] {
  const named = [
    ...commands.map(({ name, aliases, about }) => ({ names: [name, ...aliases], about })),
    ...flags,
  ];
  return named.flatMap(({ names, about }) => {
    const word = names.find((name) => name.startsWith(text));
    return word === undefined ? [] : [{ word, about }];
  });
}
