/** Shows on a terminal how far a command with many objects is: one line on stderr that is written over. */

import type { CommandContext } from "../context.ts";

/** A line that shows how far something is; dispose of it before anything else is printed for good. */
export interface Progress extends Disposable {
  /** Shows the line again with other numbers; without the second one where nobody knows how many there are. */
  readonly show: (done: number, all: number | undefined) => void;
  /** Takes the line away. */
  readonly clear: () => void;
}

/** How often the line changes at most, in milliseconds. */
const PAUSE = 100;

/**
 * Shows nothing where no person reads it, nor with `--quiet`, nor for a single object.
 *
 * @param doing what is done to the objects: `deleting`.
 */
export function openProgress(
  { terminal, quiet, now }: Pick<CommandContext, "terminal" | "quiet" | "now">,
  doing: string,
): Progress {
  let shown = 0;
  let isShown = false;
  const clear = () => {
    if (isShown) terminal.writeErr("\r\u001b[K");
    isShown = false;
  };
  return {
    show(done, all) {
      if (!terminal.errIsTerminal || quiet || (all ?? Infinity) < 2) return;
      if (all !== undefined && done >= all) return clear();
      if (now() - shown < PAUSE) return;
      shown = now();
      isShown = true;
      terminal.writeErr(`\r\u001b[K${doing} ${all === undefined ? done : `${done} of ${all}`} …`);
    },
    clear,
    [Symbol.dispose]: clear,
  };
}
