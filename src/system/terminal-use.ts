/** Who uses the terminal behind standard error right now: us, a full-screen program above us, or another program. */

import { childEnvironment, ProgramError, run } from "./processes.ts";
import { onWindows } from "./environment.ts";

/** What the terminal is used for. */
export interface TerminalUse {
  /** A program reads single keys from it: it shows a screen of its own or waits at a prompt. */
  readonly raw: boolean;
  /** It is controlled by another process group than ours. */
  readonly elsewhere: boolean;
}

/** Runs in a child on the same terminal. */
const ASK = "exec <&2 2>/dev/null; stty -a; ps -o pgid= -o tpgid= -p $$";

const LONGEST = 2_000;

/**
 * Looks at the terminal behind standard error. It counts as free without a terminal, and without the programs that
 * can tell.
 */
export async function terminalUse(): Promise<TerminalUse> {
  const free = { raw: false, elsewhere: false };
  if (onWindows || !Deno.stderr.isTerminal()) return free;
  try {
    const env = { ...childEnvironment(["PATH"]), LC_ALL: "C" };
    const { stdout } = await run("/bin/sh", ["-c", ASK], { env, stderr: "inherit", timeout: LONGEST });
    return useIn(stdout);
  } catch (thrown) {
    if (thrown instanceof ProgramError) return free;
    throw thrown;
  }
}

/** Reads what `stty -a` and `ps -o pgid= -o tpgid=` print. */
export function useIn(text: string): TerminalUse {
  const [, own, foreground] = /^ *(\d+) +(\d+) *$/m.exec(text) ?? [];
  return {
    raw: /(?:^|\s)-icanon\b/m.test(text),
    elsewhere: own !== foreground && foreground !== "0",
  };
}
