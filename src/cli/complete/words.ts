/**
 * The words of the command line. The compiler puts the same table as data in this module's place, because making it of
 * the tree loads every command.
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { providersOf } from "../../providers/registry.ts";
import { SessionStore } from "../../sessions/store.ts";
import { systemHost } from "../../system/host.ts";
import { openNetwork } from "../../system/network.ts";
import { systemTerminal } from "../../system/terminal.ts";
import { commandContext } from "../context.ts";
import { buildProgram } from "../tree.ts";
import { type CommandWords, tableOf } from "./table.ts";

/** The table of every command; the compiled one knows the commands that the words call, and the names of the others. */
export async function commandWords(_words: readonly string[] = []): Promise<CommandWords> {
  return tableOf(await wholeProgram());
}

/** The program with every command loaded, to be looked at. */
export async function wholeProgram(): Promise<CommandUnknownOpts> {
  const host = systemHost(() => {});
  const providers = providersOf();
  const context = {
    ...host,
    openNetwork,
    interrupted: new AbortController().signal,
    terminal: systemTerminal(),
    providers,
    store: new SessionStore(host, providers),
    errorFormat: "human",
  } as const;
  return await buildProgram([], context, () => commandContext(context, {}), () => {});
}
