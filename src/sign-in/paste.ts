/** Reads the address that is pasted back: what is typed becomes lines, and each line is tried. */

import { interruptedError } from "../errors.ts";
import type { WaitingForBrowser } from "./with-browser.ts";

/** Keys as they are typed, each a whole key sequence, until the signal fires. */
export type Keys = (signal: AbortSignal) => AsyncIterable<string>;

// An address holds a code, which some issuers make of several thousand characters.
const LONGEST_LINE = 64 * 1024;

/** What a key makes of a line that is being typed. */
export type LineStep =
  | { readonly kind: "open"; readonly line: string }
  | { readonly kind: "entered"; readonly line: string }
  | { readonly kind: "interrupted" };

/** Edits a line by one key. Enter on an empty line leaves it open. */
export function onLineKey(line: string, key: string): LineStep {
  switch (key) {
    case "\r":
    case "\n":
      return line.trim() === "" ? { kind: "open", line: "" } : { kind: "entered", line };
    case "\u0003":
      return { kind: "interrupted" };
    case "\u0015":
      return { kind: "open", line: "" };
    case "\u007f":
    case "\b":
      return { kind: "open", line: line.slice(0, -1) };
    default:
      // Arrow keys, and the marks that some terminals put around what is pasted, start with Escape.
      return {
        kind: "open",
        line: key.startsWith("\u001b") || line.length >= LONGEST_LINE ? line : line + key,
      };
  }
}

/**
 * The lines that are typed, without empty ones. They are read key by key because a terminal's own lines end at 1,024 or
 * 4,096 characters.
 *
 * @throws {AppError} `INTERRUPTED` for Ctrl-C, which no signal handler sees while keys are read
 */
export async function* typedLines(keys: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let line = "";
  for await (const key of keys) {
    const step = onLineKey(line, key);
    if (step.kind === "interrupted") throw interruptedError();
    if (step.kind === "entered") yield step.line;
    line = step.kind === "open" ? step.line : "";
  }
}

/** Tries pasted addresses until one is the issuer's answer, or the attempt is over. Says what was wrong with others. */
export async function readPasted(
  { paste, redirectUri, over }: Pick<WaitingForBrowser, "paste" | "redirectUri" | "over">,
  keys: Keys,
  say: (text: string) => void,
): Promise<void> {
  for await (const line of typedLines(keys(over))) {
    switch (await paste(line)) {
      case "taken":
        return;
      case "no-address":
        say(`That is not an address. Paste all of it; it begins with ${redirectUri}`);
        break;
      case "other-address":
        say(`That is not the address that is needed, which begins with ${redirectUri}`);
        break;
      case "other-attempt":
        say(
          "That address belongs to another sign-in (its state does not match). Open the address above again.",
        );
    }
  }
}
