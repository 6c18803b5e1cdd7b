/** What commands share that read objects: the flags of lists, and what a server warns of beside its answers. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { CHUNK } from "../../kube/read/get.ts";
import { readGivenFile } from "../../system/files.ts";
import { printable } from "../../text.ts";
import type { CommandContext } from "../context.ts";

/** Adds `--chunk-size` to a command. */
export function addChunkSizeFlag(command: CommandUnknownOpts): void {
  command.option(
    "--chunk-size <count>",
    `how many objects of a list are asked for at once (default: ${CHUNK}); 0 for all`,
  );
}

/** The value of {@link addChunkSizeFlag}. @throws {AppError} `USAGE`. */
export function chunkSizeOf(text: string | undefined): number {
  if (text === undefined) return CHUNK;
  if (/^[+-]?\d{1,9}$/.test(text)) return Number(text);
  throw new AppError("USAGE", `--chunk-size takes a number, not "${printable(text, 60)}".`);
}

/** Tells each warning of a server once, however many answers carry it. */
export function warningsOnce({ out }: Pick<CommandContext, "out">): (warning: string) => void {
  const told = new Set<string>();
  return (warning) => {
    if (!told.has(warning)) out.warn(printable(warning, 1000));
    told.add(warning);
  };
}

/** Says that parts of a list are of different times. */
export function tellExpired({ out }: Pick<CommandContext, "out">): void {
  out.warn("the list changed while it was read: an object may be missing, or be there twice");
}

/** The text of a file that `-o` names. @throws {AppError} `USAGE` where it is not there, `STORAGE` where it cannot be read. */
export async function readTemplate(path: string): Promise<string> {
  const text = await readGivenFile(path, "-o", "Give the template on the command line: -o jsonpath=…");
  if (text !== undefined) return text;
  throw new AppError("USAGE", `The path "${printable(path)}" does not exist.`);
}
