/** The question before something that cannot be undone. */

import { AppError } from "../../errors.ts";
import { type CommandContext, exitWith } from "../context.ts";
import { ask, type Prompt, type Step } from "./loop.ts";

/** The prompt of a question; its state is what was typed. */
export function confirmPrompt(question: string): Prompt<string, string> {
  return {
    start: "",
    onKey,
    draw(before, after, _columns, style) {
      if (before === undefined) return `${style.title(question)} [y/N] `;
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
  cli: CommandContext,
  question: string,
): Promise<void> {
  if (!cli.terminal.canAsk) {
    throw new AppError("USAGE", "This needs confirmation, and there is no terminal to ask on.", {
      hint: "Confirm on the command line: --yes",
    });
  }
  if (await agrees(cli, question)) return;
  cli.out.info("Nothing was done.");
  exitWith(1);
}

/**
 * Asks on a terminal; true for yes, false for any other answer.
 *
 * @throws {AppError} `INTERRUPTED` on Ctrl-C
 */
export async function agrees(
  { terminal, interrupted }: Pick<CommandContext, "terminal" | "interrupted">,
  question: string,
): Promise<boolean> {
  const asked = await ask(terminal, interrupted, confirmPrompt(question));
  if (asked.kind === "cancelled") throw new AppError("INTERRUPTED", "Interrupted; nothing was done.");
  interrupted.throwIfAborted();
  return /^y(?:es)?$/i.test(asked.kind === "answered" ? asked.answer : asked.state);
}
