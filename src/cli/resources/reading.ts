/** What commands share that read objects: the flags of lists, and what a server warns of beside its answers. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { CHUNK } from "../../kube/read/get.ts";
import type { WatchOptions } from "../../kube/read/watch-changes.ts";
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

/** What a watch takes from the command, and what it tells of its connections. */
export function watchOptions({ interrupted, sleep, random, out }: CommandContext): WatchOptions {
  return {
    signal: interrupted,
    sleep,
    random,
    onInterrupted: ({ message }) => out.info(`${message} The watch goes on.`),
  };
}
