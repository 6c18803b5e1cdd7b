/** `ctx`, which shows what is in use and holds `use` and `list`. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ContextOf } from "../context.ts";
import { ctxListCommand } from "./list.ts";
import { ctxShowCommand } from "./show.ts";
import { ctxUseCommand } from "./use.ts";

/** `ctx`. */
export function ctxCommand(contextOf: ContextOf): CommandUnknownOpts {
  return ctxShowCommand(contextOf).addCommand(ctxUseCommand(contextOf)).addCommand(ctxListCommand(contextOf));
}
