/** Ctrl-C and its kin: held back while a step must finish, heard while a wait can end. */

import { interruptedError } from "../errors.ts";
import { pause } from "./clock.ts";

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Signals that are kept from ending the process. */
export interface HeldSignals {
  /**
   * Lets signals through again.
   *
   * @throws {AppError} `INTERRUPTED` when one came meanwhile.
   */
  release(): Promise<void>;
}

/** Keeps SIGINT, SIGTERM and SIGHUP from ending the process until they are released. */
export function holdSignals(): HeldSignals {
  let came: Deno.Signal | undefined;
  const hold = SIGNALS.map((signal) => {
    const listener = () => {
      came ??= signal;
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return {
    async release() {
      // The runtime delivers a signal in a turn of its own; one that has already come must not get lost.
      await pause(1);
      for (const { signal, listener } of hold) Deno.removeSignalListener(signal, listener);
      if (came !== undefined) throw interruptedError();
    },
  };
}

/** What {@link interruption} hands out. */
export interface Interruption extends Disposable {
  /** Fires with `INTERRUPTED` on Ctrl-C, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Lets a Ctrl-C pass until it is disposed of. */
  readonly hold: () => Disposable;
}

/** Hears Ctrl-C, SIGTERM and SIGHUP until it is disposed of. */
export function interruption(): Interruption {
  const controller = new AbortController();
  let holders = 0;
  const listeners = SIGNALS.map((signal) => {
    const isTyped = signal === "SIGINT" || signal === "SIGBREAK";
    const listener = () => {
      if (!isTyped || holders === 0) controller.abort(interruptedError());
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return {
    signal: controller.signal,
    hold() {
      holders += 1;
      return {
        [Symbol.dispose]() {
          holders -= 1;
        },
      };
    },
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
