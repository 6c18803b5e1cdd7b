/** Reads a secret: a line typed without echo, standard input, or the file of `--client-secret-file`. */

import { AppError, interruptedError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { onLineKey } from "../../sign-in/paste.ts";
import { othersCanRead } from "../../system/files.ts";
import { readGivenFile } from "../../system/given-file.ts";
import type { CommandContext } from "../context.ts";
import { ask, type Step } from "./loop.ts";

const FLAG = "--client-secret-file";
const LONGEST_SECRET_CHARACTERS = 8192;

/** A client's secret from a file, or from standard input for `-`; typed without echo when that is a terminal. */
export async function readClientSecret(cli: CommandContext, path: string): Promise<string> {
  const text = path === "-" ? await readInput(cli, "the client secret") : await readFile(path);
  const secret = text.replace(/\r?\n$/, "");
  // RFC 6749, A.2, and the characters beside it that password generators use.
  if (secret !== "" && secret.length <= LONGEST_SECRET_CHARACTERS && !/\p{Cc}/u.test(secret)) {
    if (path !== "-") await warnOfReaders(cli, path);
    return secret;
  }
  const what = path === "-" ? "standard input" : printable(path);
  throw new AppError("USAGE", `${FLAG}: ${what} holds no client secret: it must be one line of text.`);
}

async function readFile(path: string): Promise<string> {
  const text = await readGivenFile(path, FLAG, `Send it on standard input: ${FLAG} -`);
  if (text === undefined) throw new AppError("USAGE", `${FLAG}: ${printable(path)} does not exist.`);
  return text;
}

/** Warns of a file that other users can read. */
async function warnOfReaders({ out }: CommandContext, path: string): Promise<void> {
  if (!await othersCanRead(path)) return;
  out.warn(`Other users of this machine can read ${printable(path)}: chmod 600 it, or remove it after this.`);
}

/** One line from standard input, without its end; typed without echo when that is a terminal. */
export async function readHiddenLine(cli: CommandContext, what: string): Promise<string> {
  return (await readInput(cli, what)).replace(/\r?\n$/, "");
}

async function readInput({ terminal, interrupted, out }: CommandContext, what: string): Promise<string> {
  if (!terminal.canAsk) return await terminal.readIn(LONGEST_SECRET_CHARACTERS);
  out.important(`Type or paste ${what} and press Enter (it is not shown):`);
  const asked = await ask(terminal, interrupted, { start: "", onKey, draw: () => "" });
  if (asked.kind === "answered") return asked.answer;
  if (asked.kind === "cancelled") throw interruptedError();
  interrupted.throwIfAborted();
  return "";
}

function onKey(line: string, key: string): Step<string, string> {
  const step = onLineKey(line, key);
  switch (step.kind) {
    case "entered":
      return { kind: "answered", answer: step.line };
    case "interrupted":
      return { kind: "cancelled" };
    case "open":
      return { kind: "open", state: step.line };
  }
}
