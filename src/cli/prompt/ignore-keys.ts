/** Keeps what is typed before a question is shown from answering it. */

import { interruptedError } from "../../errors.ts";
import type { Terminal } from "../../system/terminal.ts";

const CTRL_C = "\u0003";

/**
 * Does something that a person waits for on a terminal. What they type meanwhile, or typed before, is dropped, so that an
 * impatient Enter answers no question; Ctrl-C fires the signal that the work is handed.
 *
 * @throws {AppError} `INTERRUPTED` for Ctrl-C
 */
export async function ignoringKeys<Result>(
  terminal: Pick<Terminal, "keys">,
  interrupted: AbortSignal,
  work: (interrupted: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const typed = new AbortController();
  const signal = AbortSignal.any([interrupted, typed.signal]);
  // A terminal that cannot be read has no keys to drop.
  const dropping = dropKeys(terminal.keys(over.signal), () => typed.abort(interruptedError())).catch(
    () => {},
  );
  try {
    const result = await work(signal);
    signal.throwIfAborted();
    return result;
  } finally {
    over.abort();
    await dropping;
  }
}

async function dropKeys(keys: AsyncIterable<string>, onInterrupt: () => void): Promise<void> {
  for await (const key of keys) {
    if (key === CTRL_C) onInterrupt();
  }
}
