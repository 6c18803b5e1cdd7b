/** Completion with the network. */

import type { ProviderContext } from "../../providers/context.ts";
import { prepareRandomness } from "../../system/entropy.ts";
import { openNetwork } from "../../system/network.ts";
import type { CompletionContext } from "./context.ts";

/** The context of something that asks a server. */
export function online(context: CompletionContext): CompletionContext & ProviderContext {
  prepareRandomness();
  return { ...context, openNetwork };
}
