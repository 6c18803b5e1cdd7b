/** The terminal: reading keys, and writing without losing text. */

import { AppError } from "../errors.ts";
import { type Environment, environment, onWindows } from "./environment.ts";
import { fileFailure } from "./files.ts";

/** What a command writes to and asks from. */
export interface Terminal {
  /** Standard output is a terminal. */
  readonly outIsTerminal: boolean;
  /** Standard error is a terminal: a person reads what is said there. */
  readonly errIsTerminal: boolean;
  /** Standard input and standard error are terminals: a person can be asked. */
  readonly canAsk: boolean;
  /** No variable forbids colours on the streams that are terminals. */
  readonly showsColours?: boolean | undefined;
  /** Signs beyond ASCII, such as a check mark, can be shown. */
  readonly showsMarks?: boolean | undefined;
  /** Columns of the terminal; 80 when unknown. */
  columns(): number;
  /** False when nobody reads it any more. */
  writeOut(text: string): boolean;
  writeErr(text: string): void;
  /** Keys as they are typed, each a whole key sequence, until the loop is left. */
  keys(signal: AbortSignal): AsyncGenerator<string, void, void>;
  /** All of standard input, to its end; for more than `limit` bytes, one byte more than that. */
  readIn(limit: number): Promise<string>;
}

/** True when standard input and standard error are terminals, so that a person can be asked. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** True unless a variable forbids colours; none brings them where there is no terminal. See https://no-color.org. */
export function allowsColours(env: Environment): boolean {
  return env("NO_COLOR") === undefined && env("TERM") !== "dumb" && env("CLICOLOR") !== "0";
}

/** True where the locale's characters are UTF-8; on Windows, in the terminals that have a font for every sign. */
export function hasMarks(env: Environment, windows: boolean): boolean {
  if (windows) return env("WT_SESSION") !== undefined || env("TERM_PROGRAM") === "vscode";
  return /utf-?8/i.test(env("LC_ALL") ?? env("LC_CTYPE") ?? env("LANG") ?? "");
}

/** The process's own terminal. */
export function systemTerminal(): Terminal {
  return {
    outIsTerminal: Deno.stdout.isTerminal(),
    errIsTerminal: Deno.stderr.isTerminal(),
    canAsk: canAsk(),
    showsColours: allowsColours(environment),
    showsMarks: hasMarks(environment, onWindows),
    columns() {
      try {
        return Deno.consoleSize().columns || 80;
      } catch {
        return 80;
      }
    },
    writeOut,
    writeErr,
    keys: readKeys,
    async readIn(limit) {
      const bytes = new Uint8Array(limit + 1);
      let length = 0;
      while (length < bytes.length) {
        const read = await Deno.stdin.read(bytes.subarray(length));
        if (read === null) break;
        length += read;
      }
      return new TextDecoder().decode(bytes.subarray(0, length));
    },
  };
}

/** What is read from standard input, for the first loop over keys that waits for it. */
let reading: Promise<string | null> | undefined;

let decoder: TextDecoder | undefined;

/** Reads from standard input. A read cannot be cancelled: one that a loop gave up is the next one's. */
function readTyped(): Promise<string | null> {
  return reading ??= (async () => {
    const buffer = new Uint8Array(64);
    const length = await Deno.stdin.read(buffer);
    decoder ??= new TextDecoder();
    return length === null ? null : decoder.decode(buffer.subarray(0, length), { stream: true });
  })();
}

/** The keys of {@link Terminal}, for callers that need nothing else of it. */
export async function* readKeys(signal: AbortSignal): AsyncGenerator<string, void, void> {
  const { promise: aborted, resolve: stop } = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => stop(undefined), { once: true });
  Deno.stdin.setRaw(true);
  try {
    while (!signal.aborted) {
      const text = await Promise.race([readTyped(), aborted]);
      if (text === undefined) return;
      reading = undefined;
      if (text === null) return;
      yield* splitKeys(text);
    }
  } finally {
    Deno.stdin.setRaw(false);
  }
}

// An escape sequence is one key; everything else is a key per character.
// deno-lint-ignore no-control-regex
const KEY = /\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[^]/gu;

/** The keys in text that was read at once. */
export function splitKeys(text: string): string[] {
  return text.match(KEY) ?? [];
}

/**
 * Writes to standard output.
 *
 * @returns false when nobody reads it any more.
 * @throws {AppError} `STORAGE` when it takes nothing more, like a file on a full disk.
 */
export function writeOut(text: string): boolean {
  try {
    return writeAll(Deno.stdout, text);
  } catch (cause) {
    const reason = fileFailure(cause) === "full" ? "the disk is full" : "the system refused";
    throw new AppError("STORAGE", `Cannot write the output: ${reason}.`, {
      hint: "Send the output elsewhere and run the same command again.",
      cause,
    });
  }
}

/** Writes to standard error. When that takes nothing more, there is nobody left to tell. */
export function writeErr(text: string): void {
  try {
    writeAll(Deno.stderr, text);
  } catch {
    // The exit code still tells the result of the command.
  }
}

/** Writes all of a text. A closed pipe is not an error: its reader went away, and the result is false. */
export function writeAll(target: { writeSync(bytes: Uint8Array): number }, text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) written += target.writeSync(bytes.subarray(written));
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown;
    return false;
  }
}
