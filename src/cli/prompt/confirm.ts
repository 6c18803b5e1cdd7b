/** Owns the question before something that cannot be taken back. */

import { AppError } from "../../errors.ts";
import { type CommandContext, exitWith } from "../context.ts";

/**
 * Asks on a terminal; anything but yes ends the command with exit 1, nothing being done. Throws `USAGE` where nobody can
 * be asked, `INTERRUPTED` on Ctrl-C.
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
  terminal.writeErr(`${question} [y/N] `);
  let answer = "";
  for await (const key of terminal.keys(interrupted)) {
    if (key === "\u0003") {
      terminal.writeErr("\n");
      throw new AppError("INTERRUPTED", "Interrupted; nothing was done.");
    }
    if (key === "\r" || key === "\n") break;
    if (key === "\u007f" || key === "\b") answer = answer.slice(0, -1);
    else if (/^[a-z]$/i.test(key)) {
      answer += key;
      terminal.writeErr(key);
    }
  }
  terminal.writeErr("\n");
  interrupted.throwIfAborted();
  if (/^y(?:es)?$/i.test(answer)) return;
  out.info("Nothing was done.");
  exitWith(1);
}
