/** The question before something that cannot be undone. */

import { AppError } from "../../errors.ts";
import { type CommandContext, exitWith } from "../context.ts";
import { ask, type Prompt, type Step } from "./loop.ts";

/** The prompt of a question; its state is what was typed. */
export function confirmPrompt(question: string): Prompt<string, string> {
  return {
    start: "",
    onKey,
    draw(before, after) {
      if (before === undefined) return `${question} [y/N] `;
      if (after === undefined) return "\n";
      return after.slice(before.length);
    },
  };
}

function onKey(typed: string, key: string): Step<string, string> {
  if (key === "\u0003") return { kind: "cancelled" };
  if (key === "\r" || key === "\n") return { kind: "answered", answer: typed };
  if (key === "\u007f" || key === "\b") return { kind: "open", state: typed.slice(0, -1) };
  return { kind: "open", state: /^[a-z]$/i.test(key) ? typed + key : typed };
}

/**
 * Asks on a terminal. Any answer but yes ends the command with exit code 1.
 *
 * @throws {AppError} `USAGE` when there is no terminal to ask on; `INTERRUPTED` on Ctrl-C
 */
export async function confirm(
  { terminal, interrupted, out }: CommandContext,
  question: string,
): Promise<void> {
  if (!terminal.canAsk) {
    throw new AppError("USAGE", "This needs confirmation, and there is no terminal to ask on.", {
      hint: "Confirm on the command line: --yes",
    });
  }
  const asked = await ask(terminal, interrupted, confirmPrompt(question));
  if (asked.kind === "cancelled") throw new AppError("INTERRUPTED", "Interrupted; nothing was done.");
  interrupted.throwIfAborted();
  if (/^y(?:es)?$/i.test(asked.kind === "answered" ? asked.answer : asked.state)) return;
  out.info("Nothing was done.");
  exitWith(1);
}
