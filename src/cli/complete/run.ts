/** `__complete`: what the scripts of shells call when TAB is pressed. It never fails, prints no error and asks nobody. */

import { AppError } from "../../errors.ts";
import { alarm, boundedSignal, parseTimeout } from "../../system/clock.ts";
import { environment } from "../../system/environment.ts";
import { systemTerminal } from "../../system/terminal.ts";
import { type Answer, answerText } from "./answer.ts";
import { type Candidate, completionContext } from "./context.ts";
import { type Position, positionAt } from "./position.ts";
import { readLine, SHELLS, type TypedLine } from "./shell-line.ts";
import { knownValues, shellValue, valuesOf } from "./values.ts";
import type { CommandWords } from "./table.ts";
import { commandWords } from "./words.ts";

/** How long keyrings and servers may take since the process began, in milliseconds; a variable can say otherwise. */
const LONGEST_MS = 1000;
const LONGEST_VARIABLE = "DATUMCTL_COMPLETION_TIMEOUT";

/** How much longer all else may take then. */
const END_MS = 300;

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
    terminal.writeOut(answerText(await answerTo(line), line, shell, breaks));
  } catch {
    // Nobody reads it, or nothing can be offered: the line stays as it is.
  }
  return 0;
}

/** What the line can go on with. @throws {AppError} what reading files and asking servers throws. */
async function answerTo({ words, current: { text, redirected } }: TypedLine): Promise<Answer> {
  if (redirected) return { type: "shell", value: { kind: "file", head: "" } };
  const program = await commandWords(words);
  const position = positionAt(program, words, text);
  const { given, value } = position;
  const [first] = given.args;
  if (given.commands.length === 1 && first !== undefined && await isPlugin(first)) {
    return { type: "shell", value: { kind: "file", head: "" } };
  }
  const shell = value && shellValue(value.kind, value.text);
  if (value !== undefined && shell !== undefined) {
    return { type: "shell", value: { ...shell, head: `${value.head}${shell.head}` } };
  }
  const ofPlugins = position.commands === program.commands ? await plugins(program, text) : [];
  const candidates = [...wordsAt(position, text), ...ofPlugins];
  if (value === undefined || value.kind === "nothing") return { type: "words", candidates };
  // Timers and signals are slow to begin with: they are left to what may take its time.
  const values = knownValues(value.kind, value.text) ?? await inTime((signal, requestTimeout) => {
    const context = completionContext(given, signal, requestTimeout);
    return valuesOf(value.kind, { context, given, text: value.text, program });
  });
  return {
    type: "words",
    candidates: [...candidates, ...values.map((one) => ({ ...one, word: `${value.head}${one.word}` }))],
  };
}

/** The plug-ins that can stand in the place of a command. */
async function plugins({ commands }: CommandWords, text: string): Promise<Candidate[]> {
  const { listPlugins } = await import("../plugins.ts");
  // Some folder of the PATH may be on a slow disk, and the commands are known without it.
  const end = longestTime() / 5;
  const { plugins } = listPlugins(
    environment,
    (word) => commands.some(({ name, aliases }) => name === word || aliases.includes(word)),
    () => performance.now() < end,
  );
  return plugins.filter(({ name }) => name.startsWith(text))
    .map(({ name, path }) => ({ word: name, about: `plug-in ${path}` }));
}

async function isPlugin(word: string): Promise<boolean> {
  return (await import("../plugins.ts")).findPlugin(word, environment) !== undefined;
}

/** What is found in time; nothing where that fails. */
async function inTime(
  find: (signal: AbortSignal, requestTimeout: number) => Promise<Candidate[]>,
): Promise<Candidate[]> {
  const longest = longestTime();
  const left = (until: number) => Math.max(1, until - performance.now());
  using limit = boundedSignal(left(longest), tooLate);
  const { promise: ended, resolve } = Promise.withResolvers<Candidate[]>();
  const end = alarm(left(longest + END_MS), () => resolve([]));
  try {
    return await Promise.race([find(limit.signal, longest).catch(() => []), ended]);
  } finally {
    end.disarm();
  }
}

function longestTime(): number {
  const given = environment(LONGEST_VARIABLE);
  return given === undefined ? LONGEST_MS : parseTimeout(given, LONGEST_VARIABLE);
}

/** Nobody sees it. */
function tooLate(): AppError {
  return new AppError("NETWORK", "The time for completion is over.");
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
