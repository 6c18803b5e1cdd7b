/** All that is handed in from outside: variables, time, randomness, the network, signals, the working folder. */

import { type Clock, pause } from "./clock.ts";
import { currentFolder, type Environment, environment } from "./environment.ts";
import type { Network, NetworkOptions, Trust } from "./network.ts";

/** The outside world as the program sees it. */
export interface Host {
  readonly env: Environment;
  readonly now: Clock;
  /** Waits for some milliseconds; rejects with the signal's reason as soon as that is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  /** This machine's network unless given: a call of get-token that needs none does not load it. */
  readonly openNetwork?:
    | ((certificateAuthority?: string, trust?: Trust, options?: NetworkOptions) => Network)
    | undefined;
  /** Fires on Ctrl-C, where that does not end the process by itself. */
  readonly interrupted?: AbortSignal | undefined;
  /** Lets a Ctrl-C pass until it is disposed of: what is typed is for another program then. */
  readonly holdInterrupts?: (() => Disposable) | undefined;
  /** The folder that the process works in; undefined when it is gone. */
  readonly workingFolder: () => string | undefined;
  /** Hears, in one line, of what was repaired on the way or could not be. */
  readonly notice: (line: string) => void;
}

/** This process's own host. `notice` hears each line once. */
export function systemHost(notice: (line: string) => void): Host {
  const told = new Set<string>();
  return {
    env: environment,
    now: Date.now,
    sleep: pause,
    random: Math.random,
    workingFolder: currentFolder,
    notice(line) {
      if (!told.has(line)) notice(line);
      told.add(line);
    },
  };
}
