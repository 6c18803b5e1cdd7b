/** Owns how the secret of a confidential client comes in: from a file or standard input, never by argv. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { typedLines } from "../../sign-in/paste.ts";
import { othersCanRead, readGivenFile } from "../../system/files.ts";
import type { CommandContext } from "../context.ts";

const FLAG = "--client-secret-file";
const LONGEST_SECRET_CHARACTERS = 8192;

/** The secret in a file, or on standard input for `-`; typed unseen where that is a terminal. */
export async function readClientSecret(cli: CommandContext, path: string): Promise<string> {
  const text = path === "-" ? await readInput(cli, "the client secret") : await readFile(path);
  const secret = text.replace(/\r?\n$/, "");
  // RFC 6749, A.2, and what password generators make beside it.
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

/** Of a secret alone: what was named by mistake stays as it is. */
async function warnOfReaders({ out }: CommandContext, path: string): Promise<void> {
  if (!await othersCanRead(path)) return;
  out.warn(`Other users of this machine can read ${printable(path)}: chmod 600 it, or remove it after this.`);
}

/** One line from standard input, its end taken off; typed unseen where that is a terminal. */
export async function readHiddenLine(cli: CommandContext, what: string): Promise<string> {
  return (await readInput(cli, what)).replace(/\r?\n$/, "");
}

async function readInput({ terminal, interrupted, out }: CommandContext, what: string): Promise<string> {
  if (!terminal.canAsk) return await terminal.readIn(LONGEST_SECRET_CHARACTERS);
  out.important(`Type or paste ${what} and press Enter (it is not shown):`);
  for await (const line of typedLines(terminal.keys(interrupted))) return line;
  interrupted.throwIfAborted();
  return "";
}
