/** Terminal panes for tests: programs that run in a real terminal each, what they show, and their keys. */

import assert from "node:assert/strict";
import { findProgram } from "../../src/system/processes.ts";
import type { World } from "./world.ts";

/** False, after a printed line, where there is no terminal multiplexer. */
export const panesAtHand: boolean = findProgram("tmux", Deno.env.get("PATH")) !== undefined;

// deno-lint-ignore no-console
if (!panesAtHand) console.error("skipped: what takes a terminal, for there is no tmux here");

/** One terminal with a program in it. */
export interface Pane {
  /** All that was shown so far, long lines in one piece. */
  text(): Promise<string>;
  /** Waits until the text matches, and returns the match. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits until the program is over, and returns its exit code. */
  ended(): Promise<number>;
  /** Presses a key by tmux's name, such as `C-c`. */
  press(key: string): Promise<void>;
  /** Types a text, or pastes it, as it is. */
  type(text: string): Promise<void>;
}

/** The panes of one world; dispose of them before it. */
export interface Panes extends AsyncDisposable {
  /** Runs a program in a terminal of its own. */
  open(argv: readonly string[], env?: Readonly<Record<string, string | undefined>>): Promise<Pane>;
}

const LONGEST = 90_000;

/** A terminal multiplexer of this world's own. */
export function openPanes(world: World): Panes {
  const socket = `${world.temporary}/tmux`;
  let count = 0;
  const tmux = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await world.start("tmux", ["-S", socket, "-f", "/dev/null", ...args], {
      env: { TERM: "xterm" },
    }).finished;
    assert.equal(code, 0, `tmux ${args[0]}: ${stderr}`);
    return stdout;
  };
  return {
    async open(argv, env = {}) {
      const name = `pane-${++count}`;
      const unset = Object.entries(env).flatMap(([key, value]) => value === undefined ? ["-u", key] : []);
      const set = Object.entries(env).flatMap(([key, value]) =>
        value === undefined ? [] : [`${key}=${value}`]
      );
      // The shell outlives the program and Ctrl-C, so that what was shown stays to be read.
      const script = 'trap : INT; "$@"; echo "ended with $?"; exec sleep 600';
      const command = ["/bin/sh", "-c", script, "sh", "env", ...unset, ...set, ...argv];
      const size = ["-x", "250", "-y", "60"];
      await tmux("new-session", "-d", "-s", name, ...size, command.map(quoted).join(" "));
      const text = () => tmux("capture-pane", "-p", "-J", "-S", "-", "-t", name);
      const shows = async (pattern: RegExp) => {
        for (const most = performance.now() + LONGEST;;) {
          const shown = await text();
          const found = pattern.exec(shown);
          if (found !== null) return found;
          assert.ok(performance.now() < most, `${pattern} did not show within ${LONGEST} ms: ${shown}`);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      };
      return {
        text,
        shows,
        ended: async () => Number((await shows(/ended with (\d+)$/m))[1]),
        press: async (key) => void await tmux("send-keys", "-t", name, key),
        type: async (text) => void await tmux("send-keys", "-l", "-t", name, text),
      };
    },
    async [Symbol.asyncDispose]() {
      if (count > 0) await tmux("kill-server");
    },
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
