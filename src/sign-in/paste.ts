/** Owns the address that a person pastes back: what is typed becomes lines, each line is tried. */

import { AppError } from "../errors.ts";
import type { WaitingForBrowser } from "./with-browser.ts";

/** Keys as they are typed, each a whole key sequence, until the signal fires. */
export type Keys = (signal: AbortSignal) => AsyncIterable<string>;

// An address holds a code, which some issuers make of several thousand characters.
const LONGEST_LINE = 64 * 1024;

/**
 * The lines that are typed, ended by Enter, without empty ones. Keys and not the terminal's own lines: those end at
 * 1,024 or 4,096 characters. Throws `INTERRUPTED` for Ctrl-C, which reaches nobody else while keys are read.
 */
export async function* typedLines(keys: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let line = "";
  for await (const key of keys) {
    switch (key) {
      case "\r":
      case "\n":
        if (line.trim() !== "") yield line;
        line = "";
        break;
      case "\u0003":
        throw new AppError("INTERRUPTED", "Interrupted.");
      case "\u0015":
        line = "";
        break;
      case "\u007f":
      case "\b":
        line = line.slice(0, -1);
        break;
      default:
        // Arrow keys, and the marks that some terminals put around what is pasted.
        if (!key.startsWith("\u001b") && line.length < LONGEST_LINE) line += key;
    }
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
